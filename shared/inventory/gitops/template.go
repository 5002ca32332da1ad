package gitops

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// placeholder finds {component}, {stack}, and what looks like an attempt at
// them: other names, ${…}, {{ … }}. Any other brace is text, so that JSON can
// be the value of a variable.
var placeholder = regexp.MustCompile(`\{\{\s*([A-Za-z][A-Za-z0-9_.-]*)\s*\}\}|\$?\{\s*([A-Za-z][A-Za-z0-9_.-]*)\s*\}`)

// checkTemplate refuses what expand would leave as it is, or expand by
// accident.
func checkTemplate(template string) error {
	for _, found := range placeholder.FindAllStringSubmatch(template, -1) {
		switch whole, name := found[0], found[1]+found[2]; {
		case name != "component" && name != "stack":
			return fmt.Errorf("unknown placeholder %s: choose from `{component}`, `{stack}`", problem.Quote(whole))
		case whole != "{"+name+"}":
			return fmt.Errorf("write the placeholder %s as %s", problem.Quote(whole), problem.Quote("{"+name+"}"))
		}
	}
	return nil
}

// expand fills in a target's names. A name is put in as it is: a placeholder
// in it is not expanded.
func expand(template, component, stack string) string {
	if !strings.Contains(template, "{") {
		return template
	}
	return strings.NewReplacer("{component}", component, "{stack}", stack).Replace(template)
}

// expandPath is expand for a path. A name with folders in it may choose a
// folder below, but never one above.
func expandPath(template, component, stack string) (string, error) {
	for _, part := range []struct{ placeholder, name string }{{"{component}", component}, {"{stack}", stack}} {
		if !strings.Contains(template, part.placeholder) {
			continue
		}
		for segment := range strings.SplitSeq(part.name, "/") {
			if segment == "" || segment == "." || segment == ".." || strings.Contains(segment, `\`) {
				return "", fmt.Errorf("the name %s can't be part of a path: write the path without %s", problem.Quote(part.name), problem.Quote(part.placeholder))
			}
		}
	}
	return expand(template, component, stack), nil
}
