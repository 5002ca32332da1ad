// Package envlist reads and changes environments in the form of os.Environ and os/exec: a list of
// NAME=value, in which the last entry for a name counts.
package envlist

import (
	"slices"
	"strings"
)

// Value returns the value of a variable. It is empty if the variable is not set.
func Value(environ []string, name string) string {
	value, _ := Lookup(environ, name)
	return value
}

// Lookup returns the value of a variable, and whether it is set.
func Lookup(environ []string, name string) (value string, set bool) {
	for _, entry := range slices.Backward(environ) {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value, true
		}
	}
	return "", false
}

// Without returns a copy of an environment in which a variable is not set.
func Without(environ []string, name string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(entry string) bool { return strings.HasPrefix(entry, name+"=") })
}
