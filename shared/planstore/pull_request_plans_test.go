package planstore

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/terraform-gitops/gitops/shared/planstore/storage"

	"github.com/google/go-cmp/cmp"
)

// commitOf is a commit whose id begins with a hex digit.
func commitOf(first string, n int) string { return fmt.Sprintf("%s%039x", first, n) }

// plan stores a plan of a pull request, made now.
func (b *backend) plan(t *testing.T, commit string, pullRequest int, change func(*Record)) Record {
	t.Helper()
	r := b.newRecord(nil)
	r.Commit, r.PullRequest = commit, pullRequest
	if change != nil {
		change(&r)
	}
	return b.put(t, r, fmt.Sprint("plan of ", commit))
}

func summaryOf(r Record) PlanSummary {
	return PlanSummary{
		Target: r.Target, RecordID: r.ID(), PullRequest: r.PullRequest, Commit: r.Commit, CreatedAt: r.CreatedAt,
		Outcome: r.Outcome, State: r.State,
	}
}

func TestAnApplySupersedesTheNewestPlanOfEachOtherPullRequest(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		fail := func(r *Record) { r.Outcome = OutcomeFailed }
		failed := b.newRecord(nil)
		failed.Commit, failed.PullRequest = commitOf("a", 5), 5
		fail(&failed)

		b.plan(t, commitOf("f", 1), 41, nil)           // an older plan of one that is planned again
		merged := b.plan(t, commitOf("0", 2), 30, nil) // applied before
		b.apply(t, merged, runNumber("199", 1))        //
		inD := b.plan(t, commitOf("d", 3), 41, nil)    // between these, drift plans sort
		other := b.plan(t, commitOf("e", 4), 42, nil)  //
		failed, err := b.Put(t.Context(), failed, "")  // of no use before
		must(t, err)
		b.plan(t, commitOf("9", 6), 43, func(r *Record) { // has expired meanwhile
			r.ExpiresAt = r.CreatedAt.Add(time.Minute)
		})
		b.plan(t, commitOf("1", 7), 0, nil)
		b.plan(t, commitOf("d", 8), 44, func(r *Record) { r.Kind = KindDrift })
		b.plan(t, commitOf("a", 9), 45, func(r *Record) { r.Component = "vpc" })
		b.clock.Advance(time.Hour)
		applied := b.plan(t, commitOf("c", 10), 7, nil)
		b.apply(t, applied, runNumber("200", 1))
		late := b.plan(t, commitOf("b", 11), 46, nil)

		got, err := b.open().PullRequestPlans(t.Context(), network)
		must(t, err)
		want := []PullRequestPlan{
			{summaryOf(failed), false}, {summaryOf(applied), false}, {summaryOf(merged), false},
			{summaryOf(inD), true}, {summaryOf(other), true}, {summaryOf(late), false},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		again := b.plan(t, commitOf("e", 12), 42, nil)
		got, err = b.PullRequestPlans(t.Context(), network)
		must(t, err)
		want[4] = PullRequestPlan{summaryOf(again), false}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("planned again (-want +got):\n%s", diff)
		}
		if _, err := b.PullRequestPlans(t.Context(), Target{}); !errors.Is(err, ErrName) {
			t.Errorf("no target: %v", err)
		}
		if got, err := b.PullRequestPlans(t.Context(), Target{"acme/infra", "new", "dev"}); err != nil || len(got) != 0 {
			t.Errorf("never planned: %v, %v", got, err)
		}
	})
}

// Superseded is what Find says of the same plan.
func TestPlansAreSupersededAsTheirStatusSays(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		seen := map[bool]bool{}
		for i, positions := range [][2]*StatePosition{
			{nil, nil}, {{"L", 5}, {"L", 5}}, {{"L", 5}, {"L", 6}}, {{"L", 6}, {"L", 5}}, {{"L", 5}, {"M", 4}}, {nil, {"L", 4}},
		} {
			at := func(r *Record) { r.Component, r.State = fmt.Sprint("c", i), positions[0] }
			waiting := b.plan(t, commitA, 41, at)
			later := b.plan(t, commitA, 41, func(r *Record) {
				at(r)
				r.CreatedAt = r.CreatedAt.Add(ClockSkew / 2)
			})
			applied := b.plan(t, commitB, 7, func(r *Record) { at(r); r.State = positions[1] })
			must(t, b.Claim(t.Context(), applied, runNumber("200", 1), "octocat", Audit{}))
			must(t, b.Finish(t.Context(), applied, runNumber("200", 1), Result{Status: StatusApplied}))
			lasts, err := b.LastApplies(t.Context(), []Target{waiting.Target})
			must(t, err)
			last := lasts[waiting.Target]
			for _, r := range []Record{waiting, later} {
				found, err := b.FindRecord(t.Context(), r.Target, r.ID())
				must(t, err)
				want := found.Status == StatusSuperseded
				if got := summaryOf(r).SupersededBy(&last); got != want {
					t.Errorf("%v: superseded is %v, and the status %s", positions, got, found.Status)
				}
				seen[want] = true
			}
		}
		expired := PlanSummary{Expired: true, CreatedAt: b.clock.Now()}
		if expired.SupersededBy(&LastApply{AppliedAt: b.clock.Now()}) || (PlanSummary{}).SupersededBy(nil) {
			t.Error("superseded, and is of no use for another reason, or nothing was applied")
		}
		if len(seen) != 2 {
			t.Errorf("saw %v only", seen)
		}
	})
}

