package approvals

import (
	"cmp"
	"slices"
	"strings"
)

// Review is a review of a pull request, with its state in GitHub's words.
type Review struct {
	Approval
	State string // APPROVED, CHANGES_REQUESTED, DISMISSED, COMMENTED or PENDING
}

// Standing returns the reviews that approve, and those that don't or no longer do. The latest review
// of each person decides. A comment, and a review that isn't submitted, change nothing. If changes
// were requested or an approval was dismissed, what the person approved before counts no longer.
func Standing(reviews []Review) (standing []Approval, withdrawn []Withdrawn) {
	sorted := slices.Clone(reviews)
	slices.SortStableFunc(sorted, func(a, b Review) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ReviewID, b.ReviewID))
	})
	decided := map[string]Review{} // by login: the last that is no approval
	for _, r := range sorted {
		switch r.State {
		case "APPROVED":
			standing = append(standing, r.Approval)
			continue
		case "COMMENTED", "PENDING":
			continue
		}
		who := strings.ToLower(r.User)
		standing = slices.DeleteFunc(standing, func(a Approval) bool { return strings.EqualFold(a.User, r.User) })
		decided[who] = r
	}
	for _, r := range sorted {
		if last, ok := decided[strings.ToLower(r.User)]; !ok || last.ReviewID != r.ReviewID ||
			slices.ContainsFunc(standing, func(a Approval) bool { return strings.EqualFold(a.User, r.User) }) {
			continue
		}
		why := r.User + " requested changes"
		switch r.State {
		case "CHANGES_REQUESTED":
		case "DISMISSED":
			why = "the review of " + r.User + " was dismissed"
		default:
			why = "the review of " + r.User + " has the unknown state " + r.State
		}
		withdrawn = append(withdrawn, Withdrawn{r.Approval, why})
	}
	return standing, withdrawn
}
