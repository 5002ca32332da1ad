package target

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// affectedComponent is an entry of `atmos describe affected`.
// https://atmos.tools/cli/commands/describe/affected
type affectedComponent struct {
	Component  string              `json:"component"`
	Type       string              `json:"component_type"`
	Stack      string              `json:"stack"`
	Why        []string            `json:"affected_all"`
	Dependents []affectedComponent `json:"dependents"`
}

// Affected asks Atmos which of head's targets differ from those in a checkout of the
// base in the folder base, and lists them, sorted by name; with dependents also those
// that depend on one. What Atmos has at the base and no more at head is deleted. Any
// failure of Atmos is an *[AtmosError].
//
// Atmos compares the commits of both checkouts: what is not committed does not count.
// https://atmos.tools/cli/commands/describe/affected
func (a Atmos) Affected(ctx context.Context, base string, head Stacks, dependents bool) ([]Change, error) {
	before, found, err := a.in(base)
	if err != nil {
		return nil, err
	}
	targets := head.Targets()
	if !found {
		return AllNew(targets), nil
	}
	was, err := before.Stacks(ctx)
	if err != nil {
		return nil, fmt.Errorf("at the base: %w", err)
	}
	args := []string{"describe", "affected", "--repo-path", base, "--format", "json"}
	if dependents {
		args = append(args, "--include-dependents=true")
	}
	out, said, err := a.run(ctx, args...)
	if err != nil {
		return nil, &AtmosError{Line: "Atmos can't describe what is affected: " + oneLine(errorHeadings.ReplaceAllString(said, "")), Said: said, Err: err}
	}
	var affected []affectedComponent
	if err := json.Unmarshal(out, &affected); err != nil {
		return nil, problem.With(problem.Atmos, fmt.Errorf("read how Atmos describes what is affected: %w", err))
	}
	collected := affectedTargets{pending: make(map[Name]bool)}
	for _, t := range targets {
		collected.pending[t.Name()] = true
	}
	for _, c := range affected {
		why := c.Why
		if _, known := was.described[Name{c.Component, c.Stack}]; !known {
			why = []string{"new"}
		}
		collected.add(c, why)
	}
	// After all that are affected themselves, whose own reasons say more.
	for _, c := range affected {
		collected.addDependents(c)
	}
	changes := collected.changes
	for _, t := range was.Targets() {
		if _, still := head.described[t.Name()]; !still {
			changes = append(changes, Change{Name: t.Name(), Why: []string{"deleted"}, Deleted: true})
		}
	}
	sortChanges(changes)
	return changes, nil
}

// affectedTargets collects each target once.
type affectedTargets struct {
	pending map[Name]bool
	changes []Change
}

func (all *affectedTargets) add(c affectedComponent, why []string) {
	name := Name{c.Component, c.Stack}
	if c.Type == "terraform" && all.pending[name] {
		delete(all.pending, name)
		all.changes = append(all.changes, Change{Name: name, Why: why})
	}
}

func (all *affectedTargets) addDependents(c affectedComponent) {
	for _, d := range c.Dependents {
		all.add(d, []string{"depends on " + Name{c.Component, c.Stack}.String()})
		all.addDependents(d)
	}
}

// in is Atmos in another checkout of the same repository, with the configuration that
// is there; false when there is none.
func (a Atmos) in(root string) (Atmos, bool, error) {
	other := Atmos{Path: a.Path, Root: root}
	for _, entry := range a.Env {
		name, value, _ := strings.Cut(entry, "=")
		if name == "ATMOS_CLI_CONFIG_PATH" || name == "ATMOS_BASE_PATH" {
			if rel, err := filepath.Rel(a.Root, value); err == nil && filepath.IsLocal(rel) {
				entry = name + "=" + filepath.Join(root, rel)
			}
		}
		other.Env = append(other.Env, entry)
	}
	_, found, err := FindAtmos(root, "", other.Env)
	return other, found, err
}
