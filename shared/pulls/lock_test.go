package pulls_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/pulls"
	"github.com/terraform-gitops/gitops/test/kit/fakegithub"
)

// lock takes network's lock for a pull request, in a job of its own, and returns the lock's holder.
func (w *world) lock(number int) int {
	w.Helper()
	w.later()
	l, held, err := w.job().Lock(w.Context(), w.store, w.wanted(number))
	if err != nil {
		w.Fatal(err)
	}
	if held != (l.PullRequest != number) {
		w.Errorf("#%d: held by another one: %t, by #%d", number, held, l.PullRequest)
	}
	return l.PullRequest
}

func (w *world) wanted(number int) planstore.Lock {
	return planstore.Lock{Target: network, PullRequest: number, Branch: "feature", Actor: "mona", Run: planstore.Run{ID: "1", Attempt: 1, URL: "https://github.com/acme/infrastructure/actions/runs/1"}}
}

// happens runs after the first pull request was planned, and before the second one is.
func TestWhoHoldsALock(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		happens func(w *world, one, two int)
		first   bool // the first pull request still holds the lock
	}{
		"nothing happens":        {func(*world, int, int) {}, true},
		"it is planned again":    {func(w *world, one, _ int) { w.lock(one) }, true},
		"it is merged":           {func(w *world, one, _ int) { w.merge(one, "a") }, true},
		"it is closed":           {func(w *world, one, _ int) { w.github.CloseIssue(one, "mona") }, false},
		"it is closed and comes": {func(w *world, one, _ int) { w.github.CloseIssue(one, "mona"); w.github.ReopenIssue(one, "mona") }, true},
		"it is released":         {func(w *world, one, _ int) { w.release(one) }, false},
		"it is merged and applied": {func(w *world, one, _ int) {
			w.merge(one, "a")
			w.apply(w.plan(network, one, commit("1")))
		}, false},
		"another target of it is applied": {func(w *world, one, _ int) {
			w.merge(one, "a")
			w.apply(w.plan(service, one, commit("1")))
		}, true},
		"its merged commit is planned by hand and applied": {func(w *world, one, _ int) {
			w.merge(one, "a")
			w.apply(w.plan(network, 0, commit("a")))
		}, false},
		"it is applied, and drift after it": {func(w *world, one, _ int) {
			w.merge(one, "a")
			w.apply(w.plan(network, one, commit("1")))
			w.apply(w.plan(network, 0, commit("a")))
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			one, two := w.open("1"), w.open("2")
			if holder := w.lock(one); holder != one {
				t.Fatalf("the first to plan does not hold it, but #%d", holder)
			}
			if holder := w.lock(two); holder != one {
				t.Fatalf("the second to plan holds it")
			}
			c.happens(w, one, two)
			if holder := w.lock(two); (holder == one) != c.first {
				t.Errorf("#%d holds it", holder)
			}
		})
	}
}

// The plan was made before the lock was taken: its apply says nothing about the lock's pull request.
func TestAnApplyOfAnOlderPlanEndsNoLock(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one, two := w.open("1"), w.open("2")
	before := w.plan(network, 0, commit("b"))
	w.lock(one)
	w.apply(before)
	w.merge(one, "a")
	if holder := w.lock(two); holder != one {
		t.Errorf("#%d holds it", holder)
	}
}

func (w *world) release(number int) (names []string) {
	w.Helper()
	w.later()
	released, err := pulls.Release(w.Context(), w.store, repository, number)
	if err != nil {
		w.Fatal(err)
	}
	for _, l := range released {
		names = append(names, l.Target.String())
	}
	return names
}

func TestOnlyItsOwnLocksAreReleased(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one, two := w.open("1"), w.open("2")
	w.lock(one)
	if names := w.release(two); len(names) > 0 {
		t.Errorf("released %s", names)
	}
	if holder := w.lock(two); holder != one {
		t.Errorf("#%d holds it", holder)
	}
	if names := w.release(one); len(names) != 1 || names[0] != network.String() {
		t.Errorf("released %s", names)
	}
	if names := w.release(one); len(names) > 0 {
		t.Errorf("released twice: %s", names)
	}
}

// All of them find a lock that no longer counts, and ask GitHub about it. No one gets an answer
// before all have asked.
func TestOfPullRequestsThatPlanAtOnceOneHoldsTheLock(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	gone := w.open("9")
	w.lock(gone)
	w.github.CloseIssue(gone, "mona")
	w.later()
	holders := make([]int, 4)
	var all sync.WaitGroup
	var asked sync.WaitGroup
	asked.Add(len(holders))
	w.server.Fail(fakegithub.Fault{Times: len(holders), Call: func() { asked.Done(); asked.Wait() }, Pass: true})
	for i := range holders {
		number := w.open("1")
		job := w.job()
		all.Go(func() {
			l, held, err := job.Lock(t.Context(), w.store, w.wanted(number))
			if err != nil || held != (l.PullRequest != number) {
				t.Errorf("#%d: held %t: %v", number, held, err)
			}
			holders[i] = l.PullRequest
		})
	}
	all.Wait()
	for _, holder := range holders {
		if holder == gone || holder != holders[0] {
			t.Errorf("the holders are %v", holders)
		}
	}
}

// GitHub is only needed if another pull request holds the lock.
func TestWhereGitHubCannotBeAskedNoLockIsTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one, two := w.open("1"), w.open("2")
	w.server.Fail(fakegithub.Fault{Times: 100, Status: http.StatusForbidden, Message: "Resource not accessible by integration"})
	if holder := w.lock(one); holder != one {
		t.Errorf("#%d holds it", holder)
	}
	_, _, err := w.job().Lock(t.Context(), w.store, w.wanted(two))
	if err == nil || !strings.HasPrefix(err.Error(), "ask whether pull request #1, which holds the lock of network in dev, is open: ") {
		t.Errorf("error: %v", err)
	}
	w.server.ClearFaults()
	if holder := w.lock(two); holder != one {
		t.Errorf("#%d holds it", holder)
	}
}
