package fingerprint

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/shared/git/gittest"
	"github.com/terraform-gitops/gitops/shared/inventory"
)

func TestFilesOutsideCountWhereAModuleHasAPathToThem(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		dir   string
		files map[string]string
		want  []string
	}{
		"a file": {"c/a", map[string]string{"c/a/main.tf": `x = file("${path.module}/../../scripts/x.sh")`, "scripts/x.sh": "", "scripts/y.sh": ""},
			[]string{"c/a/main.tf", "scripts/x.sh"}},
		"a folder": {"c/a", map[string]string{"c/a/main.tf": `x = fileset("${path.module}/../../p", "*.json")`, "p/x.json": "", "p/q/README.md": "", "p/q/x.tfvars": "", "p/q/main.tf": `x = "../../../c/b/x"`, "c/b/x": "", "p/x.tfstate": "", "p/.terraform/x": ""},
			[]string{"c/a/main.tf", "p/q/README.md", "p/q/main.tf", "p/q/x.tfvars", "p/x.json"}},
		"a folder, and no file": {"c/a", map[string]string{"c/a/main.tf": `x = ["../../p/${var.x}.json", "../../q/"]`, "p": "", "q": ""},
			[]string{"c/a/main.tf"}},
		"what is not there": {"c/a", map[string]string{"c/a/main.tf": `x = ["../../p/x.json", "../../q/x.json/y", "../../q/z\u0000"]`, "p/y.json": "", "q/x.json": ""},
			[]string{"c/a/main.tf"}},
		"out of the repository": {"c/a", map[string]string{"c/a/main.tf": `x = ["${path.module}/../../../${var.x}", "../../../../c/x.sh", "../../../etc/passwd"]`, "c/x.sh": ""},
			[]string{"c/a/main.tf"}},
		"a folder above": {"c/a", map[string]string{"c/a/main.tf": `x = "${path.module}/../${var.x}.json"`, "c/x.json": "", "c/b/main.tf": "", "d/x.json": ""},
			[]string{"c/", "c/a/main.tf"}},
		"the repository": {"c/a", map[string]string{"c/a/main.tf": `x = "${path.module}/../../${var.x}.json"`, "x.json": "", "d/x.json": ""},
			[]string{"./", "c/a/main.tf"}},
		"by a local value": {"c/a", map[string]string{"c/a/main.tf": `x = file("${local.repository}/p/x.json")`, "c/a/locals.tf": "locals {\n  repository = \"${path.module}/../..\"\n}\n", "p/x.json": "", "p/y.json": ""},
			[]string{"c/a/locals.tf", "c/a/main.tf", "p/x.json"}},
		"of a called module": {"c/a", map[string]string{"c/a/main.tf": "module \"m\" {\n  source = \"../../m\"\n}\n", "m/main.tf": `x = ["${path.module}/../p/x", "../p/x", "${path.root}/README.md", "${path.root}/b/${var.x}", "${path.root}/${var.x}"]`, "p/x": "", "c/p/x": "", "c/a/README.md": "", "c/a/b/main.tf": "", "c/a/dev.tfvars": ""},
			[]string{"c/a/README.md", "c/a/b/main.tf", "c/a/dev.tfvars", "c/a/main.tf", "c/p/x", "m/main.tf", "p/x"}},
		"above a called module": {"c/a", map[string]string{"c/a/main.tf": "module \"m\" {\n  source = \"../../m/x\"\n}\n", "m/x/main.tf": `x = ["${path.module}/../${var.x}", "${path.root}/../${var.x}"]`, "m/y": "", "c/y": ""},
			[]string{"c/", "c/a/main.tf", "m/", "m/x/main.tf"}},
		"of a module in a folder": {"c/a", map[string]string{"c/a/main.tf": "module \"m\" {\n  source = \"../../m/${var.x}\"\n}\n", "m/x/main.tf": `x = "${path.module}/../../p/x"`, "p/x": ""},
			[]string{"c/a/main.tf", "m/x/main.tf", "p/x"}},
		"in the module itself": {"c/a", map[string]string{"c/a/main.tf": `x = ["${path.module}/../a/${var.x}", "../a/d/../${var.x}"]`, "c/a/README.md": "", "c/a/b/main.tf": "", "c/a/dev.tfvars": ""},
			[]string{"c/a/README.md", "c/a/b/main.tf", "c/a/dev.tfvars", "c/a/main.tf"}},
		"of the root of the repository": {".", map[string]string{"main.tf": `x = ["${path.module}/../x", "./../y"]`, "x": "", "c/main.tf": ""},
			[]string{"main.tf"}},
		"state": {"c/a", map[string]string{"c/a/main.tf": `x = ["../b/terraform.tfstate", "../b/.terraform/x"]`, "c/b/terraform.tfstate": "", "c/b/.terraform/x": ""},
			[]string{"c/a/main.tf"}},
		"settings that are read": {"c/a", map[string]string{"c/a/main.tf": `x = [yamldecode(file("${path.module}/../../gitops.yaml")), "../../.github/CODEOWNERS"]`, "gitops.yaml": "", ".github/CODEOWNERS": ""},
			[]string{".github/CODEOWNERS", "c/a/main.tf", "gitops.yaml"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkCounted(t, x.files, x.dir, x.want)
		})
	}
}

