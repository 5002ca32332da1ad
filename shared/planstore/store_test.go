package planstore

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/terraform-gitops/gitops/shared/planstore/storage"

	"github.com/google/go-cmp/cmp"
)

func TestStoredPlanIsFoundAndFetchedAsItWas(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		for name, state := range map[string]*StatePosition{
			"no state yet":     {},
			"some state":       {Lineage: "3a1f", Serial: math.MaxUint64},
			"state not known":  nil,
			"lineage only":     {Lineage: "3a1f"},
			"serial, no name?": {Serial: 7},
		} {
			r := b.newRecord(state)
			stored := b.put(t, r, "the planfile of "+name)
			sum := sha256.Sum256([]byte("the planfile of " + name))
			want := r
			want.Digest, want.Size = hex.EncodeToString(sum[:]), int64(len("the planfile of "+name))
			want.ObjectKey = "planfiles/acme/infra/network/plat-ue2-dev/" + commitA + "/" + want.Digest + ".tfplan"
			want.ObjectVersion = stored.ObjectVersion
			want.ExpiresAt = r.ExpiresAt.Truncate(time.Second)
			if diff := cmp.Diff(want, stored); diff != "" {
				t.Fatalf("%s: Put (-want +got):\n%s", name, diff)
			}
			found, err := b.open().Find(t.Context(), network, commitA)
			must(t, err)
			if diff := cmp.Diff(Stored{Record: stored, Status: StatusPlanned}, found); diff != "" {
				t.Fatalf("%s: Find (-want +got):\n%s", name, diff)
			}
			path := filepath.Join(t.TempDir(), "fetched")
			must(t, b.Fetch(t.Context(), found.Record, path))
			got, err := os.ReadFile(path)
			must(t, err)
			if string(got) != "the planfile of "+name {
				t.Errorf("%s: fetched %q", name, got)
			}
			if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
				t.Errorf("%s: mode %v, want 0600", name, info.Mode())
			}
		}
	})
}

func TestFailedPlanIsARecordWithoutPlanfile(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		r := b.newRecord(nil)
		r.Outcome = OutcomeFailed
		stored, err := b.Put(t.Context(), r, "")
		must(t, err)
		if got := b.status(t, stored); got != StatusFailed {
			t.Errorf("status %s, want failed", got)
		}
		var refused *NotClaimableError
		if err := b.Claim(t.Context(), stored, runNumber("200", 1), "x", Audit{}); !errors.As(err, &refused) || refused.Status != StatusFailed {
			t.Errorf("claim: %v", err)
		}
		if err := b.Fetch(t.Context(), stored, filepath.Join(t.TempDir(), "f")); err == nil {
			t.Error("a failed plan's planfile was fetched")
		}
	})
}

func TestWaitingPlanIsClaimedOnce(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		r := b.newRecord(nil)
		r.Outcome, r.Dependencies = OutcomeWaiting, []Dependency{{Component: "vpc", Stack: r.Stack}}
		stored, err := b.Put(t.Context(), r, "")
		must(t, err)
		found, err := b.Find(t.Context(), r.Target, r.Commit)
		must(t, err)
		if diff := cmp.Diff(Stored{Record: stored, Status: StatusPlanned}, found); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if err := b.Fetch(t.Context(), stored, filepath.Join(t.TempDir(), "f")); err == nil {
			t.Error("the planfile of a plan that waits was fetched")
		}
		run := runNumber("200", 1)
		must(t, b.Claim(t.Context(), stored, run, "x", Audit{}))
		b.refusedAs(t, stored, StatusApplying)
		must(t, b.Finish(t.Context(), stored, run, Result{Status: StatusApplied, PlannedOn: &StatePosition{}}))
		b.refusedAs(t, stored, StatusApplied)
	})
}

