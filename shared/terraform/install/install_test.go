package install_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/shared/terraform/install"
	"github.com/terraform-gitops/gitops/shared/terraform/internal/terraformtest"
	"github.com/terraform-gitops/gitops/test/kit/fakereleases"
)

func TestLocateInstallsWhatIsMissingOnce(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		constraint, want string
	}{
		{"1.9.8", "1.9.8"},
		{"~> 1.9", "1.11.4"},
		{">= 1.9, < 1.10", "1.9.8"},
		{"1.12.0-rc1", "1.12.0-rc1"},
		{">= 1.12.0-beta1", ""}, // a constraint never chooses a pre-release
		{">= 1.11", "1.11.4"},
	} {
		t.Run(test.constraint, func(t *testing.T) {
			t.Parallel()
			site := fakereleases.New(t, "1.8.5", "1.9.8", "1.11.4", "1.12.0-beta1", "1.12.0-rc1")
			r := newRunner(t)
			r.Constraint, r.Releases = test.constraint, install.Releases(site.Releases)
			old := r.install(t, "terraform", "1.8.0")
			if test.want == "" {
				r.fails(t, "could not be downloaded: there is no such release")
				return
			}
			want := r.cached(test.want)
			if got := r.locate(t); got != want {
				t.Fatalf("found %s, want %s", got, want)
			}
			r.log.Has(t, "Installed terraform "+test.want+", since the setting terraform-version wants "+test.constraint+": "+want)
			if len(site.Asked()) == 0 {
				t.Error("nothing was downloaded")
			}
			folder := filepath.Join("terraform", test.want, nodeArch())
			if diff := cmp.Diff([]string{folder + "/terraform", folder + ".complete"}, filesIn(t, r.ToolCache)); diff != "" {
				t.Errorf("in the tool cache (-want +got):\n%s", diff)
			}
			for _, path := range []string{filepath.Dir(want), want} {
				if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o755 {
					t.Errorf("%s: %v, %v", path, info.Mode(), err)
				}
			}

			if err := os.Remove(r.starts); err != nil {
				t.Fatal(err)
			}
			if got := r.locate(t); got != want {
				t.Errorf("the second time found %s, want %s", got, want)
			}
			if asked := site.Asked(); len(asked) > 0 {
				t.Errorf("the second time asked for %q", asked)
			}
			if diff := cmp.Diff([]string{old}, r.started(t)); diff != "" {
				t.Errorf("the second time started (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLocateKeepsAndStartsNothingThatIsNotVerified(t *testing.T) {
	t.Parallel()
	const version = "1.9.8"
	const broken = "the download is not complete, or does not have the signed checksum"
	for _, test := range []struct {
		name  string
		spoil func(t *testing.T, s *fakereleases.Site)
		want  string
	}{
		{"a signature of another key", func(t *testing.T, s *fakereleases.Site) {
			sums := s.Files[fakereleases.File(version, "SHA256SUMS")]
			s.Key = fakereleases.SigningKey(t)
			s.Sign(t, version, string(sums))
		}, "unable to verify checksums signature"},
		{"checksums changed after they were signed", func(_ *testing.T, s *fakereleases.Site) {
			sums := fakereleases.File(version, "SHA256SUMS")
			s.Files[sums] = append(s.Files[sums], "\n"...)
		}, "unable to verify checksums signature"},
		{"no signature", func(_ *testing.T, s *fakereleases.Site) {
			delete(s.Files, fakereleases.File(version, "SHA256SUMS.sig"))
		}, "failed to download signature"},
		{"a wrong checksum", func(t *testing.T, s *fakereleases.Site) {
			s.Sign(t, version, strings.Repeat("0", 64)+"  "+filepath.Base(fakereleases.File(version, fakereleases.ZipSuffix))+"\n")
		}, broken},
		{"another archive", func(_ *testing.T, s *fakereleases.Site) {
			s.Files[fakereleases.File(version, fakereleases.ZipSuffix)] = []byte("not the archive")
		}, broken},
		{"half an archive", func(_ *testing.T, s *fakereleases.Site) {
			file := fakereleases.File(version, fakereleases.ZipSuffix)
			s.Files[file] = s.Files[file][:len(s.Files[file])/2]
		}, broken},
		{"a download that breaks off", func(_ *testing.T, s *fakereleases.Site) {
			s.Cut = fakereleases.File(version, fakereleases.ZipSuffix)
		}, broken},
		{"no archive", func(_ *testing.T, s *fakereleases.Site) {
			delete(s.Files, fakereleases.File(version, fakereleases.ZipSuffix))
		}, "404"},
		{"no such release", func(_ *testing.T, s *fakereleases.Site) {
			delete(s.Files, "/terraform/"+version+"/index.json")
		}, "404"},
		{"no network", func(_ *testing.T, s *fakereleases.Site) {
			s.URL = "http://127.0.0.1:1"
		}, "connection refused"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			site := fakereleases.New(t, version)
			test.spoil(t, site)
			r := newRunner(t)
			r.Constraint, r.Releases = version, install.Releases(site.Releases)
			r.fails(t, "terraform 1.9.8 is wanted by the setting terraform-version", "no terraform on PATH", "could not be downloaded", test.want)
			if files := filesIn(t, r.ToolCache); len(files) > 0 {
				t.Errorf("left in the tool cache: %q", files)
			}
			if started := r.started(t); len(started) > 0 {
				t.Errorf("started %q", started)
			}
		})
	}
}

func TestLocateTrustsHashiCorpsKeyAloneByDefault(t *testing.T) {
	t.Parallel()
	site := fakereleases.New(t, "1.9.8")
	r := newRunner(t)
	r.Constraint, r.Releases = "1.9.8", install.Releases(site.Releases)
	r.Releases.PublicKey = ""
	r.fails(t, "unable to verify checksums signature")
}

func TestLocateKeepsNothingThatIsNotTheReleaseThatIsWanted(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		spoil func(t *testing.T, s *fakereleases.Site)
		want  string
	}{
		// All of it is signed, but for the index.
		{"an older release by its name", func(_ *testing.T, s *fakereleases.Site) {
			for path, content := range s.Files {
				if file, ok := strings.CutPrefix(path, "/terraform/1.5.0/"); ok {
					s.Files["/terraform/1.9.8/"+file] = bytes.ReplaceAll(content, []byte(`"version":"1.5.0"`), []byte(`"version":"1.9.8"`))
				}
			}
		}, "the site sent terraform 1.5.0 in place of terraform 1.9.8"},
		// As on a full disk, of which hc-install says nothing.
		{"half a program", func(t *testing.T, s *fakereleases.Site) {
			var filling strings.Builder // that does not become small in the archive
			for i := range 4000 {
				fmt.Fprintf(&filling, "%x\n", sha256.Sum256([]byte{byte(i), byte(i >> 8)}))
			}
			s.Add(t, "1.9.8", strings.Replace(fakereleases.VersionScript("1.9.8"), "\necho '{", "\n: <<'end'\n"+filling.String()+"end\necho '{", 1))
			half := halfUnpacked(t, s.Files[fakereleases.File("1.9.8", fakereleases.ZipSuffix)])
			s.Files[fakereleases.File("1.9.8", fakereleases.ZipSuffix)] = half
			s.Sign(t, "1.9.8", fmt.Sprintf("%x  %s\n", sha256.Sum256(half), filepath.Base(fakereleases.File("1.9.8", fakereleases.ZipSuffix))))
		}, "terraform version"},
		{"another program", func(t *testing.T, s *fakereleases.Site) {
			s.Add(t, "1.9.8", strings.Replace(fakereleases.VersionScript("1.9.8"), `, "terraform_outdated": false`, "", 1))
		}, "the site sent tofu 1.9.8 in place of terraform 1.9.8"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			site := fakereleases.New(t, "1.5.0", "1.9.8")
			test.spoil(t, site)
			r := newRunner(t)
			r.Constraint, r.Releases = "1.9.8", install.Releases(site.Releases)
			r.fails(t, test.want)
			if files := filesIn(t, r.ToolCache); len(files) > 0 {
				t.Errorf("left in the tool cache: %q", files)
			}
		})
	}
}

// halfUnpacked is an archive of one file, of which only a part can be unpacked.
func halfUnpacked(t *testing.T, archive []byte) []byte {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	packed, err := r.File[0].OpenRaw()
	if err != nil {
		t.Fatal(err)
	}
	header := r.File[0].FileHeader
	header.CompressedSize64 /= 2
	var half bytes.Buffer
	w := zip.NewWriter(&half)
	f, err := w.CreateRaw(&header)
	if err == nil {
		_, err = io.CopyN(f, packed, int64(header.CompressedSize64))
	}
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return half.Bytes()
}

func TestLocateLatest(t *testing.T) {
	t.Parallel()
	site := fakereleases.New(t, "1.9.8", "1.11.4", "1.12.0-rc1")
	r := newRunner(t)
	r.Constraint = "latest"
	old := r.install(t, "terraform", "1.9.8")
	if got := r.locate(t); got != old {
		t.Errorf("without a network found %s, want %s", got, old)
	}
	r.log.Has(t, "The latest terraform is not known, so this one is used: "+old)

	r.Releases = install.Releases(site.Releases)
	installed := r.cached("1.11.4")
	if got := r.locate(t); got != installed {
		t.Errorf("with a network found %s, want %s", got, installed)
	}
	site.Asked()
	if got := r.locate(t); got != installed {
		t.Errorf("the second time found %s, want %s", got, installed)
	}
	if diff := cmp.Diff([]string{"/terraform/index.json"}, site.Asked()); diff != "" {
		t.Errorf("the second time asked for (-want +got):\n%s", diff)
	}
	r.install(t, "terraform", "1.11.4")
	if got := r.locate(t); got != old {
		t.Errorf("found %s, want the latest, which is on PATH", got)
	}

	// Neither a network nor anything on PATH: the tool cache, then nothing.
	r.Releases = install.Releases{URL: "http://127.0.0.1:1", Client: http.DefaultClient}
	if err := os.Remove(old); err != nil {
		t.Fatal(err)
	}
	if got := r.locate(t); got != installed {
		t.Errorf("found %s, want %s", got, installed)
	}
	r.ToolCache = t.TempDir()
	r.fails(t, "terraform latest is wanted by the setting terraform-version", "no terraform on PATH", "list of releases could not be read", "connection refused")

	r.Command = "terraform-next" // the user's choice, which is not there
	r.ToolCache = filepath.Dir(filepath.Dir(filepath.Dir(filepath.Dir(installed))))
	r.fails(t, "no terraform-next on PATH")
	r.Command = ""

	// A latest that cannot be verified is not an absent network.
	r.install(t, "terraform", "1.9.8")
	r.ToolCache = t.TempDir()
	r.Releases = install.Releases(site.Releases)
	r.Releases.PublicKey = fakereleases.Armored(t, fakereleases.SigningKey(t))
	r.fails(t, "unable to verify checksums signature")
}

func TestLocateTakesTheVersionOfThePlanfile(t *testing.T) {
	t.Parallel()
	site := fakereleases.New(t, "1.9.7", "1.9.8")
	r := newRunner(t)
	r.Releases = install.Releases(site.Releases)
	onPath := r.install(t, "terraform", "1.9.8")
	for _, test := range []struct{ constraint, planned, want string }{
		{"~> 1.9", "1.9.7", r.cached("1.9.7")},
		{"latest", "1.9.7", r.cached("1.9.7")},
		{"1.9.8", "1.9.7", onPath}, // the setting has changed: apply refuses the planfile
		{"~> 1.9", "../1.9.7", onPath},
		{"", "1.9.7", onPath},
	} {
		r.Constraint, r.Planned = test.constraint, test.planned
		if got := r.locate(t); got != test.want {
			t.Errorf("%q, planned with %s: found %s, want %s", test.constraint, test.planned, got, test.want)
		}
	}
}

// To Terraform a pre-release is as its release where a configuration says which version it needs.
func TestLocateTakesThePreReleaseOfThePlanfile(t *testing.T) {
	t.Parallel()
	site := fakereleases.New(t, "1.9.8", "1.12.0-rc1")
	r := newRunner(t)
	r.Releases, r.Planned = install.Releases(site.Releases), "1.12.0-rc1"
	onPath := r.install(t, "terraform", "1.9.8")
	for required, want := range map[string]string{
		">= 1.9":  r.cached("1.12.0-rc1"),
		"~> 1.12": r.cached("1.12.0-rc1"),
		"< 1.12":  onPath,
	} {
		terraformtest.WriteFiles(t, r.Dir, map[string]string{"main.tf": "terraform {\n  required_version = \"" + required + "\"\n}\n"})
		if got := r.locate(t); got != want {
			t.Errorf("%s: found %s, want %s", required, got, want)
		}
	}
	r.Constraint = ">= 1.9" // the setting, in which a pre-release has to be named
	if got := r.locate(t); got != onPath {
		t.Errorf("found %s, want %s", got, onPath)
	}
}

func TestLocateGivesUpAfterThreeAttemptsWithoutANetwork(t *testing.T) {
	t.Parallel()
	r := newRunner(t)
	r.Constraint, r.Releases.Client = "1.9.8", nil
	r.fails(t, "giving up after 3 attempt(s)")
}
