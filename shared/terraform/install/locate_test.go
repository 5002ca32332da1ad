package install_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/shared/terraform"
	"github.com/terraform-gitops/gitops/shared/terraform/install"
	"github.com/terraform-gitops/gitops/shared/terraform/internal/terraformtest"
	"github.com/terraform-gitops/gitops/test/kit/executable"
	"github.com/terraform-gitops/gitops/test/kit/fakereleases"
)

// runner is a machine with a checkout, a PATH of one folder and a tool cache.
type runner struct {
	install.Options
	bin    string // on PATH
	starts string // the file that versionScript writes to
	log    terraformtest.Log
}

// newRunner makes a runner that can reach no site.
func newRunner(t *testing.T) *runner {
	t.Helper()
	root, machine := t.TempDir(), t.TempDir()
	r := &runner{bin: filepath.Join(machine, "bin"), starts: filepath.Join(machine, "starts")}
	r.Options = install.Options{
		Name:      terraform.Terraform,
		Environ:   []string{"PATH=" + r.bin, "HOME=" + machine, "STARTS=" + r.starts, "ACTIONS_RUNTIME_TOKEN=x"},
		Root:      root,
		Dir:       filepath.Join(root, "components", "vpc"),
		ToolCache: filepath.Join(machine, "tools"),
		Log:       &r.log,
		Releases:  install.Releases{URL: "http://127.0.0.1:1", Client: http.DefaultClient},
		OpenTofu:  install.OpenTofuReleases{List: "http://127.0.0.1:1", Files: "http://127.0.0.1:1", Client: http.DefaultClient},
	}
	terraformtest.WriteFiles(t, r.Dir, map[string]string{"main.tf": ""})
	return r
}

// install puts a program of a version on PATH.
func (r *runner) install(t *testing.T, name, version string) string {
	t.Helper()
	text := fakereleases.VersionScript(version)
	if strings.HasPrefix(name, "tofu") {
		text = strings.Replace(text, `, "terraform_outdated": false`, "", 1)
	}
	path := filepath.Join(r.bin, name)
	writeProgram(t, path, text)
	return path
}

func writeProgram(t *testing.T, path, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), executable.Write(path, text)); err != nil {
		t.Fatal(err)
	}
}

func (r *runner) locate(t *testing.T) string {
	t.Helper()
	path, err := install.Locate(t.Context(), r.Options)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// fails checks that nothing is found, for a reason of one line that says all that is
// wanted of it.
func (r *runner) fails(t *testing.T, wants ...string) {
	t.Helper()
	path, err := install.Locate(t.Context(), r.Options)
	if err == nil {
		t.Fatalf("found %s", path)
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("the error has several lines: %v", err)
	}
	for _, want := range wants {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not hold %q: %v", want, err)
		}
	}
}

// started returns the programs that were started, by their path.
func (r *runner) started(t *testing.T) []string {
	t.Helper()
	b, err := os.ReadFile(r.starts)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return strings.Fields(string(b))
}

func TestLocateTakesWhatIsOnPathWithoutStartingItWhenNobodyAsksForAVersion(t *testing.T) {
	t.Parallel()
	for _, name := range []string{terraform.Terraform, terraform.OpenTofu} {
		r := newRunner(t)
		r.Name = name
		want := r.install(t, name, "1.9.8")
		if got := r.locate(t); got != want {
			t.Errorf("found %s, want %s", got, want)
		}
		if started := r.started(t); len(started) > 0 {
			t.Errorf("started %q", started)
		}
	}
}

func TestLocateStartsOnlyWhatIsOnPathWhenThatWillDo(t *testing.T) {
	t.Parallel()
	for _, constraint := range []string{"1.9.8", "v1.9.8", "= 1.9.8", "~> 1.9", ">= 1.5, < 2.0", " != 1.9.7 "} {
		for _, name := range []string{terraform.Terraform, terraform.OpenTofu} {
			r := newRunner(t)
			r.Name, r.Constraint = name, constraint
			want := r.install(t, name, "1.9.8")
			if got := r.locate(t); got != want {
				t.Errorf("%s: found %s, want %s", constraint, got, want)
			}
			if diff := cmp.Diff([]string{want}, r.started(t)); diff != "" {
				t.Errorf("%s: started (-want +got):\n%s", constraint, diff)
			}
		}
	}
}

