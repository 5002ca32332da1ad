package github

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/terraform-gitops/gitops/test/kit/fakegithub"
)

const bot = "github-actions[bot]"

// withIssues is a server whose token may write issues, and a client with it.
func withIssues(t *testing.T) (*fakegithub.Server, *fakegithub.Repository, *Client) {
	t.Helper()
	s := fakegithub.Start(t)
	return s, s.Repository(repo), connect(t, s.URL(), s.NewToken(bot, fakegithub.Permissions{"issues": "write"}))
}

func TestAnIssueIsOpenedEditedAndRead(t *testing.T) {
	t.Parallel()
	s, r, c := withIssues(t)
	r.SetPermission("hubot", "write")
	opened, err := c.CreateIssue(t.Context(), repo, NewIssue{Title: "Drift: vpc", Body: "one\ntwo", Labels: []string{"drift", "prod"}, Assignees: []string{"hubot"}})
	if err != nil {
		t.Fatal(err)
	}
	want := Issue{
		Number: 1, Body: "one\ntwo", State: "open", Author: bot, Ours: true,
		Labels: []string{"drift", "prod"}, URL: "https://github.com/acme/infra/issues/1",
	}
	if made, _ := r.Issue(1); made.Title != "Drift: vpc" || !slices.Equal(made.Assignees, []string{"hubot"}) {
		t.Errorf("it was opened as %+v", made)
	}
	reason := ""
	ignoreTime := cmpopts.IgnoreFields(Issue{}, "UpdatedAt")
	if diff := cmp.Diff(want, opened, ignoreTime); diff != "" {
		t.Error(diff)
	}
	if got := requests(s); got != "POST 201" {
		t.Errorf("requests %s, want one", got)
	}
	if time.Since(opened.UpdatedAt).Abs() > time.Minute {
		t.Errorf("updated at %s", opened.UpdatedAt)
	}
	body := "three"
	for _, step := range []struct {
		edit   IssueEdit
		change func()
	}{
		{IssueEdit{Body: &body}, func() { want.Body = "three" }},
		{IssueEdit{Labels: []string{"prod", "new"}}, func() { want.Labels = []string{"prod", "new"} }},
		{IssueEdit{State: "closed", StateReason: "not_planned"}, func() { want.State, reason = "closed", "not_planned" }},
		{IssueEdit{State: "open"}, func() { want.State, reason = "open", "reopened" }},
		{IssueEdit{Labels: []string{}}, func() { want.Labels = nil }},
	} {
		edited, err := c.EditIssue(t.Context(), repo, 1, step.edit)
		if err != nil {
			t.Fatal(err)
		}
		step.change()
		read, err := c.Issue(t.Context(), repo, 1)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]Issue{want, want}, []Issue{edited, read}, ignoreTime); diff != "" {
			t.Error(diff)
		}
		if is, _ := r.Issue(1); is.StateReason != reason {
			t.Errorf("it is %s because of %q, want %q", is.State, is.StateReason, reason)
		}
	}
	if _, writes := s.Counts(); writes != 6 {
		t.Errorf("%d writes, want 6", writes)
	}
	if diff := cmp.Diff([]string{"drift", "prod", "new"}, r.Labels()); diff != "" {
		t.Error(diff)
	}
}

func TestAnIssueOfSomeoneElseIsNotOurs(t *testing.T) {
	t.Parallel()
	_, r, c := withIssues(t)
	for author, ours := range map[string]bool{
		"octocat": false, "github-actions": false, "other[bot]": false, "GitHub-Actions[bot]": true,
	} {
		n := r.AddIssue(fakegithub.Issue{Author: author, Body: "a\r\nb\r\n"})
		got, err := c.Issue(t.Context(), repo, n)
		if err != nil {
			t.Fatal(err)
		}
		if got.Ours != ours || got.Author != author || got.Body != "a\nb\n" {
			t.Errorf("%+v, want ours: %t", got, ours)
		}
	}
}

