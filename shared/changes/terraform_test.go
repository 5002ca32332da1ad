package changes

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	tfjson "github.com/hashicorp/terraform-json"
)

// workspace is a folder with a Terraform configuration of built-in resources.
type workspace struct {
	t   *testing.T
	dir string
}

func newWorkspace(t *testing.T) *workspace {
	t.Helper()
	if _, err := exec.LookPath("terraform"); err != nil {
		t.Fatal("install terraform 1.11 or later, and put it on PATH")
	}
	w := &workspace{t, t.TempDir()}
	w.write("terraform.rc", "")
	return w
}

func (w *workspace) write(name, text string) {
	w.t.Helper()
	path := filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// terraform runs it; exit says which exit codes besides 0 are fine.
func (w *workspace) terraform(exit []int, args ...string) []byte {
	w.t.Helper()
	cmd := exec.CommandContext(w.t.Context(), "terraform", args...)
	cmd.Dir = w.dir
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "TF_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, "TF_CLI_CONFIG_FILE="+filepath.Join(w.dir, "terraform.rc"), "TF_IN_AUTOMATION=1", "CHECKPOINT_DISABLE=1")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil && !slices.Contains(exit, cmd.ProcessState.ExitCode()) {
		w.t.Fatalf("terraform %s: %v\n%s%s", strings.Join(args, " "), err, out, &stderr)
	}
	return out
}

func (w *workspace) apply(args ...string) {
	w.t.Helper()
	w.terraform(nil, "init", "-no-color", "-input=false")
	w.terraform(nil, append([]string{"apply", "-no-color", "-input=false", "-auto-approve"}, args...)...)
}

// plan makes a plan, reads it both ways and compares what they say.
func (w *workspace) plan(args ...string) (*Plan, *tfjson.Plan) {
	w.t.Helper()
	w.terraform(nil, "init", "-no-color", "-input=false")
	os.Remove(filepath.Join(w.dir, "plan"))
	// Terraform writes a plan, marked as errored, when planning fails.
	w.terraform([]int{1}, append([]string{"plan", "-no-color", "-input=false", "-out=plan"}, args...)...)
	document := w.terraform(nil, "show", "-json", "plan")
	plan := mustRead(w.t, string(document))
	var decoded tfjson.Plan
	if err := json.Unmarshal(document, &decoded); err != nil {
		w.t.Fatal(err)
	}
	agree(w.t, plan, &decoded)
	return plan, &decoded
}

