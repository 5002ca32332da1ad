package github

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/test/kit/fakegithub"
)

const planContext = "terraform-gitops/plan"

// withStatuses is a client whose token may do this with statuses and contents.
func withStatuses(t *testing.T, level string) (*fakegithub.Server, *fakegithub.Repository, *Client) {
	t.Helper()
	s := fakegithub.Start(t)
	token := s.NewToken(bot, fakegithub.Permissions{"statuses": level, "contents": level})
	return s, s.Repository(repo), connect(t, s.URL(), token)
}

func TestTheNewestStatusOfOurContextIsRead(t *testing.T) {
	t.Parallel()
	_, r, c := withStatuses(t, "write")
	if got, err := c.Statuses(t.Context(), repo, head, planContext); err != nil || len(got) > 0 {
		t.Errorf("before there is one: %+v, %v", got, err)
	}
	old := Status{Context: planContext, State: "failure", Description: "plan again", URL: "https://github.com/acme/infra/pull/41"}
	now := Status{Context: planContext, State: "success", Description: "planned again"}
	for _, s := range []Status{old, now} {
		if err := c.SetStatus(t.Context(), repo, head, s); err != nil {
			t.Fatal(err)
		}
		got, err := c.Statuses(t.Context(), repo, strings.ToUpper(head), "Terraform-GitOps/plan")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]Status{s}, got); diff != "" {
			t.Error(diff)
		}
	}
	if got, err := c.Statuses(t.Context(), repo, base, planContext); err != nil || len(got) > 0 {
		t.Errorf("of another commit: %+v, %v", got, err)
	}
	if all := r.Statuses(); len(all) != 2 || all[0].Creator != bot || all[0].Commit != head {
		t.Errorf("%+v", all)
	}
}

func TestStatusesAreReadFromAllPages(t *testing.T) {
	t.Parallel()
	s, r, c := withStatuses(t, "read")
	for i := range 250 {
		if i == 10 || i == 240 { // the newest are listed first
			r.AddStatus(fakegithub.Status{Commit: head, Context: fmt.Sprintf("%s (%d)", planContext, i), State: "failure"})
		}
		r.AddStatus(fakegithub.Status{Commit: head, Context: fmt.Sprint("ci/", i), State: "success"})
	}
	got, err := c.Statuses(t.Context(), repo, head, planContext)
	if err != nil || len(got) != 2 || got[0].State != "failure" {
		t.Errorf("%+v, %v", got, err)
	}
	if reads, _ := s.Counts(); reads != 3 {
		t.Errorf("%d requests, want 3", reads)
	}
}

func TestALongDescriptionIsCutWhereACharacterEnds(t *testing.T) {
	t.Parallel()
	_, r, c := withStatuses(t, "write")
	for given, want := range map[string]string{
		strings.Repeat("é", 140): strings.Repeat("é", 140),
		strings.Repeat("é", 141): strings.Repeat("é", 139) + "…",
		"a\xffb":                 "a\uFFFDb",
	} {
		if err := c.SetStatus(t.Context(), repo, head, Status{Context: planContext, State: "failure", Description: given}); err != nil {
			t.Fatal(err)
		}
		all := r.Statuses()
		if got := all[len(all)-1].Description; got != want || utf8.RuneCountInString(got) > 140 {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestAStatusThatMayNotBeReadOrSetSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	_, r, reader := withStatuses(t, "read")
	err := reader.SetStatus(t.Context(), repo, head, Status{Context: planContext, State: "failure"})
	wantError(t, err, "set status "+planContext, head, "`statuses: write`", "`permissions:`")
	if !errors.Is(err, ErrPermission) || errors.Is(err, ErrUnknownOutcome) || len(r.Statuses()) != 0 {
		t.Errorf("%v, %+v", err, r.Statuses())
	}
	_, _, nobody := withStatuses(t, "none")
	_, err = nobody.Statuses(t.Context(), repo, head, planContext)
	wantError(t, err, "read the statuses "+planContext, "`statuses: read`")
	if !errors.Is(err, ErrPermission) {
		t.Error("it is not ErrPermission")
	}
}

func TestOnlyARefusalIsErrPermission(t *testing.T) {
	t.Parallel()
	s, _, c := withStatuses(t, "write")
	for status, unknown := range map[int]bool{404: false, 422: false, 502: true} {
		s.Fail(fakegithub.Fault{Method: "POST", Status: status, Message: "x", Done: status == 502})
		err := c.SetStatus(t.Context(), repo, head, Status{Context: planContext, State: "failure"})
		if err == nil || errors.Is(err, ErrPermission) || errors.Is(err, ErrUnknownOutcome) != unknown {
			t.Errorf("%d: %v", status, err)
		}
	}
	impatient := connect(t, s.URL(), s.Token(), WithMaxWait(0))
	s.Fail(fakegithub.SecondaryLimit(60e9))
	if err := impatient.SetStatus(t.Context(), repo, head, Status{State: "failure"}); err == nil || errors.Is(err, ErrPermission) {
		t.Errorf("at a rate limit: %v", err)
	}
}
