package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/terraform-gitops/gitops/shared/action"
	"github.com/terraform-gitops/gitops/shared/apply"
	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/github"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/policy"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/report"
)

// told collects what became of each target, for the comment on the merged pull request.
type told struct {
	mu      sync.Mutex
	targets []toldTarget
}

type toldTarget struct {
	report.MergedTarget
	pull int // the pull request whose plan it is; 0: not known
}

func (t *told) add(environment string, n inventory.Name, record planstore.Record, fate report.Fate, note, runURL string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.targets = append(t.targets, toldTarget{report.MergedTarget{Component: n.Component, Stack: n.Stack, Environment: environment, Fate: fate, Note: note, RunURL: runURL}, record.PullRequest})
}

// tell notes the outcome of a target that was reviewed. After the jobs that apply, the plan store
// says what they did: a claim that was applied, or failed.
func (f *run) tell(o apply.Outcome) {
	var refusal *apply.Refusal
	errors.As(o.Err, &refusal)
	fate, note, url := report.FateRefused, "", ""
	switch {
	case o.Decision == apply.Skipped || !f.DryRun:
		return
	case o.Decision == apply.Unchanged || o.Err == nil && !o.HasChanges:
		fate = report.FateUnchanged
	case o.Decision == apply.Ready && f.Finished == "failed":
		fate, note = report.FateBlocked, "the review of this run failed, so it applied nothing"
	case o.Decision == apply.Ready && f.Finished != "":
		fate, note = report.FateNotReached, notReached(o)+", or its job was cancelled or failed before"
	case o.Decision == apply.Ready:
		fate, note = report.FateWaits, report.Numbers(o.Planned)
		if line := obeyed(planstore.Audit{PolicyResult: string(o.Stored)}).Line(); line != "" {
			note += "; " + line + " when it was planned"
		}
	case refusal == nil:
		fate, note = report.FateFailed, problem.Text(o.Err)
	case problem.CodeOf(o.Err) == problem.Approval: // once it is given, the plan can be applied
		fate, note = report.FateNotReached, problem.Text(refusal.Reason)
	case refusal.Claim == nil:
		note = problem.Text(refusal.Reason)
	default:
		url = refusal.Claim.Run.URL
		switch refusal.Claim.Status {
		case planstore.StatusApplied:
			fate, note = report.FateApplied, report.Numbers(o.Planned)
			if line := obeyed(refusal.Claim.Audit).Line(); line != "" {
				note += "; " + line
			}
		case planstore.StatusFailed:
			fate, note = report.FateFailed, refusal.Claim.Reason
		default:
			fate, note = report.FateFailed, "the run recorded no result: "+problem.Text(refusal.Reason)
		}
	}
	f.told.add(f.environment(o.Target), o.Target, o.Record, fate, f.Runtime.Redacted(note), url)
}

// notReached says why a plan may not have been applied that still can be.
func notReached(o apply.Outcome) string {
	var missing []string
	for _, m := range o.Missing {
		missing = append(missing, m.Who())
	}
	switch {
	case o.Stored == policy.Denied:
		return "the policies denied it when it was planned"
	case len(missing) > 0:
		return "it was not approved by " + strings.Join(missing, ", and by ")
	}
	return "it was not approved"
}

// obeyed is what a claim keeps of policies and approvals.
func obeyed(a planstore.Audit) report.Rules {
	rules := report.Rules{Given: a.Given, Override: a.Override}
	if a.PolicyResult != "" {
		rules.Policy = &policy.Verdict{Result: policy.Result(a.PolicyResult)}
	}
	return rules
}

// commented comments on the merged pull requests, and returns the result of the run. Comments that
// can't be written are warnings. After the jobs that apply, so is everything: they have failed
// already if there is something to fail for.
func (m *merge) commented(ctx context.Context, result action.Result, failure error) (action.Result, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tellTimeout)
	defer cancel()
	// A failed review has the jobs that apply skipped. What that means is said in the end.
	if failure != nil && m.Finished == "" {
		return result, failure
	}
	var err error
	if m.Comment {
		err = m.comment(ctx, failure)
	}
	if err != nil {
		if errors.Is(err, github.ErrPermission) {
			err = fmt.Errorf("give this job `permissions: pull-requests: write`: %w", err)
		}
		m.Runtime.Warning(gha.Annotation{Message: fmt.Sprintf("The merged pull request does not say what became of it: %v", err)})
	}
	if m.Finished != "" {
		return action.Result{Outputs: map[string]string{"status": "succeeded", "outputs": "{}", "superseded": result.Outputs["superseded"]}}, nil
	}
	return result, failure
}

