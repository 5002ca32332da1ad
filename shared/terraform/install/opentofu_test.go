package install_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/shared/terraform"
	"github.com/terraform-gitops/gitops/shared/terraform/install"
	"github.com/terraform-gitops/gitops/shared/terraform/internal/terraformtest"
	"github.com/terraform-gitops/gitops/test/kit/fakereleases"
)

func TestLocateInstallsOpenTofuThatIsMissingOnce(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ constraint, want string }{
		{"1.9.1", "1.9.1"},
		{"~> 1.9", "1.10.7"},
		{">= 1.9, < 1.10", "1.9.1"},
		{"1.11.0-rc1", "1.11.0-rc1"},
		{">= 1.11.0-beta1", ""}, // a constraint never chooses a pre-release
		{"latest", "1.10.7"},
	} {
		t.Run(test.constraint, func(t *testing.T) {
			t.Parallel()
			site, releases := fakereleases.NewOpenTofu(t, "1.8.5", "1.9.1", "1.10.7", "1.9.4-alpha1", "1.11.0-rc1")
			r := newRunner(t)
			r.Name, r.Constraint, r.OpenTofu = terraform.OpenTofu, test.constraint, install.OpenTofuReleases(releases)
			old := r.install(t, "tofu", "1.8.0")
			if test.want == "" {
				r.fails(t, "could not be downloaded: there is no such release")
				return
			}
			want := filepath.Join(r.ToolCache, "tofu", test.want, nodeArch(), "tofu")
			if got := r.locate(t); got != want {
				t.Fatalf("found %s, want %s", got, want)
			}
			r.log.Has(t, "Installed tofu "+test.want+", since the setting opentofu-version wants ")
			if info, err := os.Stat(want); err != nil || info.Mode().Perm() != 0o755 {
				t.Errorf("%s: %v, %v", want, info, err)
			}
			asked := site.Asked()
			if test.constraint == test.want && strings.Contains(strings.Join(asked, " "), "api.json") {
				t.Errorf("asked for %q: an exact version needs no list", asked)
			}
			if err := os.Remove(r.starts); err != nil {
				t.Fatal(err)
			}
			if got := r.locate(t); got != want {
				t.Errorf("the second time found %s, want %s", got, want)
			}
			if asked := site.Asked(); test.constraint != "latest" && len(asked) > 0 {
				t.Errorf("the second time asked for %q", asked)
			}
			if diff := cmp.Diff([]string{old}, r.started(t)); diff != "" {
				t.Errorf("the second time started (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLocateKeepsAndStartsNoOpenTofuThatIsNotVerified(t *testing.T) {
	t.Parallel()
	const version = "1.10.7"
	archive := fakereleases.OpenTofuFile(version, fakereleases.TarSuffix)
	sums := fakereleases.OpenTofuFile(version, "SHA256SUMS")
	for _, test := range []struct {
		name  string
		spoil func(t *testing.T, s *fakereleases.Site, r *install.OpenTofuReleases)
		want  string
	}{
		{"a signature of another key", func(t *testing.T, s *fakereleases.Site, _ *install.OpenTofuReleases) {
			s.Key = fakereleases.SigningKey(t)
			s.SignOpenTofu(t, version, string(s.Files[sums]))
		}, "not signed with OpenTofu's key"},
		{"the key of a stranger, where OpenTofu's own is meant", func(_ *testing.T, _ *fakereleases.Site, r *install.OpenTofuReleases) {
			r.PublicKey = ""
		}, "not signed with OpenTofu's key"},
		{"checksums changed after they were signed", func(_ *testing.T, s *fakereleases.Site, _ *install.OpenTofuReleases) {
			s.Files[sums] = append(s.Files[sums], "\n"...)
		}, "not signed with OpenTofu's key"},
		{"no signature", func(_ *testing.T, s *fakereleases.Site, _ *install.OpenTofuReleases) {
			delete(s.Files, fakereleases.OpenTofuFile(version, "SHA256SUMS.gpgsig"))
		}, "SHA256SUMS.gpgsig: 404"},
		{"a wrong checksum", func(t *testing.T, s *fakereleases.Site, _ *install.OpenTofuReleases) {
			s.SignOpenTofu(t, version, strings.Repeat("0", 64)+"  "+filepath.Base(archive)+"\n")
		}, "does not have the published checksum"},
		{"no checksum", func(t *testing.T, s *fakereleases.Site, _ *install.OpenTofuReleases) {
			s.SignOpenTofu(t, version, strings.Repeat("0", 64)+"  other\n")
		}, "the release has no checksum of tofu_1.10.7_"},
		{"another archive", func(_ *testing.T, s *fakereleases.Site, _ *install.OpenTofuReleases) {
			s.Files[archive] = []byte("not the archive")
		}, "does not have the published checksum"},
		{"a download that breaks off", func(_ *testing.T, s *fakereleases.Site, _ *install.OpenTofuReleases) {
			s.Cut = archive
		}, "unexpected EOF"},
		{"no archive", func(_ *testing.T, s *fakereleases.Site, _ *install.OpenTofuReleases) {
			delete(s.Files, archive)
		}, ".tar.gz: 404"},
		{"no such release", func(_ *testing.T, s *fakereleases.Site, _ *install.OpenTofuReleases) {
			delete(s.Files, sums)
		}, "SHA256SUMS: 404"},
		{"no network", func(_ *testing.T, _ *fakereleases.Site, r *install.OpenTofuReleases) {
			r.Files = "http://127.0.0.1:1/{{ .Artifact }}"
		}, "connection refused"},
		{"an older release by its name", func(t *testing.T, s *fakereleases.Site, _ *install.OpenTofuReleases) {
			s.AddOpenTofu(t, version, fakereleases.OpenTofuScript("1.5.0"))
		}, "the site sent tofu 1.5.0 in place of tofu 1.10.7"},
		{"Terraform by its name", func(t *testing.T, s *fakereleases.Site, _ *install.OpenTofuReleases) {
			s.AddOpenTofu(t, version, fakereleases.VersionScript(version))
		}, "the site sent terraform 1.10.7 in place of tofu 1.10.7"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			site, given := fakereleases.NewOpenTofu(t, version)
			releases := install.OpenTofuReleases(given)
			test.spoil(t, site, &releases)
			r := newRunner(t)
			r.Name, r.Constraint, r.OpenTofu = terraform.OpenTofu, version, releases
			r.fails(t, "tofu 1.10.7 is wanted by the setting opentofu-version", "no tofu on PATH", "could not be downloaded", test.want)
			if files := filesIn(t, r.ToolCache); len(files) > 0 {
				t.Errorf("left in the tool cache: %q", files)
			}
		})
	}
}

// Without a network, what the runner has is used.
func TestLocateLatestOpenTofuWithoutANetwork(t *testing.T) {
	t.Parallel()
	r := newRunner(t)
	r.Name, r.Constraint, r.OpenTofu = terraform.OpenTofu, "latest", install.OpenTofuReleases{List: "http://127.0.0.1:1", Client: r.Releases.Client}
	old := r.install(t, "tofu", "1.9.1")
	if got := r.locate(t); got != old {
		t.Errorf("found %s, want %s", got, old)
	}
	r.log.Has(t, "The latest tofu is not known, so this one is used: "+old)
}

func TestLocateReadsWhichOpenTofuFromItsOwnFile(t *testing.T) {
	t.Parallel()
	_, releases := fakereleases.NewOpenTofu(t, "1.7.0")
	r := newRunner(t)
	r.Name, r.OpenTofu = terraform.OpenTofu, install.OpenTofuReleases(releases)
	terraformtest.WriteFiles(t, r.Root, map[string]string{".terraform-version": "1.9.8", "components/.opentofu-version": "1.7.0"})
	if got := r.locate(t); !strings.Contains(got, "/tofu/1.7.0/") {
		t.Errorf("found %s", got)
	}
}
