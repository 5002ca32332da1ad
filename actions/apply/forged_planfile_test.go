package main

import (
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/terraform-gitops/gitops/shared/action"
	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/planstore/folder"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/test/kit/fakerunner"
)

// variables is a root module that gets values for its variables from every source in Git.
const variables = `
variable "fallback" { default = "10.0.0.0/8" }
variable "automatic" { type = number }
variable "listed" { type = list(string) }
variable "flagged" { type = string }
variable "environment" { type = string }
variable "secret" {
  type      = string
  sensitive = true
}
resource "terraform_data" "first" {
  input = [var.fallback, var.automatic, var.listed, var.flagged, var.environment, nonsensitive(var.secret)]
}
resource "terraform_data" "second" {}
`

var variableFiles = map[string]string{
	"gitops.yaml": `
artifact-storage: { url: ../store }
var-files: ["given.tfvars"]
env: { TF_VAR_environment: "dev", TF_CLI_ARGS_plan: "-var 'flagged=a b'" }
components: { component: {} }
stacks: { stack: {} }
`,
	"components/component/given.tfvars":          "listed = [\"a\", \"b\"]\n",
	"components/component/terraform.tfvars":      "automatic = 1\nlisted = []\n",
	"components/component/more.auto.tfvars.json": `{"automatic": 2, "unknown": 1}`,
}

// These planfiles contain the merged configuration, and still do something else than was reviewed.
func TestPlanfilesThatAreNotWhatTheirRecordSaysAreRefused(t *testing.T) {
	t.Parallel()
	honestly := []string{"-var-file=given.tfvars"}
	for name, test := range map[string]struct {
		inits, plans []string
		environ      []string
		forge        func(*planstore.Record)
		names        string // what is not as recorded
	}{
		"that destroy everything": {plans: []string{"-destroy"}, names: "the planfile says destroy"},
		"that destroy one thing":  {plans: []string{"-destroy", "-target=terraform_data.first"}, names: "-target: the record says none"},
		"that only refresh":       {plans: []string{"-refresh-only"}, names: "refresh-only"},
		"of one target":           {plans: []string{"-target=terraform_data.second"}, names: "-target: the record says none, and the planfile says terraform_data.second"},
		"that replace something":  {plans: []string{"-replace=terraform_data.first"}, names: "-replace: the record says none, and the planfile says terraform_data.first"},
		"with other counts":       {forge: func(r *planstore.Record) { r.Counts = changes.Counts{Create: 1} }, names: "the record says 1 create"},
		"without changes, as the record says": {plans: []string{"-destroy"}, forge: func(r *planstore.Record) {
			r.Outcome, r.Counts = planstore.OutcomeNoChanges, changes.Counts{NoOp: 2}
		}, names: "the record says no changes"},
		"of another state":                  {inits: []string{"-backend-config=path=../../../elsewhere.tfstate"}, names: `its setting "path" differs`},
		"with a backend that has more":      {inits: []string{"-backend-config=workspace_dir=../../../elsewhere"}, names: `its setting "workspace_dir" differs`},
		"with another value of a var file":  {plans: []string{`-var=listed=["a","b","evil"]`}, names: `variable "listed": its value differs`},
		"with another automatic value":      {plans: []string{"-var=automatic=3"}, names: `variable "automatic": its value differs`},
		"with another value of a flag":      {plans: []string{"-var=flagged=evil"}, names: `variable "flagged": its value differs`},
		"with another value of Git's env":   {plans: []string{"-var=environment=prod"}, names: `variable "environment": its value differs`},
		"with another value than a default": {plans: []string{"-var=fallback=0.0.0.0/0"}, names: `variable "fallback": its value differs from its default`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := forgeryOf(t, variables, variableFiles, "TF_VAR_secret=hidden")
			if _, err := w.run(t, nil); err != nil { // so that there is something to destroy
				t.Fatal(err)
			}
			w.commit(t, map[string]string{"components/component/third.tf": "resource \"terraform_data\" \"third\" {}\n"})
			w.plan(t)
			record := w.find(t).Record
			if test.forge != nil {
				test.forge(&record)
			}
			// An attacker has copied the state to another backend, with the same lineage.
			state, err := os.ReadFile(filepath.Join(w.Dir, "state", "terraform.tfstate"))
			if err != nil {
				t.Fatal(err)
			}
			elsewhere := filepath.Join(w.Dir, "elsewhere.tfstate")
			if err := os.WriteFile(elsewhere, state, 0o600); err != nil {
				t.Fatal(err)
			}
			w.forge(t, record, w.planAs(t, test.inits, slices.Concat(honestly, test.plans)))

			result, err := w.run(t, nil)
			var refusal interface{ Code() problem.Code }
			if !errors.As(err, &refusal) || problem.CodeOf(err) != problem.ForgedPlan || !strings.Contains(result.Summary, test.names) {
				t.Errorf("error %v, want one of %s that names %s; summary:\n%s", err, problem.ForgedPlan, test.names, result.Summary)
			}
			if now := w.find(t); now.Status != planstore.StatusPlanned {
				t.Errorf("the forged plan is %s, want it unclaimed", now.Status)
			}
			for _, secret := range []string{"0.0.0.0/0", "hidden", "elsewhere.tfstate"} {
				if strings.Contains(result.Summary, secret) || err != nil && strings.Contains(err.Error(), secret) {
					t.Errorf("it tells a value: %s", secret)
				}
			}
			if now, err := os.ReadFile(elsewhere); err != nil || string(now) != string(state) {
				t.Errorf("the other state was written, error %v:\n%s", err, now)
			}
		})
	}
}

