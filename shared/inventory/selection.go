package inventory

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// Selection says which targets are meant, by patterns of their names. No patterns match all.
type Selection struct {
	// Components and Stacks are patterns as in GitHub's path filters: `*` is any text
	// without a slash, `**` any text, `{a,b}` one of two. One that begins with ! excludes
	// what the ones before it match.
	// https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#filter-pattern-cheat-sheet
	Components, Stacks []string
}

// ParsePatterns reads an input with a pattern on each line. It skips empty lines and those
// that begin with #.
func ParsePatterns(input, text string) ([]string, error) {
	var patterns []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if !doublestar.ValidatePattern(strings.TrimPrefix(line, "!")) {
			return nil, problem.With(problem.Input, fmt.Errorf("input `%s` has %q, which is not a valid pattern: write a name or a glob on each line, such as service/*", input, line))
		}
		patterns = append(patterns, line)
	}
	return patterns, nil
}

// Empty reports whether all targets are meant.
func (s Selection) Empty() bool { return len(s.Components)+len(s.Stacks) == 0 }

// Matches reports whether a target is meant.
func (s Selection) Matches(n Name) bool {
	return matches(s.Components, n.Component) && matches(s.Stacks, n.Stack)
}

func matches(patterns []string, name string) bool {
	in := len(patterns) == 0 || strings.HasPrefix(patterns[0], "!")
	for _, p := range patterns {
		glob, out := strings.CutPrefix(p, "!")
		if ok, _ := doublestar.Match(glob, name); ok { // validated by ParsePatterns
			in = !out
		}
	}
	return in
}

// Check refuses a pattern that matches no target. It is a typing error, and the targets that
// are meant would be left out silently.
func (s Selection) Check(all []Name) error {
	for _, kind := range []struct {
		input    string
		patterns []string
		name     func(Name) string
	}{
		{"components", s.Components, func(n Name) string { return n.Component }},
		{"stacks", s.Stacks, func(n Name) string { return n.Stack }},
	} {
		for _, p := range kind.patterns {
			glob := strings.TrimPrefix(p, "!")
			fits := func(n Name) bool { ok, _ := doublestar.Match(glob, kind.name(n)); return ok }
			if slices.ContainsFunc(all, fits) {
				continue
			}
			names := make([]string, len(all))
			for i, n := range all {
				names[i] = kind.name(n)
			}
			slices.Sort(names)
			return problem.With(problem.Input, fmt.Errorf("input `%s`: %q matches none in this repository: %s", kind.input, p, problem.Suggest(glob, slices.Compact(names))))
		}
	}
	return nil
}
