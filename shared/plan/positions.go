package plan

import (
	"context"
	"sync"

	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/planstore"
)

// Positions are where the states were that a run's plans were made on, by target. A plan
// waits here until its dependencies, which begin before it, have theirs.
type Positions struct {
	known map[inventory.Name]*position
}

type position struct {
	once sync.Once
	set  chan struct{} // closed when at is there
	at   *planstore.StatePosition
	// pending says that an apply would change something: what others read is still to come.
	pending bool
}

// NewPositions are for the targets that a run plans.
func NewPositions(names []inventory.Name) *Positions {
	p := &Positions{known: make(map[inventory.Name]*position, len(names))}
	for _, n := range names {
		p.known[n] = &position{set: make(chan struct{})}
	}
	return p
}

// tell says where a target's state is, nil when that is unknown, and whether an apply would
// change something. Only the first time counts.
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

// never says that nothing more is going to be known.
func (p *Positions) never(n inventory.Name) { p.tell(n, nil, false) }

// pending are those of the targets that are planned in this run and that an apply would
// change. It waits for their plans.
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

// of waits for the positions of those targets that are planned in this run.
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