// verification: none only skips the comparison of the configuration.
func TestForgedPlansAreRefusedWithoutVerification(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][2][]string{
		"counts":  {nil, {"-destroy"}},
		"backend": {{"-backend-config=path=../../../elsewhere.tfstate"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := forgeryOf(t, honest, nil)
			record := w.find(t).Record
			w.forge(t, record, w.planAs(t, args[0], args[1]))
			if _, err := w.run(t, map[string]string{"verification": "none"}); problem.CodeOf(err) != problem.ForgedPlan {
				t.Errorf("error %v, want one of %s", err, problem.ForgedPlan)
			}
		})
	}
}

// A limited plan that is made on purpose is applied: everybody can see what it does.
func TestScopeOfAPlanIsShownAndApplied(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ args, shown string }{
		"target":  {"-target=terraform_data.second -target=terraform_data.first", "`-target` limits it to `terraform_data.first`, `terraform_data.second`"},
		"replace": {"-replace=terraform_data.second", "`-replace` makes it replace `terraform_data.second`"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const module = "resource \"terraform_data\" \"first\" { input = 1 }\nresource \"terraform_data\" \"second\" { input = 1 }\n"
			w := forgeryOf(t, module, nil)
			if _, err := w.run(t, nil); err != nil {
				t.Fatal(err)
			}
			w.commit(t, map[string]string{"components/component/main.tf": strings.ReplaceAll(w.module(t), "input = 1", "input = 2")})
			w.Environ = append(w.Environ, "TF_CLI_ARGS_plan="+test.args)
			planned := w.plan(t)
			w.Environ = w.Environ[:len(w.Environ)-1]
			dry, err := w.run(t, map[string]string{"dry-run": "true"})
			if err != nil {
				t.Fatal(err)
			}
			done, err := w.run(t, map[string]string{"expected-digest": dry.Outputs["digest"]})
			if err != nil || done.Outputs["status"] != "succeeded" {
				t.Errorf("apply: status %s, error %v", done.Outputs["status"], err)
			}
			for what, summary := range map[string]string{"plan": planned, "dry run": dry.Summary, "apply": done.Summary} {
				if !strings.Contains(summary, test.shown) {
					t.Errorf("the %s does not show %q:\n%s", what, test.shown, summary)
				}
			}
		})
	}
}

// A plan that destroys everything is applied only if Git says so, whatever is verified.
func TestAPlanThatDestroysNeedsItsSetting(t *testing.T) {
	t.Parallel()
	for _, verification := range []string{"strict", "replan", "none"} {
		t.Run(verification, func(t *testing.T) {
			t.Parallel()
			w := forgeryOf(t, honest, nil)
			if _, err := w.run(t, nil); err != nil {
				t.Fatal(err)
			}
			w.commit(t, map[string]string{"components/component/main.tf": w.module(t) + "\n# changed\n"})
			w.Environ = append(w.Environ, "TF_CLI_ARGS_plan=-destroy")
			if planned := w.plan(t); !strings.Contains(planned, "`destroy: true`") || !strings.Contains(planned, "PLAN TO DESTROY") {
				t.Errorf("the plan's summary:\n%s", planned)
			}
			w.Environ = w.Environ[:len(w.Environ)-1]
			for _, dry := range []string{"true", "false"} {
				result, err := w.run(t, map[string]string{"dry-run": dry, "verification": verification})
				if problem.CodeOf(err) != problem.MovedConfiguration || !strings.Contains(result.Summary, "destroy: true") {
					t.Errorf("dry-run %s: error %v, summary:\n%s", dry, err, result.Summary)
				}
			}
			if now := w.find(t); now.Status != planstore.StatusPlanned {
				t.Errorf("the plan is %s, want it unclaimed", now.Status)
			}
		})
	}
}

