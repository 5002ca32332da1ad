package changes

import (
	"errors"
	"fmt"
)

// maxNameBytes is the limit for names and addresses. A longer one is an error, since a part of
// an address names something else.
const maxNameBytes = 16 << 10

// maxTypes is the limit for entries of [Plan.ByType]. The AWS provider has fewer than 2,000
// resource types.
const maxTypes = 10_000

var (
	errLongName     = fmt.Errorf("is longer than %d KiB", maxNameBytes>>10)
	errTooManyTypes = fmt.Errorf("there are more than %d resource types", maxTypes)
)

// The members of a resource change that are read, and those of its change:
// https://developer.hashicorp.com/terraform/internals/json-format#change-representation
const (
	fieldAddress = iota
	fieldPreviousAddress
	fieldModuleAddress
	fieldMode
	fieldType
	fieldDeposed
	fieldActionReason
	fieldChange
	resourceFieldCount
)

const (
	fieldActions = iota
	fieldBefore
	fieldAfter
	fieldAfterUnknown
	fieldBeforeSensitive
	fieldAfterSensitive
	fieldReplacePaths
	fieldImporting
	changeFieldCount
)

var (
	resourceFields = []string{"address", "previous_address", "module_address", "mode", "type", "deposed", "action_reason", "change"}
	changeFields   = []string{"actions", "before", "after", "after_unknown", "before_sensitive", "after_sensitive", "replace_paths", "importing"}
)

// resourceChange is where the parts of a resource change are in the tree.
type resourceChange struct {
	actions
	resource [resourceFieldCount]int32
	change   [changeFieldCount]int32
	imports  bool
	moves    bool
}

// readChange finds the parts of the resource change that is node i.
func (t *tree) readChange(i int32) (resourceChange, error) {
	var c resourceChange
	if err := t.lookup(i, resourceFields, c.resource[:]); err != nil {
		return c, err
	}
	for field := fieldAddress; field < fieldChange; field++ {
		if err := t.checkName(c.resource[field]); err != nil {
			return c, fmt.Errorf("its %s %w", resourceFields[field], err)
		}
	}
	if address := c.resource[fieldAddress]; t.isNothing(address) || len(t.text(address)) == len(`""`) {
		return c, errors.New("it has no address")
	}
	if err := t.lookup(c.resource[fieldChange], changeFields, c.change[:]); err != nil {
		return c, fmt.Errorf("its change: %w", err)
	}
	var err error
	if c.actions, err = readActions(t, c.change[fieldActions]); err != nil {
		return c, err
	}
	switch t.kind(c.change[fieldImporting]) {
	case 0, 'n':
	case '{':
		c.imports = true
	default:
		return c, errors.New("its importing is not an object")
	}
	if previous := t.label(c.resource[fieldPreviousAddress]); previous != "" {
		c.moves = previous != t.label(c.resource[fieldAddress])
	}
	return c, nil
}

// shown is the action for people. A no-op that imports or moves the resource is shown as an
// import or a move.
func (c *resourceChange) shown() Action {
	switch {
	case c.action == NoOp && c.imports:
		return Import
	case c.action == NoOp && c.moves:
		return Move
	default:
		return c.action
	}
}

// checkName checks that node i is short enough to be kept whole, if it is there.
func (t *tree) checkName(i int32) error {
	switch {
	case t.isNothing(i):
		return nil
	case t.kind(i) != '"':
		return errors.New("is not a string")
	case len(t.text(i)) > maxNameBytes: // with escapes, which make it longer
		return errLongName
	}
	return nil
}

// label is the string i; empty if it is absent or null.
func (t *tree) label(i int32) string {
	if t.kind(i) != '"' {
		return ""
	}
	return string(t.str(i))
}

// resourceChange reads one element of resource_changes.
func (rd *reader) resourceChange() error {
	t := &rd.tree
	c, err := t.readChange(0)
	if err != nil {
		return err
	}
	action := c.shown()
	var ignored *ignoredPart
	if action != NoOp {
		ignored = rd.ignorer.resource(t, &c, false)
	}
	if err := rd.count(t, &c, !ignored.isWhole()); err != nil {
		return err
	}
	rd.elsewhere.collect(t, &c.change)
	if action == NoOp {
		return nil
	}
	if action != ReadData {
		rd.digest.resource(t, &c)
	}
	if ignored.isWhole() {
		return nil
	}
	rd.changed++
	if action != ReadData && rd.visible != nil {
		rd.visible.resource(&rd.visible.changes, t, &c, ignored)
	}
	keepResource(rd.resources, t, &c, t.label(c.resource[fieldActionReason]), view{ignored: ignored})
	return nil
}

// driftedResource reads one element of resource_drift. In a refresh-only plan, a no-op is a
// resource that has moved.
func (rd *reader) driftedResource() error {
	c, err := rd.tree.readChange(0)
	if err == nil {
		rd.elsewhere.collect(&rd.tree, &c.change)
	}
	if err != nil || c.shown() == NoOp {
		return err
	}
	rd.plan.Counts.Drift++
	ignored := rd.ignorer.resource(&rd.tree, &c, true)
	if ignored.isWhole() {
		return nil
	}
	found := rd.differences(&c, ignored)
	if found == nil {
		rd.plan.DriftLeftOut++
		return nil
	}
	rd.outside.add(rd.tree.label(c.resource[fieldAddress]), found)
	if rd.visible != nil {
		rd.visible.resource(&rd.visible.drift, &rd.tree, &c, ignored)
	}
	keepResource(rd.drift, &rd.tree, &c, rd.tree.label(c.resource[fieldActionReason]), view{drifted: true, ignored: ignored})
	return nil
}

// deferredChange reads one element of deferred_changes.
func (rd *reader) deferredChange() error {
	t := &rd.tree
	var parts [2]int32
	if err := t.lookup(0, []string{"resource_change", "reason"}, parts[:]); err != nil {
		return err
	}
	if err := t.checkName(parts[1]); err != nil {
		return fmt.Errorf("its reason %w", err)
	}
	c, err := t.readChange(parts[0])
	if err != nil {
		return err
	}
	rd.plan.Counts.Deferred++
	keepResource(rd.deferred, t, &c, t.label(parts[1]), view{})
	return nil
}

// count counts a resource change; also by its type, if it is shown.
func (rd *reader) count(t *tree, c *resourceChange, shown bool) error {
	n := &rd.plan.Counts
	kind := t.label(c.resource[fieldType])
	if c.imports {
		n.Import++
	}
	if c.moves {
		n.Move++
	}
	switch c.action {
	case Create:
		n.Create++
	case Update:
		n.Update++
	case Delete:
		n.Delete++
	case Forget:
		n.Forget++
	case ReadData:
		n.Read++
	case NoOp:
		n.NoOp++
	case Replace:
		if !c.forgets {
			n.Replace++
			break
		}
		// Terraform and OpenTofu count it as one to add, and none to destroy.
		n.Create++
		n.Forget++
		if err := rd.countType(Create, kind); err != nil {
			return err
		}
		return rd.countType(Forget, kind)
	}
	if !shown {
		return nil
	}
	return rd.countType(c.shown(), kind)
}

func (rd *reader) countType(action Action, kind string) error {
	if action == NoOp {
		return nil
	}
	counts := rd.byType[action.rank()]
	if n, ok := counts[kind]; ok {
		*n++
		return nil
	}
	if rd.types++; rd.types > maxTypes {
		return errTooManyTypes
	}
	n := 1
	counts[kind] = &n
	return nil
}
