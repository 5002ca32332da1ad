package planstore

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxScope limits Record.Targets and Record.Replace together, in bytes.
const maxScope = 32 << 10

// checkScope refuses a mode or addresses that would not be read again as they are.
func checkScope(mode string, targets, replace []string) error {
	if mode != "" && mode != "destroy" && mode != "refresh-only" {
		return fmt.Errorf("unknown mode of a plan %.80q", mode)
	}
	bytes := 0
	for _, list := range [][]string{targets, replace} {
		for i, address := range list {
			if address == "" || strings.Contains(address, "\n") || !utf8.ValidString(address) {
				return fmt.Errorf("%.80q can't be the address of a resource", address)
			}
			if i > 0 && list[i-1] >= address {
				return errors.New("the addresses that a plan is limited to, or replaces, must be sorted, each named once")
			}
			bytes += len(address) + 1
		}
	}
	if bytes > maxScope {
		return fmt.Errorf("the addresses that the plan is limited to, or replaces, take %d bytes, and at most %d can be stored", bytes, maxScope)
	}
	return nil
}

// Scope says in which ways a plan does not cover all that the configuration says, a sentence
// each; none if it covers all.
func (r Record) Scope() (lines []string) {
	switch r.Mode {
	case "destroy":
		lines = append(lines, "DESTROY: it destroys everything in the state.")
	case "refresh-only":
		lines = append(lines, "-refresh-only: it only updates the state with what changed outside Terraform.")
	}
	if len(r.Targets) > 0 {
		lines = append(lines, "-target limits it to "+strings.Join(r.Targets, ", ")+".")
	}
	if len(r.Replace) > 0 {
		lines = append(lines, "-replace makes it replace "+strings.Join(r.Replace, ", ")+".")
	}
	return lines
}

// joinLines joins addresses or names to one text, since an item that is sealed has no lists.
func joinLines(list []string) string { return strings.Join(list, "\n") }

func splitLines(text string) []string {
	if text == "" {
		return nil
	}
	return slices.Clip(strings.Split(text, "\n"))
}
