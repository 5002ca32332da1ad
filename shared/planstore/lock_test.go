package planstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/terraform-gitops/gitops/shared/planstore/storage"
	"github.com/terraform-gitops/gitops/shared/planstore/storetest"

	"github.com/google/go-cmp/cmp"
)

// lockFor is a lock of a pull request, not yet taken.
func lockFor(of Target, pullRequest int) Lock {
	return Lock{Target: of, PullRequest: pullRequest, Branch: "feature/x", Actor: "octocat", Run: runNumber("100", 1)}
}

// take takes a lock in the place of what is stored.
func (b *backend) take(t *testing.T, l Lock) Lock {
	t.Helper()
	taken, err := b.TakeLock(t.Context(), l, b.locked(t, l.Target))
	must(t, err)
	return taken
}

// locked is what is stored of a target's lock; of revision 0 when nothing is.
func (b *backend) locked(t *testing.T, of Target) Lock {
	t.Helper()
	locks, err := b.ReadLocks(t.Context(), []Target{of})
	must(t, err)
	return locks[of]
}

func TestLockIsReadAsItWasTaken(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		l := lockFor(network, 7)
		l.Branch = "caf\xe9" // Git knows no encoding of branches
		before := b.clock.Now()
		taken := b.take(t, l)
		if !taken.Since.After(before) {
			t.Errorf("held since %v", taken.Since)
		}
		want := l
		want.Branch, want.Since, want.Revision = "caf\uFFFD", taken.Since, 1
		if diff := cmp.Diff(want, taken); diff != "" {
			t.Errorf("TakeLock (-want +got):\n%s", diff)
		}
		locks, err := b.open().ReadLocks(t.Context(), []Target{network})
		must(t, err)
		if diff := cmp.Diff(map[Target]Lock{network: taken}, locks); diff != "" {
			t.Errorf("ReadLocks (-want +got):\n%s", diff)
		}
		// A local time with its monotonic reading is the same time.
		local := lockFor(network, 8)
		local.Since = time.Now()
		if got := b.take(t, local); got != b.locked(t, network) || !got.Since.Equal(local.Since) || got.Revision != 2 {
			t.Errorf("taken over as %+v", got)
		}
	})
}

func TestLockIsTakenOverOnlyAsItWasRead(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		first := b.take(t, lockFor(network, 7))
		if _, err := b.TakeLock(t.Context(), lockFor(network, 8), Lock{}); !errors.Is(err, storage.ErrConflict) {
			t.Errorf("taken while it is held: %v", err)
		}
		second, err := b.TakeLock(t.Context(), lockFor(network, 8), first)
		must(t, err)
		if _, err := b.TakeLock(t.Context(), lockFor(network, 9), first); !errors.Is(err, storage.ErrConflict) {
			t.Errorf("taken over twice: %v", err)
		}
		if err := b.ReleaseLock(t.Context(), first); !errors.Is(err, storage.ErrConflict) {
			t.Errorf("released for the one before: %v", err)
		}
		if got := b.locked(t, network); got != second {
			t.Errorf("stored %+v, want %+v", got, second)
		}
		vpc := network
		vpc.Component = "vpc"
		if _, err := b.TakeLock(t.Context(), lockFor(vpc, 8), second); err == nil || errors.Is(err, storage.ErrConflict) {
			t.Errorf("taken over from another target: %v", err)
		}
		if _, err := b.TakeLock(t.Context(), lockFor(vpc, 8), Lock{Target: vpc, Revision: 4}); !errors.Is(err, storage.ErrConflict) {
			t.Errorf("taken over from nothing: %v", err)
		}
	})
}

