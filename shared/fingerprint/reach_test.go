package fingerprint

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/shared/git/gittest"
	"github.com/terraform-gitops/gitops/shared/inventory"
)

func TestNoNameKeepsAFileThatIsReadFromCounting(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"a/README.md": "", "a/dev.tfvars": "", "a/dev.s3.tfbackend": "", "a/config/dev.tfvars.json": "", "a/config/readme": "",
		"a/templates/aws/main.tf": "", "a/templates/x.tftpl": "", "a/examples/main.tf": "",
	}
	all := []string{"a/README.md", "a/config/dev.tfvars.json", "a/config/readme", "a/dev.s3.tfbackend", "a/dev.tfvars", "a/examples/main.tf", "a/main.tf", "a/templates/aws/main.tf", "a/templates/x.tftpl"}
	is := func(names ...string) []string { return names }
	for expression, want := range map[string][]string{
		`1`:                              is("a/main.tf", "a/templates/x.tftpl"),
		`file("README.md")`:              is("a/README.md", "a/main.tf", "a/templates/x.tftpl"),
		`"cat ${path.module}/README.md"`: is("a/README.md", "a/main.tf", "a/templates/x.tftpl"),
		`file("${path.module}/config/${var.env}.tfvars.json")`:  is("a/config/dev.tfvars.json", "a/config/readme", "a/main.tf", "a/templates/x.tftpl"),
		`fileset("${path.module}/config", "*")`:                 is("a/config/dev.tfvars.json", "a/config/readme", "a/main.tf", "a/templates/x.tftpl"),
		`fileset("config", "*")`:                                is("a/config/dev.tfvars.json", "a/config/readme", "a/main.tf", "a/templates/x.tftpl"),
		`fileset(path.module, "config/*.json")`:                 is("a/config/dev.tfvars.json", "a/config/readme", "a/main.tf", "a/templates/x.tftpl"),
		`templatefile("${path.module}/templates/${var.x}", {})`: is("a/main.tf", "a/templates/aws/main.tf", "a/templates/x.tftpl"),
		`file("templates/aws/main.tf")`:                         is("a/main.tf", "a/templates/aws/main.tf", "a/templates/x.tftpl"),
		`file("${path.module}/${var.x}")`:                       all,
		`file("${path.module}/${var.x}.md")`:                    all,
		`file(var.x)`:                                           all,
		`file(one(data.x.y.*.z))`:                               all,
		`path.module`:                                           all,
		`path.root`:                                             all,
		`fileset(".", "**")`:                                    all,
		`fileset(path.cwd, "*")`:                                all,
	} {
		with := maps.Clone(files)
		with["a/main.tf"] = "locals {\n  x = [" + expression + "]\n}\n"
		t.Run(expression, func(t *testing.T) {
			t.Parallel()
			checkCounted(t, with, "a", want)
		})
		if strings.ContainsAny(expression, "\"") {
			json := maps.Clone(files)
			json["a/main.tf.json"] = `{"output": {"x": {"value": "${` + strings.ReplaceAll(expression, `"`, `\"`) + `}"}}}`
			t.Run("JSON: "+expression, func(t *testing.T) {
				t.Parallel()
				var named []string
				for _, name := range want {
					named = append(named, strings.Replace(name, "a/main.tf", "a/main.tf.json", 1))
				}
				checkCounted(t, json, "a", named)
			})
		}
	}
}

// A program can read what Terraform does not: but for what is another target's.
func TestWhereAProgramRunsOnlyVarFilesOfOthersAreLeft(t *testing.T) {
	t.Parallel()
	root := gittest.Repository(t, map[string]string{
		"a/main.tf":   "data \"external\" \"x\" {\n  program = [\"sh\", \"${path.module}/x.sh\"]\n}\n",
		"a/README.md": "", "a/dev.tfvars": "", "a/prod.tfvars": "", "a/settings.tfvars": "", "a/x.sh": "", "a/examples/main.tf": "",
	})
	target := inventory.Target{Root: root, Dir: "a", VarFiles: []string{"a/dev.tfvars"}, Given: map[string]bool{"a/dev.tfvars": true, "a/prod.tfvars": true}}
	if diff := cmp.Diff([]string{"a/README.md", "a/dev.tfvars", "a/main.tf", "a/settings.tfvars", "a/x.sh"}, countedFiles(t, target)); diff != "" {
		t.Error(diff)
	}
}