func TestAnIssueThatIsGoneIsNoIssue(t *testing.T) {
	t.Parallel()
	s, r, c := withIssues(t)
	deleted := r.AddIssue(fakegithub.Issue{})
	r.DeleteIssue(deleted)
	other := s.Repository("acme/other")
	other.AddIssue(fakegithub.Issue{})
	other.AddIssue(fakegithub.Issue{})
	other.AddIssue(fakegithub.Issue{})
	transferred := r.AddIssue(fakegithub.Issue{Title: "moved"})
	r.TransferIssue(transferred, other)
	// A coincidence must not make it look like ours.
	sameNumber := r.AddIssue(fakegithub.Issue{})
	for sameNumber != 5 {
		sameNumber = r.AddIssue(fakegithub.Issue{})
	}
	if n := r.TransferIssue(sameNumber, other); n != sameNumber {
		t.Fatalf("transferred as #%d", n)
	}
	pull := r.AddPullRequest(fakegithub.PullRequest{})
	for name, number := range map[string]int{"deleted": deleted, "transferred": transferred, "transferred to its number": sameNumber, "never there": 99} {
		for call, err := range map[string]error{
			"read":    second(c.Issue(t.Context(), repo, number)),
			"edit":    second(c.EditIssue(t.Context(), repo, number, IssueEdit{State: "closed"})),
			"label":   c.AddLabels(t.Context(), repo, number, "x"),
			"comment": c.CommentOnIssue(t.Context(), repo, number, "x"),
		} {
			if !errors.Is(err, ErrNoIssue) || errors.Is(err, ErrUnknownOutcome) {
				t.Errorf("%s, %s: %v", name, call, err)
			}
		}
		if _, _, err := c.LabelledAt(t.Context(), repo, number, "x"); !errors.Is(err, ErrNoIssue) {
			t.Errorf("%s: %v", name, err)
		}
		if err := c.RemoveLabel(t.Context(), repo, number, "x"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := c.Issue(t.Context(), repo, transferred)
	wantError(t, err, "read issue #2 of acme/infra", "transferred to https://github.com/acme/other/issues/4")
	_, err = c.Issue(t.Context(), repo, deleted)
	wantError(t, err, "This issue was deleted")
	if _, err = c.Issue(t.Context(), repo, pull); !errors.Is(err, ErrNoIssue) {
		t.Errorf("a pull request: %v", err)
	}
	for _, i := range other.Issues() {
		if i.State != "open" || len(i.Labels) > 0 || len(other.Comments(i.Number)) > 0 {
			t.Errorf("the other repository's issue was written: %+v", i)
		}
	}
}

func TestATransferToWhereTheTokenMayNotLookIsNoIssue(t *testing.T) {
	t.Parallel()
	s, r, c := withIssues(t)
	n := r.AddIssue(fakegithub.Issue{})
	r.TransferIssue(n, s.Repository("acme/secret"))
	s.Fail(fakegithub.Fault{Path: "/repositories/", Status: 404, Message: "Not Found"})
	if _, err := c.Issue(t.Context(), repo, n); !errors.Is(err, ErrNoIssue) {
		t.Errorf("error %v", err)
	}
}

func TestIssuesThatAreSwitchedOffAreNotAMissingIssue(t *testing.T) {
	t.Parallel()
	s, r, c := withIssues(t)
	r.AddIssue(fakegithub.Issue{})
	s.Fail(fakegithub.Fault{Path: "/issues", Times: 2, Status: 410, Message: "Issues are disabled for this repo"})
	_, err := c.Issue(t.Context(), repo, 1)
	wantError(t, err, "410 Gone (Issues are disabled for this repo)")
	if errors.Is(err, ErrNoIssue) {
		t.Errorf("error %v", err)
	}
	_, err = c.CreateIssue(t.Context(), repo, NewIssue{Title: "x"})
	wantError(t, err, "open an issue in acme/infra", "switch issues on in the repository's settings")
	if errors.Is(err, ErrUnknownOutcome) {
		t.Errorf("error %v", err)
	}
}

func TestAssigneesWhomGitHubRefusesDoNotKeepAnIssueFromBeingOpened(t *testing.T) {
	t.Parallel()
	s, r, c := withIssues(t)
	r.SetPermission("hubot", "triage")
	r.SetPermission("octocat", "read")
	asked := NewIssue{Title: "x", Assignees: []string{"left-us", "Hubot", "typo", "octocat", "hubot", ""}}
	for want, more := 3, 0; more < 2; want, more = 1, more+1 { // the second issue does not try them again
		_, before := s.Counts()
		got, err := c.CreateIssue(t.Context(), repo, asked)
		if err != nil {
			t.Fatal(err)
		}
		if made, _ := r.Issue(got.Number); !slices.Equal(made.Assignees, []string{"Hubot", "octocat"}) {
			t.Errorf("assigned to %q", made.Assignees)
		}
		if _, writes := s.Counts(); writes-before != want {
			t.Errorf("%d writes, want %d", writes-before, want)
		}
	}
	if n := len(r.Issues()); n != 2 {
		t.Errorf("%d issues", n)
	}
	_, err := c.CreateIssue(t.Context(), repo, NewIssue{Title: "y", Assignees: []string{"typo"}})
	if err != nil {
		t.Error(err)
	}
}

func TestAnIssueThatGitHubWouldRefuseIsNotSent(t *testing.T) {
	t.Parallel()
	s, r, c := withIssues(t)
	r.AddIssue(fakegithub.Issue{})
	for _, char := range []string{"a", "語", "🚀"} {
		title, body := strings.Repeat(char, 256), strings.Repeat(char, 65536)
		_, before := s.Counts()
		long := body + char
		wantError(t, second(c.CreateIssue(t.Context(), repo, NewIssue{Title: title + char})), "257 characters")
		wantError(t, second(c.CreateIssue(t.Context(), repo, NewIssue{Title: title, Body: long})), "65537 characters", "shorten it")
		wantError(t, second(c.EditIssue(t.Context(), repo, 1, IssueEdit{Body: &long})), "65537 characters")
		wantError(t, c.CommentOnIssue(t.Context(), repo, 1, long), "65537 characters")
		if _, writes := s.Counts(); writes != before {
			t.Errorf("%d were sent", writes-before)
		}
		i, err := c.CreateIssue(t.Context(), repo, NewIssue{Title: title, Body: body})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.CommentOnIssue(t.Context(), repo, i.Number, body); err != nil {
			t.Fatal(err)
		}
		if n := utf8.RuneCountInString(i.Body); n != 65536 {
			t.Errorf("%q: %d characters", char, n)
		}
	}
	wantError(t, second(c.CreateIssue(t.Context(), repo, NewIssue{Title: " \n"})), "GitHub takes 1 to 256")
	wantError(t, c.CommentOnIssue(t.Context(), repo, 1, " \n"), "there is no text")
	wantError(t, second(c.EditIssue(t.Context(), repo, 1, IssueEdit{StateReason: ""})), "nothing is set to be changed")
}

func TestALockedIssueIsEditedButNotCommentedOn(t *testing.T) {
	t.Parallel()
	s, r, c := withIssues(t)
	n := r.AddIssue(fakegithub.Issue{})
	r.LockIssue(n)
	err := c.CommentOnIssue(t.Context(), repo, n, "x")
	if !errors.Is(err, ErrLocked) || errors.Is(err, ErrUnknownOutcome) {
		t.Errorf("error %v", err)
	}
	wantError(t, err, "comment on issue #1 of acme/infra", "unlock it")
	i, err := c.EditIssue(t.Context(), repo, n, IssueEdit{State: "closed"})
	if err != nil || i.State != "closed" {
		t.Errorf("%+v, %v", i, err)
	}
	person := connect(t, s.URL(), s.NewToken("octocat", nil))
	if err := person.CommentOnIssue(t.Context(), repo, n, "from a person"); err != nil {
		t.Error(err)
	}
	r.UnlockIssue(n)
	if err := c.CommentOnIssue(t.Context(), repo, n, "x"); err != nil {
		t.Error(err)
	}
}

func TestAWriteWhoseAnswerIsLostSaysThatItMayBeDone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault   fakegithub.Fault
		unknown bool
	}{
		"502, not done":            {fakegithub.Fault{Status: 502}, true},
		"502, done":                {fakegithub.Fault{Status: 502, Done: true}, true},
		"cut, not done":            {fakegithub.Fault{}, true},
		"cut, done":                {fakegithub.Fault{Done: true}, true},
		"refused":                  {fakegithub.Fault{Status: 422, Message: "Validation Failed"}, false},
		"forbidden":                {fakegithub.Fault{Status: 403, Message: "Resource not accessible by integration"}, false},
		"a rate limit, too long":   {fakegithub.PrimaryLimit(time.Date(2000, 1, 1, 1, 0, 0, 0, time.UTC)), false}, // an hour on this clock
		"another limit, too long":  {fakegithub.SecondaryLimit(time.Hour), false},
		"slower than anyone waits": {fakegithub.Fault{Delay: time.Hour, Done: true}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onFakeClock(t, func(t *testing.T, s *fakegithub.Server, r *fakegithub.Repository, connect func(...Option) *Client) {
				c.fault.Writes = true
				s.Fail(c.fault)
				client := connect()
				_, err := client.CreateIssue(t.Context(), repo, NewIssue{Title: "x"})
				if err == nil || errors.Is(err, ErrUnknownOutcome) != c.unknown {
					t.Errorf("error %v, want unknown: %t", err, c.unknown)
				}
				if n := len(r.Issues()); (n == 1) != c.fault.Done || n > 1 {
					t.Errorf("%d issues", n)
				}
				if _, writes := s.Counts(); writes != 1 {
					t.Errorf("%d writes, want the one", writes)
				}
			})
		})
	}
}