func TestNewestPlanOfACommitIsFound(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		first := b.newRecord(nil)
		b.put(t, first, "one")
		// The times of a whole second and of one with a fraction must sort right.
		second := b.newRecord(nil)
		second.CreatedAt, second.Run.Attempt = first.CreatedAt.Truncate(time.Second).Add(time.Second), 2
		b.put(t, second, "two")
		third := b.newRecord(nil)
		third.CreatedAt, third.Run.Attempt = second.CreatedAt.Add(time.Nanosecond), 10
		third = b.put(t, third, "one") // the same planfile as the first: no new object
		found, err := b.Find(t.Context(), network, commitA)
		must(t, err)
		if found.Record.ID() != third.ID() {
			t.Errorf("found %s, want %s", found.Record.ID(), third.ID())
		}
		must(t, b.Fetch(t.Context(), found.Record, filepath.Join(t.TempDir(), "f")))

		other := b.newRecord(nil)
		other.Commit = commitB
		b.put(t, other, "three")
		if got := b.status(t, third); got != StatusPlanned {
			t.Errorf("a plan of another commit changed the status to %s", got)
		}
	})
}

func TestDriftPlanIsNotThePlanOfItsCommit(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		drift := b.newRecord(nil)
		drift.Kind = KindDrift
		drift = b.put(t, drift, "drift")
		if found, err := b.Find(t.Context(), network, commitA); !errors.Is(err, ErrNotFound) {
			t.Fatalf("found %s, error %v: want ErrNotFound", found.Record.ID(), err)
		}
		change := b.newRecord(nil)
		change.CreatedAt, change.Run.Attempt = drift.CreatedAt.Add(-time.Hour), 2
		change = b.put(t, change, "change")
		found, err := b.Find(t.Context(), network, commitA)
		must(t, err)
		if found.Record.ID() != change.ID() {
			t.Errorf("found %s, want %s", found.Record.ID(), change.ID())
		}
	})
}

func TestPlanOfAnotherCommitOrTargetIsNotFound(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		long := b.newRecord(nil)
		long.Commit = strings.Repeat("a", 64)
		b.put(t, long, "x")
		for name, look := range map[string]struct {
			Target
			commit string
		}{
			"a prefix of the commit": {network, strings.Repeat("a", 40)},
			"another commit":         {network, commitB},
			"another stack":          {Target{"acme/infra", "network", "plat-ue2-de"}, long.Commit},
			"another component":      {Target{"acme/infra", "networ", "plat-ue2-dev"}, long.Commit},
			"another repository":     {Target{"acme/infr", "network", "plat-ue2-dev"}, long.Commit},
			"the separator inside":   {Target{"acme/infra", "network#plat-ue2-dev", "x"}, long.Commit},
		} {
			if _, err := b.Find(t.Context(), look.Target, look.commit); !errors.Is(err, ErrNotFound) {
				t.Errorf("%s: %v, want ErrNotFound", name, err)
			}
		}
		sameRepository := network
		sameRepository.Repository = "ACME/Infra"
		if _, err := b.Find(t.Context(), sameRepository, long.Commit); err != nil {
			t.Errorf("GitHub ignores the case of a repository's name: %v", err)
		}
	})
}

func TestAnUnclearRecordIsRefused(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		file := writeFile(t, "plan")
		for name, spoil := range map[string]func(*Record){
			"abbreviated commit":        func(r *Record) { r.Commit = "4f1c2d9" },
			"upper-case commit":         func(r *Record) { r.Commit = strings.ToUpper(commitA) },
			"commit with a line break":  func(r *Record) { r.Commit = "a\nb" },
			"commit with separator":     func(r *Record) { r.Commit = commitA[:39] + "#" },
			"no run":                    func(r *Record) { r.Run = Run{} },
			"run that climbs":           func(r *Record) { r.Run.ID = "../1" },
			"no attempt":                func(r *Record) { r.Run.Attempt = 0 },
			"unknown kind":              func(r *Record) { r.Kind = "" },
			"unknown outcome":           func(r *Record) { r.Outcome = "ok" },
			"no expiry":                 func(r *Record) { r.ExpiresAt = time.Time{} },
			"expired from the start":    func(r *Record) { r.ExpiresAt = r.CreatedAt },
			"failed, with a planfile":   func(r *Record) { r.Outcome = OutcomeFailed },
			"waiting, with a planfile":  func(r *Record) { r.Outcome = OutcomeWaiting },
			"repository without owner":  func(r *Record) { r.Repository = "infra" },
			"repository with a path":    func(r *Record) { r.Repository = "acme/infra/x" },
			"component with a NUL":      func(r *Record) { r.Component = "a\x00b" },
			"stack with a line break":   func(r *Record) { r.Stack = "a\nb" },
			"component not in UTF-8":    func(r *Record) { r.Component = "a\xffb" },
			"empty stack":               func(r *Record) { r.Stack = "" },
			"component of 2,000 bytes":  func(r *Record) { r.Component = strings.Repeat("x", 2000) },
			"component with a C1 break": func(r *Record) { r.Component = "a\u0085b" },
		} {
			r := b.newRecord(nil)
			spoil(&r)
			if _, err := b.Put(t.Context(), r, file); err == nil {
				t.Errorf("%s: stored", name)
			} else if strings.ContainsAny(err.Error(), "\x00\n") {
				t.Errorf("%s: not a line: %q", name, err)
			}
		}
		if _, err := b.Put(t.Context(), b.newRecord(nil), ""); err == nil {
			t.Error("a plan with changes was stored without its planfile")
		}
		if _, err := b.Put(t.Context(), b.newRecord(nil), t.TempDir()); err == nil {
			t.Error("a folder was stored as a planfile")
		}
		if _, err := b.Put(t.Context(), b.newRecord(nil), filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a file that is not there: %v", err)
		}
		if _, err := b.Find(t.Context(), network, commitA); !errors.Is(err, ErrNotFound) {
			t.Errorf("something was stored all the same: %v", err)
		}
	})
}

