package pulls_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/shared/approvals"
	"github.com/terraform-gitops/gitops/shared/github"
	"github.com/terraform-gitops/gitops/shared/policy"
	"github.com/terraform-gitops/gitops/shared/pulls"
	"github.com/terraform-gitops/gitops/test/kit/fakegithub"
)

var sees = fakegithub.Permissions{"pull_requests": "read", "actions": "read", "members": "read"}

// asked is a pull request of author with a plan of its head, made in this minute, and run 7 that was
// started a minute later.
func (w *world) asked() pulls.Asked {
	w.server.SetClock(func() time.Time { return w.clock })
	w.server.AddTeam("acme", "dba", "alice", "author")
	n := w.github.AddPullRequest(fakegithub.PullRequest{Author: "author", HeadSHA: commit("1")})
	a := pulls.Asked{
		PullRequest: n, Author: "author", RunID: "7", Environment: "production",
		Plans: []approvals.Plan{{Commit: commit("1"), At: w.clock}},
	}
	w.later()
	w.github.AddRun(7)
	w.later()
	return a
}

// given is who approved in a check, and why it isn't enough.
func given(result approvals.Result) string {
	var words []string
	for _, a := range result.Given {
		words = append(words, strings.TrimSpace(a.User+" "+a.Environment))
	}
	for _, m := range result.Missing {
		words = append(words, fmt.Sprintf("%d/%d", m.Have, max(m.Count, 1)))
		words = append(words, m.Why...)
	}
	return strings.Join(words, "; ")
}

