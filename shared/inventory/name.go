package inventory

import (
	"cmp"
	"strings"
	"unicode"
)

// Name names a target.
type Name struct {
	Component string
	Stack     string
}

// String is the name for people: "network in acme-ue2-dev".
func (n Name) String() string { return n.Component + " in " + n.Stack }

// Compare orders names by component, then by stack.
func (n Name) Compare(other Name) int {
	return cmp.Or(strings.Compare(n.Component, other.Component), strings.Compare(n.Stack, other.Stack))
}

// MaxName is the longest name of a component or stack, in bytes. Both become
// parts of object keys (1,024 bytes in S3), session names and summaries.
const MaxName = 200

// IsPrintable refuses control characters, and with them those that a reader
// can't see or that change the direction of text.
func IsPrintable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar })
}
