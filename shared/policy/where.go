package policy

import "fmt"

// Where is the file and line of the rule, such as policies/stateful.rego:12; empty if unknown.
func (r Rule) Where() string {
	if r.File == "" || r.Line == 0 {
		return r.File
	}
	return fmt.Sprintf("%s:%d", r.File, r.Line)
}
