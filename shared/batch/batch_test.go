package batch

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/terraform-gitops/gitops/shared/target"
)

func name(s string) target.Name {
	component, stack, _ := strings.Cut(s, "@")
	return target.Name{Component: component, Stack: stack}
}

func names(list ...string) (all []target.Name) {
	for _, s := range list {
		all = append(all, name(s))
	}
	return all
}

func TestSelection(t *testing.T) {
	all := names("network@dev", "network@prod", "service/api@dev", "service/web@dev", "service/web@prod")
	for _, tt := range []struct {
		components, stacks string
		want               []target.Name
	}{
		{"", "", all},
		{"network", "", names("network@dev", "network@prod")},
		{"service/*", "dev", names("service/api@dev", "service/web@dev")},
		{"*", "", names("network@dev", "network@prod")},
		{"**", "", all},
		{"**\n!service/web", "", names("network@dev", "network@prod", "service/api@dev")},
		{"!service/web", "prod", names("network@prod")},
		{"# all of the network\n\n  network  \nservice/{api,none}", "", names("network@dev", "network@prod", "service/api@dev")},
	} {
		var s Selection
		var err error
		if s.Components, err = ParsePatterns("components", tt.components); err != nil {
			t.Fatal(err)
		}
		if s.Stacks, err = ParsePatterns("stacks", tt.stacks); err != nil {
			t.Fatal(err)
		}
		got := slices.DeleteFunc(slices.Clone(all), func(n target.Name) bool { return !s.Matches(n) })
		if !slices.Equal(got, tt.want) {
			t.Errorf("components %q, stacks %q: %v, want %v", tt.components, tt.stacks, got, tt.want)
		}
	}
}

func TestAPatternThatFitsNothingIsAnError(t *testing.T) {
	all := names("network@dev", "service@dev")
	for patterns, fits := range map[string]bool{"network": true, "net*\n!service": true, "netwrk": false, "**\n!gone": false} {
		s := Selection{Components: strings.Split(patterns, "\n")}
		if err := s.Check(all); (err == nil) != fits {
			t.Errorf("%q: %v", patterns, err)
		}
	}
	if _, err := ParsePatterns("stacks", "dev\n[a"); err == nil || !strings.Contains(err.Error(), "input `stacks`") {
		t.Errorf("a pattern that is none: %v", err)
	}
}

