package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/test/kit/fakegithub"
	"github.com/terraform-gitops/gitops/test/kit/fakerunner"
)

// Events as GitHub sends them, from the npm package @octokit/webhooks-examples (MIT
// licence): see payload_test.go.
var (
	//go:embed schedule.json
	schedule []byte
	//go:embed issues.json
	labelled []byte
)

// The image that is running differs from the one in Git.
const (
	inGit  = "api:1.5.0"
	hotfix = "api:0.9.0-hotfix"
)

// night is the part of the story about drift. It uses the tests' own GitHub server.
type night struct {
	*demo
	gh         *fakegithub.Server
	repository *fakegithub.Repository
	token      string
	plan       planstore.Record

	mu       sync.Mutex
	problems []string // what was wrong with requests to GitHub
}

func (d *demo) newNight() *night {
	n := &night{demo: d}
	n.gh = fakegithub.NewUnchecked(func(format string, args ...any) {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.problems = append(n.problems, fmt.Sprintf(format, args...))
	})
	n.repository = n.gh.Repository(repository)
	n.repository.SetPermission("mona", "write")
	n.token = n.gh.NewToken("github-actions[bot]", fakegithub.Permissions{"contents": "read", "issues": "write"})
	return n
}

// detect changes by hand what is running. The scheduled plan finds the drift, and drift-detection opens
// an issue.
func (n *night) detect(ctx context.Context) (outcome, error) {
	n.runner.APIURL = n.gh.URL()
	content, err := os.ReadFile(n.state(dev))
	if err != nil {
		return outcome{}, err
	}
	if err := os.WriteFile(n.state(dev), []byte(strings.ReplaceAll(string(content), inGit, hotfix)), 0o600); err != nil {
		return outcome{}, err
	}
	if err := n.event(ctx, "schedule", schedule, nil); err != nil {
		return outcome{}, err
	}
	planned, err := n.act(ctx, "plan", nil, map[string]string{"component": dev.Component, "stack": dev.Stack, "drift-detection-mode-enabled": "true"})
	if err != nil {
		return outcome{}, err
	}
	if planned.failed || planned.outputs["drifted"] != "true" {
		return outcome{}, planned.unexpected(fmt.Sprintf("drifted is %q", planned.outputs["drifted"]))
	}
	stored, err := n.store.FindRecord(ctx, dev, planned.outputs["plan-record"])
	if err != nil {
		return outcome{}, err
	}
	n.plan = stored.Record
	found, err := n.job(ctx, "drift-detection", map[string]string{"token": n.token})
	if err != nil {
		return outcome{}, err
	}
	issue, ok := n.repository.Issue(1)
	switch {
	case found.failed || found.outputs["created"] != "1" || !ok || issue.State != "open" || len(n.problems) > 0:
		return outcome{}, found.unexpected(fmt.Sprintf("created is %q, GitHub says %q", found.outputs["created"], n.problems))
	case !strings.Contains(issue.Body, hotfix) || !strings.Contains(issue.Body, inGit):
		return outcome{}, found.unexpected(fmt.Sprintf("the issue does not show %s and %s", hotfix, inGit))
	}
	n.page.issue("as it was opened", n.repository, 1)
	if n.screen.verbose {
		n.screen.line(fmt.Sprintf("   Issue 1: %s   %v\n", issue.Title, issue.Labels))
		n.screen.markdown(issue.Body)
		n.screen.blank()
	}
	return outcome{
		What:    []string{"issue 1 opened: " + name(dev)},
		Right:   []string{"planfile " + short(n.plan.Digest)},
		Details: []string{fmt.Sprintf("image: %q runs, and %q is in Git", hotfix, inGit)},
	}, nil
}

// remediate adds the label apply as Mona, who has read the issue. drift-remediation applies the plan
// that she saw, and closes the issue.
func (n *night) remediate(ctx context.Context) (outcome, error) {
	n.gh.SetClock(func() time.Time { return time.Now().Add(time.Minute) }) // Mona adds the label a minute later
	n.repository.Label(1, "mona", "apply")
	if err := n.event(ctx, "issues", labelled, map[string]any{"action": "labeled", "label.name": "apply", "issue.number": 1, "sender.login": "mona"}); err != nil {
		return outcome{}, err
	}
	r, err := n.act(ctx, "drift-remediation", nil, map[string]string{"token": n.token})
	if err != nil {
		return outcome{}, err
	}
	issue, _ := n.repository.Issue(1)
	if r.failed || r.outputs["status"] != "remediated" || issue.State != "closed" || len(n.problems) > 0 {
		return outcome{}, r.unexpected(fmt.Sprintf("status is %q, the issue %s, GitHub says %q", r.outputs["status"], issue.State, n.problems))
	}
	if err := n.mustBeApplied(ctx, n.plan, r); err != nil {
		return outcome{}, err
	}
	n.page.issue("at the end", n.repository, 1)
	if n.screen.verbose {
		n.screen.line(fmt.Sprintf("   Issue 1 is %s. %v", issue.State, issue.Labels))
	}
	return outcome{
		What:  []string{"✔ reverted as the issue shows, closed"},
		Right: []string{"planfile " + short(n.plan.Digest)},
	}, n.stateHas(dev, inGit, hotfix)
}

// event sets an event on main.
func (n *night) event(ctx context.Context, event string, payload []byte, edits map[string]any) (err error) {
	n.runner.Event, n.runner.Ref = event, "refs/heads/main"
	if n.runner.SHA, err = n.head(ctx); err != nil {
		return err
	}
	n.runner.Payload, err = fakerunner.Edit(payload, edits)
	return err
}