func TestPlansOfAPullRequestAreOfAllItsTargetsAndCommits(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		first := b.plan(t, commitA, 41, func(r *Record) { r.ExpiresAt = r.CreatedAt.Add(time.Minute) })
		second := b.plan(t, commitB, 41, func(r *Record) { r.Repository, r.Component, r.State = "Acme/Infra", "Vpc", &StatePosition{"L", 7} })
		failed := b.newRecord(nil)
		failed.Outcome = OutcomeFailed
		failed, err := b.Put(t.Context(), failed, "")
		must(t, err)
		b.plan(t, commitA, 4, nil)
		b.plan(t, commitA, 0, nil)
		b.plan(t, commitA, 41, func(r *Record) { r.Repository = "acme/infra-live" })
		b.plan(t, commitA, 41, func(r *Record) { r.Kind = KindDrift })
		b.take(t, lockFor(network, 41))
		b.clock.Advance(time.Hour)

		want := []PlanSummary{summaryOf(failed), summaryOf(second), summaryOf(first)}
		want[2].Expired = true
		for _, repository := range []string{"acme/infra", "ACME/infra"} {
			got, err := b.open().PlansOfPullRequest(t.Context(), repository, 41)
			must(t, err)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", repository, diff)
			}
		}
		if got, err := b.PlansOfPullRequest(t.Context(), "acme/infra", 43); err != nil || len(got) != 0 {
			t.Errorf("of a pull request without any: %v, %v", got, err)
		}
		if _, err := b.PlansOfPullRequest(t.Context(), "acme", 41); !errors.Is(err, ErrName) {
			t.Errorf("no repository: %v", err)
		}
		if _, err := b.PlansOfPullRequest(t.Context(), "acme/infra", -1); err == nil {
			t.Error("no pull request has plans")
		}
	})
}

// Whoever may plan may write anything under such a key; it must neither get into
// a list as something it is not nor keep others from it.
func TestRecordsThatAreNotWholeAreLeftOutOfLists(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		good := b.plan(t, commitB, 41, nil)
		for name, spoil := range map[string]func(item map[string]any){
			"of another target":      func(i map[string]any) { i["component"] = "vpc" },
			"of another commit":      func(i map[string]any) { i["commit"] = commitB },
			"of another time":        func(i map[string]any) { i["createdAt"] = storage.FormatTime(good.CreatedAt.Add(time.Hour)) },
			"of no time":             func(i map[string]any) { i["createdAt"] = "yesterday" },
			"of another number":      func(i map[string]any) { i["pullRequestNumber"] = 42 },
			"of a number in words":   func(i map[string]any) { i["pullRequestNumber"] = "many" },
			"of no kind":             func(i map[string]any) { delete(i, "kind") },
			"of a commit in words":   func(i map[string]any) { i["sk"] = "latest" },
			"of a position in words": func(i map[string]any) { i["statePosition"] = "last" },
		} {
			r := b.plan(t, commitA, 41, nil)
			item := b.itemOf(t, r)
			b.hide(t, r)
			spoil(item)
			b.PutItem(t, b.asRead(t, item))
			plans, err := b.PullRequestPlans(t.Context(), network)
			must(t, err)
			if diff := cmp.Diff([]PullRequestPlan{{summaryOf(good), false}}, plans); diff != "" {
				t.Errorf("%s: PullRequestPlans (-want +got):\n%s", name, diff)
			}
			of, err := b.PlansOfPullRequest(t.Context(), "acme/infra", 41)
			must(t, err)
			if diff := cmp.Diff([]PlanSummary{summaryOf(good)}, of); diff != "" {
				t.Errorf("%s: PlansOfPullRequest (-want +got):\n%s", name, diff)
			}
			b.hideItem(t, item["pk"].(string), item["sk"].(string))
		}
	})
}

