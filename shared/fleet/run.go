// Package fleet runs many targets concurrently and in the order of their dependencies. It turns
// their outcomes into the run's outputs, annotations, summary and exit status. A run for one target
// is a fleet of one.
package fleet

import (
	"container/heap"
	"context"
	"os"
	"sync"

	"github.com/terraform-gitops/gitops/shared/inventory"
)

// Run calls do for all nodes, at most parallelism at once. A node begins when all nodes that it
// waits for have ended; of those that can begin, the first in the list does. do reports whether
// its node ended well. failed names the nodes before it that did not end well: do is called
// anyway, to report that.
//
// do is also called for all remaining nodes after ctx has ended: each must report that it did not
// begin. Calls that are under way must end by themselves.
//
// Each call of do gets a channel of its own that receives every signal of signals.
func Run(ctx context.Context, nodes []inventory.Node, parallelism int, signals <-chan os.Signal, do func(ctx context.Context, n inventory.Node, failed []inventory.Name, signals <-chan os.Signal) (well bool)) {
	all, stop := spread(signals)
	defer stop()
	position := make(map[inventory.Name]int, len(nodes))
	for i, n := range nodes {
		position[n.Name] = i
	}
	waits := make([]int, len(nodes)) // number of nodes that each one waits for
	next := make([][]int, len(nodes))
	for i, n := range nodes {
		for _, before := range n.After {
			if b, ok := position[before]; ok {
				waits[i]++
				next[b] = append(next[b], i)
			}
		}
	}
	failed := make([][]inventory.Name, len(nodes))
	type end struct {
		node int
		well bool
	}
	ends := make(chan end)
	ready := readyNodes{}
	for i := range nodes {
		if waits[i] == 0 {
			ready = append(ready, i) // ascending, so it is a heap
		}
	}
	for running := 0; running > 0 || len(ready) > 0; {
		for len(ready) > 0 && running < max(1, parallelism) {
			i := heap.Pop(&ready).(int)
			running++
			go func() {
				own, stop := all.listen()
				defer stop()
				ends <- end{i, do(ctx, nodes[i], failed[i], own)}
			}()
		}
		e := <-ends
		running--
		for _, i := range next[e.node] {
			if !e.well {
				failed[i] = append(failed[i], nodes[e.node].Name)
			}
			if waits[i]--; waits[i] == 0 {
				heap.Push(&ready, i)
			}
		}
	}
}

// readyNodes is a heap of the nodes that can begin, ordered by their position in the list.
type readyNodes []int

func (r readyNodes) Len() int           { return len(r) }
func (r readyNodes) Less(i, j int) bool { return r[i] < r[j] }
func (r readyNodes) Swap(i, j int)      { r[i], r[j] = r[j], r[i] }
func (r *readyNodes) Push(x any)        { *r = append(*r, x.(int)) }
func (r *readyNodes) Pop() any {
	old := *r
	last := old[len(old)-1]
	*r = old[:len(old)-1]
	return last
}

// broadcast sends each signal that one channel receives to all listeners.
type broadcast struct {
	mu        sync.Mutex
	listeners map[chan os.Signal]bool
}

// spread forwards the signals of from until stop is called. It doesn't stop when a context ends:
// these signals come after the one that ended the context.
func spread(from <-chan os.Signal) (_ *broadcast, stop func()) {
	s := &broadcast{listeners: map[chan os.Signal]bool{}}
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-done:
				return
			case got := <-from:
				s.mu.Lock()
				for to := range s.listeners {
					select {
					case to <- got:
					default: // it has not read the signals before
					}
				}
				s.mu.Unlock()
			}
		}
	}()
	return s, sync.OnceFunc(func() { close(done) })
}

// listen returns a channel that receives each signal from now on, until stop is called.
func (s *broadcast) listen() (_ <-chan os.Signal, stop func()) {
	to := make(chan os.Signal, 2)
	s.mu.Lock()
	s.listeners[to] = true
	s.mu.Unlock()
	return to, func() {
		s.mu.Lock()
		delete(s.listeners, to)
		s.mu.Unlock()
	}
}
