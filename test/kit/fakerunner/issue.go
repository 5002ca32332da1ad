package fakerunner

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/terraform-gitops/gitops/test/kit/fakegithub"
)

// Words about issues. What a person does becomes the event of the next steps.

func openIssue(ts *testscript.TestScript, s *story, args []string) {
	issue := fakegithub.Issue{Author: args[0], Title: args[1], Body: strings.ReplaceAll(args[2], `\n`, "\n"), Labels: args[3:]}
	n := s.github.Repository(repository).AddIssue(issue)
	s.edited[n] = true
	s.issueEvent(ts, n, "opened", "", args[0])
}

func label(ts *testscript.TestScript, s *story, args []string) {
	n, actor := number(ts, args[0]), actorOf(args, 2)
	s.think()
	s.github.Repository(repository).Label(n, actor, args[1])
	s.issueEvent(ts, n, "labeled", args[1], actor)
}

func unlabel(ts *testscript.TestScript, s *story, args []string) {
	n, actor := number(ts, args[0]), actorOf(args, 2)
	s.github.Repository(repository).Unlabel(n, actor, args[1])
	s.issueEvent(ts, n, "unlabeled", args[1], actor)
}

func closeIssue(ts *testscript.TestScript, s *story, args []string) {
	n, actor := number(ts, args[0]), actorOf(args, 1)
	s.github.Repository(repository).CloseIssue(n, actor)
	s.issueEvent(ts, n, "closed", "", actor)
}

func reopenIssue(ts *testscript.TestScript, s *story, args []string) {
	n, actor := number(ts, args[0]), actorOf(args, 1)
	s.github.Repository(repository).ReopenIssue(n, actor)
	s.issueEvent(ts, n, "reopened", "", actor)
}

func deleteIssue(ts *testscript.TestScript, s *story, args []string) {
	s.github.Repository(repository).DeleteIssue(number(ts, args[0]))
}

func lockIssue(ts *testscript.TestScript, s *story, args []string) {
	s.github.Repository(repository).LockIssue(number(ts, args[0]))
}

func editIssue(ts *testscript.TestScript, s *story, args []string) {
	n := number(ts, args[0])
	issue := s.issue(ts, n)
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], `\n`, "\n")
	}
	if !strings.Contains(issue.Body, args[1]) {
		ts.Fatalf("the body of issue #%d does not contain %q:\n%s", n, args[1], issue.Body)
	}
	s.edited[n] = true
	s.github.Repository(repository).EditIssue(n, "", strings.ReplaceAll(issue.Body, args[1], args[2]))
}

func permission(_ *testscript.TestScript, s *story, args []string) {
	s.github.Repository(repository).SetPermission(args[0], args[1])
}

func issueEvent(ts *testscript.TestScript, s *story, args []string) {
	named := ""
	if len(args) > 2 {
		named = args[2]
	}
	s.issueEvent(ts, number(ts, args[0]), args[1], named, actorOf(args, 3))
}

func checkIssue(ts *testscript.TestScript, s *story, args []string) {
	n := number(ts, args[0])
	issue := s.issue(ts, n)
	state := issue.State
	if state == "closed" {
		state += "/" + issue.StateReason
	}
	if state != args[1] && issue.State != args[1] {
		ts.Fatalf("issue #%d is %s", n, state)
	}
	slices.Sort(issue.Labels)
	if labels := strings.Join(issue.Labels, ","); labels != args[2] {
		ts.Fatalf("issue #%d has the labels %q", n, labels)
	}
	for _, text := range args[3:] {
		if !strings.Contains(issue.Title+"\n"+issue.Body, text) {
			ts.Fatalf("issue #%d does not contain %q:\n%s\n%s", n, text, issue.Title, issue.Body)
		}
	}
}

func checkIssues(ts *testscript.TestScript, s *story, args []string) {
	count := map[string]int{}
	for _, issue := range s.github.Repository(repository).Issues() {
		count[issue.State]++
	}
	if count["open"] != number(ts, args[0]) || len(args) == 2 && count["closed"] != number(ts, args[1]) {
		ts.Fatalf("there are %d open and %d closed issues", count["open"], count["closed"])
	}
}

// actorOf is the person that a word names, or Mona.
func actorOf(args []string, at int) string {
	if len(args) > at {
		return args[at]
	}
	return mona
}

// think waits so that what a person does is in a later second than what they have read. GitHub's
// times are in whole seconds.
func (s *story) think() {
	now := time.Now()
	time.Sleep(now.Truncate(time.Second).Add(time.Second).Sub(now))
}

func (s *story) issue(ts *testscript.TestScript, n int) fakegithub.Issue {
	issue, ok := s.github.Repository(repository).Issue(n)
	if !ok {
		ts.Fatalf("there is no issue #%d", n)
	}
	return issue
}

// issueEvent sets the event of the next steps to GitHub's event about an issue, as it is now.
func (s *story) issueEvent(ts *testscript.TestScript, n int, action, named, actor string) {
	issue := s.issue(ts, n)
	example := "opened"
	if named != "" {
		example = "labeled"
	}
	payload, err := ActionPayload(s.Root, "issues", example)
	ts.Check(err)
	edits := map[string]any{
		"action": action, "issue.number": n, "issue.title": issue.Title, "issue.body": issue.Body, "issue.state": issue.State,
		"issue.user.login": issue.Author, "sender.login": actor,
	}
	if named != "" {
		edits["label.name"] = named
	}
	s.event(ts, "issues")
	s.runner.Payload, err = Edit(payload, edits)
	ts.Check(err)
	s.runner.Actor = actor
}

// sectionLine is a line of an issue that its page does not show.
var sectionLine = regexp.MustCompile(`(?m)^<!-- gitops-drift.* -->$`)

// issueProblems lists problems with what actions wrote into issues.
func (s *story) issueProblems() (problems []string) {
	for _, issue := range s.github.Repository(repository).Issues() {
		if issue.Author == bot && !s.edited[issue.Number] {
			for _, p := range pageProblems(sectionLine.ReplaceAllString(issue.Body, "")) {
				problems = append(problems, fmt.Sprintf("issue #%d: %s", issue.Number, p))
			}
		}
		for _, comment := range s.github.Repository(repository).Comments(issue.Number) {
			if comment.Author != bot {
				continue
			}
			for _, p := range pageProblems(comment.Body) {
				problems = append(problems, fmt.Sprintf("comment on issue #%d: %s", issue.Number, p))
			}
		}
	}
	return problems
}

// issueTexts lists all texts of issues, to search them for secrets.
func (s *story) issueTexts() map[string]string {
	texts := map[string]string{}
	for _, issue := range s.github.Repository(repository).Issues() {
		texts[fmt.Sprintf("issue #%d", issue.Number)] = issue.Title + "\n" + issue.Body
		for i, comment := range s.github.Repository(repository).Comments(issue.Number) {
			texts[fmt.Sprintf("comment %d on issue #%d", i+1, issue.Number)] = comment.Body
		}
	}
	return texts
}
