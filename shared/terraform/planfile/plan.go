package planfile

import (
	"archive/zip"
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/terraform/program"
)

// Mode says what kind of plan it is.
type Mode string

// The modes. ModeNormal makes what the configuration says.
const (
	ModeNormal      Mode = ""
	ModeDestroy     Mode = "destroy"      // plan -destroy
	ModeRefreshOnly Mode = "refresh-only" // plan -refresh-only
)

var modes = []Mode{ModeNormal, ModeDestroy, ModeRefreshOnly}

// Limits on what is kept of tfplan.
const (
	maxPlanNames      = 10_000   // targets, replacements and variables, each
	maxVariableBytes  = 64 << 20 // all variables together
	maxBackendBytes   = 1 << 20  // settings of the backend
	maxPlannedChanges = 10_000_000
)

// planned is what tfplan says about what the plan would do.
type planned struct {
	mode      Mode
	errored   bool
	targets   []string
	replace   []string
	counts    changes.Counts
	uncounted bool // it has a change whose kind is unknown, or differs between the two programs
	variables map[string]Value
	backend   []byte // the backend's settings; nil if there is no backend
	elsewhere bool   // the state is in a state_store
	applyable bool   // Terraform 1.8 or later says that there is something to apply
	complete  bool   // Terraform 1.8 or later says that the plan leaves nothing out
	more      bool   // it holds something that Unchanged does not return
}

// readPlan reads from tfplan, a protocol buffer, what the plan was made with and what it would
// do. Terraform and OpenTofu have the same fields, except those at the end:
//
//	message Plan {
//	  map<string, DynamicValue> variables = 2;
//	  repeated ResourceInstanceChange resource_changes = 3;
//	  repeated OutputChange output_changes = 4;
//	  repeated string target_addrs = 5;
//	  Backend backend = 13;
//	  string terraform_version = 14;
//	  repeated resource_attr relevant_attributes = 15;
//	  repeated string force_replace_addrs = 16;
//	  Mode ui_mode = 17;
//	  repeated ResourceInstanceChange resource_drift = 18;
//	  repeated CheckResults check_results = 19;
//	  bool errored = 20;
//	  string timestamp = 21;
//	  repeated DeferredResourceInstanceChange deferred_changes = 27;
//	}
//	Terraform: bool applyable = 25; bool complete = 26; repeated string apply_time_variables = 28;
//	           StateStore state_store = 29;
//	           repeated ActionInvocationInstance action_invocations = 30; repeated string action_target_addrs = 32;
//	           repeated DeferredActionInvocation deferred_action_invocations = 31;
//	OpenTofu:  repeated string ephemeral_variables = 22; // Terraform has another field 22
//
// https://github.com/hashicorp/terraform/blob/main/internal/plans/planproto/planfile.proto,
// https://github.com/opentofu/opentofu/blob/main/internal/plans/internal/planproto/planfile.proto
func (p *File) readPlan(entries map[string]*zip.File) error {
	entry := entries["tfplan"]
	if entry == nil {
		return errors.New("it is not a planfile: it holds no tfplan")
	}
	r, err := entry.Open()
	if err != nil {
		return fmt.Errorf("tfplan: %w", err)
	}
	defer func() { _ = r.Close() }()
	read := planReader{wire: wire{r: bufio.NewReaderSize(io.LimitReader(r, maxPlanBytes), 64<<10)}, p: p}
	p.planned.variables = map[string]Value{}
	if err := read.message(toEnd, read.plan); err != nil {
		return fmt.Errorf("tfplan: %w", err)
	}
	for _, list := range []*[]string{&p.planned.targets, &p.planned.replace} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	if p.planned.mode == ModeRefreshOnly {
		p.planned.counts.Drift += read.movedOnly
	}
	return nil
}

type planReader struct {
	wire
	p         *File
	seen      single
	changes   int
	held      int64 // bytes of variables so far
	movedOnly int   // resources in the drift that have only moved; they count in a refresh-only plan
}

func (r *planReader) plan(f field) (err error) {
	p := &r.p.planned
	switch f.number {
	case 1, 21:
	case 2:
		return r.bytesOnly(f, r.variable)
	case 3:
		return r.bytesOnly(f, func(f field) error { return r.change(f, r.count) })
	case 4:
		return r.bytesOnly(f, r.output)
	case 5, 32:
		return r.bytesOnly(f, func(f field) error { return r.name(f, &p.targets) })
	case 16:
		return r.bytesOnly(f, func(f field) error { return r.name(f, &p.replace) })
	case 19:
		return r.bytesOnly(f, r.check)
	case 13, 29:
		if err := r.seen.add(f, wireBytes); err != nil {
			return err
		}
		if r.p.Backend != "" || p.backend != nil {
			return errors.New("it is damaged: it has two backends")
		}
		p.elsewhere = f.number == 29
		return r.backend(f)
	case 14:
		if err := r.seen.add(f, wireBytes); err != nil {
			return err
		}
		r.p.TerraformVersion, err = r.string(f)
		return err
	case 17:
		if err := r.seen.add(f, wireVarint); err != nil {
			return err
		}
		if f.value >= uint64(len(modes)) {
			return fmt.Errorf("it has an unknown mode %d", f.value)
		}
		p.mode = modes[f.value]
	case 18:
		return r.bytesOnly(f, func(f field) error { return r.change(f, r.countDrift) })
	case 20:
		if err := r.seen.add(f, wireVarint); err != nil {
			return err
		}
		p.errored = f.value != 0
	case 22:
		r.p.field22, err = r.ephemeral(f, r.p.field22)
		return err
	case 25:
		p.applyable = f.kind != wireVarint || f.value != 0
	case 26:
		p.complete = f.kind == wireVarint && f.value != 0
	case 27:
		return r.bytesOnly(f, r.deferred)
	case 28:
		r.p.field28, err = r.ephemeral(f, r.p.field28)
		return err
	case 30:
		p.counts.Invoke++
	default: // also 15 and 31
		p.more = true
	}
	return nil
}

