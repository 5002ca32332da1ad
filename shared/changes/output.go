package changes

import (
	"errors"
	"fmt"
)

// outputOverhead is the memory of an Output besides its texts, in bytes, roughly.
const outputOverhead = 160

// outputChanges reads output_changes, which is in the tree, by name.
func (rd *reader) outputChanges() error {
	t := &rd.tree
	if t.kind(0) != '{' {
		return errors.New("it is not an object")
	}
	from := t.members(0)
	for k := from; k < len(t.stack); k++ {
		i := t.stack[k]
		name := string(t.name(i))
		if err := rd.outputChange(name, i); err != nil {
			return fmt.Errorf("output %s: %w", cutText(name, 200), err)
		}
	}
	return nil
}

// outputChange reads the change of one output, node i, which is sensitive as a whole or
// not at all.
func (rd *reader) outputChange(name string, i int32) error {
	t := &rd.tree
	var change [changeFieldCount]int32
	if err := t.lookup(i, changeFields, change[:]); err != nil {
		return err
	}
	actions, err := readActions(t, change[fieldActions])
	if err != nil {
		return err
	}
	if len(name) > maxNameBytes {
		return fmt.Errorf("its name %w", errLongName)
	}
	rd.elsewhere.collect(t, &change)
	if actions.action == NoOp {
		return nil
	}
	rd.plan.Counts.Outputs++
	rd.digest.output(t, name, change[:])
	outputs := rd.outputs
	if rd.ignorer.output(t, name, actions.action, &change) {
		outputs = rd.ignorer.outputs
	} else if rd.visible != nil {
		rd.visible.output(t, name, actions.action, &change)
	}
	if !outputs.wants(0) {
		return nil
	}
	r := renderer{tree: t}
	marks := t.addMarks(t.addMarks(nil, change[fieldBeforeSensitive]), change[fieldAfterSensitive])
	r.secrets.collect(t, change[fieldBefore], marks)
	r.secrets.collect(t, change[fieldAfter], marks)
	o := Output{
		Name:   name,
		Action: actions.action,
		Old:    r.outputValue(change[fieldBefore], absent, marks),
		New:    r.outputValue(change[fieldAfter], change[fieldAfterUnknown], marks),
	}
	outputs.add(0, outputOverhead+len(name)+len(o.Old.Text)+len(o.New.Text), o)
	return nil
}

// outputValue is one side of an output's change. Null means that there is no output.
func (r *renderer) outputValue(i, unknown int32, m *mask) Value {
	if r.isNothing(i) {
		i = absent
	}
	return r.value(i, unknown, m)
}