func TestReleasedLockIsReadByWhoTakesItNextAndHoldsNobody(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		r := b.put(t, b.newRecord(nil), "plan")
		holder := func() *Lock {
			found, err := b.Find(t.Context(), network, commitA)
			must(t, err)
			return found.Lock
		}
		if got := holder(); got != nil {
			t.Errorf("locked before: %+v", got)
		}
		taken := b.take(t, lockFor(network, 7))
		if got := holder(); got == nil || *got != taken {
			t.Errorf("found with the lock %+v, want %+v", got, taken)
		}
		must(t, b.ReleaseLock(t.Context(), taken))
		if got := holder(); got != nil {
			t.Errorf("locked after its release: %+v", got)
		}
		released := b.locked(t, network)
		if released.Released.IsZero() || released.Revision != 2 || released.PullRequest != 7 || !released.Since.Equal(taken.Since) {
			t.Errorf("released as %+v", released)
		}
		must(t, b.ReleaseLock(t.Context(), released)) // already
		if got := b.locked(t, network); got != released {
			t.Errorf("released again as %+v", got)
		}
		next := released // taken again as it was
		next.PullRequest = 8
		if got := b.take(t, next); got.PullRequest != 8 || !got.Released.IsZero() || holder() == nil {
			t.Errorf("taken after its release: %+v", got)
		}
		found, err := b.FindRecord(t.Context(), network, r.ID())
		must(t, err)
		if found.Lock == nil || found.Lock.PullRequest != 8 {
			t.Errorf("the record's lock is %+v", found.Lock)
		}
	})
}

func TestOneOfManyTakersOfALockWins(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		var over Lock
		for round := range 3 {
			var mu sync.Mutex
			var winner Lock
			wins := 0
			var takers sync.WaitGroup
			start := make(chan struct{})
			for range 8 { // of the very same
				s := b.open()
				takers.Go(func() {
					<-start
					taken, err := s.TakeLock(t.Context(), lockFor(network, 7), over)
					mu.Lock()
					defer mu.Unlock()
					switch {
					case err == nil:
						wins, winner = wins+1, taken
					case !errors.Is(err, storage.ErrConflict):
						t.Error(err)
					}
				})
			}
			close(start)
			takers.Wait()
			if wins != 1 || winner != b.locked(t, network) {
				t.Fatalf("round %d: %d won, the last with %+v, and %+v is stored", round, wins, winner, b.locked(t, network))
			}
			over = winner
		}
	})
}

func TestLocksOfManyTargetsAreReadAtOnce(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		want := map[Target]Lock{}
		var all []Target
		for i := range 120 {
			of := Target{"acme/infra", "network", fmt.Sprintf("stack-%03d", i)}
			all = append(all, of)
			if i%30 == 0 {
				want[of] = b.take(t, lockFor(of, i+1))
			}
		}
		upper := all[0]
		upper.Repository = "Acme/INFRA"
		same := want[all[0]]
		same.Target = upper
		want[upper] = same
		got, err := b.ReadLocks(t.Context(), append(all, all[0], upper))
		must(t, err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if _, err := b.ReadLocks(t.Context(), []Target{network, {}}); !errors.Is(err, ErrName) {
			t.Errorf("no target: %v", err)
		}
	})
}

