package planstore

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/terraform-gitops/gitops/shared/planstore/storage"
)

// Whoever may plan may write anything into the partitions of plans and locks. A plan that is
// made later must still be found.
func TestPlanningAgainHelps(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		now := b.clock.Now()
		for name, spoil := range map[string]func(t *testing.T, commit string){
			"a record of the year 9998": func(t *testing.T, commit string) {
				r := b.newRecord(&StatePosition{"L", 5})
				r.Commit, r.CreatedAt = commit, time.Date(9998, 1, 1, 0, 0, 0, 0, time.UTC)
				r.ExpiresAt = r.CreatedAt.Add(time.Hour)
				b.put(t, r, "forged")
			},
			"a record of tomorrow": func(t *testing.T, commit string) {
				r := b.newRecord(nil)
				r.Commit, r.CreatedAt = commit, now.Add(24*time.Hour)
				r.ExpiresAt = r.CreatedAt.Add(time.Hour)
				b.put(t, r, "forged")
			},
			"an item that sorts last": func(t *testing.T, commit string) {
				b.PutItem(t, map[string]any{"pk": planPrefix + network.Key(), "sk": commit + "#~"})
			},
			"an item of now": func(t *testing.T, commit string) {
				b.PutItem(t, map[string]any{"pk": planPrefix + network.Key(), "sk": commit + "#" + storage.FormatTime(now) + "#~"})
			},
			"a failed one of tomorrow": func(t *testing.T, commit string) {
				r := b.newRecord(nil)
				r.Commit, r.CreatedAt, r.Outcome = commit, now.Add(24*time.Hour), OutcomeFailed
				r.ExpiresAt = r.CreatedAt.Add(time.Hour)
				_, err := b.Put(t.Context(), r, "")
				must(t, err)
			},
		} {
			t.Run(name, func(t *testing.T) {
				commit := strings.Repeat("0", 32) + strings.Repeat(string("0123456789abcdef"[len(name)%16]), 8)
				spoil(t, commit)
				honest := b.newRecord(&StatePosition{"L", 5})
				honest.Commit = commit
				honest = b.put(t, honest, "honest")
				found, err := b.Find(t.Context(), network, commit)
				if err != nil || found.Record.ID() != honest.ID() || found.Status != StatusPlanned {
					t.Errorf("planned again: found %s, status %s, error %v", found.Record.ID(), found.Status, err)
				}
			})
		}
		t.Run("in lists", func(t *testing.T) {
			honest := b.newRecord(nil)
			honest.PullRequest = 77
			honest = b.put(t, honest, "honest")
			forged := honest
			forged.CreatedAt, forged.ExpiresAt = now.AddDate(10, 0, 0), now.AddDate(11, 0, 0)
			b.put(t, forged, "forged")
			plans, err := b.PlansOfPullRequest(t.Context(), network.Repository, 77)
			must(t, err)
			if len(plans) != 1 || plans[0].RecordID != honest.ID() {
				t.Errorf("the plans of the pull request are %+v", plans)
			}
			newest, err := b.PullRequestPlans(t.Context(), network)
			must(t, err)
			if i := slices.IndexFunc(newest, func(p PullRequestPlan) bool { return p.PullRequest == 77 }); i < 0 || newest[i].RecordID != honest.ID() {
				t.Errorf("the newest plans of the target are %+v", newest)
			}
		})
	})
}

// Damaged records are skipped and named. If all are damaged, that is an error.
func TestDamagedRecordsAreSkipped(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		older := b.put(t, b.newRecord(nil), "older")
		b.clock.Advance(time.Hour)
		for range 30 {
			b.clock.Advance(time.Second)
			r := b.put(t, b.newRecord(nil), "newer")
			item := b.itemOf(t, r)
			item["actor"] = "evil"
			b.PutItem(t, item)
		}
		found, err := b.Find(t.Context(), network, commitA)
		must(t, err)
		if found.Record.ID() != older.ID() || len(found.Damaged) != mostDamaged || !strings.HasPrefix(found.Damaged[0], commitA+"#") {
			t.Errorf("found %s, stepped over %q", found.Record.ID(), found.Damaged)
		}
		forever := b.newRecord(nil)
		forever.Commit, forever.ExpiresAt = commitB, forever.CreatedAt.Add(MaxRetention+24*time.Hour)
		forever = b.put(t, forever, "forever")
		b.refused(t, "one that never expires", network, commitB, ErrAltered)
		if _, err := b.FindRecord(t.Context(), network, forever.ID()); !errors.Is(err, ErrAltered) {
			t.Errorf("by its ID: error %v", err)
		}
	})
}

func TestThePlanBeforeIsTheNextOlderOneOfItsCommit(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		first := b.plan(t, commitA, 41, nil)
		b.plan(t, commitB, 41, nil) // of another commit
		damaged := b.plan(t, commitA, 41, nil)
		item := b.itemOf(t, damaged)
		item["actor"] = "evil"
		b.PutItem(t, item)
		last := b.plan(t, commitA, 41, nil)
		if got, err := b.Before(t.Context(), last); err != nil || got.ID() != first.ID() {
			t.Errorf("before the last: %s, error %v", got.ID(), err)
		}
		if _, err := b.Before(t.Context(), first); !errors.Is(err, ErrNotFound) {
			t.Errorf("before the first: %v", err)
		}
	})
}

// A damaged lock does not hide the other locks of a pull request.
func TestDamagedLocksDoNotHideOthers(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		taken, err := b.TakeLock(t.Context(), Lock{Target: network, PullRequest: 41, Run: runNumber("100", 1)}, Lock{})
		must(t, err)
		other := network
		other.Stack = "prod"
		b.PutItem(t, map[string]any{
			"pk": lockPrefix + other.Key(), "sk": lockKey, "repository": other.Repository, "component": other.Component, "stack": other.Stack,
			"pullRequest": network.pullRequest(41), "pullRequestNumber": 41, "revision": "many", "runId": 7,
		})
		locks, err := b.LocksOfPullRequest(t.Context(), network.Repository, 41)
		if err != nil || len(locks) != 1 || locks[0].Target != taken.Target {
			t.Errorf("the locks are %+v, error %v", locks, err)
		}
	})
}
