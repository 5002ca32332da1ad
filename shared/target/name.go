package target

import (
	"cmp"
	"strings"
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
