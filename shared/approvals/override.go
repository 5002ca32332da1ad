package approvals

import (
	"context"
	"regexp"
	"strings"
)

// Override returns the approving review that lets a denied plan through: of a member of one of the
// teams, under the same rules as each approval, whose text has the word "override". It is nil if
// there is none; why then says for each such text why it doesn't count. Without teams nobody can
// override.
func Override(ctx context.Context, teams []string, e Evidence, people People) (by *Approval, why []string, err error) {
	if len(teams) == 0 {
		return nil, nil, nil
	}
	asking := Evidence{Author: e.Author, Starters: e.Starters, Plans: e.Plans}
	var edited []string
	for _, a := range e.Approvals {
		switch {
		case a.ReviewID == 0 || !SaysOverride(a.Text):
		case a.Editor != "" && !strings.EqualFold(a.Editor, a.User):
			edited = append(edited, a.Editor+" changed what "+a.User+" wrote")
		default:
			asking.Approvals = append(asking.Approvals, a)
		}
	}
	given, why, err := asking.check(ctx, Requirement{Teams: teams}, people)
	if err != nil || len(given) == 0 {
		return nil, append(why, edited...), err
	}
	return &given[0], nil, nil
}

var (
	overrideWord = regexp.MustCompile(`(?i)\boverride\b`)
	// What the person didn't write, or others don't see.
	quoted = regexp.MustCompile(`(?s)<!--.*?(-->|$)|(?m:^[ \t]*>[^\n]*)`)
)

// SaysOverride reports whether a review's text has the word "override", outside of quotes of others
// and of what GitHub doesn't show.
func SaysOverride(text string) bool {
	return overrideWord.MatchString(quoted.ReplaceAllString(text, ""))
}
