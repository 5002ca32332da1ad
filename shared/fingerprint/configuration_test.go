package fingerprint

import (
	"context"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/shared/git/gittest"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/problem"
)

func symlink(t testing.TB, root, name, to string) {
	t.Helper()
	if err := os.Symlink(to, filepath.Join(root, name)); err != nil {
		t.Fatal(err)
	}
}

// configuration is that of Terraform 1.11.4.
func configuration(t testing.TB, target inventory.Target) Configuration {
	t.Helper()
	c, err := Of(t.Context(), target, "terraform", "1.11.4")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// sample is a component that has one of everything.
func sample(root string) inventory.Target {
	return inventory.Target{
		Component: "network", Stack: "dev", Root: root, Dir: "components/network", Workspace: "dev",
		VarFiles:      []string{"components/network/dev.tfvars", "shared/common.tfvars"},
		BackendConfig: []string{"bucket=b", "backend/dev.tfbackend"},
		Env:           map[string]string{"A": "a", "B": "b"},
	}
}

var sampleFiles = map[string]string{
	"gitops.yaml":                               "x",
	"README.md":                                 "x",
	"components/network/main.tf":                "module \"a\" {\n  source = \"../../modules/a\"\n}\nlocals {\n  x = file(\"${path.module}/templates/deep/x.tftpl\")\n}\n",
	"components/network/.terraform.lock.hcl":    "x",
	"components/network/terraform.tfvars":       "x = 1",
	"components/network/more.auto.tfvars.json":  "{}",
	"components/network/dev.tfvars":             "x = 1",
	"components/network/prod.tfvars":            "x = 2",
	"components/network/prod.s3.tfbackend":      "x = 2",
	"components/network/README.md":              "x",
	"components/network/templates/deep/x.tftpl": "x",
	"components/network/.hidden":                "x",
	"components/network/peering/main.tf":        "# x",
	"components/network/peering/deep/y.json":    "x",
	"components/cluster/main.tf":                "# x",
	"modules/a/main.tf.json":                    `{"module": {"b": {"source": "../b/inner"}}}`,
	"modules/a/nested/main.tf":                  "# x",
	"modules/a/terraform.tfvars":                "x",
	"modules/b/main.tf":                         "# x",
	"modules/b/inner/main.tofu":                 "# x",
	"modules/c/main.tf":                         "# x",
	"shared/common.tfvars":                      "x = 1",
	"shared/other.tfvars":                       "x = 1",
	"backend/dev.tfbackend":                     "x = 1",
	"backend/prod.tfbackend":                    "x = 1",
}

// countedOf are the files of sampleFiles that shape the plan of sample.
var countedOf = []string{
	"components/network/main.tf",
	"components/network/.terraform.lock.hcl",
	"components/network/terraform.tfvars",
	"components/network/more.auto.tfvars.json",
	"components/network/dev.tfvars",
	"components/network/templates/deep/x.tftpl",
	"components/network/.hidden",
	"modules/a/main.tf.json",
	"modules/b/inner/main.tofu",
	"shared/common.tfvars",
	"backend/dev.tfbackend",
}

func TestWhatCounts(t *testing.T) {
	t.Parallel()
	got := configuration(t, sample(gittest.Repository(t, sampleFiles)))
	want := map[string]bool{
		"(path)": true, "(workspace)": true, "(var-files)": true, "(backend-config)": true, "(env)": true, "(terraform version)": true,
	}
	for _, name := range countedOf {
		want[name] = true
	}
	have := make(map[string]bool)
	for name, short := range got.Files {
		have[name] = true
		if len(short) != 16 {
			t.Errorf("%s: %q", name, short)
		}
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Error(diff)
	}
	// What a file is known by can be checked with any sha256sum.
	if short := got.Files["components/network/.hidden"]; short != "2d711642b726b044" {
		t.Error(short)
	}
}

// The digest is stored. If this test fails, then plans that wait for their
// apply will be refused: that must be meant, and formatVersion be raised.
func TestTheDigestStaysWhatItWas(t *testing.T) {
	t.Parallel()
	const want = "f925d250736d610007e6d1d28ddbb8e0e93bfec78cf378475f95b473b0753537"
	if got := configuration(t, sample(gittest.Repository(t, sampleFiles))); got.Digest != want {
		t.Errorf("got %s", got.Digest)
	}
}

func TestEverySettingCounts(t *testing.T) {
	t.Parallel()
	root := gittest.Repository(t, sampleFiles)
	base := configuration(t, sample(root))
	for name, x := range map[string]struct {
		change func(*inventory.Target)
		diff   []string
	}{
		"workspace":         {func(t *inventory.Target) { t.Workspace = "prod" }, []string{"changed: workspace"}},
		"no workspace":      {func(t *inventory.Target) { t.Workspace = "" }, []string{"changed: workspace"}},
		"variable":          {func(t *inventory.Target) { t.Env["A"] = "b" }, []string{"changed: env"}},
		"variables swapped": {func(t *inventory.Target) { t.Env = map[string]string{"A": "b", "B": "a"} }, []string{"changed: env"}},
		"variable more":     {func(t *inventory.Target) { t.Env["C"] = "" }, []string{"changed: env"}},
		"variable less":     {func(t *inventory.Target) { delete(t.Env, "A") }, []string{"changed: env"}},
		"variables shifted": {func(t *inventory.Target) { t.Env = map[string]string{"A": "aB", "": "b"} }, []string{"changed: env"}},
		"backend value":     {func(t *inventory.Target) { t.BackendConfig[0] = "bucket=c" }, []string{"changed: backend-config"}},
		"backend order": {func(t *inventory.Target) {
			t.BackendConfig[0], t.BackendConfig[1] = t.BackendConfig[1], t.BackendConfig[0]
		}, []string{"changed: backend-config"}},
		"backend joined":     {func(t *inventory.Target) { t.BackendConfig[0] = "bucket=b\" \"a=b" }, []string{"changed: backend-config"}},
		"var files' order":   {func(t *inventory.Target) { t.VarFiles[0], t.VarFiles[1] = t.VarFiles[1], t.VarFiles[0] }, []string{"changed: var-files"}},
		"var file twice":     {func(t *inventory.Target) { t.VarFiles = append(t.VarFiles, t.VarFiles[0]) }, []string{"changed: var-files"}},
		"var file less":      {func(t *inventory.Target) { t.VarFiles = t.VarFiles[:1] }, []string{"changed: var-files", "removed: shared/common.tfvars"}},
		"var file more":      {func(t *inventory.Target) { t.VarFiles = append(t.VarFiles, "shared/other.tfvars") }, []string{"changed: var-files", "added: shared/other.tfvars"}},
		"backend file other": {func(t *inventory.Target) { t.BackendConfig[1] = "backend/prod.tfbackend" }, []string{"changed: backend-config", "removed: backend/dev.tfbackend", "added: backend/prod.tfbackend"}},
	} {
		target := sample(root)
		x.change(&target)
		got := configuration(t, target)
		if got.Digest == base.Digest {
			t.Errorf("%s: same digest", name)
		}
		if diff := cmp.Diff(x.diff, got.Diff(base.Files)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	for name, x := range map[string]struct {
		tool, version string
		diff          []string
	}{
		"version": {"terraform", "1.11.5", []string{"changed: terraform version"}},
		"tool":    {"tofu", "1.11.4", []string{"removed: terraform version", "added: tofu version"}},
	} {
		got, err := Of(t.Context(), sample(root), x.tool, x.version)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(x.diff, got.Diff(base.Files)); diff != "" || got.Digest == base.Digest {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestWhatDoesNotShapeThePlanDoesNotCount(t *testing.T) {
	t.Parallel()
	root := gittest.Repository(t, sampleFiles)
	base := configuration(t, sample(root))
	for name, change := range map[string]func(*inventory.Target){
		"names": func(t *inventory.Target) { t.Component, t.Stack = "a", "b" },
		"settings": func(t *inventory.Target) {
			t.Settings = inventory.Settings{PlanRole: "x", StorageURL: "y", TerraformVersion: "z"}
		},
		"order": func(t *inventory.Target) { t.DependsOn = []inventory.Name{{Component: "x", Stack: "dev"}} },
		"empty": func(t *inventory.Target) { t.Env = maps.Clone(t.Env) },
	} {
		target := sample(root)
		change(&target)
		if got := configuration(t, target); got.Digest != base.Digest {
			t.Errorf("%s: %v", name, got.Diff(base.Files))
		}
	}
	target := sample(root)
	target.Workspace = ""
	empty := configuration(t, target)
	target.Workspace = "default"
	if got := configuration(t, target); got.Digest != empty.Digest {
		t.Error("the default workspace is not the default workspace")
	}
}

func TestTwoCheckoutsOfOneCommitAreEqual(t *testing.T) {
	t.Parallel()
	root := gittest.Repository(t, sampleFiles)
	base := configuration(t, sample(root))

	clone := filepath.Join(t.TempDir(), "somewhere", "else")
	gittest.Run(t, root, "clone", "-q", root, clone)
	worktree := filepath.Join(t.TempDir(), "worktree")
	gittest.Run(t, root, "worktree", "add", "-q", "--detach", worktree)
	link := filepath.Join(t.TempDir(), "link")
	symlink(t, filepath.Dir(link), "link", clone)
	if err := os.Chtimes(filepath.Join(clone, "components/network/main.tf"), time.Unix(1, 0), time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(clone, "components/network/main.tf"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, other := range []string{clone, worktree, link} {
		if got := configuration(t, sample(other)); got.Digest != base.Digest {
			t.Errorf("%s: %v", other, got.Diff(base.Files))
		}
	}

	// A checkout inside a bigger one, as with the path input of actions/checkout.
	outer := t.TempDir()
	gittest.Run(t, outer, "init", "-q")
	gittest.Run(t, outer, "clone", "-q", root, filepath.Join(outer, "infra"))
	if got := configuration(t, sample(filepath.Join(outer, "infra"))); got.Digest != base.Digest {
		t.Error(got.Diff(base.Files))
	}
	// A folder of a repository as the root.
	mono := t.TempDir()
	for name, content := range sampleFiles {
		gittest.Write(t, mono, map[string]string{"infra/" + name: content})
	}
	gittest.Run(t, mono, "init", "-q")
	gittest.Run(t, mono, "add", "-A", "-f")
	if got := configuration(t, sample(filepath.Join(mono, "infra"))); got.Digest != base.Digest {
		t.Error(got.Diff(base.Files))
	}
}

// Everything here is written by a run in the folder, not by a commit.
func TestWhatRunsLeaveBehindDoesNotCount(t *testing.T) {
	t.Parallel()
	tracked := maps.Clone(sampleFiles)
	delete(tracked, "components/network/.terraform.lock.hcl")
	root := gittest.Repository(t, tracked)
	base := configuration(t, sample(root))
	leave := map[string]string{
		"components/network/.terraform.lock.hcl":                  "x",
		"components/network/.terraform/modules/modules.json":      "x",
		"components/network/.terraform/environment":               "x",
		"components/network/terraform.tfstate":                    "x",
		"components/network/terraform.tfstate.backup":             "x",
		"components/network/.terraform.tfstate.lock.info":         "x",
		"components/network/terraform.tfstate.d/dev/x.tfstate":    "x",
		"components/network/errored.tfstate":                      "x",
		"components/network/crash.log":                            "x",
		"components/network/crash.20260101.log":                   "x",
		"components/network/dev.tfplan":                           "x",
		"components/network/README.md":                            "changed by terraform-docs",
		"modules/a/.terraform/x":                                  "x",
		"gitops.yaml":                                             "y",
		".github/workflows/x.yml":                                 "x",
		"components/network/peering/.terraform/modules/x/main.tf": "# x",
	}
	gittest.Write(t, root, leave)
	if got := configuration(t, sample(root)); got.Digest != base.Digest {
		t.Error(got.Diff(base.Files))
	}
	// Only Git can know these.
	gittest.Write(t, root, map[string]string{
		"components/network/lambda.zip":             "x",
		"components/network/plan.out":               "x",
		"components/network/node_modules/x/main.js": "x",
		"components/network/backend.tf.json":        "{}",
	})
	if got := configuration(t, sample(root)); got.Digest != base.Digest {
		t.Error(got.Diff(base.Files))
	}

	// Without Git the same, but for those.
	plain := t.TempDir()
	gittest.Write(t, plain, tracked)
	without := configuration(t, sample(plain))
	if without.Digest != base.Digest {
		t.Error(without.Diff(base.Files))
	}
	gittest.Write(t, plain, leave)
	if got := configuration(t, sample(plain)); got.Digest != base.Digest {
		t.Error(got.Diff(base.Files))
	}
}

func TestTerraformItselfDoesNotChangeTheDigest(t *testing.T) {
	t.Parallel()
	terraform, err := exec.LookPath("terraform")
	if err != nil {
		t.Fatal("install terraform: https://developer.hashicorp.com/terraform/install")
	}
	files := map[string]string{
		"components/a/main.tf":   "module \"m\" {\n  source = \"../../modules/m\"\n}\n",
		"components/a/x.tfvars":  "",
		"modules/m/main.tf":      "resource \"terraform_data\" \"x\" {\n  input = file(\"${path.module}/x.txt\")\n}\n",
		"modules/m/x.txt":        "x",
		"modules/m/sub/other.tf": "not called",
	}
	plain := t.TempDir()
	gittest.Write(t, plain, files)
	none := filepath.Join(t.TempDir(), "terraformrc")
	gittest.Write(t, filepath.Dir(none), map[string]string{"terraformrc": ""})
	for _, root := range []string{gittest.Repository(t, files), plain} {
		target := inventory.Target{Root: root, Dir: "components/a", Workspace: "w", VarFiles: []string{"components/a/x.tfvars"}}
		base := configuration(t, target)
		for _, args := range [][]string{{"init"}, {"workspace", "new", "w"}, {"plan", "-out=x.tfplan", "-var-file=x.tfvars"}, {"apply", "x.tfplan"}, {"apply", "-auto-approve", "-replace=module.m.terraform_data.x"}} {
			cmd := exec.Command(terraform, args...)
			cmd.Dir = filepath.Join(root, "components", "a")
			cmd.Env = append(os.Environ(), "TF_CLI_CONFIG_FILE="+none, "TF_IN_AUTOMATION=1")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("terraform %v: %v\n%s", args, err, out)
			}
			if got := configuration(t, target); got.Digest != base.Digest {
				t.Errorf("after terraform %v: %v", args, got.Diff(base.Files))
			}
		}
	}
}

func TestALockFileCountsWhereGitHasIt(t *testing.T) {
	t.Parallel()
	root := gittest.Repository(t, sampleFiles)
	base := configuration(t, sample(root))
	gittest.Write(t, root, map[string]string{"components/network/.terraform.lock.hcl": "newer providers"})
	got := configuration(t, sample(root))
	if diff := cmp.Diff([]string{"changed: components/network/.terraform.lock.hcl"}, got.Diff(base.Files)); diff != "" {
		t.Error(diff)
	}
}

// A folder that an earlier step generates is not in Git, but is what is
// planned.
func TestAFolderThatGitDoesNotTrackCountsAsItIs(t *testing.T) {
	t.Parallel()
	root := gittest.Repository(t, map[string]string{".gitignore": "generated/\n", "a.txt": ""})
	gittest.Write(t, root, map[string]string{"generated/cdk.tf.json": "{}", "generated/assets/x": "1", "generated/.terraform.lock.hcl": ""})
	target := inventory.Target{Root: root, Dir: "generated"}
	base := configuration(t, target)
	if base.Files["generated/cdk.tf.json"] == "" || base.Files["generated/assets/x"] == "" || base.Files["generated/.terraform.lock.hcl"] != "" {
		t.Error(base.Files)
	}
	gittest.Write(t, root, map[string]string{"generated/assets/x": "2"})
	if got := configuration(t, target); got.Digest == base.Digest {
		t.Error("a change was not seen")
	}
}

func TestWhatGitTracksButIsNotThereIsRemoved(t *testing.T) {
	t.Parallel()
	root := gittest.Repository(t, sampleFiles)
	base := configuration(t, sample(root))
	if err := os.RemoveAll(filepath.Join(root, "components/network/templates")); err != nil {
		t.Fatal(err)
	}
	lacks(t, sample(root), "`components/network/templates/deep/x.tftpl` is tracked by Git and is not in the workspace")
	gittest.Run(t, root, "add", "-A")
	got := configuration(t, sample(root))
	if diff := cmp.Diff([]string{"removed: components/network/templates/deep/x.tftpl"}, got.Diff(base.Files)); diff != "" {
		t.Error(diff)
	}
}

// lacks checks that the checkout lacks what a target reads, and that the error says why.
func lacks(t *testing.T, target inventory.Target, want string) {
	t.Helper()
	c, err := Of(t.Context(), target, "terraform", "1.11.4")
	var lacking *LackingError
	if !errors.As(err, &lacking) || problem.CodeOf(err) != problem.Checkout || !strings.Contains(err.Error(), want) || c.Digest != "" {
		t.Errorf("%v, %v", c, err)
	}
}

func TestAFileThatIsNamedMustBeThere(t *testing.T) {
	t.Parallel()
	root := gittest.Repository(t, sampleFiles)
	for name, x := range map[string]struct {
		change func(*inventory.Target)
		want   string
	}{
		"folder":       {func(t *inventory.Target) { t.Dir = "components/x" }, "the root module folder `components/x`: no such file or directory"},
		"outside":      {func(t *inventory.Target) { t.Dir = "../x" }, "it lies outside the checkout"},
		"a file":       {func(t *inventory.Target) { t.Dir = "README.md" }, "it is not a folder"},
		"var file":     {func(t *inventory.Target) { t.VarFiles = []string{"x.tfvars"} }, "`x.tfvars`: no such file or directory"},
		"var folder":   {func(t *inventory.Target) { t.VarFiles = []string{"modules"} }, "`modules`: it is not a regular file"},
		"var outside":  {func(t *inventory.Target) { t.VarFiles = []string{"/etc/passwd"} }, "it lies outside the checkout"},
		"backend file": {func(t *inventory.Target) { t.BackendConfig = []string{"x.tfbackend"} }, "`x.tfbackend`: no such file or directory"},
		"root":         {func(t *inventory.Target) { t.Root = filepath.Join(t.Root, "nowhere") }, "open the checkout"},
	} {
		target := sample(root)
		x.change(&target)
		got, err := Of(t.Context(), target, "terraform", "1.11.4")
		if err == nil || !strings.Contains(err.Error(), x.want) || !strings.HasPrefix(err.Error(), "fingerprint the configuration of network in dev: ") || got.Digest != "" {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestAFailingGitIsAnError(t *testing.T) {
	t.Parallel()
	root := gittest.Repository(t, sampleFiles)
	gittest.Write(t, root, map[string]string{".git/index": "garbage"})
	_, err := Of(t.Context(), sample(root), "terraform", "1.11.4")
	if err == nil || !strings.Contains(err.Error(), "list the files that Git tracks: ") || !strings.Contains(err.Error(), "index file") || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Of(ctx, sample(root), "terraform", "1.11.4"); err == nil {
		t.Error("a cancelled context was not noticed")
	}
}

func TestGitsEnvironmentIsNotTheCallers(t *testing.T) {
	root := gittest.Repository(t, sampleFiles)
	base := configuration(t, sample(root))
	t.Setenv("GIT_DIR", gittest.Repository(t, nil)+"/.git")
	t.Setenv("GIT_INDEX_FILE", "/nowhere")
	if got := configuration(t, sample(root)); got.Digest != base.Digest {
		t.Error(got.Diff(base.Files))
	}
}

func TestDiffIsSortedAndEmptyForEqual(t *testing.T) {
	t.Parallel()
	c := Configuration{Files: map[string]string{"b": "1", "c": "1", "(env)": "1", "./(env)": "1"}}
	if got := c.Diff(maps.Clone(c.Files)); got != nil {
		t.Error(got)
	}
	want := []string{"changed: env", "added: ./(env)", "removed: a", "changed: b", "added: c"}
	if diff := cmp.Diff(want, c.Diff(map[string]string{"a": "1", "b": "2", "(env)": "2"})); diff != "" {
		t.Error(diff)
	}
}
