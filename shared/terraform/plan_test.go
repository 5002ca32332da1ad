package terraform_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/terraform-gitops/gitops/shared/terraform"
	"github.com/terraform-gitops/gitops/shared/terraform/internal/terraformtest"
)

func TestPlanTellsWhetherThereAreChanges(t *testing.T) {
	t.Parallel()
	dir := terraformtest.RootModule(t, map[string]string{"main.tf": `resource "terraform_data" "a" { input = 1 }`})
	c, log := terraformtest.New(t, dir)
	terraformtest.Init(t, c)
	plan := func() terraform.PlanResult {
		t.Helper()
		result, err := c.Plan(t.Context(), terraform.PlanOptions{Out: filepath.Join(t.TempDir(), "p")})
		if err != nil {
			t.Fatal(err)
		}
		return result
	}

	first := plan()
	if !first.HasChanges {
		t.Error("a plan that creates has no changes")
	}
	log.Has(t, "Plan: 1 to add, 0 to change, 0 to destroy.\n")

	terraformtest.Apply(t, c)
	if plan().HasChanges {
		t.Error("the plan after the apply has changes")
	}

	terraformtest.WriteFiles(t, dir, map[string]string{"out.tf": `output "o" { value = terraform_data.a.output }`})
	if !plan().HasChanges {
		t.Error("a plan that only adds an output has no changes")
	}

	version, err := c.Version(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if first.Version != version || version.Name != terraform.Terraform || !strings.Contains(version.Number, ".") {
		t.Errorf("plan says it is %v, version says %v", first.Version, version)
	}
}

func TestPlanErrorsHaveTheirPlace(t *testing.T) {
	t.Parallel()
	dir := terraformtest.RootModule(t, map[string]string{
		"main.tf":   "module \"m\" {\n  source = \"./m\"\n}\n",
		"m/main.tf": "variable \"v\" {\n  default = \"x\"\n}\n\nresource \"terraform_data\" \"a\" {\n  input = tonumber(\n    var.v\n  )\n}\n",
	})
	c, log := terraformtest.New(t, dir)
	terraformtest.Init(t, c)
	out := filepath.Join(t.TempDir(), "planfile")
	result, err := c.Plan(t.Context(), terraform.PlanOptions{Out: out})

	var failed *terraform.CommandError
	if !errors.As(err, &failed) {
		t.Fatalf("error %v is no CommandError", err)
	}
	want := []terraform.Diagnostic{{
		Severity: "error",
		Summary:  "Invalid function argument",
		Detail:   "Invalid value for \"v\" parameter: cannot convert \"x\" to number; given string must be a decimal representation of a number.",
		File:     "m/main.tf", Line: 7, EndLine: 7,
		Snippet: "  input = tonumber(\n    var.v\n  )",
	}}
	if diff := cmp.Diff(want, failed.Diagnostics); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want, result.Diagnostics); diff != "" {
		t.Error(diff)
	}
	if result.HasChanges || failed.ExitCode != 1 {
		t.Errorf("a failed plan has changes (%v), or another exit code than 1 (%d)", result.HasChanges, failed.ExitCode)
	}
	log.Has(t, `
Error: Invalid function argument

  on m/main.tf line 7, in resource "terraform_data" "a":
   6:   input = tonumber(
   7:     var.v
   8:   )
    ├────────────────
    │ var.v is "x"

Invalid value for "v" parameter: cannot convert "x" to number; given string must be a decimal representation of a number.

`)
	if terraformtest.Exists(out) {
		t.Error("a failed plan leaves a planfile")
	}
	if text := err.Error(); !strings.HasPrefix(text, "terraform plan: failed: on m/main.tf line 7: Invalid function argument: Invalid value") {
		t.Error(text)
	}
}

func TestPlanCountsItsErrors(t *testing.T) {
	t.Parallel()
	dir := terraformtest.RootModule(t, map[string]string{"main.tf": "output \"a\" {\n value = var.x\n}\noutput \"b\" {\n value = var.y\n}\n"})
	c, _ := terraformtest.New(t, dir)
	terraformtest.Init(t, c)
	_, err := c.Plan(t.Context(), terraform.PlanOptions{Out: filepath.Join(t.TempDir(), "p")})
	if err == nil || !strings.HasSuffix(err.Error(), "(and 1 more error)") {
		t.Error(err)
	}
}