// Variables from the job's environment can't be compared with Git. The report names them.
func TestVariablesOfTheJobAreNamedAsNotCompared(t *testing.T) {
	t.Parallel()
	w := forgeryOf(t, variables, variableFiles, "TF_VAR_secret=hidden", "TF_VAR_fallback=10.1.0.0/16")
	for _, inputs := range []map[string]string{{"dry-run": "true"}, nil} {
		result, err := w.run(t, inputs)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(result.Summary, "not in Git: fallback, secret") || strings.Contains(result.Summary, "hidden") {
			t.Errorf("inputs %v: summary:\n%s", inputs, result.Summary)
		}
	}
}

// The merge affects another target, but its pull request has a plan for this one as well, whose
// numbers look harmless. The target is planned again.
func TestPlansOfWhatTheMergeDoesNotAffectAreMadeAgain(t *testing.T) {
	t.Parallel()
	for targets, inputs := range named() {
		for _, verification := range []string{"strict", "none"} {
			t.Run(verification+", "+targets, func(t *testing.T) {
				t.Parallel()
				w := forgeryOf(t, "variable \"given\" {}\nresource \"terraform_data\" \"honest\" { input = var.given }\n", nil, "TF_VAR_given=honest")
				w.inputs = inputs
				if _, err := w.run(t, nil); err != nil {
					t.Fatal(err)
				}
				w.commit(t, map[string]string{"README.md": "Another target.\n"})
				w.plan(t)
				record := w.find(t).Record
				record.Outcome, record.Counts = planstore.OutcomeChanges, changes.Counts{Update: 1}
				w.forge(t, record, w.planAs(t, nil, []string{"-var=given=evil"}))
				result, err := w.run(t, map[string]string{"verification": verification})
				if problem.CodeOf(err) != problem.ChangedPlan && problem.CodeOf(err) != problem.Targets {
					t.Errorf("error %v, want one of %s", err, problem.ChangedPlan)
				}
				state, err := os.ReadFile(filepath.Join(w.Dir, "state", "terraform.tfstate"))
				if err != nil || strings.Contains(string(state), "evil") {
					t.Errorf("the forged plan was applied; summary:\n%s", result.Summary)
				}
			})
		}
	}
}

