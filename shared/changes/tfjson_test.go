package changes

import (
	"strings"

	tfjson "github.com/hashicorp/terraform-json"
)

// countDecoded counts what a plan decoded by terraform-json would do, by the
// meaning of its fields, as a second opinion on [Read].
func countDecoded(p *tfjson.Plan) Counts {
	var n Counts
	for _, r := range p.ResourceChanges {
		if r == nil || r.Change == nil {
			continue
		}
		if r.Change.Importing != nil {
			n.Import++
		}
		if r.PreviousAddress != "" && r.PreviousAddress != r.Address {
			n.Move++
		}
		switch actionWords(r.Change.Actions) {
		case "create":
			n.Create++
		case "update":
			n.Update++
		case "delete":
			n.Delete++
		case "delete create", "create delete":
			n.Replace++
		case "create forget", "forget create":
			n.Create++
			n.Forget++
		case "forget":
			n.Forget++
		case "read":
			n.Read++
		case "no-op", "open":
			n.NoOp++
		}
	}
	for _, r := range p.ResourceDrift {
		if r == nil || r.Change == nil {
			continue
		}
		moved := r.PreviousAddress != "" && r.PreviousAddress != r.Address
		if !r.Change.Actions.NoOp() && actionWords(r.Change.Actions) != "open" || moved || r.Change.Importing != nil {
			n.Drift++
		}
	}
	n.Deferred, n.Invoke = len(p.DeferredChanges), len(p.ActionInvocations)
	for _, o := range p.OutputChanges {
		if o != nil && !o.Actions.NoOp() && actionWords(o.Actions) != "open" {
			n.Outputs++
		}
	}
	return n
}

func actionWords(actions tfjson.Actions) string {
	words := make([]string, len(actions))
	for i, a := range actions {
		words[i] = string(a)
	}
	return strings.Join(words, " ")
}
