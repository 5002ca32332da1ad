package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/terraform-gitops/gitops/shared/gha/ghatest"
	"github.com/terraform-gitops/gitops/shared/github/githubtest"
)

// drift has somebody change by hand what runs, and an issue bring it back. GitHub is
// the tests' own, made from GitHub's description, which npm brings.
func (d *demo) drift(ctx context.Context) error {
	gh, err := githubtest.New(func(format string, args ...any) { fmt.Fprintf(os.Stderr, "demo: "+format+"\n", args...) })
	if err != nil {
		say("Drift is not played: it needs npm on PATH, for GitHub's description.")
		return nil
	}
	defer gh.Close()
	repository := gh.Repository(d.runner.Repository)
	repository.SetPermission("mona", "write")
	token := gh.NewToken("github-actions[bot]", githubtest.Permissions{"contents": "read", "issues": "write"})
	d.runner.APIURL = gh.URL()

	say("At night, somebody changes by hand what runs in acme-ue2-dev. The schedule's plan finds it, and drift-detection opens an issue.")
	state := filepath.Join(d.dir, "state", "acme-ue2-dev", "service.tfstate")
	content, err := os.ReadFile(state)
	if err != nil {
		return err
	}
	if err := os.WriteFile(state, []byte(strings.ReplaceAll(string(content), "api:1.5.0", "api:0.9.0-hotfix")), 0o600); err != nil {
		return err
	}
	if err := d.issuesEvent("push", 0); err != nil {
		return err
	}
	d.runner.RunID++
	target := map[string]string{"component": "service", "stack": "acme-ue2-dev", "drift-detection-mode-enabled": "true"}
	if _, err := d.job(ctx, "plan", target); err != nil {
		return err
	}
	if _, err := d.job(ctx, "drift-detection", map[string]string{"token": token}); err != nil {
		return err
	}
	issue, ok := repository.Issue(1)
	if !ok {
		return errors.New("drift-detection opened no issue")
	}
	fmt.Printf("\n   Issue 1: %s   %v\n\n", issue.Title, issue.Labels)
	show(issue.Body)

	say("Mona reads it, and adds the label apply. drift-remediation applies the plan that she saw, and closes the issue.")
	gh.SetClock(func() time.Time { return time.Now().Add(time.Minute) }) // she took her time
	repository.Label(1, "mona", "apply")
	if err := d.issuesEvent("issues", 1); err != nil {
		return err
	}
	d.runner.RunID++
	step, err := d.job(ctx, "drift-remediation", map[string]string{"token": token})
	if err != nil {
		return err
	}
	summary, err := step.Summary()
	if err != nil {
		return err
	}
	show(summary)
	issue, _ = repository.Issue(1)
	fmt.Printf("\n   Issue 1 is %s. %v\n", issue.State, issue.Labels)
	if issue.State != "closed" {
		return errors.New("the issue is not closed")
	}
	if content, err = os.ReadFile(state); err != nil || !strings.Contains(string(content), "api:1.5.0") {
		return fmt.Errorf("what runs is not what Git says (error %w)", err)
	}
	return nil
}

// issuesEvent is a push to main, or Mona labelling an issue.
func (d *demo) issuesEvent(event string, number int) (err error) {
	d.runner.Event, d.runner.Ref = event, "refs/heads/main"
	if d.runner.SHA, err = d.head(context.Background()); err != nil {
		return err
	}
	edits := map[string]any{"repository.full_name": d.runner.Repository, "repository.default_branch": "main"}
	action := ""
	if number > 0 {
		action, edits["label.name"], edits["issue.number"], edits["sender.login"] = "labeled", "apply", number, "mona"
	}
	payload, err := ghatest.ActionPayload(".", event, action)
	if err != nil {
		return err
	}
	d.runner.Payload, err = ghatest.Edit(payload, edits)
	return err
}

// job runs an action's binary as a step of the workflow run.
func (d *demo) job(ctx context.Context, action string, inputs map[string]string) (*ghatest.Step, error) {
	step, err := d.runner.Step(inputs)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(d.actions, action))
	cmd.Env = step.Environ
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", action, err, out)
	}
	return step, nil
}