// bytesOnly reads one value of a repeated field, which must be encoded as bytes.
func (r *planReader) bytesOnly(f field, read func(field) error) error {
	var alone single
	if err := alone.add(f, wireBytes); err != nil {
		return err
	}
	return read(f)
}

func (r *planReader) name(f field, to *[]string) error {
	name, err := r.string(f)
	if err != nil {
		return err
	}
	return r.keep(name, to)
}

func (r *planReader) keep(name string, in *[]string) error {
	if len(*in) == maxPlanNames {
		return fmt.Errorf("it has more than %d targets or replacements", maxPlanNames)
	}
	*in = append(*in, name)
	return nil
}

// variable reads an entry of the map: string key = 1; DynamicValue value = 2.
func (r *planReader) variable(f field) error {
	var seen single
	var name string
	value := []byte{}
	err := r.message(f.end, func(f field) (err error) {
		switch f.number {
		case 1:
			if err = seen.add(f, wireBytes); err == nil {
				name, err = r.string(f)
			}
		case 2:
			if err = seen.add(f, wireBytes); err == nil {
				value, err = r.dynamic(f, maxVariableBytes-r.held)
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	variables := r.p.planned.variables
	if _, ok := variables[name]; ok {
		return fmt.Errorf("it is damaged: variable %.100q is there twice", name)
	}
	if len(variables) == maxPlanNames {
		return fmt.Errorf("it has more than %d variables", maxPlanNames)
	}
	variables[name] = value
	r.held += int64(len(value))
	return nil
}

// dynamic reads DynamicValue: bytes msgpack = 1.
func (r *planReader) dynamic(f field, limit int64) (value []byte, err error) {
	var seen single
	err = r.message(f.end, func(f field) (err error) {
		if f.number == 1 {
			if err = seen.add(f, wireBytes); err == nil {
				value, err = r.bytes(f, limit)
			}
		}
		return err
	})
	return value, err
}

// backend reads Backend: string type = 1; DynamicValue config = 2; string workspace = 3.
// StateStore begins with the same.
func (r *planReader) backend(f field) error {
	r.p.planned.backend = []byte{}
	var seen single
	return r.message(f.end, func(f field) (err error) {
		if f.number >= 1 && f.number <= 3 {
			if err := seen.add(f, wireBytes); err != nil {
				return err
			}
		}
		switch f.number {
		case 1:
			r.p.Backend, err = r.string(f)
		case 2:
			r.p.planned.backend, err = r.dynamic(f, maxBackendBytes)
		case 3:
			r.p.Workspace, err = r.string(f)
		}
		return err
	})
}

// The kinds of a Change. 9 and above may have different meanings in the two programs.
const (
	actionNoOp             = 0
	actionCreate           = 1
	actionRead             = 2
	actionUpdate           = 3
	actionDelete           = 5
	actionDeleteThenCreate = 6
	actionCreateThenDelete = 7
	actionForget           = 8
)

// resourceInstance is the part of a ResourceInstanceChange that is read.
type resourceInstance struct {
	address, previous string
	action            uint64
	reason            uint64
	imports           bool
}

func (c resourceInstance) moves() bool { return c.previous != "" && c.previous != c.address }

// reasonRequest is the reason for a replacement that -replace asks for. Newer versions of
// Terraform write it only here, and not into force_replace_addrs.
const reasonRequest = 2

// change reads a ResourceInstanceChange: Change change = 9; ResourceInstanceActionReason
// action_reason = 12; string addr = 13; string prev_run_addr = 14.
func (r *planReader) change(f field, count func(resourceInstance) error) error {
	if r.changes++; r.changes > maxPlannedChanges {
		return fmt.Errorf("it has more than %d changes", maxPlannedChanges)
	}
	var c resourceInstance
	var seen single
	err := r.message(f.end, func(f field) (err error) {
		kind := uint64(wireBytes)
		switch f.number {
		case 12:
			kind = wireVarint
		case 9, 13, 14:
		default:
			return nil
		}
		if err := seen.add(f, kind); err != nil {
			return err
		}
		switch f.number {
		case 12:
			c.reason = f.value
		case 9:
			c.action, c.imports, err = r.action(f)
		case 13:
			c.address, err = r.string(f)
		case 14:
			c.previous, err = r.string(f)
		}
		return err
	})
	if err != nil {
		return err
	}
	// If a data source is gone, Terraform removes it from the state without showing it.
	if c.action == actionDelete && isData(c.address) {
		return nil
	}
	return count(c)
}

// action reads a Change: Action action = 1; Importing importing = 5.
func (r *planReader) action(f field) (action uint64, imports bool, err error) {
	var seen single
	err = r.message(f.end, func(f field) error {
		switch f.number {
		case 1:
			action = f.value
			return seen.add(f, wireVarint)
		case 5:
			imports = true
			return seen.add(f, wireBytes)
		}
		return nil
	})
	return action, imports, err
}

// count counts a change as package changes counts it in the output of `show -json`.
func (r *planReader) count(c resourceInstance) error {
	n := &r.p.planned.counts
	if c.reason == reasonRequest {
		if err := r.keep(c.address, &r.p.planned.replace); err != nil {
			return err
		}
	}
	if c.imports {
		n.Import++
	}
	if c.moves() {
		n.Move++
	}
	switch c.action {
	case actionNoOp:
		n.NoOp++
	case actionCreate:
		n.Create++
	case actionRead:
		n.Read++
	case actionUpdate:
		n.Update++
	case actionDelete:
		n.Delete++
	case actionDeleteThenCreate, actionCreateThenDelete:
		n.Replace++
	case actionForget:
		n.Forget++
	default:
		r.p.planned.uncounted = true
	}
	return nil
}

func (r *planReader) countDrift(c resourceInstance) error {
	switch {
	case c.action != actionNoOp:
		r.p.planned.counts.Drift++
	case c.moves() || c.imports:
		r.movedOnly++
	}
	return nil
}

// deferred reads a DeferredResourceInstanceChange: ResourceInstanceChange change = 2.
func (r *planReader) deferred(f field) error {
	var seen single
	return r.message(f.end, func(f field) error {
		if f.number != 2 {
			return nil
		}
		if err := seen.add(f, wireBytes); err != nil {
			return err
		}
		return r.change(f, func(resourceInstance) error {
			r.p.planned.counts.Deferred++
			return nil
		})
	})
}

// output reads an OutputChange: string name = 1; Change change = 2. Outputs that do not
// change are in the plan, too.
func (r *planReader) output(f field) error {
	var seen single
	var action uint64
	err := r.message(f.end, func(f field) (err error) {
		if f.number != 2 {
			return nil
		}
		if err := seen.add(f, wireBytes); err != nil {
			return err
		}
		action, _, err = r.action(f)
		return err
	})
	if err == nil && action != actionNoOp {
		r.p.planned.counts.Outputs++
	}
	return err
}

// isData reports whether an address names a data source: data.TYPE.NAME, after any number
// of module.NAME, each of which may have a key in brackets.
func isData(address string) bool {
	for {
		rest, ok := strings.CutPrefix(address, "module.")
		if !ok {
			return strings.HasPrefix(address, "data.")
		}
		quoted := false
		end := -1
		for i := 0; i < len(rest) && end < 0; i++ {
			switch {
			case quoted && rest[i] == '\\':
				i++
			case rest[i] == '"':
				quoted = !quoted
			case rest[i] == '.' && !quoted:
				end = i
			}
		}
		if end < 0 {
			return false
		}
		address = rest[end+1:]
	}
}

// Mode says what kind of plan it is.
func (p *File) Mode() Mode { return p.planned.mode }

// Errored reports whether the planning failed: Terraform does not apply such a plan.
func (p *File) Errored() bool { return p.planned.errored }

// Targets lists the addresses that the plan was limited to (-target), sorted.
func (p *File) Targets() []string { return p.planned.targets }

// Replace lists the addresses that the plan was asked to replace (-replace), sorted.
func (p *File) Replace() []string { return p.planned.replace }

// Counts are the numbers that [changes.Read] finds in the output of `show -json` for the
// planfile. ok is false if the planfile alone does not tell them.
func (p *File) Counts() (_ changes.Counts, ok bool) {
	return p.planned.counts, !p.planned.uncounted
}

// ephemeral adds the name of a variable. Terraform uses field 22 for something else, so its
// values may be anything.
func (r *planReader) ephemeral(f field, to []string) ([]string, error) {
	if f.kind != wireBytes || len(to) == maxPlanNames {
		return to, nil
	}
	if f.end-r.at > maxWireName {
		return append(to, ""), nil
	}
	name, err := r.string(f)
	return append(to, name), err
}

// Ephemeral lists the ephemeral variables that had a value in the plan. Their values are not
// in the planfile, so an apply needs them again. madeBy is the name of the program that made
// the plan; see package program.
func (p *File) Ephemeral(madeBy string) []string {
	if madeBy == program.OpenTofu {
		return p.field22
	}
	return p.field28
}
