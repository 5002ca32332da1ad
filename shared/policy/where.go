package policy

import (
	"fmt"
	"strings"
)

// Where is the file and line of the rule, such as policies/stateful.rego:12; empty if unknown.
func (r Rule) Where() string {
	if r.File == "" || r.Line == 0 {
		return r.File
	}
	return fmt.Sprintf("%s:%d", r.File, r.Line)
}

// Reason is why the policies deny a plan, in a line: the first message, and how many more there are.
func (v *Verdict) Reason() string { return v.Reasons(1) }

// Reasons is the same with the first most messages.
func (v *Verdict) Reasons(most int) string {
	if len(v.Denied) == 0 {
		return "they can't be evaluated"
	}
	var messages []string
	for _, m := range v.Denied[:min(len(v.Denied), most)] {
		text := m.Text
		if where := m.Where(); where != "" {
			text += " (" + where + ")"
		}
		messages = append(messages, text)
	}
	text := strings.Join(messages, "; ")
	if more := len(v.Denied) + v.MoreDenied - len(messages); more > 0 {
		text += fmt.Sprintf(", and %d more", more)
	}
	return text
}
