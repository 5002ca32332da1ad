package drift

import (
	"fmt"
	"strings"

	"github.com/terraform-gitops/gitops/shared/changes/ignore"
	"github.com/terraform-gitops/gitops/shared/report/markdown"
	"github.com/terraform-gitops/gitops/shared/report/planned"
)

// Ignored is what the rules of drift.ignore did in a run.
type Ignored struct {
	// Uses has each rule once, in the order in which targets have them: what it ignored in all
	// targets, and the most that it can match in any.
	Uses []ignore.Use
	// Targets is how many targets have ignored differences.
	Targets int
	// Partial says that the run did not plan all targets in Git. Then a rule that matches nothing
	// may match something in the others.
	Partial bool
}

// ignoredIn adds up what the results of a run say. A target that could not be planned makes the
// presence of its rules unknown, unless another target has what they match.
func ignoredIn(f Found) Ignored {
	var all Ignored
	place := map[string]int{}
	for _, name := range f.names(nil) {
		ignores := false
		for _, u := range f.Results[name].Ignored {
			ignores = ignores || u.Differences > 0
			i, is := place[u.Rule]
			if !is {
				place[u.Rule] = len(all.Uses)
				all.Uses = append(all.Uses, u)
				continue
			}
			sum := &all.Uses[i]
			sum.Differences += u.Differences
			known := sum.Presence != ignore.NotKnown && u.Presence != ignore.NotKnown
			if sum.Presence = sum.Presence.Most(u.Presence); !known && sum.Presence != ignore.Present {
				sum.Presence = ignore.NotKnown
			}
		}
		if ignores {
			all.Targets++
		}
	}
	for name := range f.InGit {
		if _, is := f.Results[name]; !is {
			all.Partial = true
		}
	}
	return all
}

// Differences is how many differences are ignored.
func (i Ignored) Differences() (n int) {
	for _, u := range i.Uses {
		n += u.Differences
	}
	return n
}

// maxUnmatched is how many rules that match nothing are named.
const maxUnmatched = 20

// markdown says what was ignored, and which rules match nothing; empty if there is nothing to say.
func (i Ignored) markdown() string {
	var b strings.Builder
	if n := i.Differences(); n > 0 {
		fmt.Fprintf(&b, "%s of %s ignored (`drift.ignore`): %s.\n\n", markdown.Count(n, "difference"), markdown.Count(i.Targets, "target"), planned.IgnoredBy(i.Uses))
	}
	if i.Partial {
		return b.String()
	}
	var lines []string
	more := 0
	for _, u := range i.Uses {
		why := ""
		switch u.Presence {
		case ignore.NoResource:
			why = "no resource or output has such an address"
		case ignore.NoAttribute:
			why = "the resources have no such attribute"
		default:
			continue
		}
		if len(lines) == maxUnmatched {
			more++
			continue
		}
		lines = append(lines, "- "+markdown.Code(markdown.Clip(u.Rule, markdown.MaxName))+": "+why+"\n")
	}
	if more > 0 {
		lines = append(lines, fmt.Sprintf("- %d more\n", more))
	}
	if len(lines) > 0 {
		b.WriteString("**These patterns of `drift.ignore` match nothing in any target.** Correct or remove them:\n\n" + strings.Join(lines, "") + "\n")
	}
	return b.String()
}