// Whoever can write records can claim that a target waits for another one, so that the apply plans
// it. That must work only for targets that the merge affects and that were never applied.
func TestPlansThatWaitAreAppliedOnlyOfNewTargetsThatTheMergeAffects(t *testing.T) {
	t.Parallel()
	const module = "variable \"given\" {}\nresource \"terraform_data\" \"honest\" { input = var.given }\n"
	for name, c := range map[string]struct {
		applied  bool
		file     string
		refused  bool
		verified string
	}{
		"affected and new":      {false, "components/component/more.tf", false, "replan"},
		"not affected":          {false, "README.md", true, "replan"},
		"applied before":        {true, "components/component/more.tf", true, "replan"},
		"without being planned": {false, "components/component/more.tf", true, "none"},
	} {
		for targets, inputs := range named() {
			t.Run(name+", "+targets, func(t *testing.T) {
				t.Parallel()
				w := forgeryOf(t, module, nil, "TF_VAR_given=honest")
				w.inputs = inputs
				if c.applied {
					if _, err := w.run(t, nil); err != nil {
						t.Fatal(err)
					}
				}
				state := filepath.Join(w.Dir, "state", "terraform.tfstate")
				before, _ := os.ReadFile(state)
				w.commit(t, map[string]string{c.file: "# more\n"})
				w.plan(t)
				record := w.find(t).Record
				record.Outcome, record.Counts = planstore.OutcomeWaiting, changes.Counts{}
				w.forge(t, record, "")
				result, err := w.run(t, map[string]string{"verification": c.verified})
				after, _ := os.ReadFile(state)
				if changed := string(before) != string(after); changed == c.refused {
					t.Errorf("applied %t, error %v; summary:\n%s", changed, err, result.Summary)
				}
				// With several targets and without replan, the target is reported, and is no failure.
				if code := problem.CodeOf(err); c.refused && err != nil && code != problem.Waiting && code != problem.Targets || !c.refused && err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// named are the inputs that name the component, as one target and as one of several.
func named() map[string]map[string]string {
	return map[string]map[string]string{
		"one target":      fakerunner.ComponentInputs(),
		"several targets": {"targets": `[{"component":"component","stack":"stack"}]`},
	}
}

// forgeryOf returns a repository with a stored, honest plan of its component. files are further
// files, and environ is the environment of its jobs.
func forgeryOf(t *testing.T, module string, files map[string]string, environ ...string) *forgery {
	t.Helper()
	runner, err := fakerunner.OneComponent(t.Context(), t.TempDir(), module)
	if err != nil {
		t.Fatal(err)
	}
	runner.Environ = append(runner.Environ, environ...)
	backend, err := folder.Open(filepath.Join(runner.Dir, "store"))
	if err != nil {
		t.Fatal(err)
	}
	store := planstore.New(backend, time.Now)
	w := &forgery{Runner: runner, store: store}
	if len(files) > 0 {
		w.commit(t, files)
	}
	w.plan(t)
	return w
}

// commit commits files; the keys are their paths.
func (w *forgery) commit(t *testing.T, files map[string]string) {
	t.Helper()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(w.Workspace(), filepath.FromSlash(name)), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{append([]string{"add", "--force"}, slices.Collect(maps.Keys(files))...), {"-c", "user.name=Mona", "-c", "user.email=mona@example.com", "-c", "commit.gpgsign=false", "commit", "--quiet", "--message=more"}, {"rev-parse", "HEAD"}} {
		cmd := exec.CommandContext(t.Context(), "git", args...)
		cmd.Dir = w.Workspace()
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %s: %v\n%s", args[0], err, out)
		}
		w.SHA = strings.TrimSpace(string(out))
	}
}

// plan runs the plan action, and returns its summary.
func (w *forgery) plan(t *testing.T) string {
	t.Helper()
	step, log, _, err := w.Exec(t.Context(), suite.Built["plan"], fakerunner.ComponentInputs(), 0)
	if err != nil {
		t.Fatalf("plan: %v\n%s", err, log)
	}
	summary, err := step.Summary()
	if err != nil {
		t.Fatal(err)
	}
	return summary
}

func (w *forgery) find(t *testing.T) planstore.Stored {
	t.Helper()
	found, err := w.store.Find(t.Context(), w.key(), w.SHA)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// forge stores a planfile with a record, as anyone with the plan storage role can.
func (w *forgery) forge(t *testing.T, record planstore.Record, planfile string) {
	t.Helper()
	record.CreatedAt, record.Run.Attempt = time.Now(), record.Run.Attempt+1
	record.Digest, record.Size, record.ObjectKey, record.ObjectVersion = "", 0, "", ""
	if _, err := w.store.Put(t.Context(), record, planfile); err != nil {
		t.Fatal(err)
	}
}

// planAs returns the path of a planfile of the workspace's own configuration and state, made with
// other arguments.
func (w *forgery) planAs(t *testing.T, inits, plans []string) string {
	t.Helper()
	copied := filepath.Join(w.Dir, "evil") // as deep as the workspace: the same state
	if err := os.CopyFS(copied, os.DirFS(w.Workspace())); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(copied, "components", "component")
	for _, args := range [][]string{
		slices.Concat([]string{"init", "-input=false"}, inits),
		slices.Concat([]string{"plan", "-input=false", "-out=planfile"}, plans),
	} {
		environ := slices.Clone(w.Environ)
		if strings.Contains(w.module(t), "flagged") {
			environ = append(environ, "TF_CLI_ARGS_plan=-var 'flagged=a b'", "TF_VAR_environment=dev")
		}
		w.tool(t, dir, "terraform", environ, args...)
	}
	return filepath.Join(dir, "planfile")
}

func (w *forgery) tool(t *testing.T, dir, name string, environ []string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir, cmd.Env = dir, environ
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, args[0], err, out)
	}
}

func (w *forgery) module(t *testing.T) string {
	text, err := os.ReadFile(filepath.Join(w.Workspace(), "components", "component", "main.tf"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// run runs the apply action in this process.
func (w *forgery) run(t *testing.T, more map[string]string) (action.Result, error) {
	t.Helper()
	inputs := fakerunner.ComponentInputs()
	if w.inputs != nil {
		inputs = map[string]string{}
		for name, value := range w.inputs {
			inputs[name] = value
		}
	}
	for name, value := range more {
		inputs[name] = value
	}
	w.RunID++
	step, err := w.Step(inputs)
	if err != nil {
		t.Fatal(err)
	}
	runtime := gha.New(step.Environ, io.Discard)
	in, err := ReadInputs(runtime)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	return Run(ctx, in, action.Deps{Runtime: runtime, Environ: step.Environ, Now: time.Now})
}
