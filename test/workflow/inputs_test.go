package workflow

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
)

// leftOut are the inputs of the actions that a reusable workflow does not have, and why.
var leftOut = map[string]string{
	"component":                          "components and stacks select",
	"stack":                              "components and stacks select",
	"path":                               "the workflow checks out into the workspace itself",
	"plan: matrix-only":                  "the workflow has one job",
	"plan: unlock":                       "the label and the event say it",
	"plan: keep-plan-files":              "no later step needs them",
	"plan: mode":                         "only for drift plans",
	"plan: drift-detection-mode-enabled": "drift.yml has it",
	"plan: token":                        "the job's has all permissions",
	"plan: teams-token":                  "jobs of pull requests run code that nobody has reviewed",
	"apply: token":                       "the job's has all permissions",
	"apply: storage-role":                "the two jobs use different ones: the settings have both",
	"apply: replan":                      "replan.yml has it",
	"apply: plan-workflow":               "replan.yml has it",
	"drift: dry-run":                     "the workflow writes issues",
	"remediate: issue-number":            "the event says it",
	"remediate: action":                  "the event says it",
	"remediate: dry-run":                 "a job before looks up the environment",
}

// leftOutOf are inputs that concern nothing of what a workflow uses an action for: drift plans of
// all targets, and starting the plan workflow.
var leftOutOf = map[string][]string{
	"drift.yml plan": {"all", "base-sha", "include-dependents", "keep-plan-files", "lock", "matrix-only", "metadata-retention-days", "plan-storage", "pr-comment", "sha", "targets", "teams-token", "token", "unlock"},
}

// onlyOneOfTwo are inputs of only one of the two kinds of jobs in apply.yml: review runs no Terraform,
// and says what each of the others applies.
var onlyOneOfTwo = map[string]bool{
	"components": true, "stacks": true, "targets": true, "environment": true,
	"dry-run": true, "pr-comment": true, "notify": true, "finished": true, "expected-digest": true, "terraform-env": true,
	"git-credentials": true, "ssh-key": true, "ssh-known-hosts": true,
}

// TestTheWorkflowsHaveTheInputsOfTheirActions compares each reusable workflow with the actions that it
// uses. An input may only be missing for a reason that is given here.
func TestTheWorkflowsHaveTheInputsOfTheirActions(t *testing.T) {
	t.Parallel()
	unused := maps.Clone(leftOut)
	for _, name := range []string{"plan", "apply", "drift", "remediate"} {
		workflow := readWorkflow(t, filepath.Join(root, ".github", "workflows", name+".yml"))
		call := workflow.call(t)
		steps := map[string]map[string]any{} // by action
		for _, id := range slices.Sorted(maps.Keys(workflow.Jobs)) {
			for _, step := range workflow.Jobs[id].Steps {
				action, ours := strings.CutPrefix(step.Uses, "terraform-gitops/gitops/actions/")
				if !ours || name == "remediate" && step.With["dry-run"] != nil { // it only looks up an environment
					continue
				}
				action, _, _ = strings.Cut(action, "@")
				if before := steps[action]; before != nil {
					without := func(with map[string]any) map[string]any {
						with = maps.Clone(with)
						for fixed := range onlyOneOfTwo {
							delete(with, fixed)
						}
						return with
					}
					if diff := cmp.Diff(without(before), without(step.With)); diff != "" {
						t.Errorf("%s.yml: two jobs give %s other inputs: %s", name, action, diff)
					}
				}
				if steps[action] == nil {
					steps[action] = map[string]any{}
				}
				maps.Copy(steps[action], step.With)
				for input, defaults := range inputsOf(t, action) {
					given, ok := step.With[input]
					reason := name + ": " + input
					if _, found := leftOut[reason]; !found {
						reason = input
					}
					switch {
					case !ok && leftOut[reason] != "":
						delete(unused, reason)
						continue
					case !ok && onlyOneOfTwo[input] && action == "apply",
						!ok && slices.Contains(leftOutOf[name+".yml "+action], input):
						continue
					case !ok:
						t.Errorf("%s.yml does not give %s the input %s", name, action, input)
						continue
					}
					if given != fmt.Sprintf("${{ inputs.%s }}", input) {
						continue // a constant, a secret or another job's output
					}
					has, declared := call.Inputs[input]
					switch {
					case !declared:
						t.Errorf("%s.yml uses the input %s, and does not declare it", name, input)
					case has.Default != "" && defaults != "" && fmt.Sprint(has.Default) != defaults:
						t.Errorf("%s.yml: the default of %s is %v, and %s of the action", name, input, has.Default, defaults)
					case has.Default != nil && has.Default != "" && defaults == "" && has.Default != false:
						t.Errorf("%s.yml: %s has the default %v, and none in the action", name, input, has.Default)
					}
				}
			}
		}
		for input := range call.Inputs {
			used := slices.Contains([]string{"environment", "runs-on", "timeout-minutes"}, input)
			for _, with := range steps {
				used = used || with[input] != nil
			}
			if !used {
				t.Errorf("%s.yml declares the input %s, and gives it to no action", name, input)
			}
		}
	}
	for reason := range unused {
		t.Errorf("%s is not left out", reason)
	}
}

// TestAWorkflowsOutputsAreOnesOfItsActions: GitHub gives an empty text for an output that does not exist.
func TestAWorkflowsOutputsAreOnesOfItsActions(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"plan", "apply", "drift", "remediate"} {
		workflow := readWorkflow(t, filepath.Join(root, ".github", "workflows", name+".yml"))
		for output, declared := range workflow.call(t).Outputs {
			for _, part := range strings.Split(strings.Trim(declared.Value, "${} "), " || ") {
				fields := strings.Split(part, ".") // jobs.ID.outputs.NAME
				job := workflow.Jobs[fields[1]]
				if fields[1] == "result" { // it sums up those of a matrix
					continue
				}
				from := job.Outputs[fields[3]]
				_, from, _ = strings.Cut(from, "steps.")
				id, from, _ := strings.Cut(from, ".outputs.")
				from, _, _ = strings.Cut(from, " ")
				var action string
				for _, step := range job.Steps {
					if step.ID == id && id != "" {
						action, _, _ = strings.Cut(strings.TrimPrefix(step.Uses, "terraform-gitops/gitops/actions/"), "@")
					}
				}
				if action == "" || !slices.Contains(outputsOf(t, action), from) {
					t.Errorf("%s.yml: the output %s is %s, which is no output of the action %q", name, output, declared.Value, action)
				}
			}
		}
	}
}

// workflowCall is the interface of a reusable workflow.
type workflowCall struct {
	Inputs  map[string]struct{ Default any }
	Outputs map[string]struct{ Value string }
}

func (f file) call(t *testing.T) (call workflowCall) {
	t.Helper()
	text, err := yaml.Marshal(f.On["workflow_call"])
	if err == nil {
		err = yaml.Unmarshal(text, &call)
	}
	if err != nil {
		t.Fatal(err)
	}
	return call
}

type actionFile struct {
	Inputs  map[string]struct{ Default string }
	Outputs map[string]any
}

func readAction(t *testing.T, action string) (f actionFile) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, "actions", action, "action.yml"))
	if err == nil {
		err = yaml.Unmarshal(content, &f)
	}
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// inputsOf returns an action's inputs with their defaults.
func inputsOf(t *testing.T, action string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for name, input := range readAction(t, action).Inputs {
		all[name] = input.Default
	}
	return all
}

func outputsOf(t *testing.T, action string) []string {
	t.Helper()
	return slices.Sorted(maps.Keys(readAction(t, action).Outputs))
}
