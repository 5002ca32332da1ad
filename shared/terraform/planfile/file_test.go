package planfile_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/terraform-gitops/gitops/shared/terraform"
	"github.com/terraform-gitops/gitops/shared/terraform/internal/terraformtest"
	"github.com/terraform-gitops/gitops/shared/terraform/planfile"
)

func mustOpen(t testing.TB, path string) *planfile.File {
	t.Helper()
	p, err := planfile.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPlanfileTellsWhatItWasMadeOn(t *testing.T) {
	t.Parallel()
	dir := terraformtest.RootModule(t, map[string]string{"main.tf": `resource "terraform_data" "a" { input = 1 }`})
	c, _ := terraformtest.New(t, dir)
	c.Workspace = "dev"
	path := terraformtest.Plan(t, c)
	first := mustOpen(t, path)
	if first.Lineage != "" || first.Serial != 0 {
		t.Errorf("without a state: lineage %q, serial %d", first.Lineage, first.Serial)
	}
	if _, err := c.Apply(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	version, err := c.Version(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if first.TerraformVersion != version.Number || first.Backend != "local" || first.Workspace != "dev" {
		t.Errorf("%+v", first)
	}
	if !strings.Contains(string(first.LockFile), "terraform init") {
		t.Errorf("lock file %q", first.LockFile)
	}

	terraformtest.WriteFiles(t, dir, map[string]string{"main.tf": `resource "terraform_data" "a" { input = 2 }`})
	second := mustOpen(t, terraformtest.Plan(t, c))
	state := terraformtest.ReadFile(t, filepath.Join(dir, "terraform.tfstate.d", "dev", "terraform.tfstate"))
	if second.Serial == 0 || !strings.Contains(state, second.Lineage) || len(second.Lineage) != 36 {
		t.Errorf("lineage %q, serial %d; state:\n%s", second.Lineage, second.Serial, state)
	}
}

func TestFilesThatAreNoReadablePlanfile(t *testing.T) {
	t.Parallel()
	real := terraformtest.ReadFile(t, plannedFixture(t))
	for _, test := range []struct {
		name, content, want string
		is                  error
	}{
		{name: "encrypted by OpenTofu", content: `{"meta":{"key_provider.pbkdf2.a":"e30="},"encrypted_data":"AAAA","encryption_version":"v0"}`, is: planfile.ErrEncrypted, want: "encrypted by OpenTofu"},
		{name: "of HCP Terraform", content: `{"remote_plan_format":1,"run_id":"run-x","hostname":"app.terraform.io"}`, want: "HCP Terraform"},
		{name: "other JSON", content: `{}`, want: "not a planfile"},
		{name: "empty", content: "", want: "not a planfile"},
		{name: "text", content: "tfplan", want: "not a planfile"},
		{name: "cut short", content: real[:len(real)-30], want: "not a planfile, or damaged"},
		{name: "damaged inside", content: real[:60] + "\x00\x00\x00\x00" + real[64:], want: "tfplan: "},
		{name: "another zip", content: zipOf(t, entry{"a", "b"}), want: "it holds no tfplan"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "p")
			terraformtest.WriteFiles(t, filepath.Dir(path), map[string]string{"p": test.content})
			_, err := planfile.Open(path)
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("error %v", err)
			}
			if got := errors.Is(err, planfile.ErrEncrypted); got != (test.is != nil) {
				t.Errorf("it is said to be encrypted: %v: %v", got, err)
			}
		})
	}
	if _, err := planfile.Open(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

func TestForgedPlanfiles(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		entries []entry // instead of, or besides, those of a good one
		want    string
	}{
		{"an entry that is there twice", []entry{{"tfconfig/m-/main.tf", ""}, {"tfconfig/m-/main.tf", "evil"}}, "twice"},
		{"a module that is there twice", []entry{{"tfconfig/modules.json", `[{"Key":"","Dir":"."},{"Key":"","Dir":"m"}]`}}, "twice"},
		{"a name that climbs out", []entry{{"tfconfig/m-/../../main.tf", ""}}, "not the name"},
		{"a name with a backslash", []entry{{`tfconfig/m-/..\main.tf`, ""}}, "not the name"},
		{"files of a module that is not listed", []entry{{"tfconfig/m-x/main.tf", ""}}, "no module"},
		{"a file beside modules", []entry{{"tfconfig/m-main.tf", ""}}, "no module"},
		{"a list of modules that is none", []entry{{"tfconfig/modules.json", `{}`}}, "modules.json"},
		{"a state without a serial", []entry{{"tfstate", `{"version":4,"lineage":"x","outputs":{}}`}}, "no serial"},
		{"a state that is none", []entry{{"tfstate", `[]`}}, "not a state"},
		{"a serial that is no number", []entry{{"tfstate", `{"serial":"1","lineage":"x"}`}}, "tfstate"},
		{"a negative serial", []entry{{"tfstate", `{"serial":-1,"lineage":"x"}`}}, "tfstate"},
		{"a state with two serials", []entry{{"tfstate", `{"serial":1,"serial":2,"lineage":"x"}`}}, "tfstate"},
		{"a state whose serial lies deep", []entry{{"tfstate", `{"version":"` + strings.Repeat("x", 70<<10) + `","serial":1,"lineage":"x"}`}}, "tfstate"},
		{"a plan with a name that is too long", []entry{{"tfplan", "\x72\xff\xff\x03" + strings.Repeat("x", 65535)}}, "damaged"},
		{"a plan that is cut short", []entry{{"tfplan", "\x72\x06" + "1.1"}}, "unexpected EOF"},
		{"a plan of another kind", []entry{{"tfplan", "\x07"}}, "damaged"},
		{"a lock file that is a bomb", []entry{{".terraform.lock.hcl", strings.Repeat("\x00", 17<<20)}}, "larger than"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "p")
			terraformtest.WriteFiles(t, filepath.Dir(path), map[string]string{"p": zipOf(t, forged(test.entries)...)})
			_, err := planfile.Open(path)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v", err)
			}
		})
	}
	path := filepath.Join(t.TempDir(), "p")
	terraformtest.WriteFiles(t, filepath.Dir(path), map[string]string{"p": zipOf(t, forged(nil)...)})
	p := mustOpen(t, path)
	if p.Serial != 7 || p.Lineage != "l" || p.TerraformVersion != "1.1.1" || p.Workspace != "w" || p.Backend != "s3" {
		t.Errorf("the good one is read as %+v", p)
	}
}

