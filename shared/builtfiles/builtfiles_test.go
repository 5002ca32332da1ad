package builtfiles

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/shared/problem"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// checkout makes a folder with files, and rules for a root module in app/, which calls one
// in modules/zip and names build/.
func checkout(t *testing.T, files ...string) Rules {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	must(t, err)
	for _, name := range append(files, "app/main.tf", "modules/zip/main.tf") {
		write(t, root, name, name, 0o644)
	}
	return Rules{
		Root: root, Dir: "app", Folders: []string{"app", "build", "modules/zip"},
		Tracked: []string{"app/README.md", "app/lib/x.py", "app/main.tf", "modules/zip/main.tf"},
	}
}

func write(t *testing.T, root, name, content string, mode fs.FileMode) {
	t.Helper()
	path := filepath.Join(root, name)
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, []byte(content), mode))
	must(t, os.Chmod(path, mode))
}

func look(t *testing.T, rules Rules) *Watch {
	t.Helper()
	w, err := Look(rules)
	must(t, err)
	return w
}

func nothing(string) bool { return false }

func names(files []File) (list []string) {
	for _, f := range files {
		list = append(list, f.Name)
	}
	return list
}

func TestFilesThatWereMadeOrChangedTravel(t *testing.T) {
	t.Parallel()
	rules := checkout(t, "app/old.zip", "app/changed.zip", "app/lib/x.py", "app/named.zip", "app/dist/a/b.zip", "app/dist/a/b.map", "build/layer.zip", "other/x.zip", "app/tool/main.tf", "app/tool/x.zip", ".git/x")
	rules.Folders = append(rules.Folders, "app/.terraformrc", "app/.terraform/x") // named by an expression
	w := look(t, rules)
	write(t, rules.Root, "app/.terraformrc", "", 0o644)
	write(t, rules.Root, "app/changed.zip", "now", 0o644)
	write(t, rules.Root, "app/new.zip", "", 0o755)
	write(t, rules.Root, "app/lib/x.py", "changed, and in Git", 0o644)
	write(t, rules.Root, "modules/zip/out/y.zip", "y", 0o644)
	write(t, rules.Root, "other/made.zip", "of nobody's", 0o644)
	write(t, rules.Root, "app/tool/made.zip", "of another target", 0o644)
	for _, own := range []string{".terraform/x", ".terraform.lock.hcl", "terraform.tfstate", "terraform.tfstate.backup", "x.tfplan", "crash.log", "crash.1.log", "errored.tfstate", ".terraform.tfstate.lock.info", ".gitops-1", "terraform.tfstate.d/dev/terraform.tfstate", ".git/index"} {
		write(t, rules.Root, "app/"+own, "Terraform's", 0o600)
	}
	chosen, err := w.Choose([]string{"app/dist/**", "!app/dist/**/*.map", "build/*.zip", "app/none/*"}, func(name string) bool { return name == "app/named.zip" || name == "app/main.tf" })
	must(t, err)
	want := Chosen{
		Files: []File{
			{"app/changed.zip", 3, false}, {"app/dist/a/b.zip", 16, false}, {"app/named.zip", 13, false}, {"app/new.zip", 0, true},
			{"build/layer.zip", 15, false}, {"modules/zip/out/y.zip", 1, false},
		},
		Unmatched: []string{"app/none/*"},
	}
	if diff := cmp.Diff(want, chosen); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	chosen, err = w.Choose([]string{"app/tool/*.zip", "!app/*.zip", "!modules/**", "!app/named.zip"}, nothing)
	must(t, err)
	if diff := cmp.Diff([]string{"app/tool/made.zip", "app/tool/x.zip"}, names(chosen.Files)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhatPlanningMakesAndMayNotTravelIsRefused(t *testing.T) {
	t.Parallel()
	for name, why := range map[string]string{
		"app/extra.tf": "Terraform file", "app/x_override.tf.json": "Terraform file", "app/x.tofu": "Terraform file",
		"app/x.auto.tfvars.json": "var file", "app/terraform.tfvars": "var file", "app/x.tfbackend": "where the state is", "app/x.tftest.hcl": "Terraform file",
		"app/dev.tfrc": "CLI configuration", "app/terraform.rc": "CLI configuration", "app/terraform.d/plugins/x": "Terraform's own",
		"app/gitops.yaml": "says what is planned", "app/.tool-versions": "which programs run", "app/.tofurc": "Terraform's own",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rules := checkout(t)
			w := look(t, rules)
			write(t, rules.Root, name, "x", 0o644)
			_, err := w.Choose(nil, nothing)
			if problem.CodeOf(err) != problem.PlanFiles || !strings.Contains(err.Error(), why) || !strings.Contains(err.Error(), name) {
				t.Errorf("%v; want %q", err, why)
			}
			if _, err := w.Choose([]string{"!**"}, nothing); err != nil {
				t.Errorf("left out by a pattern: %v", err)
			}
		})
	}
	t.Run("links and others", func(t *testing.T) {
		t.Parallel()
		rules := checkout(t)
		w := look(t, rules)
		must(t, os.Symlink("main.tf", filepath.Join(rules.Root, "app/link.zip")))
		if _, err := w.Choose(nil, nothing); problem.CodeOf(err) != problem.PlanFiles || !strings.Contains(err.Error(), "a link") {
			t.Error(err)
		}
	})
	t.Run("names that differ in case", func(t *testing.T) {
		t.Parallel()
		rules := checkout(t)
		w := look(t, rules)
		write(t, rules.Root, "app/out/A.zip", "x", 0o644)
		write(t, rules.Root, "app/Out/b.zip", "x", 0o644)
		if _, err := w.Choose(nil, nothing); problem.CodeOf(err) != problem.PlanFiles || !strings.Contains(err.Error(), "case") {
			t.Error(err)
		}
	})
	t.Run("too large", func(t *testing.T) {
		t.Parallel()
		rules := checkout(t)
		w := look(t, rules)
		for _, name := range []string{"a", "b"} {
			write(t, rules.Root, "app/"+name, "x", 0o644)
			must(t, os.Truncate(filepath.Join(rules.Root, "app", name), maxBytes/2+1)) // holes
		}
		if _, err := w.Choose(nil, nothing); problem.CodeOf(err) != problem.PlanFiles || !strings.Contains(err.Error(), "512 MiB") {
			t.Error(err)
		}
	})
	t.Run("a pattern outside of the folders", func(t *testing.T) {
		t.Parallel()
		rules := checkout(t, "other/x.zip")
		if _, err := look(t, rules).Choose([]string{"other/*.zip"}, nothing); problem.CodeOf(err) != problem.PlanFiles || !strings.Contains(err.Error(), "outside") {
			t.Error(err)
		}
	})
}

