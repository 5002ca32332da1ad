package fingerprint

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/shared/git/gittest"
	"github.com/terraform-gitops/gitops/shared/inventory"
)

// countedNames are the files that count for a root module, sorted.
func countedNames(t *testing.T, root, dir string) []string {
	t.Helper()
	return countedFiles(t, inventory.Target{Root: root, Dir: dir})
}

func countedFiles(t *testing.T, target inventory.Target) []string {
	t.Helper()
	var names []string
	for _, name := range slices.Sorted(maps.Keys(configuration(t, target).Files)) {
		if !strings.HasPrefix(name, "(") {
			names = append(names, name)
		}
	}
	return names
}

func TestModulesCountWhenTheyAreCalled(t *testing.T) {
	t.Parallel()
	module := func(sources ...string) string {
		var b strings.Builder
		for i, s := range sources {
			fmt.Fprintf(&b, "module \"m%d\" {\n  source = %q\n}\n", i, s)
		}
		return b.String()
	}
	for name, x := range map[string]struct {
		dir   string
		files map[string]string
		want  []string
	}{
		"a called one, with what it calls": {"a", map[string]string{
			"a/main.tf": module("../m/x"), "m/x/main.tf": module("../y"), "m/y/main.tf": "", "m/y/file.txt": "", "m/z/main.tf": "",
		}, []string{"a/main.tf", "m/x/main.tf", "m/y/file.txt", "m/y/main.tf"}},
		"a circle": {"a", map[string]string{"a/main.tf": module("../b"), "b/main.tf": module("../a", "../b/../b/")},
			[]string{"a/main.tf", "b/main.tf"}},
		"one that is not there": {"a", map[string]string{"a/main.tf": module("../b", "./c", "./main.tf", "./main.tf/x")},
			[]string{"a/main.tf"}},
		"a nested one that is called": {"a", map[string]string{"a/main.tf": module("./m/x"), "a/m/x/main.tf": "", "a/m/x/t/file.txt": "", "a/m/y/main.tf": "", "a/m/readable.txt": ""},
			[]string{"a/m/readable.txt", "a/m/x/main.tf", "a/m/x/t/file.txt", "a/main.tf"}},
		"a nested one that is read": {"a", map[string]string{"a/main.tf": "x = file(\"./t/x.tf\")", "a/t/x.tf": "", "a/u/x.tf": ""},
			[]string{"a/main.tf", "a/t/x.tf"}},
		"the root of the repository": {".", map[string]string{"main.tf": module("./m/x"), "m/x/main.tf": "", "m/y/main.tf": "", "live/prod/main.tf": "", "live/prod/x.json": "", "gitops.yaml": "", ".github/x.yml": "", "policies/x.json": ""},
			[]string{"m/x/main.tf", "main.tf"}},
		"an example of the root module": {"examples/x", map[string]string{"examples/x/main.tf": module("../../"), "main.tf": "", "examples/y/main.tf": "", "files/x.txt": ""},
			[]string{"examples/x/main.tf", "files/x.txt", "main.tf"}},
		"a source below that is not constant": {"a", map[string]string{"a/main.tf": "module \"m\" {\n  source = \"./m/${var.x}\"\n}", "a/m/x/main.tf": module("../../../b"), "b/main.tf": "", "a/other/main.tf": ""},
			[]string{"a/m/x/main.tf", "a/main.tf", "a/other/main.tf", "b/main.tf"}},
		"a source above that is not constant": {"a", map[string]string{"a/main.tf": "module \"m\" {\n  source = \"../m/${var.x}\"\n}", "m/x/main.tf": "", "m/y/main.tf": "", "n/main.tf": ""},
			[]string{"a/main.tf", "m/x/main.tf", "m/y/main.tf"}},
		"a README that is read": {"a", map[string]string{"a/main.tf": "x = file(\"${path.module}/README.md\")", "a/README.md": "", "a/Readme.txt": "", "a/x/readme": ""},
			[]string{"a/README.md", "a/main.tf"}},
		"var files that are read": {"a", map[string]string{"a/main.tf": "x = file(\"b.tfvars.json\")", "a/b.tfvars.json": "", "a/c.tfvars.json": "", "a/d.tfbackend": "", "a/sub/e.auto.tfvars": ""},
			[]string{"a/b.tfvars.json", "a/main.tf"}},
		"folders that begin alike": {"a", map[string]string{"a/main.tf": "", "a-b/main.tf": "", "a.b/main.tf": "", "a0/main.tf": "", "aa/main.tf": "", "a0b/x.txt": "", "ab/x.txt": "", "a-/x.txt": "", "a/x.txt": ""},
			[]string{"a/main.tf", "a/x.txt"}},
		"names that need care": {"a", map[string]string{"a/main.tf": "", "a/(env)": "", "a/new\nline": "", "a/ü": "", "a/ü\xff": "", "a/\"q\"": "", "a/sp ace": ""},
			[]string{"\"a/new\\nline\"", "\"a/ü\\xff\"", "a/\"q\"", "a/(env)", "a/main.tf", "a/sp ace", "a/ü"}},
		"a name like a setting": {".", map[string]string{"main.tf": "x = file(\"(env)\")", "(env)": ""}, []string{"./(env)", "main.tf"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkCounted(t, x.files, x.dir, x.want)
		})
	}
}