func TestAFileOutsideThatChangesIsNamed(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"c/a/main.tf": `x = ["${path.module}/../../p/${var.x}", "../../scripts/x.sh"]`, "c/b/main.tf": `x = "../../${var.x}"`,
		"p/x.json": "", "scripts/x.sh": "", "d/x": "", ".github/x.yml": "", "gitops.yaml": "",
	}
	root := gittest.Repository(t, files)
	a, b := inventory.Target{Root: root, Dir: "c/a"}, inventory.Target{Root: root, Dir: "c/b"}
	beforeA, beforeB := configuration(t, a), configuration(t, b)
	differ := func(change string, wantA, wantB []string) {
		t.Helper()
		if diff := cmp.Diff(wantA, configuration(t, a).Diff(beforeA.Files)); diff != "" {
			t.Errorf("%s: %s", change, diff)
		}
		if diff := cmp.Diff(wantB, configuration(t, b).Diff(beforeB.Files)); diff != "" {
			t.Errorf("%s: %s", change, diff)
		}
		gittest.Write(t, root, files)
	}
	all := []string{"changed: ./"}
	for name, want := range map[string][]string{"scripts/x.sh": {"changed: scripts/x.sh"}, "p/x.json": {"changed: p/x.json"}, "d/x": nil} {
		gittest.Write(t, root, map[string]string{name: "another"})
		differ(name, want, all)
	}
	gittest.Write(t, root, map[string]string{".github/x.yml": "another", "gitops.yaml": "another", "p/untracked": "", "c/a/terraform.tfstate": ""})
	differ("what never counts", nil, nil)
	gittest.Write(t, root, map[string]string{"p/new.json": ""})
	gittest.Run(t, root, "add", "p/new.json")
	differ("a new file", []string{"added: p/new.json"}, all)
	gittest.Run(t, root, "rm", "-q", "-f", "scripts/x.sh")
	differ("one less", []string{"added: p/new.json", "removed: scripts/x.sh"}, all)
}

// What a step of the job builds outside is not what was reviewed, and may come out
// otherwise each time.
func TestWhatGitDoesNotTrackOutsideDoesNotCount(t *testing.T) {
	t.Parallel()
	root := gittest.Repository(t, map[string]string{"c/a/main.tf": `x = ["../../build/x.zip", "../../build/${var.x}"]`, "d/x": ""})
	symlink(t, root, "out", "/")
	gittest.Write(t, root, map[string]string{"build/x.zip": "", "c/a/out.tf": `x = "../../out/etc/${var.x}"`})
	gittest.Run(t, root, "add", "c")
	if diff := cmp.Diff([]string{"c/a/main.tf", "c/a/out.tf"}, countedNames(t, root, "c/a")); diff != "" {
		t.Error(diff)
	}
}

func TestALinkOutsideCountsWithItsTextAndWhatItLeadsTo(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	gittest.Write(t, root, map[string]string{
		"c/a/main.tf": `x = ["../../scripts/x.sh", "../../linked/x.json", "../../dangling", "../../p/${var.x}", "../../linked/../y"]`,
		"tools/x.sh":  "", "tools/y.sh": "", "real/deep/x.json": "", "real/y": "", "y": "", "p/z": "", "more/z": "", "more/main.tf": "module \"m\" {\n  source = \"../../out\"\n}\n",
	})
	gittest.Write(t, root, map[string]string{"scripts/x": ""})
	symlink(t, root, "scripts/x.sh", "../tools/x.sh")
	symlink(t, root, "linked", "real/deep")
	symlink(t, root, "dangling", "nothing")
	symlink(t, root, "p/more", "../more")
	symlink(t, root, "p/itself", "../p")
	symlink(t, root, "p/loop", "loop")
	symlink(t, root, "p/out", "/etc/passwd")
	gittest.Run(t, root, "init", "-q")
	gittest.Run(t, root, "add", "-A")
	want := []string{"c/a/main.tf", "dangling", "more/main.tf", "more/z", "p/itself", "p/loop", "p/more", "p/out", "p/z", "real/deep/x.json", "real/y", "scripts/x.sh"}
	if diff := cmp.Diff(want, countedNames(t, root, "c/a")); diff != "" {
		t.Error(diff)
	}
	before := configuration(t, inventory.Target{Root: root, Dir: "c/a"})
	gittest.Write(t, root, map[string]string{"tools/x.sh": "1"})
	for name, to := range map[string]string{"dangling": "nothing else", "p/out": "/etc/group"} {
		if err := os.Remove(filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
		symlink(t, root, name, to)
	}
	if diff := cmp.Diff([]string{"changed: dangling", "changed: p/out", "changed: scripts/x.sh"}, configuration(t, inventory.Target{Root: root, Dir: "c/a"}).Diff(before.Files)); diff != "" {
		t.Error(diff)
	}
}

func TestAPathThroughALinkOutOfTheCheckoutIsRefused(t *testing.T) {
	t.Parallel()
	outside := t.TempDir()
	gittest.Write(t, outside, map[string]string{"x": "", "d/x": ""})
	for _, name := range []string{"x", "d/x", "d/${var.x}"} {
		root := t.TempDir()
		gittest.Write(t, root, map[string]string{"a/main.tf": `x = "../` + name + `"`})
		symlink(t, root, "x", filepath.Join(outside, "x"))
		symlink(t, root, "d", filepath.Join(outside, "d"))
		gittest.Run(t, root, "init", "-q")
		gittest.Run(t, root, "add", "-A")
		_, err := Of(t.Context(), inventory.Target{Component: "a", Stack: "dev", Root: root, Dir: "a"}, "terraform", "1.11.4")
		if want := "`a` reads `" + strings.Replace(name, "${var.x}", "", 1); err == nil || !strings.Contains(err.Error(), strings.TrimSuffix(want, "/")) || !strings.HasSuffix(err.Error(), ": it lies outside the checkout") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
