package install_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/shared/terraform/install"
	"github.com/terraform-gitops/gitops/shared/terraform/internal/terraformtest"
	"github.com/terraform-gitops/gitops/test/kit/fakereleases"
)

// nodeArch is the architecture of these tests as the tool cache calls it.
func nodeArch() string {
	if runtime.GOARCH == "amd64" {
		return "x64"
	}
	return runtime.GOARCH
}

func (r *runner) cached(version string) string {
	return filepath.Join(r.ToolCache, "terraform", version, nodeArch(), "terraform")
}

// cache puts a version into the tool cache as another action would.
func (r *runner) cache(t *testing.T, version string) string {
	t.Helper()
	path := r.cached(version)
	writeProgram(t, path, fakereleases.VersionScript(version))
	folder := filepath.Dir(path)
	terraformtest.WriteFiles(t, filepath.Dir(folder), map[string]string{filepath.Base(folder) + ".complete": ""})
	return path
}

func TestLocateTakesTheNewestOfTheToolCache(t *testing.T) {
	t.Parallel()
	r := newRunner(t)
	r.Constraint = "~> 1.9"
	r.cache(t, "1.9.2")
	want := r.cache(t, "1.9.10")
	r.cache(t, "1.10.0-rc1")
	r.cache(t, "2.0.0-rc1")
	r.cache(t, "3.0.0")
	writeProgram(t, r.cached("1.11.0"), fakereleases.VersionScript("1.11.0")) // half-installed
	r.cache(t, "not-a-version")
	if got := r.locate(t); got != want {
		t.Errorf("found %s, want %s", got, want)
	}
	r.Constraint = ">= 2.0.0-beta1, != 3.0.0"
	r.fails(t, "no terraform on PATH")
	r.Constraint = "~> 1.9"
	// Without RUNNER_TOOL_CACHE it is a folder of the user's.
	r.ToolCache = ""
	r.Environ = append(r.Environ, "XDG_CACHE_HOME="+filepath.Join(r.Root, "cache"))
	r.fails(t, "no terraform on PATH")
	cache := filepath.Join(r.Root, "cache", "terraform-gitops", "tools")
	site := fakereleases.New(t, "1.9.3")
	r.Releases = install.Releases(site.Releases)
	if got, want := r.locate(t), filepath.Join(cache, "terraform", "1.9.3", nodeArch(), "terraform"); got != want {
		t.Errorf("found %s, want %s", got, want)
	}
}

func TestLocateReplacesWhatAKilledJobLeftInTheToolCache(t *testing.T) {
	t.Parallel()
	site := fakereleases.New(t, "1.9.8")
	r := newRunner(t)
	r.Constraint, r.Releases = "1.9.8", install.Releases(site.Releases)
	writeProgram(t, r.cached("1.9.8"), "#!/bin/sh\nexit 1 # half of it\n")
	if got := terraformtest.ReadFile(t, r.locate(t)); got != fakereleases.VersionScript("1.9.8") {
		t.Errorf("the program is %s", got)
	}
}

// Another job on the machine may write to the tool cache.
func TestLocateReplacesAndStartsNothingThatWasChangedInTheToolCache(t *testing.T) {
	t.Parallel()
	site := fakereleases.New(t, "1.9.8")
	r := newRunner(t)
	r.Constraint, r.Releases = "1.9.8", install.Releases(site.Releases)
	installed := r.locate(t)
	if len(site.Asked()) == 0 {
		t.Fatal("nothing was installed")
	}
	owned := filepath.Join(r.Root, "owned")
	for name, change := range map[string]func(){
		"another program": func() {
			writeProgram(t, installed, "#!/bin/sh\ntouch '"+owned+"'\n"+fakereleases.VersionScript("1.9.8"))
		},
		"a line more": func() { writeProgram(t, installed, fakereleases.VersionScript("1.9.8")+"touch '"+owned+"'\n") },
		"another checksum of it": func() {
			terraformtest.WriteFiles(t, filepath.Dir(filepath.Dir(installed)), map[string]string{nodeArch() + ".complete": strings.Repeat("0", 64)})
		},
	} {
		change()
		if got := r.locate(t); got != installed || terraformtest.ReadFile(t, got) != fakereleases.VersionScript("1.9.8") {
			t.Errorf("%s: found %s with\n%s", name, got, terraformtest.ReadFile(t, got))
		}
		if len(site.Asked()) == 0 {
			t.Errorf("%s: it was not installed again", name)
		}
	}
	if _, err := os.Stat(owned); err == nil {
		t.Error("what somebody else wrote was started")
	}
	if r.locate(t); len(site.Asked()) > 0 {
		t.Error("it was installed again, and nothing had changed")
	}
}

func TestLocateManyAtOnceInstallOne(t *testing.T) {
	t.Parallel()
	const jobs = 8
	site := fakereleases.New(t, "1.9.8")
	var all sync.WaitGroup // jobs on one machine
	all.Add(jobs)
	site.Before = func(path string) {
		if strings.HasSuffix(path, ".zip") {
			all.Done()
			all.Wait()
		}
	}
	r := newRunner(t)
	r.Constraint, r.Releases = "1.9.8", install.Releases(site.Releases)
	var group sync.WaitGroup
	for range jobs {
		group.Go(func() {
			path, err := install.Locate(t.Context(), r.Options)
			if err != nil || path != r.cached("1.9.8") {
				t.Errorf("found %q, %v", path, err)
			}
		})
	}
	group.Wait()
	folder := filepath.Join("terraform", "1.9.8", nodeArch())
	if diff := cmp.Diff([]string{folder + "/terraform", folder + ".complete"}, filesIn(t, r.ToolCache)); diff != "" {
		t.Errorf("in the tool cache (-want +got):\n%s", diff)
	}
}

// filesIn are the regular files below a folder, relative to it.
func filesIn(t *testing.T, dir string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			var name string
			name, err = filepath.Rel(dir, path)
			files = append(files, name)
		}
		return err
	})
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return files
}
