package approvals_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/shared/approvals"
)

var (
	planned  = strings.Repeat("1a", 20)
	before   = strings.Repeat("2b", 20)
	planTime = time.Date(2026, 3, 4, 10, 0, 0, 500, time.UTC)
)

// people knows teams, and who may write. It counts what it is asked.
type people struct {
	teams   map[string][]string
	writers []string
	asked   []string
}

func (p *people) Members(_ context.Context, team string) ([]string, error) {
	p.asked = append(p.asked, team)
	members, ok := p.teams[team]
	if !ok {
		return nil, fmt.Errorf("the token may not see %s", team)
	}
	return members, nil
}

var errDown = errors.New("GitHub is down")

func (p *people) CanWrite(_ context.Context, user string) (bool, error) {
	p.asked = append(p.asked, user)
	if user == "unknown" {
		return false, errDown
	}
	return slices.Contains(p.writers, user), nil
}

func everybody() *people {
	return &people{
		teams:   map[string][]string{"acme/dba": {"Alice", "bob", "author"}, "acme/platform": {"carol"}, "acme/bots": {"renovate[bot]"}},
		writers: []string{"alice", "carol", "writer", "author", "renovate[bot]"},
	}
}

// review is an approving review of the planned commit, a minute after the plan.
func review(user string, change ...func(*approvals.Approval)) approvals.Approval {
	a := approvals.Approval{User: user, Bot: strings.HasSuffix(user, "[bot]"), At: planTime.Add(time.Minute), Commit: planned, ReviewID: int64(len(user) + 1)}
	for _, c := range change {
		c(&a)
	}
	return a
}

func of(commit string) func(*approvals.Approval) {
	return func(a *approvals.Approval) { a.Commit = commit }
}

func at(after time.Duration) func(*approvals.Approval) {
	return func(a *approvals.Approval) { a.At = planTime.Add(after) }
}

func saying(text, editor string) func(*approvals.Approval) {
	return func(a *approvals.Approval) { a.Text, a.Editor = text, editor }
}

// environment is an approval of production in a run that was created that long after the plan.
func environment(user string, after time.Duration) approvals.Approval {
	return approvals.Approval{User: user, At: planTime.Add(after), Environment: "production"}
}