func TestApprovalsAtGitHub(t *testing.T) {
	t.Parallel()
	dba := []approvals.Requirement{{Teams: []string{"acme/dba"}}}
	for name, c := range map[string]struct {
		happens     func(w *world, n int)
		change      func(*pulls.Asked)
		permissions fakegithub.Permissions // instead of all
		required    []approvals.Requirement
		want        string
		requests    string
	}{
		"nothing":                {nil, nil, nil, nil, "0/1", "reviews approvals"},
		"nothing is required":    {nil, nil, nil, []approvals.Requirement{}, "", ""},
		"a review":               {func(w *world, n int) { w.github.Review(n, fakegithub.Review{User: "Alice"}) }, nil, nil, nil, "Alice", "reviews members"},
		"a review after a merge": {func(w *world, n int) { w.merge(n, "9"); w.github.Review(n, fakegithub.Review{User: "alice"}) }, nil, nil, nil, "alice", "reviews members"},
		"a review before a push": {func(w *world, n int) { w.github.Review(n, fakegithub.Review{User: "alice", Commit: commit("0")}) }, nil, nil, nil, "0/1; alice approved commit 0000000, and 1111111 was planned", "reviews approvals"},
		"a dismissed review":     {func(w *world, n int) { w.github.DismissReview(n, w.github.Review(n, fakegithub.Review{User: "alice"})) }, nil, nil, nil, "0/1; the review of alice was dismissed", "reviews approvals"},
		"a bot's review":         {func(w *world, n int) { w.github.Review(n, fakegithub.Review{User: "ci[bot]"}) }, nil, nil, []approvals.Requirement{{}}, "0/1; ci[bot] is a bot, which counts only if `users` names it", "reviews approvals"},
		"a writer": {func(w *world, n int) {
			w.github.SetPermission("bob", "maintain")
			w.github.Review(n, fakegithub.Review{User: "bob"})
		}, nil, nil, []approvals.Requirement{{}}, "bob", "reviews permission"},
		"somebody who triages": {func(w *world, n int) {
			w.github.SetPermission("bob", "triage")
			w.github.Review(n, fakegithub.Review{User: "bob"})
		}, nil, nil, []approvals.Requirement{{}}, "0/1; bob may not write to the repository", "reviews permission approvals"},
		"the environment":     {func(w *world, _ int) { w.approve("alice", "dev", "Production") }, nil, nil, nil, "alice production", "reviews approvals 7 members"},
		"another environment": {func(w *world, _ int) { w.approve("alice", "dev") }, nil, nil, nil, "0/1", "reviews approvals 7"},
		"a rejected environment": {func(w *world, _ int) {
			w.github.AnswerRun(7, fakegithub.RunApproval{User: "alice", State: "rejected", Environments: []string{"production"}})
		}, nil, nil, nil, "0/1; alice rejected environment production in an attempt of this run: start a new run", "reviews approvals 7"},
		"rejected in another attempt": {func(w *world, _ int) {
			w.approve("alice", "production")
			w.github.AnswerRun(7, fakegithub.RunApproval{User: "Alice", State: "rejected", Environments: []string{"Production"}})
			w.github.AnswerRun(7, fakegithub.RunApproval{User: "bob", Environments: []string{"production"}})
		}, nil, nil, nil, "0/1; bob is not in acme/dba; Alice rejected environment production in an attempt of this run: start a new run", "reviews approvals 7 members"},
		"another environment is rejected": {func(w *world, _ int) {
			w.github.AnswerRun(7, fakegithub.RunApproval{User: "alice", State: "rejected", Environments: []string{"dev"}})
			w.approve("alice", "production")
		}, nil, nil, nil, "alice production", "reviews approvals 7 members"},
		"no environment":          {func(w *world, _ int) { w.approve("alice", "production") }, func(a *pulls.Asked) { a.Environment = "" }, nil, nil, "0/1", "reviews"},
		"the author":              {func(w *world, _ int) { w.approve("author", "production") }, nil, nil, nil, "0/1; author is the author", "reviews approvals 7"},
		"the run is older":        {func(w *world, _ int) { w.approve("alice", "production") }, func(a *pulls.Asked) { a.Plans[0].At = a.Plans[0].At.Add(time.Hour) }, nil, nil, "0/1; alice approved environment production in a run that was created before the plan was made (2026-01-02 04:04:05 UTC): start a new run", "reviews approvals 7"},
		"no pull request":         {func(w *world, _ int) { w.approve("alice", "production") }, func(a *pulls.Asked) { a.PullRequest = 0 }, nil, nil, "alice production", "approvals 7 members"},
		"a run that is not there": {nil, func(a *pulls.Asked) { a.RunID = "8" }, nil, nil, "0/1; list who approved the environments of run 8 of acme/infrastructure: GitHub answered 404 Not Found (Not Found): there is no such thing, or the token may not see it (it needs `actions: read`)", "reviews approvals"},
		"a run without a number":  {nil, func(a *pulls.Asked) { a.RunID = "x" }, nil, nil, `0/1; find out who approved environment production: "x" is not a run's ID`, "reviews"},
		"runs can't be seen":      {func(w *world, _ int) { w.approve("alice", "production") }, nil, fakegithub.Permissions{"pull_requests": "read"}, nil, "0/1; list who approved the environments of run 7 of acme/infrastructure: GitHub answered 403 Forbidden (Resource not accessible by integration): the token needs `actions: read`: add it to the job's `permissions:`", "reviews approvals"},
		"runs need not be seen":   {func(w *world, n int) { w.github.Review(n, fakegithub.Review{User: "alice"}) }, nil, fakegithub.Permissions{"pull_requests": "read", "members": "read"}, nil, "alice", "reviews members"},
		"a team of the owner":     {func(w *world, n int) { w.github.Review(n, fakegithub.Review{User: "alice"}) }, nil, nil, []approvals.Requirement{{Teams: []string{"dba"}}}, "alice", "reviews members"},
		"a team can't be seen":    {func(w *world, n int) { w.github.Review(n, fakegithub.Review{User: "alice"}) }, nil, fakegithub.Permissions{"pull_requests": "read"}, nil, "error: find out whether alice is in team acme/dba: list the members of team acme/dba: GitHub answered 403 (Resource not accessible by integration): there is no such team, or the token may not see it: it needs the organization permission `members: read`, which no workflow's own token has: pass an app's or a person's, as `teams-token`", "reviews members"},
		"reviews can't be seen":   {nil, nil, fakegithub.Permissions{"contents": "read"}, nil, "error: list the reviews of pull request #1 of acme/infrastructure: GitHub answered 403 Forbidden (Resource not accessible by integration): the token needs `pull-requests: read`: add it to the job's `permissions:`", "reviews"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			a := w.asked()
			if c.happens != nil {
				c.happens(w, a.PullRequest)
			}
			if c.change != nil {
				c.change(&a)
			}
			if c.permissions == nil {
				c.permissions = sees
			}
			if c.required == nil {
				c.required = dba
			}
			requests := w.requests(c.permissions)
			for range 3 { // of a run's targets
				result, err := requests.CheckApprovals(t.Context(), c.required, a)
				got := given(result)
				if err != nil {
					got = strings.TrimSpace("error: " + err.Error() + " " + got)
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Error(diff)
				}
			}
			if got := w.asks(); got != c.requests {
				t.Errorf("asked %q, want %q", got, c.requests)
			}
		})
	}
}

// asks is what GitHub was asked, by the last part of each path.
func (w *world) asks() string {
	var last []string
	for _, r := range w.server.Requests() {
		last = append(last, r.Path[strings.LastIndex(r.Path, "/")+1:])
	}
	return strings.Join(last, " ")
}

// approve approves environments of run 7.
func (w *world) approve(user string, environments ...string) {
	w.github.AnswerRun(7, fakegithub.RunApproval{User: user, Environments: environments})
}