// agree checks that a plan that was read in full says what terraform-json says.
func agree(t *testing.T, plan *Plan, decoded *tfjson.Plan) {
	t.Helper()
	if want := countDecoded(decoded); plan.Counts != want {
		t.Errorf("counted %+v, terraform-json %+v", plan.Counts, want)
	}
	if plan.FormatVersion != decoded.FormatVersion || plan.TerraformVersion != decoded.TerraformVersion {
		t.Errorf("versions are %s and %s", plan.FormatVersion, plan.TerraformVersion)
	}
	if plan.Complete != *decoded.Complete {
		t.Errorf("complete is %t", plan.Complete)
	}
	if plan.Omitted != 0 {
		t.Errorf("omitted %d", plan.Omitted)
	}
	byAddress := map[string]Resource{}
	for _, r := range plan.Resources {
		byAddress[r.Address+" "+r.Deposed] = r
	}
	for _, want := range decoded.ResourceChanges {
		got, ok := byAddress[want.Address+" "+want.DeposedKey]
		moved := want.PreviousAddress != ""
		if want.Change.Actions.NoOp() && want.Change.Importing == nil && !moved {
			if ok {
				t.Errorf("%s: told, but is not changed", want.Address)
			}
			continue
		}
		if !ok {
			t.Errorf("%s: changed, but not told", want.Address)
			continue
		}
		if got.Type != want.Type || got.Mode != string(want.Mode) || got.ModuleAddress != want.ModuleAddress ||
			got.PreviousAddress != want.PreviousAddress || got.Reason != string(want.ActionReason) ||
			got.Importing != (want.Change.Importing != nil) || got.Importing && got.ImportID != want.Change.Importing.ID {
			t.Errorf("%s: told as %+v", want.Address, got)
		}
		if got.CreateFirst != want.Change.Actions.CreateBeforeDestroy() {
			t.Errorf("%s: create first is %t", want.Address, got.CreateFirst)
		}
		if len(got.ReplacePaths) != len(want.Change.ReplacePaths) {
			t.Errorf("%s: replace paths are %q", want.Address, got.ReplacePaths)
		}
		// An update differs where the two sides' top-level attributes do.
		before, _ := want.Change.Before.(map[string]any)
		after, _ := want.Change.After.(map[string]any)
		unknown, _ := want.Change.AfterUnknown.(map[string]any)
		for name := range before {
			differs := !cmp.Equal(before[name], after[name]) && (after != nil || before[name] != nil) || hasTrue(unknown[name])
			told := slices.ContainsFunc(got.Attributes, func(a Attribute) bool {
				return a.Path == name || strings.HasPrefix(a.Path, name+".") || strings.HasPrefix(a.Path, name+"[")
			})
			if differs != told {
				t.Errorf("%s: %s differs: %t, told: %t", want.Address, name, differs, told)
			}
		}
	}
	for _, o := range plan.Outputs {
		if want := decoded.OutputChanges[o.Name]; want == nil || !slices.Equal(want.Actions, tfjson.Actions{tfjson.Action(o.Action)}) {
			t.Errorf("output %s: told as %s", o.Name, o.Action)
		}
	}
}

func hasTrue(v any) bool {
	switch v := v.(type) {
	case bool:
		return v
	case map[string]any:
		for _, e := range v {
			if hasTrue(e) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, hasTrue)
	}
	return false
}

// tell is a line per resource, and per attribute but those that Terraform makes up.
func tell(plan *Plan) []string {
	var lines []string
	for _, r := range plan.Resources {
		line := fmt.Sprintf("%s %s", r.Action, r.Address)
		if r.CreateFirst {
			line += " (create first)"
		}
		if r.PreviousAddress != "" {
			line += " from " + r.PreviousAddress
		}
		if r.Importing {
			line += " importing " + r.ImportID
		}
		if r.Reason != "" {
			line += ": " + r.Reason
		}
		lines = append(lines, line)
		for _, attribute := range describe(r) {
			if !strings.HasPrefix(attribute, "id:") && !strings.HasPrefix(attribute, "output") {
				lines = append(lines, "  "+attribute)
			}
		}
	}
	return lines
}