func TestPlanWarnings(t *testing.T) {
	t.Parallel()
	dir := terraformtest.RootModule(t, map[string]string{"main.tf": `
variable "v" { default = 1 }
check "c" {
  assert {
    condition     = var.v == 2
    error_message = "two\nlines"
  }
}`})
	c, log := terraformtest.New(t, dir)
	terraformtest.Init(t, c)
	result, err := c.Plan(t.Context(), terraform.PlanOptions{Out: filepath.Join(t.TempDir(), "p")})
	if err != nil {
		t.Fatal(err)
	}
	if len(result.Diagnostics) != 1 || result.Diagnostics[0].Severity != "warning" || result.Diagnostics[0].Detail != "two\nlines" {
		t.Errorf("%+v", result.Diagnostics)
	}
	log.Has(t, "\nWarning: Check block assertion failed\n")
}

func TestPlanfileIsPrivate(t *testing.T) {
	t.Parallel()
	dir := terraformtest.RootModule(t, map[string]string{"main.tf": `resource "terraform_data" "a" {}`})
	c, _ := terraformtest.New(t, dir)
	terraformtest.Init(t, c)
	terraformtest.WriteFiles(t, dir, map[string]string{"planfile": "older, and readable for all"})
	if _, err := c.Plan(t.Context(), terraform.PlanOptions{Out: "planfile"}); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, "planfile"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
}

func TestVariablesAreNoProcessArguments(t *testing.T) {
	t.Parallel()
	dir := terraformtest.RootModule(t, map[string]string{
		"main.tf": `
variable "secret" { sensitive = true }
variable "file" {}
output "o" { value = "${nonsensitive(var.secret)} ${var.file}" }`,
		"dev.tfvars": `file = "from file"`,
	})
	c, _ := terraformtest.New(t, dir, "TF_VAR_secret=correct horse")
	argv := filepath.Join(t.TempDir(), "argv")
	c.Path = terraformtest.Script(t, `echo "$0 $*" >> '`+argv+`'; exec '`+terraformtest.Program()+`' "$@"`)
	terraformtest.Init(t, c)
	out := filepath.Join(t.TempDir(), "p")
	if _, err := c.Plan(t.Context(), terraform.PlanOptions{Out: out, VarFiles: []string{"dev.tfvars"}}); err != nil {
		t.Fatal(err)
	}
	result, err := c.Apply(t.Context(), out)
	if err != nil {
		t.Fatal(err)
	}
	if len(result.Outputs) != 1 || string(result.Outputs[0].Value) != `"correct horse from file"` {
		t.Errorf("outputs %+v", result.Outputs)
	}
	if args := terraformtest.ReadFile(t, argv); strings.Contains(args, "horse") || strings.Count(args, "\n") != 3 {
		t.Errorf("process arguments:\n%s", args)
	}
}

func TestPlanRefreshOnly(t *testing.T) {
	t.Parallel()
	dir := terraformtest.RootModule(t, map[string]string{"main.tf": `resource "terraform_data" "a" {}`})
	c, _ := terraformtest.New(t, dir)
	terraformtest.Init(t, c)
	result, err := c.Plan(t.Context(), terraform.PlanOptions{Out: filepath.Join(t.TempDir(), "p"), RefreshOnly: true})
	if err != nil || result.HasChanges {
		t.Errorf("a refresh of nothing has changes: %+v, %v", result, err)
	}
}

func TestTargetsOfOneRootModuleDoNotCollide(t *testing.T) {
	t.Parallel()
	dir := terraformtest.RootModule(t, map[string]string{"main.tf": `output "w" { value = terraform.workspace }`})
	for _, name := range []string{"dev", "prod"} {
		c, _ := terraformtest.New(t, dir)
		c.DataDir, c.Workspace = ".terraform-"+name, name
		result := terraformtest.Apply(t, c)
		if got := string(result.Outputs[0].Value); got != `"`+name+`"` {
			t.Errorf("workspace %s: output %s", name, got)
		}
		if !terraformtest.Exists(filepath.Join(dir, "terraform.tfstate.d", name, "terraform.tfstate")) {
			t.Errorf("workspace %s has no state", name)
		}
	}
	if terraformtest.Exists(filepath.Join(dir, ".terraform")) {
		t.Error("the default data directory was used")
	}
}