type entry struct{ name, content string }

// forged is a planfile's entries, with some replaced or added.
func forged(entries []entry) []entry {
	list := entries
	for _, e := range []entry{
		{"tfplan", "\x08\x03" + "\x6a\x07\x0a\x02s3\x1a\x01w" + "\x72\x05" + "1.1.1"},
		{"tfstate", `{"version":4,"terraform_version":"1.1.1","serial":7,"lineage":"l","outputs":{}}`},
		{"tfconfig/modules.json", `[{"Key":"","Dir":"."}]`},
		{"tfconfig/m-/main.tf", ""},
		{".terraform.lock.hcl", ""},
	} {
		replaced := false
		for _, given := range entries {
			replaced = replaced || given.name == e.name
		}
		if !replaced {
			list = append(list, e)
		}
	}
	return list
}

func zipOf(t testing.TB, entries ...entry) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range entries {
		f, err := w.Create(e.name)
		if err == nil {
			_, err = f.Write([]byte(e.content))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Field 30 of tfplan is an action that the plan invokes (Terraform 1.14).
func TestActionsThatAPlanInvokesAreCounted(t *testing.T) {
	t.Parallel()
	const invocation = "\xf2\x01\x00" // field 30, of no bytes
	for n := range 3 {
		entries := forged(nil)
		for i := range entries {
			if entries[i].name == "tfplan" {
				entries[i].content += strings.Repeat(invocation, n)
			}
		}
		path := filepath.Join(t.TempDir(), "p")
		terraformtest.WriteFiles(t, filepath.Dir(path), map[string]string{"p": zipOf(t, entries...)})
		if counts, _ := mustOpen(t, path).Counts(); counts.Invoke != n || counts.Any() != (n > 0) {
			t.Errorf("%d are counted as %s", n, counts)
		}
	}
}

func plannedFixture(t testing.TB) string {
	t.Helper()
	c, _ := terraformtest.New(t, terraformtest.RootModule(t, map[string]string{"main.tf": `resource "terraform_data" "a" {}`}))
	return terraformtest.Plan(t, c)
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte(terraformtest.ReadFile(f, plannedFixture(f))))
	f.Add([]byte(zipOf(f, forged(nil)...)))
	f.Add([]byte(`{"encrypted_data":""}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := t.TempDir()
		terraformtest.WriteFiles(t, dir, map[string]string{"p": string(data)})
		p, err := planfile.Open(filepath.Join(dir, "p"))
		if err != nil {
			return
		}
		_, _ = p.CompareConfig(dir, "", terraform.Terraform)
	})
}

// checkout is a root module in a repository, as CompareConfig meets it.
var checkout = map[string]string{
	"c/main.tf":          "module \"up\" {\n  source = \"../shared/m\"\n}\nmodule \"twice\" {\n  source = \"../shared/m\"\n}\n",
	"c/override.tf.json": "{}",
	"c/.hidden.tf":       "not read",
	"c/backup.tf~":       "not read",
	"c/#emacs.tf#":       "not read",
	"c/README.md":        "not read",
	"c/only.tofu":        "not read by Terraform",
	"c/sub/main.tf":      "not read",
	"shared/m/m.tf":      "module \"sub\" {\n  source = \"./sub\"\n}\n",
	"shared/m/sub/s.tf":  "resource \"terraform_data\" \"s\" {}\n",
}

func TestCompareConfigFindsWhatDiffers(t *testing.T) {
	t.Parallel()
	planned := terraformtest.RootModule(t, checkout)
	c, _ := terraformtest.New(t, filepath.Join(planned, "c"))
	p := mustOpen(t, terraformtest.Plan(t, c))
	for _, test := range []struct {
		name    string
		change  map[string]string
		remove  string
		program string
		want    []string
	}{
		{name: "nothing"},
		{name: "files that are not configuration", change: map[string]string{"c/README.md": "x", "c/.hidden.tf": "x", "c/sub/main.tf": "x", "c/t.tftest.hcl": "x", "c/new.tofu": "x"}},
		{name: "a file of the root module", change: map[string]string{"c/main.tf": checkout["c/main.tf"] + "\n"}, want: []string{"main.tf (changed)"}},
		{name: "an override file", change: map[string]string{"c/x_override.tf": ""}, want: []string{"x_override.tf (added)"}},
		{name: "a JSON file", remove: "c/override.tf.json", want: []string{"override.tf.json (removed)"}},
		{name: "a file of a local module", change: map[string]string{"shared/m/sub/s.tf": "", "shared/m/new.tf": ""}, want: []string{"../shared/m/new.tf (added)", "../shared/m/sub/s.tf (changed)"}},
		{name: "a local module that is gone", remove: "shared/m/sub", want: []string{"../shared/m/sub/s.tf (removed)"}},
		{name: "all", remove: "c", want: []string{"main.tf (removed)", "override.tf.json (removed)"}},
		{name: "another program", program: terraform.OpenTofu, want: []string{"only.tofu (added)"}},
		{name: "a file that hides another from OpenTofu", program: terraform.OpenTofu, remove: "c/only.tofu",
			change: map[string]string{"c/main.tofu": ""}, want: []string{"main.tf (removed)", "main.tofu (added)"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			here := terraformtest.RootModule(t, checkout)
			terraformtest.WriteFiles(t, here, test.change)
			if test.remove != "" {
				if err := os.RemoveAll(filepath.Join(here, test.remove)); err != nil {
					t.Fatal(err)
				}
			}
			program := test.program
			if program == "" {
				program = terraform.Terraform
			}
			got, err := p.CompareConfig(filepath.Join(here, "c"), "", program)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCompareConfigOfRemoteModules(t *testing.T) {
	t.Parallel()
	repo := terraformtest.RootModule(t, map[string]string{
		"main.tf":  "module \"c\" {\n  source = \"./sub\"\n}\n",
		"sub/s.tf": "resource \"terraform_data\" \"s\" {}\n",
	})
	git := func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", repo, "-c", "user.name=n", "-c", "user.email=e@example.com"}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("install git: %v: %s", err, out)
		}
	}
	git("init", "-q", "-b", "main")
	git("add", "-A")
	git("commit", "-qm", "one")
	files := map[string]string{"main.tf": "module \"r\" {\n  source = \"git::file://" + repo + "\"\n}\nmodule \"s\" {\n  source = \"git::file://" + repo + "//sub\"\n}\n"}

	c, _ := terraformtest.New(t, terraformtest.RootModule(t, files))
	p := mustOpen(t, terraformtest.Plan(t, c))
	compare := func(c *terraform.CLI) []string {
		t.Helper()
		got, err := p.CompareConfig(c.Dir, c.DataDir, terraform.Terraform)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}

	fresh, _ := terraformtest.New(t, terraformtest.RootModule(t, files))
	want := []string{
		"module.r (git::file://" + repo + ") is not installed",
		"module.s (git::file://" + repo + "//sub) is not installed",
	}
	if diff := cmp.Diff(want, compare(fresh)); diff != "" {
		t.Error("before init: " + diff)
	}
	terraformtest.Init(t, fresh)
	if got := compare(fresh); got != nil {
		t.Errorf("after init: %v", got)
	}
	elsewhere, _ := terraformtest.New(t, terraformtest.RootModule(t, files))
	elsewhere.DataDir = t.TempDir()
	terraformtest.Init(t, elsewhere)
	if got := compare(elsewhere); got != nil {
		t.Errorf("in another data directory: %v", got)
	}

	// The branch that the source names has moved on.
	terraformtest.WriteFiles(t, repo, map[string]string{"sub/s.tf": "resource \"terraform_data\" \"other\" {}\n"})
	git("commit", "-qam", "two")
	moved, _ := terraformtest.New(t, terraformtest.RootModule(t, files))
	moved.DataDir = ".data"
	terraformtest.Init(t, moved)
	if diff := cmp.Diff([]string{".data/modules/r/sub/s.tf (changed)", ".data/modules/s/sub/s.tf (changed)"}, compare(moved)); diff != "" {
		t.Error(diff)
	}
}

func TestCompareConfigDoesNotTrustWhereModulesLie(t *testing.T) {
	t.Parallel()
	const (
		main = "module \"m\" {\n  source = \"./m\"\n}\n"
		good = "# reviewed\n"
		evil = "# also in the repository, but not called\n"
		root = `{"Key":"","Dir":"."}`
	)
	for _, test := range []struct {
		name    string
		modules string
		files   map[string]string // module key -> its m.tf
		want    string
	}{
		{"nothing is forged", root + `,{"Key":"m","Source":"./m","Dir":"m"}`,
			map[string]string{"m": good}, ""},
		{"another directory than the source says", root + `,{"Key":"m","Source":"./m","Dir":"evil"}`,
			map[string]string{"m": evil}, `lies in "evil" in the planfile, and in "m" here`},
		{"a root module elsewhere", `{"Key":"","Dir":"evil"},{"Key":"m","Source":"./m","Dir":"evil/m"}`,
			map[string]string{"m": good}, `lies in "evil" in the planfile, and in "." here`},
		{"a module that nobody calls, in the place of one", root + `,{"Key":"m","Source":"./m","Dir":"m"},{"Key":"x","Source":"./evil","Dir":"m"}`,
			map[string]string{"m": good, "x": evil}, `lies in "m" in the planfile, and in "evil" here`},
		{"a module that claims to be remote", root + `,{"Key":"m","Source":"git::https://example.com/m","Dir":".terraform/modules/m"}`,
			map[string]string{"m": evil}, "module.m (git::https://example.com/m) is not installed"},
		{"a remote module of another source", root + `,{"Key":"r","Source":"git::y","Dir":".terraform/modules/r"}`,
			map[string]string{"r": good}, "module.r (git::y): installed is module.r (git::x)"},
		{"a remote module in the place of a local one", root + `,{"Key":"r","Source":"git::x","Dir":"m"}`,
			map[string]string{"r": good}, `lies in "m" in the planfile, and in ".terraform/modules/r" here`},
		{"a remote module in the place of one whose folder is named alike", root + `,{"Key":"l","Source":"./x/modules/r","Dir":"x/modules/r"},{"Key":"r","Source":"git::x","Dir":"x/modules/r"}`,
			map[string]string{"l": evil, "r": good}, "is also the directory of x/modules/r"},
		{"a module without its parent", root + `,{"Key":"a.b","Source":"./m","Dir":"m"}`,
			map[string]string{"a.b": good}, "module.a is not in the planfile"},
		{"no root module", `{"Key":"m","Source":"./m","Dir":"m"}`,
			map[string]string{"m": good}, "the planfile holds no root module"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			entries := []entry{{"tfconfig/modules.json", "[" + test.modules + "]"}}
			if strings.HasPrefix(test.modules, `{"Key":""`) {
				entries = append(entries, entry{"tfconfig/m-/main.tf", main})
			}
			for key, content := range test.files {
				entries = append(entries, entry{"tfconfig/m-" + key + "/m.tf", content})
			}
			here := terraformtest.RootModule(t, map[string]string{
				"main.tf": main, "m/m.tf": good, "evil/m.tf": evil, "x/modules/r/m.tf": evil,
				".terraform/modules/modules.json": `{"Modules":[{"Key":"","Dir":"."},{"Key":"r","Source":"git::x","Dir":".terraform/modules/r"}]}`,
				".terraform/modules/r/m.tf":       good,
			})
			var list []entry
			for _, e := range forged(entries) {
				if e.name != "tfconfig/m-/main.tf" || e.content != "" {
					list = append(list, e)
				}
			}
			terraformtest.WriteFiles(t, here, map[string]string{"p": zipOf(t, list...)})
			got, err := mustOpen(t, filepath.Join(here, "p")).CompareConfig(here, "", terraform.Terraform)
			if err != nil {
				got = append(got, err.Error())
			}
			text := strings.Join(got, "\n")
			if !strings.Contains(text, test.want) || (text == "") != (test.want == "") {
				t.Errorf("differences %q", text)
			}
		})
	}
}
