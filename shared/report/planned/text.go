package planned

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/report/markdown"
)

// Text is what a plan would change as plain text for a log, with Terraform's signs; nil if it
// changes nothing. After limit bytes it adds no further resource, and says how many there are.
func Text(c *changes.Plan, limit int) []byte {
	if !c.Counts.Any() && c.Outside()+c.Counts.Deferred+c.DeferredInvocations+len(c.Unknown)+c.Ignored.Differences() == 0 {
		return nil
	}
	t := text{limit: limit, dst: []byte(strings.ReplaceAll(Headline(c), "**", "") + "\n")}
	for _, g := range Groups {
		for i := range c.Resources {
			if r := &c.Resources[i]; r.Action == g.action {
				t.resource(g.verb, r)
			}
		}
	}
	for i := range c.Resources { // of an action that this version does not know
		r := &c.Resources[i]
		if !slices.ContainsFunc(Groups[:], func(g Group) bool { return g.action == r.Action }) {
			t.resource(string(r.Action), r)
		}
	}
	t.more(c.Omitted)
	for i := range c.Drift {
		t.resource("changed outside Terraform:", &c.Drift[i])
	}
	t.more(c.Outside() - len(c.Drift))
	for i := range c.Ignored.Resources {
		t.resource("ignored:", &c.Ignored.Resources[i])
	}
	t.more(c.Ignored.More)
	for i := range c.Deferred {
		t.resource("deferred:", &c.Deferred[i])
	}
	t.more(c.Counts.Deferred - len(c.Deferred))
	t.invocations("invoke", c.Invocations, c.Counts.Invoke)
	t.invocations("deferred: invoke", c.InvocationsDeferred, c.DeferredInvocations)
	if len(c.Unknown) > 0 {
		t.dst = fmt.Appendf(t.dst, "\n%s\n", whatIsUnknown)
		for _, name := range c.Unknown {
			t.dst = append(markdown.AppendVisible(append(t.dst, "    "...), name, markdown.Inline), '\n')
		}
	}
	if len(c.Outputs)+len(c.Ignored.Outputs) > 0 {
		t.dst = append(t.dst, "\noutputs\n"...)
	}
	for _, o := range c.Outputs {
		t.diff(appendChange(nil, o.Name, o.Old, o.New, ""))
	}
	for _, o := range c.Ignored.Outputs {
		t.diff(appendChange(nil, "ignored: "+o.Name, o.Old, o.New, ""))
	}
	return t.dst
}

type text struct {
	dst    []byte
	limit  int
	missed int // since the last call of more
}

func (t *text) resource(what string, r *changes.Resource) {
	if len(t.dst) >= t.limit {
		t.missed++
		return
	}
	t.dst = append(t.dst, '\n')
	t.dst = markdown.AppendVisible(t.dst, what+" "+label(r), markdown.Inline)
	if why := because(r); why != "" {
		t.dst = append(t.dst, ": "+why...)
	}
	t.dst = append(t.dst, '\n')
	if r.Action != changes.ReadData {
		t.diff(diffOf(r))
	}
}

func (t *text) invocations(what string, list []changes.Invocation, total int) {
	for i := range list {
		if len(t.dst) >= t.limit {
			list = list[:i]
			break
		}
		v := &list[i]
		t.dst = append(t.dst, '\n')
		t.dst = markdown.AppendVisible(t.dst, what+" "+markdown.Clip(v.Address, markdown.MaxName)+": "+when(v, plain), markdown.Inline)
		t.dst = append(t.dst, '\n')
		t.diff(diffOf(settings(v)))
	}
	if more := total - len(list); more > 0 {
		t.dst = fmt.Appendf(t.dst, "\nand %s, not shown here\n", markdown.Count(more, "more action"))
	}
}

// diff appends a diff, indented, with ~ for the ! that a report has for GitHub's colours.
func (t *text) diff(diff []byte) {
	for line := range bytes.Lines(diff) {
		t.dst = append(t.dst, "    "...)
		if line[0] == changed {
			t.dst, line = append(t.dst, '~'), line[1:]
		}
		t.dst = append(t.dst, line...)
	}
}

// more says how many resources are not shown: n without details, and those for which there was
// no room.
func (t *text) more(n int) {
	if n += t.missed; n > 0 {
		t.dst = fmt.Appendf(t.dst, "\nand %s, not shown here\n", markdown.Count(n, "more resource"))
	}
	t.missed = 0
}