func TestLogIsWrittenAsItIsProduced(t *testing.T) {
	t.Parallel()
	c, log := terraformtest.New(t, t.TempDir())
	seen := filepath.Join(t.TempDir(), "seen")
	c.Path = terraformtest.Script(t, `echo first; while [ ! -e `+seen+` ]; do sleep 0.01; done; echo second; printf 'no newline'`)
	done := make(chan error, 1)
	go func() {
		_, err := c.Plan(t.Context(), terraform.PlanOptions{Out: filepath.Join(t.TempDir(), "p")})
		done <- err
	}()
	terraformtest.Eventually(t, "the first line is in the log", func() bool { return log.String() == "first\n" })
	terraformtest.WriteFiles(t, filepath.Dir(seen), map[string]string{"seen": ""})
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if text := log.String(); text != "first\nsecond\nno newline\n" {
		t.Errorf("log: %q", text)
	}
}

func TestLogThatCannotBeWrittenDoesNotStopTerraform(t *testing.T) {
	t.Parallel()
	dir := terraformtest.RootModule(t, map[string]string{"main.tf": `resource "terraform_data" "a" {}`})
	c, _ := terraformtest.New(t, dir)
	w := &failingWriter{}
	c.Log = w
	if got := len(terraformtest.Apply(t, c).Resources); got != 1 {
		t.Errorf("added %d", got)
	}
	if w.calls != 3 {
		t.Errorf("%d writes to a broken log, want one for each of init, plan and apply", w.calls)
	}
}

func TestHugeLinesAreCut(t *testing.T) {
	t.Parallel()
	c, log := terraformtest.New(t, t.TempDir())
	c.Path = terraformtest.Script(t, `head -c 3000000 /dev/zero | tr '\0' x; echo; echo after; exit 1`)
	_, err := c.Plan(t.Context(), terraform.PlanOptions{Out: filepath.Join(t.TempDir(), "p")})
	if n := len(log.String()); n > 70_000 {
		t.Errorf("log of %d bytes", n)
	}
	log.Has(t, "x [2934464 more bytes of this line left out]\nafter\n")
	if err == nil || len(err.Error()) > 9000 {
		t.Errorf("error of %d bytes", len(err.Error()))
	}
}

func TestFailureWithoutDiagnosticsTellsTheLastLines(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, script, want string }{
		{"text", `echo working; echo 'Error: no such flag' >&2; echo 'see help' >&2; exit 1`, "terraform plan: failed: no such flag\nsee help"},
		{"panic", `echo 'panic: oh'; exit 2; `, ""}, // 2 means changes, whatever it printed
		{"nothing", `exit 3`, "terraform plan: failed: exit status 3 without a message"},
		{"killed", `kill -9 $$`, "terraform plan: failed: it was killed by a signal"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c, _ := terraformtest.New(t, t.TempDir())
			c.Path = terraformtest.Script(t, test.script)
			_, err := c.Plan(t.Context(), terraform.PlanOptions{Out: filepath.Join(t.TempDir(), "p")})
			if got := errorText(err); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestProgramThatIsNotThere(t *testing.T) {
	t.Parallel()
	c, _ := terraformtest.New(t, t.TempDir())
	c.Path = filepath.Join(t.TempDir(), "terraform")
	_, err := c.Plan(t.Context(), terraform.PlanOptions{Out: "p"})
	if !errors.Is(err, os.ErrNotExist) || terraformtest.Exists(filepath.Join(c.Dir, "p")) {
		t.Errorf("error %v", err)
	}
	if _, err := c.Version(t.Context()); err == nil {
		t.Error("it has a version")
	}
}

func TestCommandIsNotBegunAfterTheEndOfItsContext(t *testing.T) {
	t.Parallel()
	c, _ := terraformtest.New(t, t.TempDir())
	ran := filepath.Join(t.TempDir(), "ran")
	c.Path = terraformtest.Script(t, "touch "+ran)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("SIGTERM"))
	_, err := c.Plan(ctx, terraform.PlanOptions{Out: "p"})
	if !errors.Is(err, terraform.ErrInterrupted) || errorText(err) != "terraform plan: interrupted: SIGTERM" {
		t.Error(err)
	}
	if terraformtest.Exists(ran) {
		t.Error("it was begun")
	}
}

func TestEmptyEnvironmentIsNotInherited(t *testing.T) {
	t.Parallel()
	c := &terraform.CLI{Dir: t.TempDir(), Path: terraformtest.Script(t, "export -p >&2; exit 1")}
	_, err := c.Plan(t.Context(), terraform.PlanOptions{Out: "p"})
	if err == nil || strings.Contains(err.Error(), "HOME=") {
		t.Errorf("environment: %v", err)
	}
}

type failingWriter struct{ calls int }

func (w *failingWriter) Write([]byte) (int, error) {
	w.calls++
	return 0, io.ErrClosedPipe
}