func TestWhichApprovalsCount(t *testing.T) {
	t.Parallel()
	dba := approvals.Requirement{Teams: []string{"acme/dba"}}
	all := func(a ...approvals.Approval) []approvals.Approval { return a }
	for name, c := range map[string]struct {
		required approvals.Requirement
		given    []approvals.Approval
		plans    []approvals.Plan // instead of the plan
		have     string           // who counts
		why      string           // if something is missing
	}{
		"a member":                               {dba, all(review("alice")), nil, "alice", ""},
		"nobody":                                 {dba, nil, nil, "", "nothing"},
		"a member of one of the teams":           {approvals.Requirement{Teams: []string{"acme/platform", "acme/dba"}}, all(review("BOB")), nil, "BOB", ""},
		"not a member":                           {dba, all(review("carol")), nil, "", "carol is not in acme/dba"},
		"a user":                                 {approvals.Requirement{Users: []string{"Carol"}, Teams: []string{"acme/dba"}}, all(review("carol")), nil, "carol", ""},
		"another user":                           {approvals.Requirement{Users: []string{"carol"}}, all(review("alice")), nil, "", "alice is not one of those who can approve this"},
		"the author":                             {dba, all(review("Author")), nil, "", "Author is the author"},
		"the author, who is named":               {approvals.Requirement{Users: []string{"author"}}, all(review("author")), nil, "", "author is the author"},
		"who started the run":                    {approvals.Requirement{Users: []string{"starter"}}, all(environment("Starter", time.Minute)), nil, "", "Starter started this run"},
		"an account that is gone":                {approvals.Requirement{}, all(review("")), nil, "", "an account that is gone approved"},
		"a writer":                               {approvals.Requirement{}, all(review("writer")), nil, "writer", ""},
		"a reader":                               {approvals.Requirement{}, all(review("reader")), nil, "", "reader may not write to the repository"},
		"a bot of a team":                        {approvals.Requirement{Teams: []string{"acme/bots"}}, all(review("renovate[bot]")), nil, "", "renovate[bot] is a bot, which counts only if `users` names it"},
		"a bot that may write":                   {approvals.Requirement{}, all(review("renovate[bot]")), nil, "", "renovate[bot] is a bot, which counts only if `users` names it"},
		"a bot that is named":                    {approvals.Requirement{Users: []string{"renovate[bot]"}}, all(review("renovate[bot]")), nil, "renovate[bot]", ""},
		"of another commit":                      {dba, all(review("alice", of(before))), nil, "", "alice approved commit 2b2b2b2, and 1a1a1a1 was planned"},
		"of a commit that is gone":               {dba, all(review("alice", of(""))), nil, "", "alice approved a commit that is gone"},
		"older than the plan":                    {dba, all(review("alice", at(-time.Minute))), nil, "", "alice approved at 2026-03-04 09:59:00 UTC, and the plan was made at 2026-03-04 10:00:00 UTC"},
		"in the same moment":                     {dba, all(review("alice", at(0))), nil, "", "alice approved at 2026-03-04 10:00:00 UTC, and the plan was made at 2026-03-04 10:00:00 UTC"},
		"older, which counts":                    {approvals.Requirement{Teams: dba.Teams, Older: true}, all(review("alice", at(-time.Hour))), nil, "alice", ""},
		"older, of another commit":               {approvals.Requirement{Teams: dba.Teams, Older: true}, all(review("alice", at(-time.Hour), of(before))), nil, "", "alice approved commit 2b2b2b2, and 1a1a1a1 was planned"},
		"one person twice":                       {approvals.Requirement{Teams: dba.Teams, Count: 2}, all(review("alice"), review("ALICE", at(time.Hour)), environment("alice", time.Minute)), nil, "alice", "nothing"},
		"two people":                             {approvals.Requirement{Teams: dba.Teams, Count: 2}, all(review("alice"), review("bob")), nil, "bob alice", ""},
		"two of whom one counts":                 {approvals.Requirement{Teams: dba.Teams, Count: 2}, all(review("alice"), review("carol")), nil, "alice", "carol is not in acme/dba"},
		"more than enough":                       {dba, all(review("alice"), review("bob")), nil, "bob", ""},
		"a code owner who may write":             {approvals.Requirement{Teams: dba.Teams, Write: true}, all(review("alice")), nil, "alice", ""},
		"a code owner who may not write":         {approvals.Requirement{Teams: dba.Teams, Write: true}, all(review("bob")), nil, "", "bob may not write to the repository"},
		"a named one who may not write":          {approvals.Requirement{Users: []string{"bob"}, Write: true}, all(review("bob")), nil, "", "bob may not write to the repository"},
		"the environment":                        {dba, all(environment("alice", time.Minute)), nil, "alice", ""},
		"the environment, by the author":         {dba, all(environment("author", time.Minute)), nil, "", "author is the author"},
		"the environment of an older run":        {dba, all(environment("alice", -time.Minute)), nil, "", "alice approved environment production in a run that was created before the plan was made (2026-03-04 10:00:00 UTC): start a new run"},
		"the environment of the planning run":    {dba, all(environment("alice", -time.Minute)), []approvals.Plan{{Commit: planned, At: planTime, InRun: true}}, "alice", ""},
		"a review in the planning run":           {dba, all(review("alice", at(-time.Minute))), []approvals.Plan{{Commit: planned, At: planTime, InRun: true}}, "", "alice approved at 2026-03-04 09:59:00 UTC, and the plan was made at 2026-03-04 10:00:00 UTC"},
		"an equal plan before":                   {dba, all(review("alice", at(-time.Minute), of(before))), []approvals.Plan{{Commit: planned, At: planTime}, {Commit: before, At: planTime.Add(-time.Hour)}}, "alice", ""},
		"older than the equal plan, too":         {dba, all(review("alice", at(-time.Minute), of(before))), []approvals.Plan{{Commit: planned, At: planTime}, {Commit: before, At: planTime.Add(-time.Second)}}, "", "alice approved at 2026-03-04 09:59:00 UTC, and the plan was made at 2026-03-04 10:00:00 UTC"},
		"newer than the equal plan of another":   {dba, all(review("alice", at(-time.Minute))), []approvals.Plan{{Commit: planned, At: planTime}, {Commit: before, At: planTime.Add(-time.Hour)}}, "", "alice approved at 2026-03-04 09:59:00 UTC, and the plan was made at 2026-03-04 10:00:00 UTC"},
		"no plan":                                {dba, all(review("alice")), []approvals.Plan{}, "", "it is unknown what alice approved"},
		"a plan without a time":                  {dba, all(review("alice")), []approvals.Plan{{Commit: planned}}, "", "alice approved at 2026-03-04 10:01:00 UTC, and the plan was made at 0001-01-01 00:00:00 UTC"},
		"a plan without a commit":                {dba, all(review("alice", of(""))), []approvals.Plan{{At: planTime}}, "", "alice approved a commit that is gone"},
		"neither a review nor an environment":    {dba, all(review("alice", func(a *approvals.Approval) { a.ReviewID = 0 })), nil, "", "it is unknown what alice approved"},
		"two approvals of which the second fits": {dba, all(review("alice", of(before)), environment("alice", time.Hour)), nil, "alice", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := approvals.Evidence{Author: "author", Starters: []string{"", "starter"}, Approvals: c.given, Plans: []approvals.Plan{{Commit: strings.ToUpper(planned), At: planTime}}}
			if c.plans != nil {
				e.Plans = c.plans
			}
			got, err := approvals.Check(t.Context(), []approvals.Requirement{c.required}, e, everybody())
			if err != nil {
				t.Fatal(err)
			}
			var have []string
			for _, a := range got.Given {
				have = append(have, a.User)
			}
			if strings.Join(have, " ") != c.have || len(got.Missing) > 0 != (c.why != "") {
				t.Fatalf("%q count, missing: %+v", have, got.Missing)
			}
			if c.why == "" {
				return
			}
			m := got.Missing[0]
			if d := diff(m.Why, c.why); m.Have != len(have) || d != "" {
				t.Errorf("has %d; %s", m.Have, d)
			}
		})
	}
}