func TestWhatAtmosMakesIsLeftToIt(t *testing.T) {
	t.Parallel()
	rules := checkout(t)
	rules.Generated = func(rel string) bool { return rel == "backend.tf.json" }
	w := look(t, rules)
	for _, name := range []string{"backend.tf.json", "vendored.tf", "x.terraform.tfvars.json", "made.zip"} {
		write(t, rules.Root, "app/"+name, "x", 0o644)
	}
	chosen, err := w.Choose(nil, nothing)
	must(t, err)
	if diff := cmp.Diff([]string{"app/made.zip"}, names(chosen.Files)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// pack makes the archive of files that are in a checkout.
func packed(t *testing.T, rules Rules, files ...string) string {
	t.Helper()
	w := look(t, rules)
	for _, name := range files {
		mode := fs.FileMode(0o644)
		if strings.HasSuffix(name, ".sh") {
			mode = 0o755
		}
		write(t, rules.Root, name, "planned "+name, mode)
	}
	chosen, err := w.Choose(nil, nothing)
	must(t, err)
	archive := filepath.Join(t.TempDir(), "archive")
	must(t, Pack(archive, rules.Root, chosen.Files))
	return archive
}

func TestFilesArePutInPlaceAndRemovedAgain(t *testing.T) {
	t.Parallel()
	archive := packed(t, checkout(t), "app/dist/a.zip", "app/dist/run.sh", "build/x/y/z.zip", "app/same.zip")
	if again := packed(t, checkout(t), "app/same.zip", "build/x/y/z.zip", "app/dist/run.sh", "app/dist/a.zip"); !bytes.Equal(read(t, archive), read(t, again)) {
		t.Error("the same files make other archives")
	}
	if info, err := os.Stat(archive); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}

	rules := checkout(t)
	write(t, rules.Root, "app/dist/a.zip", "built here", 0o640)
	write(t, rules.Root, "app/same.zip", "planned app/same.zip", 0o644)
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	must(t, os.Chtimes(filepath.Join(rules.Root, "app/dist/a.zip"), at, at))
	before := tree(t, rules.Root)
	p, err := Place(archive, t.TempDir(), rules)
	must(t, err)
	if diff := cmp.Diff([]string{"app/dist/a.zip"}, p.Replaced); diff != "" {
		t.Errorf("replaced (-want +got):\n%s", diff)
	}
	for name, mode := range map[string]fs.FileMode{"app/dist/a.zip": 0o600, "app/dist/run.sh": 0o700, "build/x/y/z.zip": 0o600, "app/same.zip": 0o644} {
		info, err := os.Stat(filepath.Join(rules.Root, name))
		must(t, err)
		if got := string(read(t, filepath.Join(rules.Root, name))); got != "planned "+name || info.Mode() != mode {
			t.Errorf("%s: %q, %v", name, got, info.Mode())
		}
	}
	if info, _ := os.Stat(filepath.Join(rules.Root, "build/x")); info.Mode().Perm() != 0o700 {
		t.Errorf("folder: %v", info.Mode())
	}

	// A new plan makes one of them otherwise, and removes one.
	write(t, rules.Root, "build/x/y/z.zip", "made again", 0o644)
	must(t, os.Remove(filepath.Join(rules.Root, "app/dist/run.sh")))
	changed, err := p.Again()
	must(t, err)
	slices.Sort(changed)
	if diff := cmp.Diff([]string{"app/dist/run.sh", "build/x/y/z.zip"}, changed); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := string(read(t, filepath.Join(rules.Root, "build/x/y/z.zip"))); got != "planned build/x/y/z.zip" {
		t.Errorf("%q", got)
	}
	must(t, p.Close())
	if diff := cmp.Diff(before, tree(t, rules.Root)); diff != "" {
		t.Errorf("after (-want +got):\n%s", diff)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	must(t, err)
	return content
}

// tree is all in a folder: names, modes, times of files, contents.
func tree(t *testing.T, root string) map[string]string {
	t.Helper()
	all := map[string]string{}
	must(t, filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		all[path] = info.Mode().String()
		if info.Mode().IsRegular() {
			all[path] += info.ModTime().UTC().String() + string(read(t, path))
		}
		return err
	}))
	return all
}

