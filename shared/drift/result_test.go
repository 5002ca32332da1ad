package drift

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"

	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/changes/ignore"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/planstore/storage"
	"github.com/terraform-gitops/gitops/shared/planstore/storetest"
)

// newResult is the result of a drift plan with everything that it can have.
func (b *backend) newResult(t planstore.Target, run planstore.Run) Result {
	r := b.newRecord()
	r.Target, r.Kind, r.Run = t, planstore.KindDrift, run
	return Result{
		Target: t, Run: run, Commit: commitA, At: r.CreatedAt, Outcome: Drifted,
		RecordID: r.ID(), PlanDigest: strings.Repeat("d1", 32), ExpiresAt: r.ExpiresAt.Truncate(time.Second),
		Counts: changes.Counts{Update: 2, Drift: 1}, Ignored: []ignore.Use{{Rule: "a_b.*: c", Differences: 2, Presence: ignore.Present}, {Rule: "**: d"}}, ChangesDigest: strings.Repeat("c4", 32),
		Denied: "no drift is reverted on a Monday (policies/drift.rego:3)",
		Report: "**2 to change**\n\n`a` ünd more\n",
	}
}

func (b *backend) results(t *testing.T, repository, run string) []Result {
	t.Helper()
	results, err := b.Results(t.Context(), repository, run)
	must(t, err)
	return results
}

func TestDriftResultsOfARunAreFoundAsTheyWere(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		run := runNumber("100", 1)
		vpc, dns := network, network
		vpc.Component, dns.Stack = "vpc", "plat-ue2-aaa"
		drifted := b.newResult(network, run)
		failed := Result{Target: vpc, Run: runNumber("100", 2), Commit: commitB, At: b.clock.Now(), Outcome: PlanFailed, Error: "plan: no", Report: "no"}
		clean := Result{Target: dns, Run: run, Commit: commitA, At: b.clock.Now(), Outcome: NotDrifted, RefreshOnly: true, Counts: changes.Counts{NoOp: 7}}
		for _, r := range []Result{failed, drifted, clean} {
			must(t, b.PutResult(t.Context(), r))
		}
		// Neither plan records of the run, nor other runs, nor other repositories.
		b.put(t, b.newRecord())
		must(t, b.PutResult(t.Context(), b.newResult(target("acme/infra", "else", "x"), runNumber("1000", 1))))
		must(t, b.PutResult(t.Context(), b.newResult(target("acme/infra2", "network", "x"), run)))

		want := []Result{clean, drifted, failed}
		if diff := cmp.Diff(want, b.results(t, "acme/infra", "100")); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if got := b.results(t, "ACME/Infra", "100"); len(got) != 3 {
			t.Errorf("GitHub ignores the case of a repository's name: %d results", len(got))
		}
		if got := b.results(t, "acme/infra", "10"); len(got) != 0 {
			t.Errorf("run 10 has the results of others: %v", got)
		}
	})
}

func TestDriftResultOfAnOlderRunNeverReplacesANewerOne(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		old, current := b.newResult(network, runNumber("100", 1)), b.newResult(network, runNumber("101", 1))
		must(t, b.PutResult(t.Context(), current))
		must(t, b.PutResult(t.Context(), old))
		if got := b.results(t, "acme/infra", "100"); len(got) != 0 {
			t.Errorf("the older run's result is stored: %+v", got)
		}
		if diff := cmp.Diff([]Result{current}, b.results(t, "acme/infra", "101")); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		// The same again, as after an answer that was lost, and a newer one.
		must(t, b.PutResult(t.Context(), current))
		current.At, current.Run.Attempt, current.Outcome = current.At.Add(time.Nanosecond), 2, NotDrifted
		must(t, b.PutResult(t.Context(), current))
		if diff := cmp.Diff([]Result{current}, b.results(t, "acme/infra", "101")); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// DynamoDB answers with at most 1 MB at a time.
func TestDriftResultsOfSeveralPagesAreAllFound(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		const targets = 45
		run := runNumber("100", 1)
		for i := range targets {
			r := b.newResult(target("acme/infra", "network", fmt.Sprintf("stack-%02d", i)), run)
			r.Report = strings.Repeat("x", MaxReport)
			must(t, b.PutResult(t.Context(), r))
		}
		results := b.results(t, "acme/infra", "100")
		if len(results) != targets {
			t.Fatalf("%d results", len(results))
		}
		for i, r := range results {
			if r.Stack != fmt.Sprintf("stack-%02d", i) || len(r.Report) != MaxReport {
				t.Errorf("result %d is that of %s, its report of %d bytes", i, r.Target, len(r.Report))
			}
		}
	})
}

