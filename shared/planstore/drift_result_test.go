package planstore

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"

	"github.com/terraform-gitops/gitops/shared/changes"
)

// newResult is the result of a drift plan with everything that it can have.
func (b *backend) newResult(t Target, run Run) DriftResult {
	r := b.newRecord(nil)
	r.Target, r.Kind, r.Run = t, KindDrift, run
	return DriftResult{
		Target: t, Run: run, Commit: commitA, At: r.CreatedAt, Outcome: DriftDrifted,
		RecordID: r.ID(), PlanDigest: strings.Repeat("d1", 32), ExpiresAt: r.ExpiresAt.Truncate(time.Second),
		Counts: changes.Counts{Update: 2, Drift: 1}, Changes: strings.Repeat("c4", 32),
		Report: "**2 to change**\n\n`a` ünd more\n",
	}
}

func (b *backend) results(t *testing.T, repository, run string) []DriftResult {
	t.Helper()
	results, err := b.DriftResults(t.Context(), repository, run)
	must(t, err)
	return results
}

func TestDriftResultsOfARunAreFoundAsTheyWere(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		run := runNumber("100", 1)
		vpc, dns := network, network
		vpc.Component, dns.Stack = "vpc", "plat-ue2-aaa"
		drifted := b.newResult(network, run)
		failed := DriftResult{Target: vpc, Run: runNumber("100", 2), Commit: commitB, At: b.clock.now(), Outcome: DriftError, Error: "plan: no", Report: "no"}
		clean := DriftResult{Target: dns, Run: run, Commit: commitA, At: b.clock.now(), Outcome: DriftNotDrifted, RefreshOnly: true, Counts: changes.Counts{NoOp: 7}}
		for _, r := range []DriftResult{failed, drifted, clean} {
			must(t, b.PutDriftResult(t.Context(), r))
		}
		// Neither plan records of the run, nor other runs, nor other repositories.
		b.put(t, b.newRecord(nil), "plan")
		must(t, b.PutDriftResult(t.Context(), b.newResult(Target{"acme/infra", "else", "x"}, runNumber("1000", 1))))
		must(t, b.PutDriftResult(t.Context(), b.newResult(Target{"acme/infra2", "network", "x"}, run)))

		want := []DriftResult{clean, drifted, failed}
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
		must(t, b.PutDriftResult(t.Context(), current))
		must(t, b.PutDriftResult(t.Context(), old))
		if got := b.results(t, "acme/infra", "100"); len(got) != 0 {
			t.Errorf("the older run's result is stored: %+v", got)
		}
		if diff := cmp.Diff([]DriftResult{current}, b.results(t, "acme/infra", "101")); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		// The same again, as after an answer that was lost, and a newer one.
		must(t, b.PutDriftResult(t.Context(), current))
		current.At, current.Run.Attempt, current.Outcome = current.At.Add(time.Nanosecond), 2, DriftNotDrifted
		must(t, b.PutDriftResult(t.Context(), current))
		if diff := cmp.Diff([]DriftResult{current}, b.results(t, "acme/infra", "101")); diff != "" {
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
			r := b.newResult(Target{"acme/infra", "network", fmt.Sprintf("stack-%02d", i)}, run)
			r.Report = strings.Repeat("x", MaxDriftReport)
			must(t, b.PutDriftResult(t.Context(), r))
		}
		results := b.results(t, "acme/infra", "100")
		if len(results) != targets {
			t.Fatalf("%d results", len(results))
		}
		for i, r := range results {
			if r.Stack != fmt.Sprintf("stack-%02d", i) || len(r.Report) != MaxDriftReport {
				t.Errorf("result %d is that of %s, its report of %d bytes", i, r.Target, len(r.Report))
			}
		}
	})
}

func TestDriftResultsOfAwkwardNamesAreKeptApart(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		run := runNumber("100", 1)
		left := map[Target]bool{}
		for i, name := range awkward {
			of := Target{"acme/infra", name, awkward[(i+1)%len(awkward)]}
			if of.check() == nil {
				left[of] = true
				must(t, b.PutDriftResult(t.Context(), b.newResult(of, run)))
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
			if _, err := b.DriftResults(t.Context(), repository, "100"); !errors.Is(err, ErrName) {
				t.Errorf("repository %q: %v", repository, err)
			}
		}
		for _, run := range []string{"", "1#2", "*", strings.Repeat("1", 65)} {
			if _, err := b.DriftResults(t.Context(), "acme/infra", run); !errors.Is(err, ErrName) {
				t.Errorf("run %q: %v", run, err)
			}
		}
	})
}