// archiveOf makes an archive as somebody else might.
func archiveOf(t *testing.T, entries ...tar.Header) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, h := range entries {
		if h.Mode == 0 {
			h.Mode = 0o644
		}
		must(t, w.WriteHeader(&h))
		if h.Typeflag == tar.TypeReg {
			_, err := io.CopyN(w, zeros{}, h.Size)
			must(t, err)
		}
	}
	must(t, w.Close())
	must(t, z.Close())
	archive := filepath.Join(t.TempDir(), "archive")
	must(t, os.WriteFile(archive, b.Bytes(), 0o600))
	return archive
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func TestAnArchiveBringsNothingThatWasNotReviewed(t *testing.T) {
	t.Parallel()
	file := func(name string) tar.Header { return tar.Header{Typeflag: tar.TypeReg, Name: name, Size: 3} }
	for name, test := range map[string]struct {
		entries []tar.Header
		why     string
	}{
		"climbs":                 {[]tar.Header{file("app/../../x")}, "leads out"},
		"absolute":               {[]tar.Header{file("/app/x")}, "leads out"},
		"backslash":              {[]tar.Header{file(`app\..\x`)}, "not valid on every machine"},
		"control":                {[]tar.Header{file("app/x\ny")}, "not valid on every machine"},
		"dot":                    {[]tar.Header{file("app/./x")}, "leads out"},
		"link":                   {[]tar.Header{{Typeflag: tar.TypeSymlink, Name: "app/x", Linkname: "../../../etc/passwd"}}, "link"},
		"hard link":              {[]tar.Header{{Typeflag: tar.TypeLink, Name: "app/x", Linkname: "app/main.tf"}}, "can't travel"},
		"device":                 {[]tar.Header{{Typeflag: tar.TypeChar, Name: "app/x", Devmajor: 1, Devminor: 3}}, "can't travel"},
		"pipe":                   {[]tar.Header{{Typeflag: tar.TypeFifo, Name: "app/x"}}, "can't travel"},
		"folder":                 {[]tar.Header{{Typeflag: tar.TypeDir, Name: "app/x/", Mode: 0o777}}, "can't travel"},
		"in Git":                 {[]tar.Header{file("app/main.tf")}, "Terraform file"},
		"in Git, no Terraform":   {[]tar.Header{file("app/README.md")}, "is in Git"},
		"in Git, by case":        {[]tar.Header{file("app/readme.MD")}, "is in Git"},
		"a folder in Git":        {[]tar.Header{file("app/lib")}, "is in Git"},
		"below a file in Git":    {[]tar.Header{file("app/README.md/x")}, "is in Git"},
		"override":               {[]tar.Header{file("app/x_override.tf")}, "Terraform file"},
		"module of its own":      {[]tar.Header{file("app/sub/x.tf.json")}, "Terraform file"},
		"var file":               {[]tar.Header{file("app/x.auto.tfvars")}, "var file"},
		"lock file":              {[]tar.Header{file("app/.terraform.lock.hcl")}, "Terraform's own"},
		"data folder":            {[]tar.Header{file("app/.terraform/modules/x/y.sh")}, "Terraform's own"},
		"data folder, by case":   {[]tar.Header{file("app/.Terraform/x")}, "Terraform's own"},
		"CLI configuration":      {[]tar.Header{file("app/.terraformrc")}, "Terraform's own"},
		"Git's hooks":            {[]tar.Header{file("app/.git/hooks/post-checkout")}, "Git's own"},
		"a state":                {[]tar.Header{file("app/terraform.tfstate")}, "a state"},
		"a plan":                 {[]tar.Header{file("app/x.tfplan")}, "planfile"},
		"outside of the folders": {[]tar.Header{file("scripts/x.sh")}, "outside"},
		"the repository's root":  {[]tar.Header{file("x.zip")}, "outside"},
		"a sibling by its name":  {[]tar.Header{file("application/x.zip")}, "outside"},
		"twice":                  {[]tar.Header{file("app/x"), file("app/x")}, "twice"},
		"twice, by case":         {[]tar.Header{file("app/x"), file("app/X")}, "case"},
		"folders, by case":       {[]tar.Header{file("app/d/x"), file("app/D/y")}, "case"},
		"a file and a folder":    {[]tar.Header{file("app/x"), file("app/x/y")}, "twice"},
		"one after good ones":    {[]tar.Header{file("app/good"), file("build/good"), file("app/evil.tf")}, "Terraform file"},
		"a bomb":                 {[]tar.Header{{Typeflag: tar.TypeReg, Name: "app/a", Size: maxBytes / 2}, {Typeflag: tar.TypeReg, Name: "app/b", Size: maxBytes/2 + 1}}, "512 MiB"},
		"one that is too large":  {[]tar.Header{{Typeflag: tar.TypeReg, Name: "app/a", Size: maxBytes + 1}}, "512 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rules := checkout(t, "app/README.md", "app/lib/x.py")
			before := tree(t, rules.Root)
			p, err := Place(archiveOf(t, test.entries...), t.TempDir(), rules)
			if problem.CodeOf(err) != problem.PlanFiles || !strings.Contains(err.Error(), test.why) {
				t.Errorf("%v; want %q", err, test.why)
			}
			if p != nil {
				must(t, p.Close())
			}
			if diff := cmp.Diff(before, tree(t, rules.Root)); diff != "" {
				t.Errorf("written all the same (-before +after):\n%s", diff)
			}
		})
	}
	t.Run("no archive", func(t *testing.T) {
		t.Parallel()
		rules := checkout(t)
		for _, content := range []string{"", "x", "\x1f\x8b"} {
			archive := filepath.Join(t.TempDir(), "archive")
			must(t, os.WriteFile(archive, []byte(content), 0o600))
			if _, err := Place(archive, t.TempDir(), rules); problem.CodeOf(err) != problem.PlanFiles {
				t.Errorf("%q: %v", content, err)
			}
		}
	})
	t.Run("more files than a plan may have", func(t *testing.T) {
		t.Parallel()
		var entries []tar.Header
		for i := range maxFiles + 1 {
			entries = append(entries, file("app/x/"+strings.Repeat("y", 1+i%200)+"/"+time.Duration(i).String()))
		}
		if _, err := Place(archiveOf(t, entries...), t.TempDir(), checkout(t)); problem.CodeOf(err) != problem.PlanFiles || !strings.Contains(err.Error(), "more than") {
			t.Error(err)
		}
	})
}

