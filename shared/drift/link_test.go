package drift

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

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/planstore/storage"
	"github.com/terraform-gitops/gitops/shared/planstore/storetest"
)

// link stores a drift issue.
func (b *backend) link(t *testing.T, i Link) Link {
	t.Helper()
	stored, err := b.PutLink(t.Context(), i)
	must(t, err)
	return stored
}

// linked is what is stored of a target's drift issue; of revision 0 when nothing is.
func (b *backend) linked(t *testing.T, of planstore.Target) Link {
	t.Helper()
	issues, err := b.Links(t.Context(), []planstore.Target{of})
	must(t, err)
	return issues[of]
}

// fullIssue is a drift issue with everything that it can have.
func (b *backend) fullIssue(t planstore.Target) Link {
	r := b.newResult(t, runNumber("100", 1))
	return Link{
		Target: t, Number: 12, Outcome: r.Outcome, RecordID: r.RecordID, PlanDigest: r.PlanDigest, ChangesDigest: r.ChangesDigest,
		ShownAt: b.clock.Now(), Since: b.clock.Now().Add(-time.Hour),
		DiscardedDigest: strings.Repeat("ee", 32), DiscardedAt: b.clock.Now(),
		Creator: "100.1", CreatingSince: b.clock.Now(),
	}
}

func TestDriftIssueIsReadAsItWasWritten(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		vpc := network
		vpc.Component = "vpc"
		for _, i := range []Link{b.fullIssue(network), {Target: vpc}} {
			want := i
			want.Revision = 1
			if diff := cmp.Diff(want, b.link(t, i)); diff != "" {
				t.Fatalf("PutDriftIssue (-want +got):\n%s", diff)
			}
			issues, err := b.open().Links(t.Context(), []planstore.Target{i.Target})
			must(t, err)
			if diff := cmp.Diff(map[planstore.Target]Link{i.Target: want}, issues); diff != "" {
				t.Fatalf("DriftIssues (-want +got):\n%s", diff)
			}
		}
		// A local time with its monotonic reading is the same time.
		local := b.linked(t, network)
		local.ShownAt = time.Now()
		stored := b.link(t, local)
		if diff := cmp.Diff(stored, b.linked(t, network)); diff != "" || !stored.ShownAt.Equal(local.ShownAt) || stored.Revision != 2 {
			t.Errorf("PutDriftIssue is not what DriftIssues is:\n%s", diff)
		}
	})
}

func TestDriftIssueIsWrittenOverOnlyAsItWasRead(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		first := b.link(t, Link{Target: network, Number: 7})
		if _, err := b.PutLink(t.Context(), Link{Target: network, Number: 8}); !errors.Is(err, storage.ErrConflict) {
			t.Errorf("made twice: %v", err)
		}
		second := first
		second.Number = 9
		second = b.link(t, second)
		for name, i := range map[string]Link{
			"the revision before": first,
			"a later one":         {Target: network, Number: 8, Revision: 3},
		} {
			if _, err := b.PutLink(t.Context(), i); !errors.Is(err, storage.ErrConflict) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if got := b.linked(t, network); got != second {
			t.Errorf("stored %+v, want %+v", got, second)
		}
		// One that somebody deleted.
		gone := network
		gone.Component = "gone"
		if _, err := b.PutLink(t.Context(), Link{Target: gone, Revision: 4}); !errors.Is(err, storage.ErrConflict) {
			t.Errorf("written over nothing: %v", err)
		}
	})
}

func TestOneOfManyWritersOfADriftIssueWins(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		issue := Link{Target: network, Number: 7} // all write the very same
		for round := range 3 {
			var mu sync.Mutex
			var winner Link
			wins := 0
			var writers sync.WaitGroup
			start := make(chan struct{})
			for range 12 {
				s := b.open()
				writers.Go(func() {
					<-start
					stored, err := s.PutLink(t.Context(), issue)
					mu.Lock()
					defer mu.Unlock()
					switch {
					case err == nil:
						wins, winner = wins+1, stored
					case !errors.Is(err, storage.ErrConflict):
						t.Error(err)
					}
				})
			}
			close(start)
			writers.Wait()
			if wins != 1 || winner != b.linked(t, network) {
				t.Fatalf("round %d: %d won, the last with %+v, and %+v is stored", round, wins, winner, b.linked(t, network))
			}
			issue = winner
		}
	})
}

