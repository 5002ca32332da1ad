package drift

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strings"
)

// An issue's body begins with a line that names the target, and has one section that
// is ours, between two more lines. None of the three is seen on the page. What is
// outside of the section belongs to people. A name is escaped so that it can't end
// the comment, break the line, or be another one's; and no text of a plan can hold
// such a line, since < is escaped in all of it.
const (
	namePrefix = "<!-- gitops-drift "
	begin      = "<!-- gitops-drift-begin -->"
	end        = "<!-- gitops-drift-end -->"
)

// Marker is the line that names a target.
func Marker(component, stack string) string {
	return namePrefix + url.QueryEscape(component) + " " + url.QueryEscape(stack) + " -->"
}

// Named is the target that an issue's body names; false for none. It only says where
// to look: anyone may write such a line.
func Named(body string) (component, stack string, ok bool) {
	line, _, _ := strings.Cut(canonical(body), "\n")
	names, ok := strings.CutPrefix(line, namePrefix)
	if !ok {
		return "", "", false
	}
	names, ok = strings.CutSuffix(names, " -->")
	first, second, two := strings.Cut(names, " ")
	component, err := url.QueryUnescape(first)
	if err != nil || !ok || !two || component == "" {
		return "", "", false
	}
	stack, err = url.QueryUnescape(second)
	if err != nil || stack == "" || Marker(component, stack) != line {
		return "", "", false
	}
	return component, stack, true
}

// newBody is the body of a new issue.
func newBody(component, stack, section string) string {
	return Marker(component, stack) + "\n" + begin + "\n" + section + "\n" + end + "\n"
}

// withSection is a body with our section replaced, and all else as people have it.
// Where they removed its limits it is added at the end, and the name at the beginning.
func withSection(body, component, stack, section string) string {
	body = canonical(body)
	if c, s, ok := Named(body); !ok || c != component || s != stack {
		body = Marker(component, stack) + "\n" + body
	}
	ours := begin + "\n" + section + "\n" + end
	before, rest, found := strings.Cut(body, begin)
	if _, after, ended := strings.Cut(rest, end); found && ended {
		return before + ours + after
	}
	return strings.TrimRight(body, "\n") + "\n\n" + ours + "\n"
}

// sectionOf is our section in a body; empty when it is not there whole.
func sectionOf(body string) string {
	_, rest, _ := strings.Cut(canonical(body), begin+"\n")
	section, _, found := strings.Cut(rest, "\n"+end)
	if !found {
		return ""
	}
	return section
}

// fingerprint is what is kept of a section, to see whether it is still there.
func fingerprint(section string) string {
	sum := sha256.Sum256([]byte(canonical(section)))
	return hex.EncodeToString(sum[:])
}

// canonical removes what an edit on GitHub's page changes without changing the text.
func canonical(body string) string {
	return strings.TrimRight(strings.ReplaceAll(body, "\r\n", "\n"), " \t\n")
}
