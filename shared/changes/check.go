package changes

import (
	"errors"
	"fmt"
)

// Limits on what is kept of one check.
const (
	maxMessages    = 10
	maxMessageText = 2 << 10 // bytes
	checkOverhead  = 96      // bytes besides the texts, roughly
)

var (
	checkFields    = []string{"address", "status", "instances"}
	instanceFields = []string{"address", "status", "problems"}
)

// check reads one element of checks: the checks of one object in the
// configuration, with an instance for each of its instances in the plan.
// https://developer.hashicorp.com/terraform/internals/json-format#checks-representation
func (rd *reader) check() error {
	t := &rd.tree
	var parts [3]int32
	if err := t.lookup(0, checkFields, parts[:]); err != nil {
		return err
	}
	status, err := t.checkStatus(parts[1])
	if err != nil || status == "pass" {
		return err
	}
	told := false
	for i := range t.children(parts[2]) {
		var instance [3]int32
		if err := t.lookup(i, instanceFields, instance[:]); err != nil {
			return fmt.Errorf("an instance: %w", err)
		}
		status, err := t.checkStatus(instance[1])
		if err != nil {
			return fmt.Errorf("an instance: %w", err)
		}
		if status == "pass" {
			continue
		}
		if err := rd.keepCheck(instance[0], status, instance[2]); err != nil {
			return fmt.Errorf("an instance: %w", err)
		}
		told = true
	}
	if told {
		return nil
	}
	return rd.keepCheck(parts[0], status, absent)
}

// checkStatus is the string i, or "unknown" if there is none.
func (t *tree) checkStatus(i int32) (string, error) {
	if err := t.checkName(i); err != nil {
		return "", fmt.Errorf("its status %w", err)
	}
	if status := t.label(i); status != "" {
		return status, nil
	}
	return "unknown", nil
}

// keepCheck keeps a check that did not pass. Failed ones come before those whose result is not
// known yet.
func (rd *reader) keepCheck(address int32, status string, problems int32) error {
	t := &rd.tree
	rd.checkCount++
	rank := 0
	if status == "unknown" {
		rank = 1
	}
	if !rd.checks.wants(rank) {
		return nil
	}
	var display [1]int32
	if err := t.lookup(address, []string{"to_display"}, display[:]); err != nil {
		return fmt.Errorf("its address: %w", err)
	}
	if err := t.checkName(display[0]); err != nil {
		return fmt.Errorf("its address %w", err)
	}
	c := Check{Address: t.label(display[0]), Status: status}
	if c.Address == "" {
		return errors.New("it has no address")
	}
	size := checkOverhead + len(c.Address) + len(c.Status)
	for p := range t.children(problems) {
		var message [1]int32
		if err := t.lookup(p, []string{"message"}, message[:]); err != nil {
			return fmt.Errorf("a problem: %w", err)
		}
		if len(c.Messages) == maxMessages {
			break
		}
		if text := cutText(t.label(message[0]), maxMessageText); text != "" {
			c.Messages = append(c.Messages, text)
			size += len(text)
		}
	}
	rd.checks.add(rank, size, c)
	return nil
}