func TestAtTheRepositorysRootOnlyWhatCanBeReadCounts(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"terraform.tfvars": "", "dev.tfvars": "", "src/app.py": "", "CODEOWNERS": "", "docs/index.md": "",
		"config/dev.json": "", "modules/x/main.tf": "", "modules/x/x.json": "", "scripts/run.sh": "", "live/main.tf": "", ".terraform-version": "",
	}
	always := []string{"main.tf", "terraform.tfvars"}
	for content, want := range map[string][]string{
		"": always,
		"module \"x\" {\n  source = \"./modules/x\"\n}\n":       {"main.tf", "modules/x/main.tf", "modules/x/x.json", "terraform.tfvars"},
		"x = file(\"${path.module}/config/${var.env}.json\")\n": {"config/dev.json", "main.tf", "terraform.tfvars"},
		"x = \"config/dev.json\"\n":                             {"config/dev.json", "main.tf", "terraform.tfvars"},
		"resource \"x\" \"y\" {\n  provisioner \"local-exec\" {\n    command = \"bash scripts/run.sh\"\n  }\n}\n": {"main.tf", "scripts/run.sh", "terraform.tfvars"},
		"resource \"x\" \"y\" {\n  provisioner \"local-exec\" {\n    command = local.x.y\n  }\n}\n":               {".terraform-version", "CODEOWNERS", "config/dev.json", "dev.tfvars", "docs/index.md", "live/main.tf", "main.tf", "modules/x/main.tf", "modules/x/x.json", "scripts/run.sh", "src/app.py", "terraform.tfvars"},
		"x = basename(path.cwd)\n": always,
	} {
		with := maps.Clone(files)
		with["main.tf"] = content
		t.Run(content, func(t *testing.T) {
			t.Parallel()
			checkCounted(t, with, ".", want)
		})
	}
	files["main.tf"] = "module \"x\" {\n  source = \"./modules/x\"\n  file = var.file\n}\n"
	files["modules/x/main.tf"] = "x = file(var.file)\n"
	c := configuration(t, inventory.Target{Root: gittest.Repository(t, files), Dir: "."})
	if c.Files["docs/index.md"] == "" || len(c.Broad) != 1 || c.Broad[0] != (Broad{".", "modules/x/main.tf:1 reads `file(var.file)`"}) {
		t.Errorf("%v %v", c.Files, c.Broad)
	}
	files["main.tf"] = "module \"x\" {\n  source = \"./modules/x\"\n  file = \"config/dev.json\"\n}\n"
	c = configuration(t, inventory.Target{Root: gittest.Repository(t, files), Dir: "."})
	if c.Files["docs/index.md"] != "" || c.Files["config/dev.json"] == "" || c.Broad != nil {
		t.Errorf("%v %v", c.Files, c.Broad)
	}
}