const (
	plannedSecret = "planted-secret-hunter2"

	configurationBefore = `
variable "password" {
  type      = string
  sensitive = true
}
resource "terraform_data" "updated" {
  input = { size = 1, zones = ["a", "b"], tags = { Name = "x" } }
}
resource "terraform_data" "replaced" {
  triggers_replace = { image = "v1" }
}
resource "terraform_data" "replaced_create_first" {
  triggers_replace = ["v1"]
  lifecycle { create_before_destroy = true }
}
resource "terraform_data" "deleted" {
  input = "gone"
}
resource "terraform_data" "old_name" {}
resource "terraform_data" "forgotten" {}
resource "terraform_data" "unchanged" {}
resource "terraform_data" "secret" {
  input = { user = "app", password = var.password }
}
resource "terraform_data" "counted" {
  count = 3
  input = count.index
}
resource "terraform_data" "each" {
  for_each = toset(["a b", "c\"d"])
  input    = each.key
}
module "child" {
  source = "./child"
  size   = 1
}
output "same" { value = "same" }
output "changed" { value = "<before>" }
output "removed" { value = [1, 2] }
output "password" {
  value     = "${var.password}-1"
  sensitive = true
}
`
	configurationAfter = `
variable "password" {
  type      = string
  sensitive = true
}
resource "terraform_data" "updated" {
  input = { size = 2, zones = ["a", "b", "c"], tags = { Name = "x", Team = "<&>" } }
}
resource "terraform_data" "replaced" {
  triggers_replace = { image = "v2" }
}
resource "terraform_data" "replaced_create_first" {
  triggers_replace = ["v2"]
  lifecycle { create_before_destroy = true }
}
moved {
  from = terraform_data.old_name
  to   = terraform_data.new_name
}
resource "terraform_data" "new_name" {}
removed {
  from = terraform_data.forgotten
  lifecycle { destroy = false }
}
import {
  to = terraform_data.imported
  id = "import-me"
}
resource "terraform_data" "imported" {}
resource "terraform_data" "unchanged" {}
resource "terraform_data" "secret" {
  input = { user = "web", password = "${var.password}-2" }
}
resource "terraform_data" "counted" {
  count = 1
  input = count.index
}
resource "terraform_data" "each" {
  for_each = toset(["a b"])
  input    = each.key
}
module "child" {
  source = "./child"
  size   = 2
}
resource "terraform_data" "created" {
  input = [{ a = null, b = terraform_data.replaced.id }, "text"]
  lifecycle {
    postcondition {
      condition     = self.id != ""
      error_message = "It has no ID."
    }
  }
}
data "terraform_remote_state" "other" {
  backend = "local"
  config  = { path = "${terraform_data.created.id}.tfstate" }
}
check "size" {
  assert {
    condition     = terraform_data.unchanged.id == "x"
    error_message = "The size is wrong."
  }
}
output "same" { value = "same" }
output "changed" { value = "<after>" }
output "made" { value = terraform_data.created.id }
output "password" {
  value     = "${var.password}-2"
  sensitive = true
}
`
	childConfiguration = `
variable "size" {}
resource "terraform_data" "inner" {
  input = var.size
}
`
)

