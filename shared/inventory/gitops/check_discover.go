package gitops

import (
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// checkPaths refuses patterns of `discover`, and a `path`, by which no folder can be found.
func (c *Config) checkPaths() error {
	positive := false
	for _, p := range c.doc.Discover {
		glob, out := strings.CutPrefix(p.value, "!")
		positive = positive || !out
		switch {
		case placeholder.MatchString(glob):
			return c.fault(p.at, nil, "%s, %s, has a placeholder: write `*` for one folder, `**` for any number of folders", p.at.named(), problem.Quote(p.value))
		case !doublestar.ValidatePattern(glob) || strings.Trim(glob, "/") == "":
			return c.fault(p.at, nil, "%s, %s, is not a valid glob of folders: write `*` for one folder, `**` for any number of folders, and close brackets and braces", p.at.named(), problem.Quote(p.value))
		case slices.Contains(strings.Split(glob, "/"), ".."):
			return c.fault(p.at, nil, "%s, %s, leads out of the repository", p.at.named(), problem.Quote(p.value))
		}
	}
	if c.doc.Discover != nil && !positive {
		at := c.doc.Discover[0].at
		return c.fault(at, nil, "`discover` only excludes folders: begin with a pattern without `!`")
	}
	t := c.doc.Path
	segments := strings.Split(strings.Trim(t.value, "/"), "/")
	deep := slices.Index(segments, anyFolders)
	if c.doc.Discover == nil {
		if deep >= 0 {
			return c.fault(t.at, nil, "%s has `**`, which needs `discover`", t.at.named())
		}
		return nil
	}
	rest := strings.Join(slices.DeleteFunc(slices.Clone(segments), func(s string) bool { return s == anyFolders }), "/")
	switch {
	case !t.set:
		return nil
	case !strings.Contains(t.value, "{component}"):
		return c.fault(t.at, nil, "%s has no {component}, by which `discover` could name what it finds", t.at.named())
	case strings.Contains(rest, "*"), deep >= 0 && len(strings.Split(rest, "/")) < len(segments)-1, deep == len(segments)-1:
		return c.fault(t.at, nil, "%s, %s, may have `**` once, between slashes or at its beginning", t.at.named(), problem.Quote(t.value))
	}
	return nil
}