func TestAnOverrideAtGitHub(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		happens  func(w *world, n int)
		teams    string
		by, why  string
		requests string
	}{
		"a member":         {func(w *world, n int) { w.github.Review(n, fakegithub.Review{User: "alice", Body: "override"}) }, "acme/dba", "alice", "", "reviews graphql members"},
		"without the word": {func(w *world, n int) { w.github.Review(n, fakegithub.Review{User: "alice", Body: "fine"}) }, "acme/dba", "", "", "reviews"},
		"another":          {func(w *world, n int) { w.github.Review(n, fakegithub.Review{User: "bob", Body: "override"}) }, "acme/dba", "", "bob is not in acme/dba", "reviews graphql members"},
		"the author":       {func(w *world, n int) { w.github.Review(n, fakegithub.Review{User: "author", Body: "override"}) }, "acme/dba", "", "author is the author", "reviews graphql"},
		"edited by another": {func(w *world, n int) {
			w.github.EditReview(n, w.github.Review(n, fakegithub.Review{User: "alice", Body: "fine"}), "bob", "override")
		}, "acme/dba", "", "bob changed what alice wrote", "reviews graphql"},
		"edited by a member": {func(w *world, n int) {
			w.github.EditReview(n, w.github.Review(n, fakegithub.Review{User: "alice"}), "Alice", "override")
		}, "acme/dba", "alice", "", "reviews graphql members"},
		"nobody may override": {func(w *world, n int) { w.github.Review(n, fakegithub.Review{User: "alice", Body: "override"}) }, "", "", "", ""},
		"dismissed": {func(w *world, n int) {
			w.github.DismissReview(n, w.github.Review(n, fakegithub.Review{User: "alice", Body: "override"}))
		}, "acme/dba", "", "", "reviews graphql"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			a := w.asked()
			c.happens(w, a.PullRequest)
			requests := w.requests(sees)
			for range 2 {
				by, why, err := requests.Override(t.Context(), strings.Fields(c.teams), a)
				if err != nil || (by != nil) != (c.by != "") || by != nil && by.User != c.by || strings.Join(why, "; ") != c.why {
					t.Errorf("by %+v, why %q, error %v", by, why, err)
				}
			}
			if got := w.asks(); got != c.requests {
				t.Errorf("asked %q, want %q", got, c.requests)
			}
		})
	}
}

// A token that can list the members of teams needs no other permission.
func TestTeamsAreListedWithATokenOfTheirOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.asked()
	w.github.Review(a.PullRequest, fakegithub.Review{User: "alice"})
	token := w.server.NewToken("teams[bot]", fakegithub.Permissions{"members": "read"})
	requests := w.requests(fakegithub.Permissions{"pull_requests": "read"}).WithTeams(func() (*github.Client, error) { return github.New(w.server.URL(), token) })
	if result, err := requests.CheckApprovals(t.Context(), []approvals.Requirement{{Teams: []string{"acme/dba"}}}, a); err != nil || given(result) != "alice" {
		t.Errorf("%+v, error %v", result, err)
	}
}

func TestApprovalsOfManyTargetsAreAskedForOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.asked()
	w.github.Review(a.PullRequest, fakegithub.Review{User: "alice"})
	w.github.ChangeFiles(a.PullRequest, fakegithub.File{Path: "b.tf", Previous: "a.tf"})
	requests := w.requests(sees)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			required := []approvals.Requirement{{Teams: []string{"acme/dba"}}, {Teams: []string{"ACME/dba"}, Write: true}}
			if result, err := requests.CheckApprovals(t.Context(), required, a); err != nil || len(result.Given) != 1 || len(result.Missing) != 1 {
				t.Errorf("%+v, error %v", result, err)
			}
			if files, err := requests.Files(t.Context(), a.PullRequest); err != nil || !slices.Equal(files, []github.ChangedFile{{Path: "b.tf", Previous: "a.tf", Status: "renamed"}}) {
				t.Errorf("%+v, error %v", files, err)
			}
		})
	}
	all.Wait()
	facts := policy.Facts{PullRequest: &policy.PullRequest{Number: a.PullRequest}}
	if err := requests.FillIn(t.Context(), &facts); err != nil || !slices.Equal(facts.PullRequest.Files, []string{"b.tf", "a.tf"}) {
		t.Errorf("%+v, error %v", facts.PullRequest, err)
	}
	asked := strings.Fields(w.asks())
	slices.Sort(asked)
	if diff := cmp.Diff([]string{"approvals", "files", "members", "permission", "reviews"}, asked); diff != "" {
		t.Error(diff)
	}
}

// What a cancelled target was not told, another one asks again.
func TestACancelledQuestionIsAskedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.asked()
	w.github.Review(a.PullRequest, fakegithub.Review{User: "alice"})
	requests := w.requests(sees)
	cancelled, cancel := context.WithCancel(t.Context())
	w.server.Fail(fakegithub.Fault{Path: "/reviews", Call: cancel, Status: http.StatusNotFound})
	if _, err := requests.CheckApprovals(cancelled, []approvals.Requirement{{Teams: []string{"dba"}}}, a); err == nil {
		t.Error("no error")
	}
	if result, err := requests.CheckApprovals(t.Context(), []approvals.Requirement{{Teams: []string{"dba"}}}, a); err != nil || given(result) != "alice" {
		t.Errorf("%+v, error %v", result, err)
	}
}