func TestDriftResultsOfAwkwardNamesAreKeptApart(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		run := runNumber("100", 1)
		left := map[planstore.Target]bool{}
		for i, name := range storetest.AwkwardNames {
			of := target("acme/infra", name, storetest.AwkwardNames[(i+1)%len(storetest.AwkwardNames)])
			if of.Check() == nil {
				left[of] = true
				must(t, b.PutResult(t.Context(), b.newResult(of, run)))
			}
		}
		for _, r := range b.results(t, "acme/infra", "100") {
			if !left[r.Target] {
				t.Errorf("a result too many, of %q in %q", r.Component, r.Stack)
			}
			delete(left, r.Target)
		}
		if len(left) > 0 {
			t.Errorf("no results of %v", left)
		}
		for _, repository := range []string{"acme", "acme/infra#100", "", "a/b/c"} {
			if _, err := b.Results(t.Context(), repository, "100"); !errors.Is(err, planstore.ErrName) {
				t.Errorf("repository %q: %v", repository, err)
			}
		}
		for _, run := range []string{"", "1#2", "*", strings.Repeat("1", 65)} {
			if _, err := b.Results(t.Context(), "acme/infra", run); !errors.Is(err, planstore.ErrName) {
				t.Errorf("run %q: %v", run, err)
			}
		}
	})
}

func TestAnUnclearDriftResultIsRefused(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		for name, spoil := range map[string]func(*Result){
			"a report that is too long": func(r *Result) { r.Report = strings.Repeat("x", MaxReport+1) },
			"no outcome":                func(r *Result) { r.Outcome = "" },
			"no time":                   func(r *Result) { r.At = time.Time{} },
			"no error":                  func(r *Result) { r.Outcome = PlanFailed },
			"an error for nothing":      func(r *Result) { r.Error = "no" },
			"an error of two lines":     func(r *Result) { r.Outcome, r.Error = PlanFailed, "a\nb" },
			"a denial of two lines":     func(r *Result) { r.Denied = "a\nb" },
			"a denial that is too long": func(r *Result) { r.Denied = strings.Repeat("x", 5000) },
			"an error that is too long": func(r *Result) { r.Outcome, r.Error = PlanFailed, strings.Repeat("x", 5000) },
			"no run":                    func(r *Result) { r.Run = planstore.Run{} },
			"no commit":                 func(r *Result) { r.Commit = "main" },
			"no stack":                  func(r *Result) { r.Stack = "" },
			"a record that is none":     func(r *Result) { r.RecordID = "drift#x" },
			"a record without planfile": func(r *Result) { r.PlanDigest = "" },
			"a planfile without record": func(r *Result) { r.RecordID = "" },
			"a plan without end":        func(r *Result) { r.ExpiresAt = time.Time{} },
			"a rule without text":       func(r *Result) { r.Ignored = []ignore.Use{{}} },
			"a rule of unknown use":     func(r *Result) { r.Ignored = []ignore.Use{{Rule: "a_b.c: d", Presence: "x"}} },
			"too many rules":            func(r *Result) { r.Ignored = slices.Repeat([]ignore.Use{{Rule: "a"}}, ignore.MaxRules+1) },
			"changes that are none":     func(r *Result) { r.ChangesDigest = "C4" },
		} {
			r := b.newResult(network, runNumber("100", 1))
			spoil(&r)
			if err := b.PutResult(t.Context(), r); err == nil || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: %v", name, err)
			}
		}
		if got := b.results(t, "acme/infra", "100"); len(got) != 0 {
			t.Errorf("stored: %+v", got)
		}
		r := b.newResult(network, runNumber("100", 1))
		r.Report = strings.Repeat("é", MaxReport/2)
		must(t, b.PutResult(t.Context(), r))
	})
}

// Who may write one repository's items must not be able to add to the results of
// another's run, nor pass one target off as another.
func TestDriftResultUnderAnothersKeyIsNotTaken(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		r := b.newResult(network, runNumber("100", 1))
		must(t, b.PutResult(t.Context(), r))
		pk := resultPrefix + network.Key()
		item := b.Item(t, pk, resultKey)
		item["pk"] = resultPrefix + target("mallory/infra", "network", "plat-ue2-dev").Key()
		b.PutItem(t, item)
		if got := b.results(t, "acme/infra", "100"); len(got) != 1 {
			t.Errorf("%d results, one of them of another repository", len(got))
		}
		item["pk"] = resultPrefix + target("acme/infra", "vpc", "plat-ue2-dev").Key()
		b.PutItem(t, item)
		if _, err := b.Results(t.Context(), "acme/infra", "100"); err == nil || !strings.Contains(err.Error(), "damaged") {
			t.Errorf("a result under another target's key: %v", err)
		}
	})
}