func TestAnUnclearDriftResultIsRefused(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		for name, spoil := range map[string]func(*DriftResult){
			"a report that is too long": func(r *DriftResult) { r.Report = strings.Repeat("x", MaxDriftReport+1) },
			"no outcome":                func(r *DriftResult) { r.Outcome = "" },
			"no time":                   func(r *DriftResult) { r.At = time.Time{} },
			"no error":                  func(r *DriftResult) { r.Outcome = DriftError },
			"an error for nothing":      func(r *DriftResult) { r.Error = "no" },
			"an error of two lines":     func(r *DriftResult) { r.Outcome, r.Error = DriftError, "a\nb" },
			"an error that is too long": func(r *DriftResult) { r.Outcome, r.Error = DriftError, strings.Repeat("x", 5000) },
			"no run":                    func(r *DriftResult) { r.Run = Run{} },
			"no commit":                 func(r *DriftResult) { r.Commit = "main" },
			"no stack":                  func(r *DriftResult) { r.Stack = "" },
			"a record that is none":     func(r *DriftResult) { r.RecordID = "drift#x" },
			"a record without planfile": func(r *DriftResult) { r.PlanDigest = "" },
			"a planfile without record": func(r *DriftResult) { r.RecordID = "" },
			"a plan without end":        func(r *DriftResult) { r.ExpiresAt = time.Time{} },
			"changes that are none":     func(r *DriftResult) { r.Changes = "C4" },
		} {
			r := b.newResult(network, runNumber("100", 1))
			spoil(&r)
			if err := b.PutDriftResult(t.Context(), r); err == nil || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: %v", name, err)
			}
		}
		if got := b.results(t, "acme/infra", "100"); len(got) != 0 {
			t.Errorf("stored: %+v", got)
		}
		r := b.newResult(network, runNumber("100", 1))
		r.Report = strings.Repeat("é", MaxDriftReport/2)
		must(t, b.PutDriftResult(t.Context(), r))
	})
}

// Who may write one repository's items must not be able to add to the results of
// another's run, nor pass one target off as another.
func TestDriftResultUnderAnothersKeyIsNotTaken(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		r := b.newResult(network, runNumber("100", 1))
		must(t, b.PutDriftResult(t.Context(), r))
		pk := driftPrefix + network.key()
		item := b.asRead(t, b.item(t, pk, resultKey))
		item["pk"] = driftPrefix + Target{"mallory/infra", "network", "plat-ue2-dev"}.key()
		b.putItem(t, item)
		if got := b.results(t, "acme/infra", "100"); len(got) != 1 {
			t.Errorf("%d results, one of them of another repository", len(got))
		}
		item["pk"] = driftPrefix + Target{"acme/infra", "vpc", "plat-ue2-dev"}.key()
		b.putItem(t, item)
		if _, err := b.DriftResults(t.Context(), "acme/infra", "100"); err == nil || !strings.Contains(err.Error(), "damaged") {
			t.Errorf("a result under another target's key: %v", err)
		}
	})
}