func TestOrder(t *testing.T) {
	all := map[target.Name][]target.Name{
		name("app@dev"):      names("cluster@dev", "database@dev"),
		name("cluster@dev"):  names("network@dev"),
		name("database@dev"): names("network@dev"),
		name("network@dev"):  names("dns@prod"),
	}
	nodes, err := Order(names("app@dev", "cluster@dev", "network@dev", "alone@dev"), all)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, n := range nodes {
		line := n.String()
		for _, a := range n.After {
			line += " < " + a.String()
		}
		got = append(got, line)
	}
	want := []string{
		"alone in dev",
		"network in dev",
		"cluster in dev < network in dev",
		"app in dev < cluster in dev < network in dev", // by way of the database, which is not among them
	}
	if !slices.Equal(got, want) {
		t.Errorf("order:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestACircleIsShown(t *testing.T) {
	_, err := Order(names("start@dev", "a@dev"), map[target.Name][]target.Name{
		name("start@dev"): names("a@dev"), name("a@dev"): names("b@dev"), name("b@dev"): names("c@dev"), name("c@dev"): names("a@dev"),
	})
	var cycle *CycleError
	if !errors.As(err, &cycle) || !strings.Contains(err.Error(), "a in dev -> b in dev -> c in dev -> a in dev") {
		t.Errorf("%v", err)
	}
}

func TestRunKeepsTheOrderAndSaysWhatFailedBefore(t *testing.T) {
	nodes := []Node{
		{Name: name("network@dev")}, {Name: name("broken@dev")},
		{Name: name("cluster@dev"), After: names("network@dev")},
		{Name: name("app@dev"), After: names("broken@dev", "cluster@dev")},
		{Name: name("after-app@dev"), After: names("app@dev")},
	}
	var mu sync.Mutex
	var ended []target.Name
	told := map[target.Name][]target.Name{}
	running, most := 0, 0
	Run(t.Context(), nodes, 2, func(_ context.Context, n Node, failed []target.Name) bool {
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
	if !slices.Equal(told[name("app@dev")], names("broken@dev")) || !slices.Equal(told[name("after-app@dev")], names("app@dev")) || len(told[name("cluster@dev")]) > 0 {
		t.Errorf("told of failures: %v", told)
	}
}

// A plan waits for those that it depends on without being a node after them.
func TestRunBeginsInOrder(t *testing.T) {
	var nodes []Node
	for i := range 200 {
		nodes = append(nodes, Node{Name: target.Name{Component: "c", Stack: string(rune('a' + i))}})
	}
	begun := make([]chan struct{}, len(nodes))
	for i := range begun {
		begun[i] = make(chan struct{})
	}
	var next atomic.Int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		Run(t.Context(), nodes, 3, func(_ context.Context, n Node, _ []target.Name) bool {
			i := slices.IndexFunc(nodes, func(o Node) bool { return o.Name == n.Name })
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
	s, stop := Spread(from)
	defer stop()
	a, stopA := s.Listen()
	b, stopB := s.Listen()
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

func TestMatrix(t *testing.T) {
	if got, err := Matrix(names("service/api@dev", "network@dev")); err != nil || got != `{"include":[`+
		`{"name":"service/api in dev","component":"service/api","stack":"dev","targets":"[{\"component\":\"service/api\",\"stack\":\"dev\"}]"},`+
		`{"name":"network in dev","component":"network","stack":"dev","targets":"[{\"component\":\"network\",\"stack\":\"dev\"}]"}]}` {
		t.Errorf("%s %v", got, err)
	}
	if got, _ := Matrix(nil); got != `{"include":[]}` {
		t.Errorf("of nothing: %s", got)
	}
}

func TestAMatrixHasAtMost256Jobs(t *testing.T) {
	for _, n := range []int{256, 257, 10_000} {
		all := make([]target.Name, n)
		for i := range all {
			all[i] = target.Name{Component: "component", Stack: strings.Repeat("s", i%7) + string(rune('a'+i%26))}
		}
		text, err := Matrix(all)
		if err != nil {
			t.Fatal(err)
		}
		var m struct{ Include []entry }
		decode(t, text, &m)
		var again []target.Name
		least, most := n, 0
		for _, e := range m.Include {
			group, err := ParseTargets(e.Targets)
			if err != nil {
				t.Fatal(err)
			}
			least, most = min(least, len(group)), max(most, len(group))
			if (e.Component == "") != (len(group) > 1) {
				t.Errorf("%d targets: entry %q of %d has component %q", n, e.Name, len(group), e.Component)
			}
			again = append(again, group...)
		}
		if len(m.Include) != MaxMatrix || !slices.Equal(again, all) || most-least > 1 {
			t.Errorf("%d targets: %d jobs of %d to %d targets, all there: %v", n, len(m.Include), least, most, slices.Equal(again, all))
		}
		if len(text) > 1<<20 {
			t.Errorf("%d targets: the output has %d bytes, and GitHub takes 1 MB", n, len(text))
		}
	}
}

func TestTargetsMustBeNamed(t *testing.T) {
	for _, bad := range []string{"network", "[]", `[{"component":"network"}]`, `{"component":"a","stack":"b"}`} {
		if got, err := ParseTargets(bad); err == nil || !strings.HasPrefix(err.Error(), "input `targets`") {
			t.Errorf("%s: %v, %v", bad, got, err)
		}
	}
	if got, err := ParseTargets(""); got != nil || err != nil {
		t.Errorf("not given: %v, %v", got, err)
	}
}
func decode(t *testing.T, text string, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}