func TestWhatIsIgnoredDoesNotCount(t *testing.T) {
	t.Parallel()
	root := gittest.Repository(t, map[string]string{
		"main.tf": "x = [path.module]\nmodule \"a\" {\n  source = \"./a\"\n}\n", "a/main.tf": "", "a/docs/x.tf": "", "a/notes.md": "", "docs/index.md": "", "docs/deep/x.md": "", "src/app.py": "", "dev.tfvars": "",
		"c/x/main.tf": "x = \"${path.module}/../${var.x}\"\n", "c/y": "", "c/z.md": "",
	})
	for _, x := range []struct {
		dir    string
		ignore []string
		want   []string
	}{
		{".", []string{"docs/**", "*.py", "c/"}, []string{"a/docs/x.tf", "a/main.tf", "a/notes.md", "dev.tfvars", "main.tf"}},
		{".", []string{"docs", "**/*.md", "/c", "src/*", "**/main.tf", "dev.tfvars"}, []string{"a/main.tf", "dev.tfvars", "main.tf"}},
		{"a", []string{"*.md", "/a/docs/**"}, []string{"a/main.tf"}},
		{"a", []string{"notes.*"}, []string{"a/main.tf"}},
		{"c/x", nil, []string{"c/", "c/x/main.tf"}},
	} {
		target := inventory.Target{Root: root, Dir: x.dir, Ignore: x.ignore}
		if x.dir == "." {
			target.VarFiles = []string{"dev.tfvars"}
		}
		if diff := cmp.Diff(x.want, countedFiles(t, target)); diff != "" {
			t.Errorf("%v: %s", x, diff)
		}
	}
	above := inventory.Target{Root: root, Dir: "c/x", Ignore: []string{"*.md"}}
	before := configuration(t, above)
	gittest.Write(t, root, map[string]string{"c/z.md": "1"})
	if diff := configuration(t, above).Diff(before.Files); diff != nil {
		t.Error(diff)
	}
	gittest.Write(t, root, map[string]string{"c/y": "1"})
	if diff := configuration(t, above).Diff(before.Files); len(diff) != 1 {
		t.Error(diff)
	}
}

func TestVarFilesInArgumentsCount(t *testing.T) {
	t.Parallel()
	for line, want := range map[string][]string{
		"TF_CLI_ARGS_plan=-var-file=../x.tfvars -lock=false":                   {"../x.tfvars"},
		"TF_CLI_ARGS=--var-file '../a b.tfvars'":                               {"../a b.tfvars"},
		`TF_CLI_ARGS_init=-backend-config="x.tfbackend" -backend-config=key=1`: {"x.tfbackend"},
		"TF_CLI_ARGS_apply=-var-file=x":                                        nil,
		"TF_CLI_ARGS_plan=-var-file":                                           nil,
		`TF_CLI_ARGS_plan=-var x=-var-file=y`:                                  nil,
	} {
		if diff := cmp.Diff(want, varFilesIn([]string{line})); diff != "" {
			t.Errorf("%s: %s", line, diff)
		}
	}
	root := gittest.Repository(t, map[string]string{"a/main.tf": "", "shared/x.tfvars": "", "a/y.tfvars": "", "ci/terraformrc": "", "policies/p.json": "", "shared/unused": ""})
	target := inventory.Target{Root: root, Dir: "a", Env: map[string]string{
		"TF_CLI_ARGS_plan": "-var-file=../shared/x.tfvars -var-file=missing.tfvars -var-file y.tfvars", "TF_CLI_CONFIG_FILE": "../ci/terraformrc", "TF_VAR_policies": "../policies",
	}}
	if diff := cmp.Diff([]string{"a/main.tf", "a/y.tfvars", "ci/terraformrc", "policies/p.json", "shared/x.tfvars"}, countedFiles(t, target)); diff != "" {
		t.Error(diff)
	}
	// Those of the job's own environment count, too, but not for the digest: the job that
	// applies may not have them.
	plain := inventory.Target{Root: root, Dir: "a"}
	environ := []string{"TF_CLI_ARGS=-var-file=" + filepath.Join(root, "shared/x.tfvars"), "X=1"}
	c, err := Of(t.Context(), plain, "terraform", "1.11.4", JobFiles(plain, environ)...)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"shared/x.tfvars"}, Extra(c.Files)); diff != "" || c.Digest != configuration(t, plain).Digest {
		t.Error(diff, c.Digest)
	}
	gittest.Write(t, root, map[string]string{"shared/x.tfvars": "x = 2"})
	now, err := Of(t.Context(), plain, "terraform", "1.11.4", Extra(c.Files)...)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"changed: var-file shared/x.tfvars"}, now.Diff(c.Files)); diff != "" {
		t.Error(diff)
	}
}

