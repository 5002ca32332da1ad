package policy

import "fmt"

// Where is the file and line of the rule, such as policies/stateful.rego:12; empty if unknown.
func (r Rule) Where() string {
	if r.File == "" || r.Line == 0 {
		return r.File
	}
	return fmt.Sprintf("%s:%d", r.File, r.Line)
}

// Reason is why the policies deny a plan, in a line: the first message, and how many more there are.
func (v *Verdict) Reason() string {
	if len(v.Denied) == 0 {
		return "they can't be evaluated"
	}
	text := v.Denied[0].Text
	if where := v.Denied[0].Where(); where != "" {
		text += " (" + where + ")"
	}
	if more := len(v.Denied) + v.MoreDenied - 1; more > 0 {
		text += fmt.Sprintf(", and %d more", more)
	}
	return text
}