// diff compares reasons. Case does not count, as in commits.
func diff(why []string, want string) string {
	if want == "nothing" {
		return cmp.Diff("", strings.Join(why, "; "))
	}
	return cmp.Diff(strings.ToLower(want), strings.ToLower(strings.Join(why, "; ")))
}

func TestEachRequirementCountsForItself(t *testing.T) {
	t.Parallel()
	required := []approvals.Requirement{{Teams: []string{"acme/dba"}}, {}, {Users: []string{"alice"}}, {Teams: []string{"acme/platform"}, Reason: "it is late"}}
	e := approvals.Evidence{Approvals: []approvals.Approval{review("alice"), review("reader")}, Plans: []approvals.Plan{{Commit: planned, At: planTime}}}
	got, err := approvals.Check(t.Context(), required, e, everybody())
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]approvals.Approval{review("alice")}, got.Given); d != "" {
		t.Error(d)
	}
	want := []approvals.Missing{{Requirement: required[3], Why: []string{"alice is not in acme/platform", "reader is not in acme/platform"}}}
	if d := cmp.Diff(want, got.Missing); d != "" {
		t.Error(d)
	}
	if got, err := approvals.Check(t.Context(), nil, e, everybody()); err != nil || len(got.Given)+len(got.Missing) > 0 {
		t.Errorf("without requirements: %+v, error %v", got, err)
	}
}