func TestVariablesNameFiles(t *testing.T) {
	t.Parallel()
	root := gittest.Repository(t, map[string]string{
		"a/main.tf": "x = var.bundle\n", "a/dev.tfvars": "bundle = \"../bundles/dev.zip\"\nnotes = \"README.md\"\n", "a/README.md": "", "bundles/dev.zip": "", "bundles/prod.zip": "",
	})
	target := inventory.Target{Root: root, Dir: "a", VarFiles: []string{"a/dev.tfvars"}}
	if diff := cmp.Diff([]string{"a/README.md", "a/dev.tfvars", "a/main.tf", "bundles/dev.zip"}, countedFiles(t, target)); diff != "" {
		t.Error(diff)
	}
}

func TestPathsOfExpressionsAreNamed(t *testing.T) {
	t.Parallel()
	root := gittest.Repository(t, map[string]string{
		"a/main.tf": "x = [\"${path.module}/../build/x.zip\", \"${path.module}/out/${var.x}\", \"${path.module}/../../elsewhere\"]\nmodule \"m\" {\n  source = \"../m\"\n}\n",
		"m/main.tf": "x = [\"${path.module}/m.zip\", \"${path.root}/r.zip\"]\n",
	})
	if diff := cmp.Diff([]string{"a/out", "a/r.zip", "build/x.zip", "m/m.zip"}, configuration(t, inventory.Target{Root: root, Dir: "a"}).Named); diff != "" {
		t.Error(diff)
	}
}

func TestWhatACheckoutLacks(t *testing.T) {
	t.Parallel()
	inner := gittest.Repository(t, map[string]string{"main.tf": ""})
	outer := gittest.Repository(t, map[string]string{"x/main.tf": "module \"i\" {\n  source = \"../inner\"\n}\n"})
	gittest.Run(t, outer, "submodule", "--quiet", "add", inner, "inner")
	gittest.Run(t, outer, "commit", "-q", "-m", "inner")
	files := map[string]string{
		"a/main.tf": "x = fileset(\"${path.module}/../users\", \"*\")\n", "users/x": "1", "b/main.tf": "module \"o\" {\n  source = \"../outer/x\"\n}\n", "c/main.tf": "", "docs/x": "1",
		"d/main.tf": "x = file(\"${path.module}/../docs/x\")\n", "e/main.tf": "x = file(\"${path.module}/x.zip\")\n", "e/x.zip": "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n", "e/other.zip": "version https://git-lfs.github.com/spec/v1\n",
	}
	root := gittest.Repository(t, files)
	gittest.Run(t, root, "submodule", "--quiet", "add", outer, "outer")
	gittest.Run(t, root, "commit", "-q", "-m", "outer")
	lacks(t, inventory.Target{Root: root, Dir: "b"}, "`outer/inner` is a submodule that is not checked out: set `submodules: true` of actions/checkout, or `recursive`")
	lacks(t, inventory.Target{Root: root, Dir: "e"}, "`e/x.zip` is a pointer of Git LFS, whose content is not checked out: set `lfs: true`")
	gittest.Run(t, root, "sparse-checkout", "set", "a", "c", "d")
	lacks(t, inventory.Target{Root: root, Dir: "a"}, "`users/x` is tracked by Git and outside of the sparse checkout: add its folder to `sparse-checkout`")
	lacks(t, inventory.Target{Root: root, Dir: "d"}, "`docs/x` is tracked by Git and outside of the sparse checkout")
	lacks(t, inventory.Target{Root: root, Dir: "b"}, "`b/main.tf` is tracked by Git and outside")
	if diff := cmp.Diff([]string{"c/main.tf"}, countedNames(t, root, "c")); diff != "" {
		t.Error(diff)
	}
	if err := os.Remove(filepath.Join(root, "c/main.tf")); err != nil {
		t.Fatal(err)
	}
	lacks(t, inventory.Target{Root: root, Dir: "c"}, "`c/main.tf` is tracked by Git and is not in the workspace")
}