func TestLockIsOverOnceItsPullRequestWasApplied(t *testing.T) {
	t.Parallel()
	since := storetest.NewClock().Now()
	l := Lock{PullRequest: 7, Since: since}
	for name, c := range map[string]struct {
		last *LastApply
		want bool
	}{
		"never applied":                  {nil, false},
		"applied since":                  {&LastApply{PullRequest: 7, AppliedAt: since.Add(1)}, true},
		"applied before":                 {&LastApply{PullRequest: 7, AppliedAt: since.Add(-1)}, false},
		"another's applied since":        {&LastApply{PullRequest: 8, AppliedAt: since.Add(1)}, false},
		"without a pull request, since":  {&LastApply{AppliedAt: since.Add(1)}, false},
		"applied when the lock was made": {&LastApply{PullRequest: 7, AppliedAt: since}, false},
	} {
		if got := l.AppliedBy(c.last); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestAnUnclearLockIsRefused(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		for name, spoil := range map[string]func(*Lock){
			"no pull request":         func(l *Lock) { l.PullRequest = 0 },
			"no repository":           func(l *Lock) { l.Repository = "" },
			"no run":                  func(l *Lock) { l.Run = Run{} },
			"a branch of 2,000 bytes": func(l *Lock) { l.Branch = strings.Repeat("x", 2000) },
			"an actor of 2,000 bytes": func(l *Lock) { l.Actor = strings.Repeat("x", 2000) },
		} {
			l := lockFor(network, 7)
			spoil(&l)
			if _, err := b.TakeLock(t.Context(), l, Lock{}); err == nil || errors.Is(err, storage.ErrConflict) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := b.ReleaseLock(t.Context(), Lock{Target: network}); err == nil {
			t.Error("a lock of nobody was released")
		}
		if got := b.locked(t, network); got.Revision != 0 {
			t.Errorf("stored: %+v", got)
		}
	})
}

// Whoever may plan may write locks: what is none holds nobody, and lets nobody by.
func TestDamagedLockIsToldAndTakenForNoLock(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		b.put(t, b.newRecord(nil), "plan")
		l := b.take(t, lockFor(network, 7))
		for name, spoil := range map[string]func(item map[string]any){
			"of another target":        func(i map[string]any) { i["component"] = "vpc" },
			"in another's index":       func(i map[string]any) { i["pullRequest"] = "acme/infra#8" },
			"of no time":               func(i map[string]any) { i["createdAt"] = "yesterday" },
			"released, and held":       func(i map[string]any) { i["releasedAt"] = storage.FormatTime(l.Since) },
			"of a number in words":     func(i map[string]any) { i["pullRequestNumber"] = "seven" },
			"of no revision":           func(i map[string]any) { delete(i, "revision") },
			"of nobody's pull request": func(i map[string]any) { i["pullRequestNumber"] = 0 },
		} {
			item := b.asRead(t, b.Item(t, lockPrefix+network.Key(), lockKey))
			spoiled := b.asRead(t, item)
			spoil(spoiled)
			b.PutItem(t, b.asRead(t, spoiled))
			if _, err := b.ReadLocks(t.Context(), []Target{network}); err == nil || !strings.Contains(err.Error(), "damaged") {
				t.Errorf("%s: ReadLocks: %v", name, err)
			}
			if _, err := b.Find(t.Context(), network, commitA); err == nil || !strings.Contains(err.Error(), "damaged") {
				t.Errorf("%s: Find: %v", name, err)
			}
			b.PutItem(t, item)
		}
		if got := b.locked(t, network); got != l {
			t.Errorf("put back as %+v", got)
		}
	})
}

func TestTakenLockIsKnownAsOursWhenTheAnswerWasLost(t *testing.T) {
	t.Parallel()
	b, w := newWiredBackend(t)
	w.BreakWith(storetest.LoseAnswers("PutItem", storetest.Forever))
	l, err := b.TakeLock(t.Context(), lockFor(network, 7), Lock{})
	must(t, err)
	must(t, b.ReleaseLock(t.Context(), l))
	w.BreakWith(nil)
	if got := b.locked(t, network); got.Revision != 2 || got.Released.IsZero() {
		t.Errorf("stored %+v", got)
	}

	vpc := network
	vpc.Component = "vpc"
	ctx, cancel := context.WithCancel(t.Context())
	lose := storetest.LoseAnswers("PutItem", 1)
	w.BreakWith(func(operation string, r *http.Request) (*http.Response, error) {
		answer, err := lose(operation, r.WithContext(t.Context()))
		if err != nil {
			cancel()
		}
		return answer, err
	})
	if _, err := b.TakeLock(ctx, lockFor(vpc, 7), Lock{}); err != nil || ctx.Err() == nil {
		t.Errorf("taken just before its context ended: %v", err)
	}
	w.BreakWith(func(operation string, _ *http.Request) (*http.Response, error) {
		if operation == "PutItem" {
			return nil, io.ErrUnexpectedEOF
		}
		return nil, nil
	})
	if _, err := b.TakeLock(t.Context(), lockFor(vpc, 8), b.locked(t, vpc)); err == nil || errors.Is(err, storage.ErrConflict) {
		t.Errorf("one that never arrived: %v", err)
	}
}