func TestAssigneesThatARefusalDoesNotNameAreAllLeftOut(t *testing.T) {
	t.Parallel()
	for errs, sent := range map[string]int{
		`[{"resource":"Issue","field":"assignees","code":"invalid"}]`:                  2,
		`[{"resource":"Issue","field":"assignees","code":"invalid","value":["a",1]}]`:  2,
		`[{"resource":"Issue","field":"assignees","code":"invalid","value":"nobody"}]`: 2, // whom nobody asked for
		`[{"resource":"Issue","field":"title","code":"invalid","value":"a"}]`:          1,
		`["assignees are invalid"]`: 1,
		`null`:                      1,
	} {
		asked := 0
		c := connect(t, "", "", withBase(roundTrip(func(r *http.Request) (*http.Response, error) {
			asked++
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return nil, err
			}
			status, answer := 201, `{"number":1}`
			if strings.Contains(string(body), "assignees") {
				status, answer = 422, `{"message":"Validation Failed","errors":`+errs+`}`
			}
			return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(answer)), Request: r}, nil
		})))
		_, err := c.CreateIssue(t.Context(), repo, NewIssue{Title: "x", Assignees: []string{"a", "b"}})
		if asked != sent || (err == nil) != (sent == 2) {
			t.Errorf("%s: %d requests, want %d; error %v", errs, asked, sent, err)
		}
	}
}
