package planstore

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestReleasedPlanCanBeClaimedAgain(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		r := b.put(t, b.newRecord(&StatePosition{"L", 5}), "plan")
		first, second := runNumber("200", 1), runNumber("200", 2)
		must(t, b.Claim(t.Context(), r, first, "hubot", Audit{}))
		must(t, b.Release(t.Context(), r, first, "locked"))
		must(t, b.Release(t.Context(), r, first, "locked")) // as after a lost answer
		found, err := b.Find(t.Context(), network, commitA)
		must(t, err)
		if diff := cmp.Diff(Stored{Record: r, Status: StatusPlanned}, found); diff != "" {
			t.Errorf("released (-want +got):\n%s", diff)
		}

		must(t, b.Claim(t.Context(), r, second, "mona", Audit{}))
		refused := b.refusedAs(t, r, StatusApplying)
		if refused.Claim.Run != second || refused.Claim.Actor != "mona" {
			t.Errorf("claimed by %+v", refused.Claim)
		}
		must(t, b.Finish(t.Context(), r, second, Result{Status: StatusApplied}))
		if found, err = b.Find(t.Context(), network, commitA); err != nil || found.Status != StatusApplied || found.Last.Run != second {
			t.Errorf("found %+v, %v", found, err)
		}
	})
}

func TestOnlyTheRunThatHoldsAClaimReleasesIt(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		for name, end := range map[string]func(Record, Run){
			"claimed by nobody": nil,
			"applied":           func(r Record, run Run) { b.apply(t, r, run) },
			"failed": func(r Record, run Run) {
				must(t, b.Claim(t.Context(), r, run, "x", Audit{}))
				must(t, b.Finish(t.Context(), r, run, Result{Status: StatusFailed, Reason: "locked"}))
			},
			"claimed by another run": func(r Record, _ Run) { must(t, b.Claim(t.Context(), r, runNumber("201", 1), "x", Audit{})) },
			"claimed by another attempt": func(r Record, _ Run) {
				must(t, b.Claim(t.Context(), r, runNumber("200", 2), "x", Audit{}))
			},
			"released, and claimed by another run": func(r Record, run Run) {
				must(t, b.Claim(t.Context(), r, run, "x", Audit{}))
				must(t, b.Release(t.Context(), r, run, "locked"))
				must(t, b.Claim(t.Context(), r, runNumber("201", 1), "x", Audit{}))
			},
		} {
			r := b.newRecord(nil)
			r.Component = name
			r = b.put(t, r, "plan")
			run := runNumber("200", 1)
			if end != nil {
				end(r, run)
			}
			before := b.status(t, r)
			if err := b.Release(t.Context(), r, run, "locked"); !errors.Is(err, ErrNotHolder) {
				t.Errorf("%s: released: %v", name, err)
			}
			if after := b.status(t, r); after != before {
				t.Errorf("%s: status %s was made %s", name, before, after)
			}
		}
		// And what was released is not finished by who held it.
		r := b.put(t, b.newRecord(nil), "plan")
		must(t, b.Claim(t.Context(), r, runNumber("200", 1), "x", Audit{}))
		must(t, b.Release(t.Context(), r, runNumber("200", 1), "locked"))
		if err := b.Finish(t.Context(), r, runNumber("200", 1), Result{Status: StatusApplied}); !errors.Is(err, ErrNotHolder) {
			t.Errorf("finished after it was released: %v", err)
		}
	})
}

// A released claim keeps no plan from what becomes of one that was never claimed.
func TestReleasedPlanExpiresAndIsSuperseded(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		release := func(r Record) {
			must(t, b.Claim(t.Context(), r, runNumber("200", 1), "x", Audit{}))
			must(t, b.Release(t.Context(), r, runNumber("200", 1), "locked"))
		}
		early := b.put(t, b.newRecord(&StatePosition{"L", 5}), "plan")
		other := b.newRecord(&StatePosition{"L", 6})
		other.Commit, other.PullRequest = commitB, 42
		release(early)
		b.apply(t, b.put(t, other, "other"), runNumber("201", 1))
		b.refusedAs(t, early, StatusSuperseded)
		plans, err := b.PullRequestPlans(t.Context(), early.Target)
		must(t, err)
		for _, p := range plans {
			if p.Superseded != (p.PullRequest == early.PullRequest) {
				t.Errorf("#%d: superseded is %v", p.PullRequest, p.Superseded)
			}
		}
		if len(plans) != 2 {
			t.Errorf("%d plans", len(plans))
		}

		late := b.newRecord(&StatePosition{"L", 7})
		late.Commit = strings.Repeat("c", 40)
		late = b.put(t, late, "late")
		release(late)
		b.clock.Advance(25 * time.Hour)
		b.refusedAs(t, late, StatusExpired)
	})
}

// Runs that claim a plan again and again hold it one at a time.
func TestOneRunAtATimeHoldsAPlanThatIsReleased(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		r := b.put(t, b.newRecord(nil), "plan")
		stores := []*Store{b.Store, b.open(), b.open()}
		var holders, won atomic.Int32
		var all sync.WaitGroup
		for i := range 6 {
			all.Go(func() {
				run, store := runNumber(fmt.Sprint(200+i), 1), stores[i%len(stores)]
				for range 10 {
					var refused *NotClaimableError
					if err := store.Claim(t.Context(), r, run, "x", Audit{}); errors.As(err, &refused) {
						continue
					} else if err != nil {
						if isRefused(err) {
							continue // released between the claim and the look at why not
						}
						t.Error(err)
						return
					}
					won.Add(1)
					if n := holders.Add(1); n != 1 {
						t.Errorf("%d runs hold the claim", n)
					}
					holders.Add(-1)
					if err := store.Release(t.Context(), r, run, "locked"); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		if won.Load() == 0 {
			t.Error("nobody got it")
		}
		if got := b.status(t, r); got != StatusPlanned {
			t.Errorf("status %s", got)
		}
	})
}
