package drift

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strings"
)

// The first line of an issue's body names the target. Two more lines enclose our section.
// GitHub shows none of the three. Everything outside of the section belongs to people. A name
// is escaped, so that it can't end the comment, break the line, or look like another name. No
// text of a plan can contain such a line, since every < in it is escaped.
const (
	namePrefix = "<!-- gitops-drift "
	begin      = "<!-- gitops-drift-begin -->"
	end        = "<!-- gitops-drift-end -->"
)

// Marker is the line that names a target.
func Marker(component, stack string) string {
	return namePrefix + url.QueryEscape(component) + " " + url.QueryEscape(stack) + " -->"
}

// Named returns the target that an issue's body names; false if none. Anyone may write such a
// line, so it only says where to look.
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

// withSection replaces our section in a body, and keeps everything else. If people removed the
// section's limits, it is added at the end; if they removed the name, it is added at the
// beginning.
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

// sectionOf returns our section of a body; empty if it is not complete.
func sectionOf(body string) string {
	_, rest, _ := strings.Cut(canonical(body), begin+"\n")
	section, _, found := strings.Cut(rest, "\n"+end)
	if !found {
		return ""
	}
	return section
}

// digestOf is the hex SHA-256 of a section. It tells whether people edited it.
func digestOf(section string) string {
	sum := sha256.Sum256([]byte(canonical(section)))
	return hex.EncodeToString(sum[:])
}

// canonical undoes the changes that an edit on GitHub's page makes without changing the text.
func canonical(body string) string {
	return strings.TrimRight(strings.ReplaceAll(body, "\r\n", "\n"), " \t\n")
}

// SectionDigest is the digest of our section of an issue's body. While it is the same as in the
// target's link, nobody has edited the section since a detection wrote it.
func SectionDigest(body string) string { return digestOf(sectionOf(body)) }
