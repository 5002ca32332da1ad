package locate

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/terraform-gitops/gitops/shared/terraform/install"
	"github.com/terraform-gitops/gitops/test/kit/executable"
	"github.com/terraform-gitops/gitops/test/kit/fakereleases"
)

func TestTerraform(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, onPath, want string // versions; a program on PATH
		downloads          bool
	}{
		{"on PATH", fakereleases.VersionScript("1.6.0"), "1.6.0", false},
		{"a development version", fakereleases.VersionScript("1.17.0-dev"), "1.17.0-dev", false},
		{"nothing on PATH", "", "1.11.4", true},
		{"too old", fakereleases.VersionScript("1.5.7"), "1.11.4", true},
		{"a pre-release of the oldest", fakereleases.VersionScript("1.6.0-beta1"), "1.6.0-beta1", false},
		{"a version manager without a version", "#!/bin/sh\necho 'No version is set' >&2\nexit 126\n", "1.11.4", true},
		{"OpenTofu", strings.Replace(fakereleases.VersionScript("1.10.0"), `, "terraform_outdated": false`, "", 1), "1.11.4", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			o, said := options(t, test.onPath)
			site := fakereleases.New(t, "1.5.7", "1.11.4", "1.12.0-rc1")
			o.Releases = install.Releases(site.Releases)
			found, err := Terraform(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			if found.Version != test.want {
				t.Errorf("found %s, want %s", found.Version, test.want)
			}
			if asked := site.Asked(); (len(asked) > 0) != test.downloads {
				t.Errorf("the site was asked for %q", asked)
			}
			if (len(*said) == 1) != test.downloads {
				t.Errorf("it said %q", *said)
			}
			if in := strings.HasPrefix(found.Path, o.Tools+"/"); in != test.downloads {
				t.Errorf("found %s", found.Path)
			}

			again, err := Terraform(t.Context(), o)
			if err != nil || again != found {
				t.Errorf("the second time: %v, error %v", again, err)
			}
			if asked := site.Asked(); len(asked) > 0 {
				t.Errorf("the second time asked for %q", asked)
			}
		})
	}
}

func TestTerraformThatCannotBeDownloaded(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, onPath string
		spoil        func(*Options)
		want         string
	}{
		{"no network", "", func(o *Options) { o.Releases.URL = "http://127.0.0.1:1" }, "terraform is not on PATH, and cannot be downloaded: "},
		{"no network, and too old", fakereleases.VersionScript("1.5.7"), func(o *Options) { o.Releases.URL = "http://127.0.0.1:1" },
			"terraform on PATH is 1.5.7, and 1.6 or newer is needed, and cannot be downloaded: "},
		{"signed by another than HashiCorp", "", func(o *Options) { o.Releases.PublicKey = "" }, "unable to verify checksums signature"},
		{"no release that will do", "", func(o *Options) { o.AtLeast = "2.0" }, "there is no such release: install Terraform 2.0 or newer"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			o, _ := options(t, test.onPath)
			o.Releases = install.Releases(fakereleases.New(t, "1.11.4").Releases)
			test.spoil(&o)
			found, err := Terraform(t.Context(), o)
			if err == nil {
				t.Fatalf("found %v", found)
			}
			if text := err.Error(); !strings.Contains(text, test.want) || strings.Contains(text, "\n") || strings.Contains(text, "setup-terraform") {
				t.Errorf("error %q, want one line with %q", text, test.want)
			}
		})
	}
}

// options returns the options for a machine that has this program as terraform on PATH, or none.
func options(t *testing.T, onPath string) (Options, *[]string) {
	t.Helper()
	bin, said := t.TempDir(), &[]string{}
	if onPath != "" {
		if err := executable.Write(filepath.Join(bin, "terraform"), onPath); err != nil {
			t.Fatal(err)
		}
	}
	return Options{
		AtLeast: "1.6", Tools: t.TempDir(), Environ: []string{"PATH=" + bin, "STARTS=" + filepath.Join(bin, "starts")},
		Say: func(line string) { *said = append(*said, line) },
	}, said
}