// checkCounted checks which of the files count for the root module in a folder, with Git
// and without.
func checkCounted(t *testing.T, files map[string]string, dir string, want []string) {
	t.Helper()
	if diff := cmp.Diff(want, countedNames(t, gittest.Repository(t, files), dir)); diff != "" {
		t.Error("with Git:", diff)
	}
	plain := t.TempDir()
	gittest.Write(t, plain, files)
	if diff := cmp.Diff(want, countedNames(t, plain, dir)); diff != "" {
		t.Error("without Git:", diff)
	}
}

func TestAModuleOutsideTheCheckoutIsRefused(t *testing.T) {
	t.Parallel()
	root := gittest.Repository(t, map[string]string{"a/main.tf": "module \"m\" {\n  source = \"../../x\"\n}\n"})
	gittest.Write(t, root, map[string]string{"../x/main.tf": ""})
	_, err := Of(t.Context(), inventory.Target{Component: "a", Stack: "dev", Root: root, Dir: "a"}, "terraform", "1.11.4")
	const want = "fingerprint the configuration of a in dev: `a/main.tf` calls the module `../../x`: it lies outside the checkout"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestALinkCountsWithItsTextAndWhatItLeadsTo(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"a/main.tf": "", "common/common.tf": "module \"m\" {\n  source = \"../m\"\n}\n", "common/other.tf": "", "m/main.tf": "",
		"files/one.txt": "1", "files/sub/two.txt": "2", "real/main.tf": "module \"m\" {\n  source = \"../m\"\n}\n",
	}
	build := func(t *testing.T) string {
		root := t.TempDir()
		gittest.Write(t, root, files)
		symlink(t, root, "a/common.tf", "../common/common.tf")
		symlink(t, root, "a/files", "../files")
		symlink(t, root, "a/nowhere", "nothing")
		symlink(t, root, "linked", "real")
		return root
	}
	root := build(t)
	gittest.Run(t, root, "init", "-q")
	gittest.Run(t, root, "add", "-A")
	want := []string{"a/common.tf", "a/files", "a/main.tf", "a/nowhere", "files/one.txt", "files/sub/two.txt", "m/main.tf"}
	for _, root := range []string{root, build(t)} {
		if diff := cmp.Diff(want, countedNames(t, root, "a")); diff != "" {
			t.Error(diff)
		}
		// Of a root module folder that is a link, Terraform resolves ../ where it leads.
		if diff := cmp.Diff([]string{"m/main.tf", "real/main.tf"}, countedNames(t, root, "linked")); diff != "" {
			t.Error(diff)
		}
	}

	base := configuration(t, inventory.Target{Root: root, Dir: "a"})
	relink := func(name, to string) {
		if err := os.Remove(filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
		symlink(t, root, name, to)
	}
	for _, x := range []struct {
		name   string
		change func()
		want   []string
	}{
		{"content", func() { gittest.Write(t, root, map[string]string{"common/common.tf": "# nothing"}) }, []string{"changed: a/common.tf", "removed: m/main.tf"}},
		{"text, same content", func() {
			gittest.Write(t, root, map[string]string{"common/common.tf": files["common/common.tf"], "common/other.tf": files["common/common.tf"]})
			relink("a/common.tf", "../common/other.tf")
		}, []string{"changed: a/common.tf"}},
		{"text of one to nowhere", func() {
			relink("a/common.tf", "../common/common.tf")
			relink("a/nowhere", "nothing else")
		}, []string{"changed: a/nowhere"}},
		{"file of a linked folder", func() {
			relink("a/nowhere", "nothing")
			gittest.Write(t, root, map[string]string{"files/sub/two.txt": "3"})
		}, []string{"changed: files/sub/two.txt"}},
	} {
		x.change()
		if diff := cmp.Diff(x.want, configuration(t, inventory.Target{Root: root, Dir: "a"}).Diff(base.Files)); diff != "" {
			t.Errorf("%s: %s", x.name, diff)
		}
	}
}

func TestALinkOutOfTheCheckoutIsRefused(t *testing.T) {
	t.Parallel()
	outside := t.TempDir()
	gittest.Write(t, outside, map[string]string{"x.tf": "", "x.txt": "", "d/main.tf": ""})
	for _, name := range []string{"x.tf", "x.txt", "d"} {
		for _, inGit := range []bool{true, false} {
			root := t.TempDir()
			gittest.Write(t, root, map[string]string{"a/main.tf": ""})
			symlink(t, root, "a/"+name, filepath.Join(outside, name))
			if inGit {
				gittest.Run(t, root, "init", "-q")
				gittest.Run(t, root, "add", "-A")
			}
			_, err := Of(t.Context(), inventory.Target{Root: root, Dir: "a"}, "terraform", "1.11.4")
			if want := "`a/" + name + "`: it lies outside the checkout"; err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		}
	}
}

func TestALinkToItselfIsRefused(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	gittest.Write(t, root, map[string]string{"a/main.tf": ""})
	symlink(t, root, "a/loop", "loop")
	_, err := Of(t.Context(), inventory.Target{Root: root, Dir: "a"}, "terraform", "1.11.4")
	if err == nil || !strings.Contains(err.Error(), "`a/loop`: ") {
		t.Errorf("got %v", err)
	}
}

func TestSubmodulesCount(t *testing.T) {
	t.Parallel()
	library := gittest.Repository(t, map[string]string{"x/main.tf": "1", "x/more.txt": "1", "y/main.tf": "1"})
	files := map[string]string{"a/main.tf": "module \"m\" {\n  source = \"../library/x\"\n}\n"}
	for i := range 20 { // between where Git lists the submodule and where its files sort
		files[fmt.Sprintf("library-%d/x", i)] = ""
	}
	root := gittest.Repository(t, files)
	gittest.Run(t, root, "submodule", "--quiet", "add", library, "library")
	gittest.Run(t, root, "commit", "-q", "-m", "library")
	want := []string{"a/main.tf", "library/x/main.tf", "library/x/more.txt"}
	if diff := cmp.Diff(want, countedNames(t, root, "a")); diff != "" {
		t.Error(diff)
	}
	gittest.Write(t, root, map[string]string{"library/x/untracked": ""})
	if diff := cmp.Diff(want, countedNames(t, root, "a")); diff != "" {
		t.Error(diff)
	}
	clone := filepath.Join(t.TempDir(), "clone")
	gittest.Run(t, root, "clone", "-q", root, clone)
	lacks(t, inventory.Target{Root: clone, Dir: "a"}, "`library` is a submodule that is not checked out: set `submodules: true`")
}
