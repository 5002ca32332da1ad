package fakerunner

import (
	"fmt"
	"os"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/terraform-gitops/gitops/test/kit/fakegithub"
)

// Words about who approves what.

// reviewStates are GitHub's words for what a person does in a review.
var reviewStates = map[string]string{"approve": "APPROVED", "request-changes": "CHANGES_REQUESTED", "comment": "COMMENTED"}

func review(ts *testscript.TestScript, s *story, args []string) {
	s.think()
	r := fakegithub.Review{User: args[1], State: "APPROVED"}
	if len(args) > 2 {
		if r.State = reviewStates[args[2]]; r.State == "" {
			ts.Fatalf("review: choose approve, request-changes or comment")
		}
	}
	if len(args) > 3 {
		r.Body = args[3]
	}
	s.reviewed = s.github.Repository(repository).Review(number(ts, args[0]), r)
	ts.Setenv("REVIEW", fmt.Sprint(s.reviewed))
	s.think() // what happens next is later
}

func dismissReview(ts *testscript.TestScript, s *story, args []string) {
	s.github.Repository(repository).DismissReview(number(ts, args[0]), s.reviewed)
}

func editReview(ts *testscript.TestScript, s *story, args []string) {
	s.github.Repository(repository).EditReview(number(ts, args[0]), s.reviewed, args[1], args[2])
}

func team(ts *testscript.TestScript, s *story, args []string) {
	org, slug, _ := strings.Cut(args[0], "/")
	s.github.AddTeam(org, slug, args[1:]...)
	if s.tokens["teams"] == "" {
		s.tokens["teams"] = s.github.NewToken("acme-teams[bot]", fakegithub.Permissions{"members": "read"})
	}
	ts.Setenv("TEAMS_TOKEN", s.tokens["teams"])
}

// approveEnvironment answers for the run of the next action, which it starts if that is not a job of
// the last one's run.
func approveEnvironment(ts *testscript.TestScript, s *story, args []string) {
	if !s.sameRun {
		s.think()
		s.newRun()
		s.sameRun = true
	}
	s.github.Repository(repository).AnswerRun(int64(s.runner.RunID), fakegithub.RunApproval{User: args[0], Environments: args[1:]})
}

// newRun starts a run of a workflow.
func (s *story) newRun() {
	s.runner.RunID++
	s.github.Repository(repository).AddRun(int64(s.runner.RunID))
}

// changedFiles says which files the pull request changes, as GitHub lists them.
func (s *story) changedFiles(ts *testscript.TestScript, n int) {
	p := s.pulls[n]
	var files []fakegithub.File
	base := s.git(ts, "merge-base", p.base, p.head)
	for _, line := range strings.Split(s.git(ts, "diff", "--name-status", "--find-renames", base, p.head), "\n") {
		fields := strings.Split(line, "\t")
		switch {
		case len(fields) < 2:
		case fields[0][0] == 'R':
			files = append(files, fakegithub.File{Path: fields[2], Previous: fields[1], Status: "renamed"})
		default:
			status := map[byte]string{'A': "added", 'D': "removed"}[fields[0][0]]
			files = append(files, fakegithub.File{Path: fields[1], Status: status})
		}
	}
	s.github.Repository(repository).ChangeFiles(n, files...)
}

func requestsTo(ts *testscript.TestScript, s *story, args []string) {
	var paths []string
	all := s.github.Requests()
	for _, r := range all[s.counted:] {
		paths = append(paths, r.Method+" "+r.Path)
	}
	s.counted = len(all)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Join(paths, "\n")+"\n"), 0o644))
}
