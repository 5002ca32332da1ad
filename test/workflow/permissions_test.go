package workflow

import (
	"maps"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// documented matches a row of the table of permissions in an action's README. The text may name another
// level: "`write` for `replan`".
var documented = regexp.MustCompile("(?m)^\\| `([a-z-]+): (read|write)` \\| (.*) \\|$")

// TestJobsHaveThePermissionsThatTheirActionsNeed compares the workflows' files with the READMEs. The
// other tests show that the permissions suffice: each job's token has only these.
func TestJobsHaveThePermissionsThatTheirActionsNeed(t *testing.T) {
	t.Parallel()
	for _, path := range glob(t, "examples/*.yml", "examples/atmos/*.yml", "examples/team/.github/workflows/*.yml") {
		example := readWorkflow(t, filepath.Join(root, path))
		if example.Permissions == nil || len(example.Permissions) > 0 {
			t.Errorf("%s: permissions %v at the top, want {}", path, example.Permissions)
		}
		for _, caller := range example.Jobs {
			if caller.Uses == "" {
				continue // steps of the reader's own
			}
			caller.wantLeast(t, path)
		}
	}
}

// terraformMayNot are permissions with which a provider or provisioner could change the repository, or
// start a workflow.
var terraformMayNot = []string{"actions", "contents", "packages", "deployments", "attestations"}

// Providers and provisioners can read the job's token.
func TestNoJobThatRunsTerraformCanPushOrStartWorkflows(t *testing.T) {
	t.Parallel()
	seen := 0
	for _, path := range glob(t, ".github/workflows/*.yml") {
		workflow := readWorkflow(t, filepath.Join(root, path))
		for id, job := range workflow.Jobs {
			for _, step := range job.Steps {
				if !strings.HasPrefix(step.Uses, "terraform-gitops/gitops/actions/") || step.With["replan"] != nil {
					continue
				}
				seen++
				permissions := job.Permissions
				if permissions == nil {
					permissions = workflow.Permissions
				}
				if permissions == nil {
					t.Errorf("%s: the job %s has whatever permissions its caller gives", path, id)
				}
				if strings.Contains(path, "apply") && step.With["dry-run"] == nil && permissions["pull-requests"] == "write" {
					t.Errorf("%s: the job %s, which applies, can write comments and approve pull requests", path, id)
				}
				for _, name := range terraformMayNot {
					if permissions[name] == "write" {
						t.Errorf("%s: the job %s, which runs Terraform, has %s: write", path, id, name)
					}
				}
			}
		}
	}
	if seen < 6 {
		t.Errorf("only %d steps were looked at", seen)
	}
}

func (j fileJob) wantLeast(t *testing.T, path string) {
	t.Helper()
	called := readWorkflow(t, filepath.Join(root, j.called()))
	needed := map[string]string{}
	for id, job := range called.Jobs {
		permissions := job.Permissions
		if permissions == nil {
			if called.Permissions != nil {
				t.Errorf("%s: the job %s has the permissions %v", j.called(), id, called.Permissions)
			}
			permissions = j.Permissions
		}
		allowed := map[string]bool{}
		for _, step := range job.Steps {
			action, ours := strings.CutPrefix(step.Uses, "terraform-gitops/gitops/")
			if !ours {
				continue
			}
			action, _, _ = strings.Cut(action, "@")
			for _, row := range documented.FindAllStringSubmatch(read(t, filepath.Join(action, "README.md")), -1) {
				allowed[row[1]+": read"] = true
				allowed[row[1]+": write"] = row[2] == "write"
			}
		}
		for name, level := range permissions {
			if !allowed[name+": "+level] {
				t.Errorf("%s: the job %s has %s: %s, which its action does not need", j.called(), id, name, level)
			}
			if needed[name] != "write" {
				needed[name] = level
			}
		}
	}
	// GitHub doesn't start a run if a called job asks for more permissions than its caller has.
	if diff := cmp.Diff(needed, maps.Clone(j.Permissions)); diff != "" {
		t.Errorf("%s does not give what %s needs (-needed +given):\n%s", path, j.called(), diff)
	}
}