// comment writes the comments. failure is the error of a run that ended before it reached a target.
func (m *merge) comment(ctx context.Context, failure error) error {
	numbers, err := m.listeners(ctx)
	if err != nil || len(numbers) == 0 {
		return err
	}
	client, err := m.repository.GitHub()
	if err != nil {
		return err
	}
	for _, n := range numbers {
		comment := report.Merged{RunURL: m.context.RunURL}
		for _, t := range m.told.targets {
			if t.pull == 0 || t.pull == n || len(numbers) == 1 {
				comment.Targets = append(comment.Targets, t.MergedTarget)
			}
		}
		if len(m.told.targets) == 0 && failure != nil {
			comment.Error = m.Runtime.Redacted(problem.Text(failure))
		}
		updateErr := client.UpdateComment(ctx, m.context.Repository, n, commentKey, func(before string) string { return m.body(n, comment, before) })
		err = errors.Join(err, updateErr)
	}
	return err
}

// commentKey is the key of the comment, of which each merged pull request has one.
const commentKey = "gitops apply"

// listeners returns the pull requests that were merged, or the one that the inputs name. A dispatch
// merges none.
func (m *merge) listeners(ctx context.Context) (numbers []int, err error) {
	switch {
	case m.Notify > 0:
		return []int{m.Notify}, nil
	case m.event.PullRequest == nil && m.event.Push == nil || m.Component != "":
		return nil, nil
	}
	heads, err := m.mergedHeads(ctx)
	for _, h := range heads {
		if !slices.Contains(numbers, h.number) {
			numbers = append(numbers, h.number)
		}
	}
	return numbers, err
}

// maxInput is how long the list of targets may be that the comment shows, in bytes; maxState is the
// same for what it keeps for the next run.
const (
	maxInput = 8 << 10
	maxState = 16 << 10
)

const stateOpen, stateClose = "\n<!-- gitops-state ", " -->\n"

// body returns the comment. It keeps what an earlier run has said about other targets, as when
// plan-merged applies those that were left.
func (m *merge) body(pull int, c report.Merged, before string) string {
	changed := func(t report.MergedTarget) bool { return t.Fate != report.FateUnchanged }
	if before == "" && c.Error == "" && !slices.ContainsFunc(c.Targets, changed) {
		return "" // nothing to say
	}
	for _, old := range readState(before) {
		at := slices.IndexFunc(c.Targets, func(t report.MergedTarget) bool { return t.Component == old.Component && t.Stack == old.Stack })
		switch {
		case at < 0:
			c.Targets = append(c.Targets, old)
		case c.Targets[at].Fate == report.FateUnchanged && old.Fate == report.FateApplied:
			c.Targets[at] = old // a new plan shows that nothing is left of what was applied
		}
	}
	m.addWorkflow(pull, &c)
	state := writeState(c.Targets)
	return c.Markdown(github.CommentRoom(commentKey)-len(state)) + state
}

// mergedWorkflow is the file of the workflow that plans and applies merged commits.
const mergedWorkflow = "plan-merged.yml"

// addWorkflow adds how to start the workflow for the targets that are left, if the repository has it.
// GitHub has no address that fills in a workflow's inputs.
// https://docs.github.com/actions/how-tos/manage-workflow-runs/manually-run-a-workflow
func (m *merge) addWorkflow(pull int, c *report.Merged) {
	server, _, ok := strings.Cut(c.RunURL, "/actions/runs/")
	if _, err := os.Stat(filepath.Join(m.context.Workspace, m.Path, ".github", "workflows", mergedWorkflow)); err != nil || !ok {
		return
	}
	c.Workflow = server + "/actions/workflows/" + mergedWorkflow
	var left []inventory.Name
	for _, t := range c.Targets {
		if t.Left() {
			left = append(left, inventory.Name{Component: t.Component, Stack: t.Stack})
		}
	}
	slices.SortFunc(left, inventory.Name.Compare)
	input, err := inventory.FormatTargets(left)
	if err != nil || len(input) > maxInput {
		return
	}
	c.Input = input
	c.Command = fmt.Sprintf("gh workflow run %s --repo %s -f notify=%d -f targets='%s'", mergedWorkflow, m.context.Repository, pull, strings.ReplaceAll(input, "'", `'\''`))
}

// writeState returns the targets as a hidden line, or nothing if they are too many.
func writeState(targets []report.MergedTarget) string {
	text, err := json.Marshal(targets)
	if err != nil || len(targets) == 0 {
		return ""
	}
	state := stateOpen + base64.StdEncoding.EncodeToString(text) + stateClose
	if len(state) > maxState {
		return ""
	}
	return state
}

// readState returns the targets of a comment.
func readState(comment string) (targets []report.MergedTarget) {
	at := strings.LastIndex(comment, strings.TrimSpace(stateOpen))
	if at < 0 {
		return nil
	}
	encoded, _, _ := strings.Cut(strings.TrimPrefix(comment[at:], strings.TrimSpace(stateOpen)+" "), " ")
	text, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || json.Unmarshal(text, &targets) != nil {
		return nil
	}
	return targets
}