func TestListsOfPlansHaveAllPagesAndNoFiles(t *testing.T) {
	t.Parallel()
	b, w := newWiredBackend(t)
	files := map[string]string{}
	for i := range 1500 {
		files[fmt.Sprintf("modules/a/file/with/a/long/name/so/that/a/page/is/full/%04d.tf", i)] = strings.Repeat("a", 40)
	}
	want := map[int]bool{}
	for n := 1; n <= 9; n++ { // 150 KB each, and 1 MB a page
		b.plan(t, commitOf("a", n), n, func(r *Record) { r.Files = files })
		b.plan(t, commitOf("b", n), 77, func(r *Record) { r.Files = files })
		want[n], want[77] = true, true
	}
	w.BreakWith(func(operation string, r *http.Request) (*http.Response, error) {
		if operation != "Query" {
			return nil, nil
		}
		answer, err := http.DefaultTransport.RoundTrip(r)
		if err == nil && answer.ContentLength > 50_000 {
			t.Errorf("a page of %d bytes", answer.ContentLength)
		}
		return answer, err
	})
	plans, err := b.PullRequestPlans(t.Context(), network)
	must(t, err)
	got := map[int]bool{}
	for _, p := range plans {
		got[p.PullRequest] = true
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pull requests (-want +got):\n%s", diff)
	}
	of, err := b.PlansOfPullRequest(t.Context(), "acme/infra", 77)
	if err != nil || len(of) != 9 {
		t.Errorf("%d plans, %v", len(of), err)
	}
	if got := w.Operations(); len(got) < 6 {
		t.Errorf("requests %s: no page was full", got)
	}
}

// Reading drift plans would cost what their files weigh.
func TestPullRequestPlansDoNotReadDriftPlans(t *testing.T) {
	t.Parallel()
	b, w := newWiredBackend(t)
	b.plan(t, commitOf("d", 1), 41, nil)
	for n := range 5 {
		b.plan(t, commitOf("d", n), 41, func(r *Record) { r.Kind = KindDrift })
	}
	scanned := 0
	w.BreakWith(func(operation string, r *http.Request) (*http.Response, error) {
		if operation != "Query" {
			return nil, nil
		}
		answer, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(answer.Body)
		must(t, errors.Join(err, answer.Body.Close()))
		var page struct{ ScannedCount int }
		must(t, json.Unmarshal(body, &page))
		scanned += page.ScannedCount
		answer.Body = io.NopCloser(bytes.NewReader(body))
		return answer, nil
	})
	_, err := b.PullRequestPlans(t.Context(), network)
	must(t, err)
	if scanned != 1 {
		t.Errorf("%d records were read, want that of the change plan", scanned)
	}
	if got, want := strings.Join(w.Operations(), " "), "Query Query BatchGetItem"; got != want {
		t.Errorf("requests %s, want %s", got, want)
	}
}

func TestTheNewestPlanOfEachTargetOfAPullRequestIsReadWhole(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		vpc := func(r *Record) { r.Stack = network.Stack + "-2" } // another target, whose key begins as the first one's
		b.plan(t, commitA, 41, nil)
		old := b.plan(t, commitA, 41, vpc)
		at := b.clock.Now()
		sameTime := func(r *Record) { r.CreatedAt = at }
		newest := b.plan(t, commitB, 41, func(r *Record) {
			sameTime(r)
			r.ChangesDigest, r.Required, r.EqualTo = strings.Repeat("c1", 32), fullAudit().Required, []string{anotherID}
		})
		newestVPC := b.plan(t, commitB, 41, func(r *Record) { vpc(r); sameTime(r) })
		b.plan(t, commitB, 42, sameTime)

		plans, err := b.open().NewestOfPullRequest(t.Context(), "ACME/infra", 41)
		must(t, err)
		want := map[string]PlanSummary{newest.Key(): summaryOf(newest), newestVPC.Key(): summaryOf(newestVPC)}
		if diff := cmp.Diff(want, plans); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		for _, r := range []Record{newest, newestVPC, old} {
			got, err := b.open().RecordOf(t.Context(), summaryOf(r))
			must(t, err)
			if diff := cmp.Diff(r, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		}
		item := b.itemOf(t, newest)
		item["equalTo"] = ""
		b.PutItem(t, item)
		if _, err := b.RecordOf(t.Context(), summaryOf(newest)); !errors.Is(err, ErrAltered) {
			t.Errorf("a record that was changed: %v", err)
		}
		gone := summaryOf(old)
		b.hide(t, old)
		if _, err := b.RecordOf(t.Context(), gone); !errors.Is(err, ErrNotFound) {
			t.Errorf("a record that is gone: %v", err)
		}
		if _, err := b.RecordOf(t.Context(), PlanSummary{}); !errors.Is(err, ErrName) {
			t.Errorf("no plan: %v", err)
		}
	})
}
