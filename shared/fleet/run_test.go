package fleet

import (
	"context"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-gitops/gitops/shared/inventory"
)

func name(s string) inventory.Name {
	component, stack, _ := strings.Cut(s, "@")
	return inventory.Name{Component: component, Stack: stack}
}

func named(list ...string) (all []inventory.Name) {
	for _, s := range list {
		all = append(all, name(s))
	}
	return all
}

func TestRunKeepsTheOrderAndSaysWhatFailedBefore(t *testing.T) {
	nodes := []inventory.Node{
		{Name: name("network@dev")}, {Name: name("broken@dev")},
		{Name: name("cluster@dev"), After: named("network@dev")},
		{Name: name("app@dev"), After: named("broken@dev", "cluster@dev")},
		{Name: name("after-app@dev"), After: named("app@dev")},
	}
	synctest.Test(t, func(t *testing.T) { // a millisecond ends when all that can begin has begun
		var mu sync.Mutex
		var ended []inventory.Name
		told := map[inventory.Name][]inventory.Name{}
		running, most := 0, 0
		Run(t.Context(), nodes, 2, nil, func(_ context.Context, n inventory.Node, failed []inventory.Name, _ <-chan os.Signal) bool {
			mu.Lock()
			running++
			most = max(most, running)
			for _, before := range n.After {
				if !slices.Contains(ended, before) {
					t.Errorf("%s began before %s had ended", n, before)
				}
			}
			told[n.Name] = failed
			mu.Unlock()
			time.Sleep(time.Millisecond)
			mu.Lock()
			defer mu.Unlock()
			running--
			ended = append(ended, n.Name)
			return n.Component != "broken" && len(failed) == 0
		})
		if len(ended) != len(nodes) || most != 2 {
			t.Errorf("%d of %d ran, %d at most at once", len(ended), len(nodes), most)
		}
		if !slices.Equal(told[name("app@dev")], named("broken@dev")) || !slices.Equal(told[name("after-app@dev")], named("app@dev")) || len(told[name("cluster@dev")]) > 0 {
			t.Errorf("told of failures: %v", told)
		}
	})
}

// A plan may wait for its dependencies without being a node after them.
func TestRunBeginsInOrder(t *testing.T) {
	var nodes []inventory.Node
	for i := range 200 {
		nodes = append(nodes, inventory.Node{Name: inventory.Name{Component: "c", Stack: string(rune('a' + i))}})
	}
	begun := make([]chan struct{}, len(nodes))
	for i := range begun {
		begun[i] = make(chan struct{})
	}
	var next atomic.Int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		Run(t.Context(), nodes, 3, nil, func(_ context.Context, n inventory.Node, _ []inventory.Name, _ <-chan os.Signal) bool {
			i := slices.IndexFunc(nodes, func(o inventory.Node) bool { return o.Name == n.Name })
			close(begun[i])
			next.Add(1)
			if i > 0 {
				<-begun[i-1]
			}
			return true
		})
	}()
	select {
	case <-done:
	case <-time.After(5 * time.Minute):
		t.Fatalf("stuck after %d", next.Load())
	}
}

func TestSignalsReachAll(t *testing.T) {
	from := make(chan os.Signal)
	s, stop := spread(from)
	defer stop()
	a, stopA := s.listen()
	b, stopB := s.listen()
	defer stopB()
	from <- syscall.SIGTERM
	for _, got := range []<-chan os.Signal{a, b} {
		select {
		case signal := <-got:
			if signal != syscall.SIGTERM {
				t.Errorf("got %v", signal)
			}
		case <-time.After(5 * time.Minute):
			t.Fatal("a listener heard nothing")
		}
	}
	stopA()
	from <- syscall.SIGTERM
	<-b
	if len(a) > 0 {
		t.Error("one that has stopped listening hears more")
	}
}
