package plan

import (
	"context"
	"sync"

	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/planstore"
)

// Positions holds the lineage and serial of the state on which each of a run's plans was made. A
// plan can wait here for the positions of its dependencies, whose plans begin earlier.
type Positions struct {
	known map[inventory.Name]*position
}

type position struct {
	once sync.Once
	set  chan struct{} // closed after at is set
	at   *planstore.StatePosition
	// pending says that the plan has changes: outputs that other targets read may still change.
	pending bool
}

// NewPositions returns empty Positions for the targets that a run plans.
func NewPositions(names []inventory.Name) *Positions {
	p := &Positions{known: make(map[inventory.Name]*position, len(names))}
	for _, n := range names {
		p.known[n] = &position{set: make(chan struct{})}
	}
	return p
}

// tell sets a target's state position (nil: unknown), and whether its plan has changes. Only the
// first call for a target has an effect.
func (p *Positions) tell(n inventory.Name, at *planstore.StatePosition, pending bool) {
	known, ok := p.known[n]
	if !ok {
		return
	}
	known.once.Do(func() {
		known.at, known.pending = at, pending
		close(known.set)
	})
}

// never ends the wait for a target whose plan was not made.
func (p *Positions) never(n inventory.Name) { p.tell(n, nil, false) }

// pending returns those of the given targets that this run plans and whose plans have changes. It
// waits for their plans.
func (p *Positions) pending(ctx context.Context, names []inventory.Name) (pending []inventory.Name, err error) {
	if _, err := p.of(ctx, names); err != nil {
		return nil, err
	}
	for _, n := range names {
		if known, ok := p.known[n]; ok && known.pending {
			pending = append(pending, n)
		}
	}
	return pending, nil
}

// of returns the positions of those of the given targets that this run plans. It waits for them.
func (p *Positions) of(ctx context.Context, names []inventory.Name) ([]planstore.Dependency, error) {
	var all []planstore.Dependency
	for _, n := range names {
		known, ok := p.known[n]
		if !ok {
			continue
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-known.set:
		}
		if known.at != nil {
			all = append(all, planstore.Dependency{Component: n.Component, Stack: n.Stack, State: *known.at})
		}
	}
	return all, nil
}