// What can't be asked never approves, and matters only if it could.
func TestAnErrorRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		required approvals.Requirement
		given    []approvals.Approval
		want     string // the error; empty: the requirement is met, or not
		missing  bool
		asked    string
	}{
		"a hidden team":                         {approvals.Requirement{Teams: []string{"acme/hidden"}}, []approvals.Approval{review("alice")}, "find out whether alice is in team acme/hidden: the token may not see acme/hidden", false, "acme/hidden"},
		"another team is enough":                {approvals.Requirement{Teams: []string{"acme/hidden", "acme/dba"}}, []approvals.Approval{review("alice")}, "", false, "acme/hidden acme/dba"},
		"a user is enough":                      {approvals.Requirement{Teams: []string{"acme/hidden"}, Users: []string{"alice"}}, []approvals.Approval{review("alice")}, "", false, ""},
		"the answer doesn't matter":             {approvals.Requirement{Teams: []string{"acme/hidden"}}, []approvals.Approval{review("alice", of(before))}, "", true, ""},
		"nobody approved":                       {approvals.Requirement{Teams: []string{"acme/hidden"}}, nil, "", true, ""},
		"unknown whether they may write":        {approvals.Requirement{}, []approvals.Approval{review("unknown")}, "find out whether unknown may write to the repository: GitHub is down", false, "unknown"},
		"somebody else is enough":               {approvals.Requirement{}, []approvals.Approval{review("unknown", at(time.Second)), review("writer")}, "", false, "unknown writer"},
		"a named one who must be able to write": {approvals.Requirement{Users: []string{"unknown"}, Write: true}, []approvals.Approval{review("unknown")}, "find out whether unknown may write to the repository: GitHub is down", false, "unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := everybody()
			e := approvals.Evidence{Approvals: c.given, Plans: []approvals.Plan{{Commit: planned, At: planTime}}}
			got, err := approvals.Check(t.Context(), []approvals.Requirement{c.required}, e, p)
			if c.want == "" && err != nil || c.want != "" && (err == nil || err.Error() != c.want || len(got.Given) > 0) {
				t.Errorf("%+v, error %v", got, err)
			}
			if len(got.Missing) > 0 != c.missing || strings.Join(p.asked, " ") != c.asked {
				t.Errorf("missing: %+v, asked: %q", got.Missing, p.asked)
			}
		})
	}
}

func TestTheLatestReviewOfEachPersonDecides(t *testing.T) {
	t.Parallel()
	// Each review is "login STATE"; the reviews are a minute apart.
	for name, c := range map[string]struct{ reviews, standing, withdrawn string }{
		"approved":                        {"alice APPROVED", "1", ""},
		"commented afterwards":            {"alice APPROVED, alice COMMENTED", "1", ""},
		"changes requested":               {"alice APPROVED, Alice CHANGES_REQUESTED", "", "Alice requested changes"},
		"changes requested by another":    {"alice APPROVED, bob CHANGES_REQUESTED", "1", "bob requested changes"},
		"approved again":                  {"alice CHANGES_REQUESTED, alice APPROVED", "2", ""},
		"approved twice":                  {"alice APPROVED, alice APPROVED", "1 2", ""},
		"dismissed":                       {"alice DISMISSED", "", "the review of alice was dismissed"},
		"the second one is dismissed":     {"alice APPROVED, alice DISMISSED", "", "the review of alice was dismissed"},
		"the first one is dismissed":      {"alice DISMISSED, alice APPROVED", "2", ""},
		"requested changes are dismissed": {"alice APPROVED, alice DISMISSED, alice COMMENTED", "", "the review of alice was dismissed"},
		"not submitted":                   {"alice APPROVED, alice PENDING", "1", ""},
		"a state that is unknown":         {"alice APPROVED, alice MAYBE", "", "the review of alice has the unknown state MAYBE"},
		"several people":                  {"alice APPROVED, bob APPROVED, alice CHANGES_REQUESTED, carol COMMENTED", "2", "alice requested changes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var reviews []approvals.Review
			for i, text := range strings.Split(c.reviews, ", ") {
				user, state, _ := strings.Cut(text, " ")
				reviews = append(reviews, approvals.Review{State: state, Approval: approvals.Approval{User: user, ReviewID: int64(i + 1), At: planTime.Add(time.Duration(i) * time.Minute)}})
			}
			slices.Reverse(reviews) // GitHub's order is not relied on
			standing, withdrawn := approvals.Standing(reviews)
			var ids, why []string
			for _, a := range standing {
				ids = append(ids, fmt.Sprint(a.ReviewID))
			}
			for _, w := range withdrawn {
				why = append(why, w.Why)
			}
			if strings.Join(ids, " ") != c.standing || strings.Join(why, "; ") != c.withdrawn {
				t.Errorf("standing: %q, withdrawn: %q", ids, why)
			}
		})
	}
}

