package changes

import (
	"errors"
	"fmt"
)

// Invocation is an action that the apply invokes, or that is put off to a later plan:
// https://developer.hashicorp.com/terraform/language/invoke-actions
type Invocation struct {
	Address string
	Type    string
	// Trigger is the resource whose change invokes it; empty if `-invoke` does. Event says
	// when, such as "AfterCreate".
	Trigger, Event string
	// Reason is why it is put off to a later plan.
	Reason string
	// Settings are its configuration's values. They have no Old.
	Settings        []Attribute
	SettingsOmitted int
}

// invocationOverhead is the memory of an Invocation besides its texts, in bytes, roughly.
const invocationOverhead = 200

const (
	fieldInvocationAddress = iota
	fieldInvocationType
	fieldConfigValues
	fieldConfigSensitive
	fieldConfigUnknown
	fieldLifecycleTrigger
	fieldInvokeTrigger
	invocationFieldCount
)

var invocationFields = []string{
	"address", "type", "config_values", "config_sensitive", "config_unknown", "lifecycle_action_trigger", "invoke_action_trigger",
}

// invoked reads one element of action_invocations.
func (rd *reader) invoked() error {
	rd.digest.invocation(&rd.tree)
	if rd.visible != nil {
		rd.visible.invocation(&rd.tree)
	}
	rd.plan.Counts.Invoke++
	return rd.invocation(rd.invocations, 0, "")
}

// deferredInvocation reads one element of deferred_action_invocations.
func (rd *reader) deferredInvocation() error {
	var parts [2]int32
	if err := rd.tree.lookup(0, []string{"action_invocation", "reason"}, parts[:]); err != nil {
		return err
	}
	if err := rd.tree.checkName(parts[1]); err != nil {
		return fmt.Errorf("its reason %w", err)
	}
	rd.plan.DeferredInvocations++
	return rd.invocation(rd.invocationsDeferred, parts[0], rd.tree.label(parts[1]))
}

// invocation adds the details of the invocation that is node i to k, if it wants them.
func (rd *reader) invocation(k *keeper[Invocation], i int32, reason string) error {
	t := &rd.tree
	var fields [invocationFieldCount]int32
	if err := t.lookup(i, invocationFields, fields[:]); err != nil {
		return err
	}
	for _, field := range []int{fieldInvocationAddress, fieldInvocationType} {
		if err := t.checkName(fields[field]); err != nil {
			return fmt.Errorf("its %s %w", invocationFields[field], err)
		}
	}
	v := Invocation{Address: t.label(fields[fieldInvocationAddress]), Type: t.label(fields[fieldInvocationType]), Reason: reason}
	if v.Address == "" {
		return errors.New("it has no address")
	}
	for _, trigger := range []struct {
		node    int32
		members []string
		to      []*string
	}{
		{fields[fieldLifecycleTrigger], []string{"triggering_resource_address", "action_trigger_event"}, []*string{&v.Trigger, &v.Event}},
		{fields[fieldInvokeTrigger], []string{"calling_resource_address"}, []*string{&v.Trigger}},
	} {
		if t.isNothing(trigger.node) {
			continue
		}
		found := make([]int32, len(trigger.members))
		if err := t.lookup(trigger.node, trigger.members, found); err != nil {
			return fmt.Errorf("its trigger: %w", err)
		}
		for k, node := range found {
			if err := t.checkName(node); err != nil {
				return fmt.Errorf("its %s %w", trigger.members[k], err)
			}
			*trigger.to[k] = t.label(node)
		}
	}

	rd.elsewhere.collect(t, &[changeFieldCount]int32{
		fieldActions: absent, fieldBefore: absent, fieldAfter: fields[fieldConfigValues], fieldAfterUnknown: absent,
		fieldBeforeSensitive: absent, fieldAfterSensitive: fields[fieldConfigSensitive], fieldReplacePaths: absent, fieldImporting: absent,
	})
	if !k.wants(0) {
		return nil
	}
	d := differ{limit: min(maxResourceBytes, k.limit/4)}
	d.tree = t
	marks := t.addMarks(nil, fields[fieldConfigSensitive])
	d.secrets.collect(t, fields[fieldConfigValues], marks)
	d.walk(absent, fields[fieldConfigValues], fields[fieldConfigUnknown], marks, false)
	v.Settings, v.SettingsOmitted = d.attributes, d.omitted
	k.add(0, invocationOverhead+len(v.Address)+len(v.Type)+len(v.Trigger)+len(v.Event)+len(v.Reason)+d.used, v)
	return nil
}
