package install_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/terraform/install"
	"github.com/terraform-gitops/gitops/test/kit/fakereleases"
)

// wantsAtmos wants a version, from a site. Each program of the site is the text of its version.
func wantsAtmos(t *testing.T, version, site string) install.AtmosOptions {
	t.Helper()
	machine := t.TempDir()
	return install.AtmosOptions{
		Version: version, Environ: []string{"PATH=" + filepath.Join(machine, "bin")}, ToolCache: filepath.Join(machine, "tools"),
		Releases: site, Client: http.DefaultClient,
		Is: func(_ context.Context, path string) string {
			text, _ := os.ReadFile(path)
			return string(text)
		},
	}
}

func TestAtmosIsInstalledOnce(t *testing.T) {
	t.Parallel()
	site, url := fakereleases.NewAtmos(t, map[string]string{"1.196.0": "1.196.0", "1.227.0": "1.227.0"})
	o := wantsAtmos(t, "v1.227.0", url)
	onPath := filepath.Join(strings.TrimPrefix(o.Environ[0], "PATH="), "atmos")
	writeProgram(t, onPath, "1.196.0")
	want := filepath.Join(o.ToolCache, "atmos", "1.227.0", nodeArch(), "atmos")
	for range 2 {
		got, err := install.Atmos(t.Context(), o)
		if err != nil || got != want {
			t.Fatalf("found %s (%v), want %s", got, err, want)
		}
		if info, err := os.Stat(got); err != nil || info.Mode().Perm() != 0o755 {
			t.Errorf("%v, %v", info, err)
		}
	}
	if asked := site.Asked(); len(asked) != 2 {
		t.Errorf("asked for %q, want the checksums and the program, once", asked)
	}
	// A changed one is replaced, and one on PATH that fits comes first.
	if err := os.WriteFile(want, []byte("1.227.0 and more"), 0o755); err != nil {
		t.Fatal(err)
	}
	if got, err := install.Atmos(t.Context(), o); err != nil || got != want || len(site.Asked()) != 2 {
		t.Errorf("found %s (%v)", got, err)
	}
	o.Version = "1.196.0"
	if got, err := install.Atmos(t.Context(), o); err != nil || got != onPath || len(site.Asked()) > 0 {
		t.Errorf("found %s (%v), want the one on PATH", got, err)
	}
}

func TestAtmosThatIsNotTheReleaseIsRefused(t *testing.T) {
	t.Parallel()
	const version = "1.227.0"
	program := fakereleases.AtmosFile(version, strings.TrimSuffix(fakereleases.ZipSuffix, ".zip"))
	sums := fakereleases.AtmosFile(version, "SHA256SUMS")
	for name, test := range map[string]struct {
		spoil func(s *fakereleases.Site, o *install.AtmosOptions)
		want  string
	}{
		"another program":            {func(s *fakereleases.Site, _ *install.AtmosOptions) { s.Files[program] = []byte("evil") }, "does not have the published checksum"},
		"no checksum of it":          {func(s *fakereleases.Site, _ *install.AtmosOptions) { s.Files[sums] = []byte("00  other\n") }, "the release has no checksum of atmos_1.227.0_"},
		"no checksums":               {func(s *fakereleases.Site, _ *install.AtmosOptions) { delete(s.Files, sums) }, "atmos_1.227.0_SHA256SUMS: 404"},
		"no program":                 {func(s *fakereleases.Site, _ *install.AtmosOptions) { delete(s.Files, program) }, ": 404"},
		"a download that breaks off": {func(s *fakereleases.Site, _ *install.AtmosOptions) { s.Cut = program }, "unexpected EOF"},
		"no network":                 {func(_ *fakereleases.Site, o *install.AtmosOptions) { o.Releases = "http://127.0.0.1:1" }, "connection refused"},
		"another version by its name": {func(_ *fakereleases.Site, o *install.AtmosOptions) {
			o.Is = func(context.Context, string) string { return "1.0.0" }
		}, "says that it is another version"},
		"one that is too old": {func(_ *fakereleases.Site, o *install.AtmosOptions) { o.Oldest = "1.227.1" }, "take 1.227.1 or newer"},
		"no version":          {func(_ *fakereleases.Site, o *install.AtmosOptions) { o.Version = "../latest" }, "give a version, such as 1.196.0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			site, url := fakereleases.NewAtmos(t, map[string]string{version: version})
			o := wantsAtmos(t, version, url)
			test.spoil(site, &o)
			_, err := install.Atmos(t.Context(), o)
			if err == nil || !strings.Contains(err.Error(), test.want) || problem.CodeOf(err) == "" {
				t.Errorf("%v, want %q and a code", err, test.want)
			}
			if files := filesIn(t, o.ToolCache); len(files) > 0 {
				t.Errorf("left in the tool cache: %q", files)
			}
		})
	}
}