func TestDriftIssuesOfManyTargetsAreReadAtOnce(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		var all []planstore.Target
		for i := range 230 {
			all = append(all, target("acme/infra", "network", fmt.Sprintf("stack-%03d", i)))
		}
		for _, name := range storetest.AwkwardNames {
			if of := (target("acme/infra", name, name)); of.Check() == nil {
				all = append(all, of)
			}
		}
		want := map[planstore.Target]Link{}
		for i, of := range all {
			if i%3 == 0 {
				want[of] = b.link(t, Link{Target: of, Number: i + 1})
			}
		}
		// Asked for twice, and in another case.
		upper := all[0]
		upper.Repository = "Acme/INFRA"
		asked := append(append([]planstore.Target{}, all...), all[0], all[1], upper)
		want[upper] = want[all[0]]
		same := want[upper]
		same.Target = upper
		want[upper] = same
		issues, err := b.Links(t.Context(), asked)
		must(t, err)
		if diff := cmp.Diff(want, issues); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if _, err := b.Links(t.Context(), []planstore.Target{network, {}}); !errors.Is(err, planstore.ErrName) {
			t.Errorf("no target: %v", err)
		}
	})
}

func TestAnUnclearDriftIssueIsRefused(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		for name, spoil := range map[string]func(*Link){
			"a negative number":           func(i *Link) { i.Number = -1 },
			"a negative revision":         func(i *Link) { i.Revision = -1 },
			"no repository":               func(i *Link) { i.Repository = "" },
			"an unknown outcome":          func(i *Link) { i.Outcome = "fixed" },
			"a record that is none":       func(i *Link) { i.RecordID = "latest" },
			"discarded changes of a word": func(i *Link) { i.DiscardedDigest = "all" },
			"a creator of 1,000 bytes":    func(i *Link) { i.Creator = strings.Repeat("x", 1000) },
		} {
			i := b.fullIssue(network)
			spoil(&i)
			if _, err := b.PutLink(t.Context(), i); err == nil || errors.Is(err, storage.ErrConflict) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if got := b.linked(t, network); got.Revision != 0 {
			t.Errorf("stored: %+v", got)
		}
	})
}

func TestDriftIssueUnderAnotherTargetsKeyIsNotTaken(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		b.link(t, Link{Target: network, Number: 7})
		vpc := network
		vpc.Component = "vpc"
		item := b.Item(t, linkPrefix+network.Key(), linkKey)
		item["pk"] = linkPrefix + vpc.Key()
		b.PutItem(t, item)
		if _, err := b.Links(t.Context(), []planstore.Target{vpc}); err == nil || !strings.Contains(err.Error(), "damaged") {
			t.Errorf("%v", err)
		}
	})
}

func TestWrittenDriftIssueIsKnownAsOursWhenTheAnswerWasLost(t *testing.T) {
	t.Parallel()
	for _, times := range []int{1, 2, storetest.Forever} {
		t.Run(fmt.Sprint(times), func(t *testing.T) {
			t.Parallel()
			b, w := newWiredBackend(t)
			issue := Link{Target: network, Number: 7}
			for range 3 {
				w.BreakWith(storetest.LoseAnswers("PutItem", times))
				issue = b.link(t, issue)
			}
			if times != storetest.Forever { // a result has no token: it is written again
				w.BreakWith(storetest.LoseAnswers("PutItem", times))
				must(t, b.PutResult(t.Context(), b.newResult(network, runNumber("100", 1))))
			}
			w.BreakWith(nil)
			if got := b.linked(t, network); got != issue || got.Revision != 3 {
				t.Errorf("stored %+v, want %+v", got, issue)
			}
		})
	}
}

func TestDriftIssueThatNeverArrivedIsAnErrorAndNoConflict(t *testing.T) {
	t.Parallel()
	b, w := newWiredBackend(t)
	w.BreakWith(func(operation string, _ *http.Request) (*http.Response, error) {
		if operation == "PutItem" {
			return nil, io.ErrUnexpectedEOF
		}
		return nil, nil
	})
	if _, err := b.PutLink(t.Context(), Link{Target: network}); err == nil || errors.Is(err, storage.ErrConflict) {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	lose := storetest.LoseAnswers("PutItem", 1)
	w.BreakWith(func(operation string, r *http.Request) (*http.Response, error) {
		answer, err := lose(operation, r.WithContext(t.Context()))
		if err != nil {
			cancel()
		}
		return answer, err
	})
	if _, err := b.PutLink(ctx, Link{Target: network}); err != nil || ctx.Err() == nil {
		t.Errorf("written just before its context ended: %v", err)
	}
}

func deleteIndex(name string) []types.GlobalSecondaryIndexUpdate {
	return []types.GlobalSecondaryIndexUpdate{{Delete: &types.DeleteGlobalSecondaryIndexAction{IndexName: &name}}}
}