func TestFilesAreLeftOutWhenTooBigForAnItem(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		r := b.newRecord(nil)
		r.Files = map[string]string{}
		for i := range 3000 {
			r.Files[fmt.Sprintf("modules/%060d/main.tf", i)] = "0123456789abcdef"
		}
		if stored := b.put(t, r, "plan"); stored.Files != nil {
			t.Error("the record that was stored should say that it has no files")
		}
		found, err := b.Find(t.Context(), network, commitA)
		must(t, err)
		if found.Record.Files != nil {
			t.Error("files kept")
		}
	})
}

func TestPlanfileThatIsNotTheRecordedOneIsNotFetched(t *testing.T) {
	const original = "the reviewed planfile"
	for name, contents := range map[string]string{
		"one byte changed": "the Reviewed planfile",
		"cut short":        "the reviewed plan",
		"empty":            "",
		"one byte more":    original + "!",
		"far bigger":       strings.Repeat(original, 100_000),
	} {
		t.Run(name, func(t *testing.T) {
			onEachBackend(t, func(t *testing.T, b *backend) {
				r := b.put(t, b.newRecord(nil), original)
				version := b.Overwrite(t, r.ObjectKey, []byte(contents))
				if version != "" {
					// The exact version that was recorded is still the right one.
					must(t, b.Fetch(t.Context(), r, filepath.Join(t.TempDir(), "f")))
				}
				for _, v := range []string{version, ""} {
					r.ObjectVersion = v
					path := filepath.Join(t.TempDir(), "fetched")
					if err := b.Fetch(t.Context(), r, path); !errors.Is(err, ErrDigestMismatch) {
						t.Errorf("version %q: %v, want ErrDigestMismatch", v, err)
					}
					if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
						t.Errorf("version %q: the file was left behind", v)
					}
				}
			})
		})
	}
}

func TestOnlyTheRecordsOwnObjectIsFetched(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		theirs := b.newRecord(nil)
		theirs.Repository = "other/secrets"
		theirs = b.put(t, theirs, "another repository's plan")
		mine := b.put(t, b.newRecord(nil), "mine")
		for name, forge := range map[string]func(*Record){
			"another repository's object": func(r *Record) { r.ObjectKey, r.Digest, r.Size = theirs.ObjectKey, theirs.Digest, theirs.Size },
			"a path that climbs":          func(r *Record) { r.ObjectKey = "../items.db" },
			"a digest that climbs":        func(r *Record) { r.Digest = "../../" + r.Digest; r.ObjectKey = objectKey(r.Target, r.Commit, r.Digest) },
			"a size without bound":        func(r *Record) { r.Size = math.MaxInt64 },
			"a negative size":             func(r *Record) { r.Size = -1 },
		} {
			forged := mine
			forge(&forged)
			path := filepath.Join(t.TempDir(), "f")
			// Refused by the record alone: not a byte is read.
			if err := b.Fetch(t.Context(), forged, path); err == nil || !strings.Contains(err.Error(), "record is damaged") {
				t.Errorf("%s: %v", name, err)
			}
			if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: a file was left behind", name)
			}
		}
	})
}