func TestWhatStandsInTheWayIsRefused(t *testing.T) {
	t.Parallel()
	archive := packed(t, checkout(t), "app/first.zip", "app/out/x.zip")
	for name, make := range map[string]func(root string) error{
		"a link to a file in Git": func(root string) error { return os.MkdirAll(filepath.Join(root, "app/out"), 0o755) },
		"a link to a folder":      func(root string) error { return os.Symlink("lib", filepath.Join(root, "app/out")) },
		"a link out of it all":    func(root string) error { return os.Symlink("/tmp", filepath.Join(root, "app/out")) },
		"a folder":                func(root string) error { return os.MkdirAll(filepath.Join(root, "app/out/x.zip/y"), 0o755) },
		"a file for a folder":     func(root string) error { return os.WriteFile(filepath.Join(root, "app/out"), nil, 0o644) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rules := checkout(t, "app/lib/x.py")
			must(t, make(rules.Root))
			if strings.HasSuffix(name, "in Git") {
				must(t, os.Symlink("../main.tf", filepath.Join(rules.Root, "app/out/x.zip")))
			}
			before := tree(t, rules.Root)
			_, err := Place(archive, t.TempDir(), rules)
			if problem.CodeOf(err) != problem.PlanFiles {
				t.Errorf("%v", err)
			}
			if diff := cmp.Diff(before, tree(t, rules.Root)); diff != "" {
				t.Errorf("left behind (-before +after):\n%s", diff)
			}
		})
	}
}
