package terraform

import (
	"bytes"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// message is one line of Terraform's machine-readable log, as far as this package
// reads it. terraform-json's UnmarshalLogMessage knows neither the messages of an
// apply nor OpenTofu's version message.
// https://developer.hashicorp.com/terraform/internals/machine-readable-ui
type message struct {
	Module    string `json:"@module"` // "terraform.ui" or "tofu.ui"
	Text      string `json:"@message"`
	Type      string `json:"type"`
	Terraform string `json:"terraform"` // version messages: the number
	OpenTofu  string `json:"tofu"`      // the same, from OpenTofu

	// What only some types of message have is read when it is needed: newer
	// versions give old names new forms.
	Diagnostic jsontext.Value `json:"diagnostic"` // diagnosticMessage
	Hook       jsontext.Value `json:"hook"`       // hookMessage, in apply_ types
	Change     jsontext.Value `json:"change"`     // hookMessage, in planned_change: what an apply is going to do
	Outputs    jsontext.Value `json:"outputs"`    // outputMessage by name
	// State is the whole state, which Terraform prints when it could neither
	// persist it nor write it into errored.tfstate.
	State jsontext.Value `json:"state"`
}

type hookMessage struct {
	Resource struct {
		Address string `json:"addr"`
	} `json:"resource"`
	Action  string  `json:"action"`
	Elapsed float64 `json:"elapsed_seconds"`
}

type outputMessage struct {
	Sensitive bool           `json:"sensitive"`
	Type      jsontext.Value `json:"type"` // nil in a plan's messages
	Value     jsontext.Value `json:"value"`
}

// parseMessage reads a line of the machine-readable log. It reports false for every other
// line: from a crash, from TF_LOG (which may be JSON, too) or from a wrapper script.
func parseMessage(line []byte) (*message, bool) {
	if len(line) == 0 || line[0] != '{' || !bytes.Contains(line, []byte(`"@module"`)) {
		return nil, false
	}
	var m message
	if err := json.Unmarshal(line, &m); err != nil {
		return nil, false
	}
	return &m, m.Module == "terraform.ui" || m.Module == "tofu.ui"
}

// isMessage reports whether a line belongs to the machine-readable log. A line that was cut
// is judged by its beginning.
func isMessage(line []byte, omitted int) bool {
	if omitted > 0 {
		return bytes.HasPrefix(line, []byte(`{"@level"`)) // both programs' first key
	}
	_, ok := parseMessage(line)
	return ok
}

// decode reads a part of a message into v, and reports whether it has the expected form.
func decode(part jsontext.Value, v any) bool {
	return len(part) > 0 && json.Unmarshal(part, v) == nil
}
