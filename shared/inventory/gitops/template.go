package gitops

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// placeholder matches {component}, {stack}, and what somebody may write instead: another
// name, ${…}, {{ … }}. Other braces are text, so that a variable's value can be JSON.
var placeholder = regexp.MustCompile(`\{\{\s*([A-Za-z][A-Za-z0-9_.-]*)\s*\}\}|\$?\{\s*([A-Za-z][A-Za-z0-9_.-]*)\s*\}`)

// checkTemplate refuses a placeholder that expand does not know, or that is written in
// another way.
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

// expand replaces placeholders by a target's names. Placeholders inside a name stay as they
// are.
func expand(template, component, stack string) string {
	if !strings.Contains(template, "{") {
		return template
	}
	return strings.NewReplacer("{component}", component, "{stack}", stack).Replace(template)
}

// expandPath is expand for a path. A name with slashes leads to a folder below, and never to
// one above.
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