func TestLocateTakesTheRealTerraform(t *testing.T) {
	t.Parallel()
	r := newRunner(t)
	r.Environ[0] = "PATH=" + filepath.Dir(terraformtest.Program())
	c, _ := terraformtest.New(t, t.TempDir())
	version, err := c.Version(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r.Constraint = version.Number // which may be a pre-release's, as ">= 1.9" does not allow
	if got := r.locate(t); got != terraformtest.Program() {
		t.Errorf("found %s, want %s", got, terraformtest.Program())
	}
}

func TestLocateSeesThroughTheSetupWrapper(t *testing.T) {
	t.Parallel()
	for _, name := range []string{terraform.Terraform, terraform.OpenTofu} {
		r := newRunner(t)
		r.Name = name
		writeProgram(t, filepath.Join(r.bin, name), "#!/usr/bin/env node\n")
		want := r.install(t, name+"-bin", "1.9.8")
		if got := r.locate(t); got != want {
			t.Errorf("found %s, want %s", got, want)
		}
	}
}

func TestLocateSearchesNoFolderOfTheCheckout(t *testing.T) {
	r := newRunner(t)
	writeProgram(t, filepath.Join(r.Root, "terraform"), fakereleases.VersionScript("1.9.8"))
	t.Chdir(r.Root)
	r.Environ = append(r.Environ, "PATH=.::"+r.bin)
	r.fails(t, "terraform is not on PATH", "hashicorp/setup-terraform")
	want := r.install(t, "terraform", "1.9.8")
	if got := r.locate(t); got != want {
		t.Errorf("found %s, want %s", got, want)
	}
}

func TestLocateDoesNotReplaceWhatTheUserChose(t *testing.T) {
	t.Parallel()
	site := fakereleases.New(t, "1.9.8")
	r := newRunner(t)
	r.Constraint, r.Releases = "1.9.8", install.Releases(site.Releases)
	chosen := r.install(t, "terraform-next", "1.8.0")
	r.Command = "terraform-next"
	r.fails(t, "terraform 1.9.8 is wanted by the setting", "the runner has terraform 1.8.0")
	r.Command = chosen
	r.fails(t, "the runner has terraform 1.8.0")
	r.Constraint = "1.8.0"
	if got := r.locate(t); got != chosen {
		t.Errorf("found %s, want %s", got, chosen)
	}
	// OpenTofu by the name of Terraform: another program is not put in its place.
	r.Constraint, r.Command = "1.9.8", ""
	writeProgram(t, filepath.Join(r.bin, "terraform"), strings.Replace(fakereleases.VersionScript("1.8.0"), `, "terraform_outdated": false`, "", 1))
	r.fails(t, "the runner has tofu 1.8.0 by the name of terraform")
	if asked := site.Asked(); len(asked) > 0 {
		t.Errorf("asked for %q", asked)
	}
}

func TestLocateLeavesRequiredVersionToTerraformWhenItIsLazy(t *testing.T) {
	t.Parallel()
	site := fakereleases.New(t, "1.11.4")
	r := newRunner(t)
	r.Lazy, r.Releases = true, install.Releases(site.Releases)
	terraformtest.WriteFiles(t, r.Dir, map[string]string{"main.tf": "terraform {\n  required_version = \"~> 1.11\"\n}\n"})
	if got, want := r.locate(t), r.cached("1.11.4"); got != want {
		t.Errorf("with nothing on PATH found %s, want %s", got, want)
	}
	old := r.install(t, "terraform", "1.9.8")
	if err := os.Remove(r.starts); err != nil {
		t.Fatal(err)
	}
	if got := r.locate(t); got != old {
		t.Errorf("found %s, want %s", got, old)
	}
	if started := r.started(t); len(started) > 0 {
		t.Errorf("started %q", started)
	}
	r.Constraint = "~> 1.11"
	if got, want := r.locate(t), r.cached("1.11.4"); got != want {
		t.Errorf("with a setting found %s, want %s", got, want)
	}
}

func TestLocateNeedsNoRootModule(t *testing.T) {
	t.Parallel()
	r := newRunner(t)
	r.Dir = filepath.Join(r.Root, "components", "vendored")
	want := r.install(t, "terraform", "1.9.8")
	for _, constraint := range []string{"", "1.9.8"} {
		r.Constraint = constraint
		if got := r.locate(t); got != want {
			t.Errorf("%q: found %s, want %s", constraint, got, want)
		}
	}
}

func TestLocateEndsWithItsContext(t *testing.T) {
	t.Parallel()
	r := newRunner(t)
	r.Constraint = "latest"
	r.install(t, "terraform", "1.9.8")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if path, err := install.Locate(ctx, r.Options); err == nil {
		t.Errorf("found %s", path)
	}
}