func TestWhoCanOverride(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		teams string
		given approvals.Approval
		want  bool
		why   string
	}{
		"a member":                   {"acme/dba", review("alice", saying("Override: the outage is worse", "")), true, ""},
		"a member who edited":        {"acme/dba", review("alice", saying("OVERRIDE", "Alice")), true, ""},
		"without the word":           {"acme/dba", review("alice", saying("overridden, overrides", "")), false, ""},
		"another":                    {"acme/dba", review("carol", saying("override", "")), false, "carol is not in acme/dba"},
		"the author":                 {"acme/dba", review("author", saying("override", "")), false, "author is the author"},
		"of another commit":          {"acme/dba", review("alice", saying("override", ""), of(before)), false, "alice approved commit 2b2b2b2, and 1a1a1a1 was planned"},
		"too old":                    {"acme/dba", review("alice", saying("override", ""), at(-time.Hour)), false, "alice approved at 2026-03-04 09:00:00 UTC, and the plan was made at 2026-03-04 10:00:00 UTC"},
		"edited by another":          {"acme/dba", review("alice", saying("override", "mallory")), false, "mallory changed what alice wrote"},
		"an environment":             {"acme/dba", approvals.Approval{User: "alice", Environment: "production", At: planTime.Add(time.Minute), Text: "override"}, false, ""},
		"nobody may":                 {"", review("writer", saying("override", "")), false, ""},
		"the word of somebody else":  {"acme/dba", review("alice", saying("> please override\n\nNo: do it right.", "")), false, ""},
		"what GitHub doesn't show":   {"acme/dba", review("alice", saying("fine <!-- to let it through,\nwrite override --> with me", "")), false, ""},
		"a comment that doesn't end": {"acme/dba", review("alice", saying("fine <!-- override", "")), false, ""},
		"beside what is only quoted": {"acme/dba", review("alice", saying("> why?\n\nI override this.", "")), true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := approvals.Evidence{Author: "author", Approvals: []approvals.Approval{c.given}, Plans: []approvals.Plan{{Commit: planned, At: planTime}}}
			by, why, err := approvals.Override(t.Context(), strings.Fields(c.teams), e, everybody())
			if err != nil || (by != nil) != c.want || strings.Join(why, "; ") != c.why {
				t.Errorf("by %+v, why %q, error %v", by, why, err)
			}
			if by != nil && *by != c.given {
				t.Errorf("by %+v", by)
			}
		})
	}
	e := approvals.Evidence{Approvals: []approvals.Approval{review("alice", saying("override", ""))}, Plans: []approvals.Plan{{Commit: planned, At: planTime}}}
	if by, _, err := approvals.Override(t.Context(), []string{"acme/hidden"}, e, everybody()); by != nil || err == nil {
		t.Errorf("by %+v, error %v", by, err)
	}
}

func TestWhoIsAskedForAnApproval(t *testing.T) {
	t.Parallel()
	for want, r := range map[string]approvals.Requirement{
		"alice":                {Users: []string{"alice"}},
		"1 of acme/dba":        {Teams: []string{"acme/dba"}},
		"2 of acme/dba, alice": {Teams: []string{"acme/dba"}, Users: []string{"alice"}, Count: 2},
		"1 of alice, bob":      {Users: []string{"alice", "bob"}, Count: 1},
		"3 of those who may write to the repository": {Count: 3},
	} {
		if got := r.Who(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
