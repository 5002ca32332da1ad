package main

import (
	"context"
	"sync"

	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/planstore"
)

// positions are those of the states that a run's plans were made on, by target. A plan
// waits here for those of its dependencies, which begin before it.
type positions struct {
	known map[inventory.Name]*position
}

type position struct {
	once sync.Once
	set  chan struct{} // closed when at is there
	at   *planstore.StatePosition
	// pending says that an apply would change something: what others read is still to come.
	pending bool
}

func newPositions(names []inventory.Name) *positions {
	p := &positions{known: make(map[inventory.Name]*position, len(names))}
	for _, n := range names {
		p.known[n] = &position{set: make(chan struct{})}
	}
	return p
}

// tell says where a target's state is, nil when that is unknown, and whether an apply would
// change something. Only the first time counts.
func (p *positions) tell(n inventory.Name, at *planstore.StatePosition, pending bool) {
	if p == nil {
		return
	}
	known := p.known[n]
	known.once.Do(func() {
		known.at, known.pending = at, pending
		close(known.set)
	})
}

// never says that nothing more is going to be known.
func (p *positions) never(n inventory.Name) { p.tell(n, nil, false) }

// pending are those of the targets that are planned in this run and that an apply would
// change. It waits for their plans.
func (p *positions) pending(ctx context.Context, names []inventory.Name) (pending []inventory.Name, err error) {
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
func (p *positions) of(ctx context.Context, names []inventory.Name) ([]planstore.Dependency, error) {
	if p == nil {
		return nil, nil
	}
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
