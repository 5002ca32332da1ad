package install_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/terraform-gitops/gitops/shared/terraform/install"
	"github.com/terraform-gitops/gitops/shared/terraform/internal/terraformtest"
)

func TestLocateHearsTheFirstWhoAsksForAVersion(t *testing.T) {
	t.Parallel()
	const requires = "terraform {\n  required_version = \"~> 1.11\"\n}\n"
	for _, test := range []struct {
		name    string
		setting string
		files   map[string]string
		want    string // in the error; empty: nobody asks
	}{
		{"a setting", "1.1.0", map[string]string{".terraform-version": "1.2.0", "components/vpc/main.tf": requires}, "terraform 1.1.0 is wanted by the setting terraform-version"},
		{"the root module's file", "", map[string]string{".terraform-version": "1.2.0", "components/vpc/.terraform-version": "1.3.0"}, "terraform 1.3.0 is wanted by components/vpc/.terraform-version"},
		{"the nearest file above", "", map[string]string{".terraform-version": "1.2.0", "components/.terraform-version": "1.4.0"}, "terraform 1.4.0 is wanted by components/.terraform-version"},
		{"the file of the checkout", "", map[string]string{".terraform-version": "1.2.0", "components/vpc/main.tf": requires}, "terraform 1.2.0 is wanted by .terraform-version"},
		{"required_version", "", map[string]string{"components/vpc/main.tf": requires}, "terraform ~> 1.11 is wanted by required_version"},
		{"several required_version", "", map[string]string{
			"components/vpc/main.tf": requires, "components/vpc/versions.tf": strings.Replace(requires, "~> 1.11", "!= 1.12.1", 1),
		}, "terraform ~> 1.11, != 1.12.1 is wanted by required_version"},
		{"a file of OpenTofu's does not ask for Terraform", "", map[string]string{".opentofu-version": "1.2.0"}, ""},
		{"a file of a sibling", "", map[string]string{"components/dns/.terraform-version": "1.2.0"}, ""},
		{"what Terraform itself refuses", "", map[string]string{"components/vpc/main.tf": strings.Replace(requires, "~> 1.11", "soon", 1)}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newRunner(t)
			path := r.install(t, "terraform", "1.0.0")
			r.Constraint = test.setting
			terraformtest.WriteFiles(t, r.Root, test.files)
			if test.want == "" {
				if got := r.locate(t); got != path {
					t.Errorf("found %s", got)
				}
				return
			}
			r.fails(t, test.want, "the runner has terraform 1.0.0", "hashicorp/setup-terraform", "could not be downloaded")
		})
	}
}

func TestLocateReadsTheVersionFileAsTfenvDoes(t *testing.T) {
	t.Parallel()
	for _, content := range []string{"1.9.8", "v1.9.8\r\n", "\n# pinned: see #12\n1.9.8 # as production\n1.2.3\n"} {
		r := newRunner(t)
		want := r.install(t, "terraform", "1.9.8")
		terraformtest.WriteFiles(t, r.Root, map[string]string{".terraform-version": content})
		if got := r.locate(t); got != want {
			t.Errorf("%q: found %s", content, got)
		}
		if n := len(r.started(t)); n != 1 {
			t.Errorf("%q: started %d programs, want 1", content, n)
		}
	}
}

func TestLocateRefusesAVersionItCannotRead(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{
		"":                               "has no version",
		"# later\n":                      "has no version",
		"min-required":                   `says "min-required", which is not supported`,
		"latest-allowed":                 "not supported",
		"latest:^1.9":                    "not supported",
		"~> 1.9":                         "not supported",
		"../../../../tmp/x":              "not supported",
		"1.9.8/../../x":                  "not supported",
		"1.9.8-../x":                     "not supported",
		"1.9.8\x00\x1b[2J":               `says "1.9.8\x00\x1b[2J"`,
		strings.Repeat("9", 100):         "not supported",
		strings.Repeat("#\n", 3<<10):     "not a small file",
		"::error::x%0A":                  "not supported",
		"99999999999999999999999999.0.0": "not supported",
	} {
		r := newRunner(t)
		r.install(t, "terraform", "1.9.8")
		terraformtest.WriteFiles(t, r.Root, map[string]string{".terraform-version": content})
		r.fails(t, ".terraform-version ", want)
		if _, err := os.Stat(r.ToolCache); err == nil {
			t.Errorf("%q: something was put into the tool cache", content)
		}
	}
	for _, setting := range []string{"soon", "../1.9.8", "1.9.8/../x", ">= 1.5 < 2", "latest:^1"} {
		r := newRunner(t)
		r.Constraint = setting
		r.fails(t, "the setting terraform-version is", setting, "not a version, a constraint or latest")
	}
}

func TestLocateFollowsNoLinkOutOfTheCheckout(t *testing.T) {
	t.Parallel()
	r := newRunner(t)
	r.install(t, "terraform", "1.9.8")
	secret := filepath.Join(t.TempDir(), "secret")
	terraformtest.WriteFiles(t, filepath.Dir(secret), map[string]string{"secret": "hunter2"})
	if err := os.Symlink(secret, filepath.Join(r.Root, ".terraform-version")); err != nil {
		t.Fatal(err)
	}
	r.fails(t, "terraform", "escapes")
	if _, err := install.Locate(t.Context(), r.Options); strings.Contains(err.Error(), "hunter2") {
		t.Error(err)
	}
}
