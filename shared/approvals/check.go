package approvals

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Check says which requirements are met, and by whom. It asks people only about approvals of the
// right plan, and no more than it has to. An error of people is returned only if the requirement
// isn't met without the answer: then nothing is approved.
func Check(ctx context.Context, required []Requirement, e Evidence, people People) (Result, error) {
	var result Result
	for _, r := range required {
		given, why, err := e.check(ctx, r, people)
		if err != nil {
			return Result{}, err
		}
		for _, a := range given {
			if !slices.Contains(result.Given, a) {
				result.Given = append(result.Given, a)
			}
		}
		if len(given) < r.count() {
			result.Missing = append(result.Missing, Missing{Requirement: r, Have: len(given), Why: why})
		}
	}
	return result, nil
}

// check returns the approvals that count for a requirement, of one person each, and why the others
// don't.
func (e Evidence) check(ctx context.Context, r Requirement, people People) (given []Approval, why []string, err error) {
	counted := map[string]bool{}
	no := map[string][]string{} // by login: why that person's approvals don't count
	var order []string
	for _, a := range sorted(e.Approvals) {
		who := strings.ToLower(a.User)
		if len(given) == r.count() || counted[who] {
			continue
		}
		reason := e.unfit(a, r)
		if reason == "" {
			var asked error
			if reason, asked = r.names(ctx, a, people); asked != nil && err == nil {
				err = asked
			}
		}
		if reason == "" {
			counted[who] = true
			given = append(given, a)
			continue
		}
		if no[who] == nil {
			order = append(order, who)
		}
		if !slices.Contains(no[who], reason) {
			no[who] = append(no[who], reason)
		}
	}
	if len(given) == r.count() {
		return given, nil, nil
	}
	for _, who := range order {
		if !counted[who] {
			why = append(why, no[who]...)
		}
	}
	for _, w := range e.Withdrawn {
		why = append(why, w.Why)
	}
	return given, why, err
}

// unfit says why an approval doesn't count, whoever has to give it. It is empty if it may count.
func (e Evidence) unfit(a Approval, r Requirement) string {
	switch {
	case a.User == "":
		return "an account that is gone approved"
	case strings.EqualFold(a.User, e.Author):
		return a.User + " is the author"
	case slices.ContainsFunc(e.Starters, func(s string) bool { return strings.EqualFold(s, a.User) }):
		return a.User + " started this run"
	case a.Environment == "" && a.ReviewID == 0, len(e.Plans) == 0:
		return "it is unknown what " + a.User + " approved"
	}
	seen := false // the commit
	for _, p := range e.Plans {
		if a.Environment == "" && (a.Commit == "" || !strings.EqualFold(a.Commit, p.Commit)) {
			continue
		}
		seen = true
		if r.Older || a.Environment != "" && p.InRun || !p.At.IsZero() && a.At.After(p.At) {
			return ""
		}
	}
	planned := e.Plans[0]
	switch {
	case a.Environment != "":
		return fmt.Sprintf("%s approved environment %s in a run that was created before the plan was made (%s): start a new run", a.User, a.Environment, clock(planned.At))
	case seen:
		return fmt.Sprintf("%s approved at %s, and the plan was made at %s", a.User, clock(a.At), clock(planned.At))
	case a.Commit == "":
		return a.User + " approved a commit that is gone"
	}
	return fmt.Sprintf("%s approved commit %s, and %s was planned", a.User, short(a.Commit), short(planned.Commit))
}

// names says why the person is none of those who count. It is empty if the person is one.
func (r Requirement) names(ctx context.Context, a Approval, people People) (reason string, err error) {
	has := func(logins []string) bool {
		return slices.ContainsFunc(logins, func(login string) bool { return strings.EqualFold(login, a.User) })
	}
	named := has(r.Users)
	switch {
	case a.Bot && !named:
		return a.User + " is a bot, which counts only if `users` names it", nil
	case !named && len(r.Teams) > 0:
		for _, team := range r.Teams {
			members, asked := people.Members(ctx, team)
			if asked != nil && err == nil {
				err = fmt.Errorf("find out whether %s is in team %s: %w", a.User, team, asked)
			}
			named = named || asked == nil && has(members)
		}
		if !named {
			return fmt.Sprintf("%s is not in %s", a.User, strings.Join(r.Teams, " or ")), err
		}
	case !named && len(r.Users) > 0:
		return a.User + " is not one of those who can approve this", nil
	}
	if !r.Write && len(r.Teams)+len(r.Users) > 0 {
		return "", nil
	}
	can, err := people.CanWrite(ctx, a.User)
	if err != nil {
		return "it is unknown whether " + a.User + " may write to the repository", fmt.Errorf("find out whether %s may write to the repository: %w", a.User, err)
	}
	if !can {
		return a.User + " may not write to the repository", nil
	}
	return "", nil
}

func (r Requirement) count() int { return max(r.Count, 1) }

// Who says who can give the approvals, such as "2 of acme/dba, alice".
func (r Requirement) Who() string {
	who := strings.Join(append(slices.Clone(r.Teams), r.Users...), ", ")
	if who == "" {
		who = "those who may write to the repository"
	}
	if r.count() == 1 && len(r.Teams) == 0 && len(r.Users) == 1 {
		return who
	}
	return fmt.Sprintf("%d of %s", r.count(), who)
}

// sorted returns the approvals, the oldest first.
func sorted(all []Approval) []Approval {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b Approval) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ReviewID, b.ReviewID))
	})
	return all
}

func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

func short(commit string) string { return commit[:min(len(commit), 7)] }