// The target's latest result stays: only plan records vanish.
func TestDriftItemsHaveNoTTLAndAreInNoIndexButTheRuns(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		must(t, b.PutDriftResult(t.Context(), b.newResult(network, runNumber("100", 1))))
		b.link(t, DriftIssue{Target: network, Number: 7})
		for pk, sk := range map[string]string{driftPrefix + network.key(): resultKey, issuePrefix + network.key(): issueKey} {
			item := b.item(t, pk, sk)
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

func TestDriftRecordIsFoundByItsIDAlone(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		drift := b.newRecord(&StatePosition{"L", 5})
		drift.Kind = KindDrift
		drift = b.put(t, drift, "drift")
		newer := b.newRecord(&StatePosition{"L", 5})
		newer.Kind = KindDrift
		newer = b.put(t, newer, "newer")
		change := b.put(t, b.newRecord(&StatePosition{"L", 5}), "change")
		for _, r := range []Record{drift, newer, change} {
			found, err := b.open().FindRecord(t.Context(), network, r.ID())
			must(t, err)
			if diff := cmp.Diff(Stored{Record: r, Status: StatusPlanned}, found); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			must(t, b.Fetch(t.Context(), found.Record, filepath.Join(t.TempDir(), "f")))
		}
		b.apply(t, drift, runNumber("200", 1))
		found, err := b.FindRecord(t.Context(), network, drift.ID())
		must(t, err)
		if found.Status != StatusApplied || found.Claim == nil || found.Last == nil || found.Last.RecordID != drift.ID() {
			t.Errorf("found %+v", found)
		}

		other := drift
		other.Run.Attempt = 9
		for id, want := range map[string]error{
			other.ID():                              ErrNotFound,
			"":                                      ErrName,
			"drift#":                                ErrName,
			drift.ID()[:len(drift.ID())-1]:          ErrName,
			strings.Repeat("drift#", 300):           ErrName,
			strings.TrimPrefix(drift.ID(), "dr"):    ErrName,
			strings.Replace(drift.ID(), "#", "", 1): ErrName,
		} {
			if _, err := b.FindRecord(t.Context(), network, id); !errors.Is(err, want) {
				t.Errorf("ID %q: %v, want %v", id, err, want)
			}
		}
		vpc := network
		vpc.Component = "vpc"
		if _, err := b.FindRecord(t.Context(), vpc, drift.ID()); !errors.Is(err, ErrNotFound) {
			t.Errorf("another target's: %v", err)
		}
		item := b.item(t, planPrefix+network.key(), newer.ID())
		item["branch"] = "another"
		b.putItem(t, b.asRead(t, item))
		if _, err := b.FindRecord(t.Context(), network, newer.ID()); !errors.Is(err, ErrAltered) {
			t.Errorf("written over: %v", err)
		}
	})
}

func TestDamagedDriftItemsAreNamed(t *testing.T) {
	t.Parallel()
	b := newDirectoryBackend(t, t.TempDir())
	for pk, sk := range map[string]string{driftPrefix + network.key(): resultKey, issuePrefix + network.key(): issueKey} {
		must(t, b.items.(*database).update(t.Context(), func(bucket *bbolt.Bucket) error {
			return bucket.Put(itemKey(pk, sk), []byte("{"))
		}))
	}
	_, results := b.DriftResults(t.Context(), "acme/infra", "100")
	_, issues := b.DriftIssues(t.Context(), []Target{network})
	for _, err := range []error{results, issues} {
		if err == nil || !strings.Contains(err.Error(), "damaged") || !strings.Contains(err.Error(), "#acme/infra#network") {
			t.Errorf("%v", err)
		}
	}
}

func TestWhatDriftRequestsCost(t *testing.T) {
	t.Parallel()
	b, w := newWiredBackend(t)
	r := b.newRecord(nil)
	r.Kind = KindDrift
	r = b.put(t, r, "drift")
	w.breakWith(nil)
	must(t, b.PutDriftResult(t.Context(), b.newResult(network, runNumber("100", 1))))
	b.results(t, "acme/infra", "100")
	_, err := b.FindRecord(t.Context(), network, r.ID())
	must(t, err)
	var many []Target
	for i := range 250 {
		many = append(many, Target{"acme/infra", "network", fmt.Sprint(i)})
	}
	_, err = b.DriftIssues(t.Context(), many)
	must(t, err)
	_, err = b.DriftIssues(t.Context(), nil)
	must(t, err)
	_, err = b.PutDriftIssue(t.Context(), DriftIssue{Target: network})
	must(t, err)
	want := "PutItem Query Query BatchGetItem BatchGetItem BatchGetItem BatchGetItem PutItem"
	if got := strings.Join(w.operations(), " "); got != want {
		t.Errorf("requests %s\nwant     %s", got, want)
	}
}

func TestIndexThatIsNotThereIsNamed(t *testing.T) {
	t.Parallel()
	b, w := newWiredBackend(t)
	items := b.items.(table)
	_, err := items.client.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: &items.name, GlobalSecondaryIndexUpdates: deleteIndex(byRun)})
	must(t, err)
	w.breakWith(nil)
	if _, err := b.DriftResults(t.Context(), "acme/infra", "100"); err == nil || !strings.Contains(err.Error(), byRun) || !strings.Contains(err.Error(), items.name) {
		t.Errorf("%v", err)
	}
}