func TestRealPlansReadAsTerraformJSONDecodesThem(t *testing.T) {
	t.Parallel()
	w := newWorkspace(t)
	w.write("child/main.tf", childConfiguration)
	w.write("main.tf", configurationBefore)
	w.write("terraform.tfvars", `password = "`+plannedSecret+`"`)

	plan, _ := w.plan() // everything is created
	if plan.Counts != (Counts{Create: 14, Outputs: 4}) {
		t.Errorf("counted %+v", plan.Counts)
	}
	plan, _ = w.plan("-target=terraform_data.updated")
	if plan.Complete || plan.Counts.Create != 1 {
		t.Errorf("with a target: complete is %t, counts are %+v", plan.Complete, plan.Counts)
	}
	w.apply()
	plan, _ = w.plan()
	if plan.Counts != (Counts{NoOp: 14}) || plan.Counts.Any() {
		t.Errorf("after apply: counted %+v", plan.Counts)
	}

	w.write("main.tf", configurationAfter)
	plan, _ = w.plan()
	want := []string{
		`delete terraform_data.counted[1]: delete_because_count_index`,
		`  input: 1 -> absent`,
		`delete terraform_data.counted[2]: delete_because_count_index`,
		`  input: 2 -> absent`,
		`delete terraform_data.deleted: delete_because_no_resource_config`,
		`  input: "gone" -> absent`,
		`delete terraform_data.each["c\"d"]: delete_because_each_key`,
		`  input: "c\"d" -> absent`,
		`replace terraform_data.replaced: replace_because_cannot_update`,
		`  triggers_replace.image: "v1" -> "v2" (forces replacement)`,
		`replace terraform_data.replaced_create_first (create first): replace_because_cannot_update`,
		`  triggers_replace[0]: "v1" -> "v2" (forces replacement)`,
		`forget terraform_data.forgotten: delete_because_no_resource_config`,
		`update terraform_data.secret`,
		`  input.password: sensitive -> sensitive`,
		`  input.user: "app" -> "web"`,
		`update terraform_data.updated`,
		`  input.size: 1 -> 2`,
		`  input.tags["Team"]: absent -> "<&>"`,
		`  input.zones[2]: absent -> "c"`,
		`update module.child.terraform_data.inner`,
		`  input: 1 -> 2`,
		`create terraform_data.created`,
		`  input[0].b: absent -> unknown`,
		`  input[1]: absent -> "text"`,
		`import terraform_data.imported importing import-me`,
		`move terraform_data.new_name from terraform_data.old_name`,
		`read data.terraform_remote_state.other: read_because_config_unknown`,
		`  backend: absent -> "local"`,
		`  config.path: absent -> unknown`,
	}
	if diff := cmp.Diff(want, tell(plan)); diff != "" {
		t.Error(diff)
	}
	var outputs []string
	for _, o := range plan.Outputs {
		outputs = append(outputs, fmt.Sprintf("%s %s: %s -> %s", o.Action, o.Name, describeValue(o.Old), describeValue(o.New)))
	}
	if diff := cmp.Diff([]string{
		`update changed: "<before>" -> "<after>"`,
		`create made: absent -> unknown`,
		`update password: sensitive -> sensitive`,
		`delete removed: [1,2] -> absent`,
	}, outputs); diff != "" {
		t.Error(diff)
	}
	wantChecks := []Check{
		{Address: "check.size", Status: "fail", Messages: []string{"The size is wrong."}},
		{Address: "terraform_data.created", Status: "unknown"},
	}
	if diff := cmp.Diff(wantChecks, plan.Checks); diff != "" {
		t.Error(diff)
	}
	// terraform_data copies its input to its output without the mark.
	if kept := fmt.Sprintf("%+v", plan); strings.Contains(kept, plannedSecret) {
		t.Errorf("kept the secret: %s", kept)
	}

	again, _ := w.plan()
	if again.Digest != plan.Digest {
		t.Error("the same plan made again has another digest")
	}
	w.write("terraform.tfvars", `password = "`+plannedSecret+`-other"`)
	other, _ := w.plan()
	if other.Digest == plan.Digest || !cmp.Equal(tell(other), tell(plan)) {
		t.Error("a plan with another password reads otherwise, or has the same digest")
	}

	plan, _ = w.plan("-replace=terraform_data.unchanged")
	if !slices.Contains(tell(plan), "replace terraform_data.unchanged: replace_by_request") {
		t.Errorf("with a replacement: %q", tell(plan))
	}
	plan, _ = w.plan("-destroy")
	if plan.Counts.Delete != 14 || plan.Counts.Outputs != 4 {
		t.Errorf("with destroy: counted %+v", plan.Counts)
	}
	plan, _ = w.plan("-refresh-only")
	if plan.Counts.Destroys()+plan.Counts.Adds()+plan.Counts.Changes() != 0 {
		t.Errorf("with refresh only: counted %+v", plan.Counts)
	}
}

func TestARealPlanThatFailed(t *testing.T) {
	t.Parallel()
	w := newWorkspace(t)
	w.write("main.tf", `
resource "terraform_data" "fine" {}
variable "one" { default = 1 }
resource "terraform_data" "wrong" {
  depends_on = [terraform_data.fine]
  lifecycle {
    precondition {
      condition     = var.one == 2
      error_message = "One is not two."
    }
  }
}
`)
	plan, _ := w.plan()
	if !plan.Errored || plan.Counts.Create != 1 {
		t.Errorf("errored is %t, counts are %+v", plan.Errored, plan.Counts)
	}
	want := []Check{{Address: "terraform_data.wrong", Status: "fail", Messages: []string{"One is not two."}}}
	if diff := cmp.Diff(want, plan.Checks); diff != "" {
		t.Error(diff)
	}
}

func TestARealStateIsNotAPlan(t *testing.T) {
	t.Parallel()
	w := newWorkspace(t)
	w.write("main.tf", `resource "terraform_data" "a" {}`)
	w.apply()
	_, err := Read(bytes.NewReader(w.terraform(nil, "show", "-json")), Limit{})
	if err == nil || !strings.Contains(err.Error(), "it is a state, not a plan") {
		t.Errorf("error is %v", err)
	}
}