// The target's latest result stays: only plan records vanish.
func TestDriftItemsHaveNoTTLAndAreInNoIndexButTheRuns(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		must(t, b.PutResult(t.Context(), b.newResult(network, runNumber("100", 1))))
		b.link(t, Link{Target: network, Number: 7})
		for pk, sk := range map[string]string{resultPrefix + network.Key(): resultKey, linkPrefix + network.Key(): linkKey} {
			item := b.Item(t, pk, sk)
			if len(item) == 0 {
				t.Fatalf("no item %s %s", pk, sk)
			}
			for _, name := range []string{"expiresAt", "pullRequest", "createdAt"} {
				if _, ok := item[name]; ok {
					t.Errorf("%s has the attribute %s", pk, name)
				}
			}
			if _, ok := item["run"]; ok != (sk == resultKey) {
				t.Errorf("%s is in the index by-run: %v", pk, ok)
			}
		}
	})
}

func TestDamagedDriftItemsAreNamed(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	b := newBackend(storetest.NewFolder(t, path))
	for pk, sk := range map[string]string{resultPrefix + network.Key(): resultKey, linkPrefix + network.Key(): linkKey} {
		storetest.InDatabase(t, path, func(bucket *bbolt.Bucket) error {
			return bucket.Put(storetest.NameOf(storage.Key{Partition: pk, Sort: sk}), []byte("{"))
		})
	}
	_, results := b.Results(t.Context(), "acme/infra", "100")
	_, issues := b.Links(t.Context(), []planstore.Target{network})
	for _, err := range []error{results, issues} {
		if err == nil || !strings.Contains(err.Error(), "damaged") || !strings.Contains(err.Error(), "#acme/infra#network") {
			t.Errorf("%v", err)
		}
	}
}

func TestWhatDriftRequestsCost(t *testing.T) {
	t.Parallel()
	b, w := newWiredBackend(t)
	r := b.newRecord()
	r.Kind = planstore.KindDrift
	r = b.put(t, r)
	w.BreakWith(nil)
	must(t, b.PutResult(t.Context(), b.newResult(network, runNumber("100", 1))))
	b.results(t, "acme/infra", "100")
	_, err := b.plans.FindRecord(t.Context(), network, r.ID())
	must(t, err)
	var many []planstore.Target
	for i := range 250 {
		many = append(many, target("acme/infra", "network", fmt.Sprint(i)))
	}
	_, err = b.Links(t.Context(), many)
	must(t, err)
	_, err = b.Links(t.Context(), nil)
	must(t, err)
	_, err = b.PutLink(t.Context(), Link{Target: network})
	must(t, err)
	want := "PutItem Query Query BatchGetItem BatchGetItem BatchGetItem BatchGetItem PutItem"
	if got := strings.Join(w.Operations(), " "); got != want {
		t.Errorf("requests %s\nwant     %s", got, want)
	}
}

func TestIndexThatIsNotThereIsNamed(t *testing.T) {
	t.Parallel()
	b, w := newWiredBackend(t)
	const byRun = "by-run"
	_, err := b.DynamoDB.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: &b.Table, GlobalSecondaryIndexUpdates: deleteIndex(byRun)})
	must(t, err)
	w.BreakWith(nil)
	if _, err := b.Results(t.Context(), "acme/infra", "100"); err == nil || !strings.Contains(err.Error(), byRun) || !strings.Contains(err.Error(), b.Table) {
		t.Errorf("%v", err)
	}
}

// A drift result that says it is of the future is replaced by the next one.
func TestDriftResultsOfTheFutureAreReplaced(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		for name, spoil := range map[string]any{"of the future": "9998-01-01T00:00:00.000000000Z", "that has no time": 7} {
			b.PutItem(t, map[string]any{"pk": resultPrefix + network.Key(), "sk": resultKey, "run": planstore.Run{ID: "100", Attempt: 1}.Key(network), "seenAt": spoil})
			r := Result{Target: network, Run: runNumber("100", 1), Commit: commitA, At: b.clock.Now(), Outcome: NotDrifted}
			must(t, b.PutResult(t.Context(), r))
			results, err := b.Results(t.Context(), network.Repository, "100")
			if err != nil || len(results) != 1 || results[0].Outcome != NotDrifted {
				t.Errorf("after one %s: %+v, error %v", name, results, err)
			}
		}
	})
}
