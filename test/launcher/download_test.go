package launcher

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/terraform-gitops/gitops/test/kit/executable"
)

// asset is the address of the release's asset on a server.
var asset = "/acme/gitops/releases/download/v1.2.3/" + name

// server answers with one handler, and counts.
func server(t *testing.T, handle http.HandlerFunc) (environ string, asked *atomic.Int64) {
	t.Helper()
	asked = new(atomic.Int64)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		handle(w, r)
	}))
	t.Cleanup(s.Close)
	return "GITHUB_SERVER_URL=" + s.URL, asked
}

func give(binary string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != asset {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		fmt.Fprint(w, binary)
	}
}

func TestADownloadIsKeptInTheToolCache(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	binary := sh("echo ran")
	w.release(binary)
	url, asked := server(t, give(binary))
	w.run("plan.js", url).want(0, "ran")
	w.run("plan.js", url).want(0, "ran")
	if asked.Load() != 1 {
		t.Errorf("%d downloads of two starts", asked.Load())
	}
	w.wantNothingLeft(name)

	// A cache that others can write is not believed.
	files, err := filepath.Glob(filepath.Join(w.cache, "terraform-gitops", "v1.2.3", "*", name))
	if err != nil || len(files) != 1 {
		t.Fatalf("cached: %q, %v", files, err)
	}
	check(t, executable.Write(files[0], sh("echo changed")))
	w.run("plan.js", url).want(0, "ran")
	if asked.Load() != 2 {
		t.Errorf("%d downloads, but the cached binary was changed", asked.Load())
	}
}

func TestACacheThatCanNotBeWrittenIsDoneWithout(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	binary := sh("echo ran")
	w.release(binary)
	url, _ := server(t, give(binary))
	w.run("plan.js", url, w.preload(`
		const fs = require("node:fs");
		fs.mkdirSync = () => { throw Object.assign(new Error("read-only"), { code: "EROFS" }); };
	`)).want(0, "ran")
	w.wantNothingLeft()
}

func TestJobsOnOneHostDoNotCollide(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	binary := sh("echo ran", "#"+strings.Repeat("x", 4<<20))
	w.release(binary)
	url, _ := server(t, give(binary))
	var steps []*step
	for range 4 {
		steps = append(steps, w.start("plan.js", url, "RUNNER_TEMP="+t.TempDir()))
	}
	for _, step := range steps {
		step.wait()
		step.want(0, "ran")
	}
	w.wantNothingLeft(name)
}

func TestADownloadThatFailsLeavesNothing(t *testing.T) {
	t.Parallel()
	binary := sh("echo ran", "#"+strings.Repeat("x", 1<<20))
	for what, test := range map[string]struct {
		answer  http.HandlerFunc
		preload string
		says    string
	}{
		"another file": {give(sh("echo other")), "", "actions/checksums.txt lists "},
		"a part": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(binary)))
			fmt.Fprint(w, binary[:len(binary)/2])
		}, "", "the answer broke off"},
		"a whole answer that is too short": {give(binary[:len(binary)/2]), "", "actions/checksums.txt lists "},
		"none":                             {http.NotFound, "", "404 Not Found"},
		"a page to sign in": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprint(w, "<html>")
		}, "", "404 a page in place of the file"},
		"an error of the server": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }, "", "502 Bad Gateway"},
		"a redirect for ever":    {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) }, "", "is not followed"},
		"no disk": {give(binary), `
			const fs = require("node:fs");
			const { appendFileSync } = fs;
			fs.appendFileSync = (file, ...rest) => {
				if (typeof file === "number") throw new Error("ENOSPC: no space left on device, write");
				appendFileSync(file, ...rest);
			};`, "ENOSPC: no space left on device"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.release(binary)
			url, _ := server(t, test.answer)
			// A proxy that refuses: github.com is asked after a server that has no release.
			proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
			t.Cleanup(proxy.Close)
			environ := []string{url, "HTTPS_PROXY=" + proxy.URL}
			if test.preload != "" {
				environ = append(environ, w.preload(test.preload))
			}
			step := w.run("plan.js", environ...)
			step.wantError(1, name+" of v1.2.3 cannot be downloaded", test.says, "GITOPS_BINARY")
			if strings.Contains(step.printed(), "ran\n") {
				t.Error("it was run")
			}
			w.wantNothingLeft()
		})
	}
}

func TestACancelledDownloadLeavesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	binary := sh("echo ran")
	w.release(binary)
	begun := make(chan struct{})
	url, _ := server(t, func(out http.ResponseWriter, r *http.Request) {
		fmt.Fprint(out, binary[:5])
		_ = http.NewResponseController(out).Flush()
		close(begun)
		<-r.Context().Done()
	})
	step := w.start("plan.js", url)
	<-begun
	step.signal(os.Interrupt)
	step.wait()
	step.want(130)
	w.wantNothingLeft()
}

func TestABusyServerIsAskedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	binary := sh("echo ran")
	w.release(binary)
	var busy atomic.Bool
	url, _ := server(t, func(out http.ResponseWriter, r *http.Request) {
		if busy.CompareAndSwap(false, true) {
			out.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		give(binary)(out, r)
	})
	w.run("plan.js", url).want(0, "503 Service Unavailable: trying again", "ran")
}