func TestPlanfileThatIsGoneIsSaidToBeGone(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		r := b.put(t, b.newRecord(nil), "plan")
		b.Remove(t, r.ObjectKey)
		for _, version := range []string{r.ObjectVersion, ""} {
			r.ObjectVersion = version
			if err := b.Fetch(t.Context(), r, filepath.Join(t.TempDir(), "f")); !errors.Is(err, ErrPlanfileGone) {
				t.Errorf("version %q: %v, want ErrPlanfileGone", version, err)
			}
		}
	})
}

func TestFetchDoesNotReplaceAFileNorFollowALink(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		r := b.put(t, b.newRecord(nil), "plan")
		existing := writeFile(t, "precious")
		link := filepath.Join(t.TempDir(), "link")
		must(t, os.Symlink(filepath.Join(t.TempDir(), "elsewhere"), link))
		for _, path := range []string{existing, link} {
			if err := b.Fetch(t.Context(), r, path); !errors.Is(err, fs.ErrExist) {
				t.Errorf("%s: %v, want it refused", path, err)
			}
		}
		if got, err := os.ReadFile(existing); err != nil || string(got) != "precious" {
			t.Errorf("the file that was there: %q, %v", got, err)
		}
	})
}

func TestErroredStateIsStoredOnce(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		r := b.put(t, b.newRecord(nil), "plan")
		state := writeFile(t, `{"serial": 7}`)
		var first string
		for range 2 { // storing it again is not an error, and changes nothing
			location, err := b.PutErroredState(t.Context(), r, runNumber("300", 2), state)
			must(t, err)
			if first == "" {
				first = location
			}
			if location != first || !strings.Contains(location, "errored-state/acme/infra/network/plat-ue2-dev/"+commitA+"/300.2/") {
				t.Errorf("stored at %s", location)
			}
		}
		_, key, _ := strings.Cut(first, "errored-state/")
		object, _, err := b.GetObject(t.Context(), erroredStatePrefix+key, "")
		must(t, err)
		defer object.Close()
		must(t, storage.Content{Size: 13, SHA256: sha256.Sum256([]byte(`{"serial": 7}`))}.Copy(io.Discard, object))
	})
}

func TestEndedContextStopsEverything(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		r := b.put(t, b.newRecord(nil), "plan")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		path := filepath.Join(t.TempDir(), "f")
		next := b.newRecord(nil)
		_, putErr := b.Put(ctx, next, writeFile(t, "next"))
		_, findErr := b.Find(ctx, network, commitA)
		for name, err := range map[string]error{
			"Put": putErr, "Find": findErr,
			"Fetch":  b.Fetch(ctx, r, path),
			"Claim":  b.Claim(ctx, r, runNumber("200", 1), "x", Audit{}),
			"Finish": b.Finish(ctx, r, runNumber("200", 1), Result{Status: StatusApplied}),
		} {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v, want context.Canceled", name, err)
			}
		}
		if got := b.status(t, r); got != StatusPlanned {
			t.Errorf("status %s", got)
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
		item := b.Item(t, planPrefix+network.Key(), newer.ID())
		item["branch"] = "another"
		b.PutItem(t, b.asRead(t, item))
		if _, err := b.FindRecord(t.Context(), network, newer.ID()); !errors.Is(err, ErrAltered) {
			t.Errorf("written over: %v", err)
		}
	})
}

// Whoever may plan may write any time into a record. When the planfile was stored is the backend's word.
func TestFetchSaysWhenThePlanfileWasStored(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		before := time.Now().Truncate(time.Second)
		r := b.newRecord(nil)
		r.CreatedAt = b.clock.Now().AddDate(-1, 0, 0) // forged
		r = b.put(t, r, "plan")
		at, err := b.Store.Fetch(t.Context(), r, filepath.Join(t.TempDir(), "f"))
		if err != nil || at.Before(before) || at.After(time.Now()) {
			t.Errorf("stored at %s, error %v, and the test began at %s", at, err, before)
		}
	})
}
