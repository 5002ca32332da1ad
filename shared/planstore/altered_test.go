package planstore

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/terraform-gitops/gitops/shared/planstore/storage"
	"github.com/terraform-gitops/gitops/shared/planstore/storetest"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"
)

// itemOf reads the item of a record as it is stored.
func (b *backend) itemOf(t *testing.T, r Record) map[string]any {
	t.Helper()
	return b.Item(t, planPrefix+r.Key(), r.ID())
}

// refused checks that a commit's newest plan can't be found.
func (b *backend) refused(t *testing.T, name string, target Target, commit string, want error) {
	t.Helper()
	found, err := b.Find(t.Context(), target, commit)
	if !errors.Is(err, want) {
		t.Errorf("%s: found %s, error %v: want %v", name, found.Record.Digest, err, want)
		return
	}
	if strings.ContainsAny(err.Error(), "\n\x00") {
		t.Errorf("%s: not a line: %q", name, err)
	}
}

// reseal gives an item the right seal for what it holds now, as whoever may write records can.
func reseal(t *testing.T, item map[string]any) {
	t.Helper()
	sum, err := seal(item)
	must(t, err)
	sk := item["sk"].(string)
	item["sk"] = sk[:strings.LastIndex(sk, "#")+1] + sum
}

// changed is another value of the same type.
func changed(value any) any {
	switch value := value.(type) {
	case string:
		return value + "0"
	case map[string]any:
		other := maps.Clone(value)
		for name := range other {
			other[name] = changed(other[name])
			return other
		}
		return map[string]any{"create": 1}
	}
	return 9 // a number: none of those in the records
}

func TestRecordThatWasWrittenOverIsRefused(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		spoils := map[string]func(item map[string]any){
			"an attribute that is not known": func(i map[string]any) { i["approved"] = "yes" },
			"a number as text":               func(i map[string]any) { i["size"] = fmt.Sprint(i["size"]) },
			"a digest in upper case":         func(i map[string]any) { i["digest"] = strings.ToUpper(i["digest"].(string)) },
			"an attribute in another case":   func(i map[string]any) { i["Digest"] = strings.Repeat("0", 64) },
			"an attribute emptied":           func(i map[string]any) { i["branch"] = "" },
			"a truth":                        func(i map[string]any) { i["drift"] = true },
			"a list":                         func(i map[string]any) { i["files"] = []any{"main.tf"} },
			"nothing":                        func(i map[string]any) { i["actor"] = nil },
			"a fraction":                     func(i map[string]any) { i["expiresAt"] = 1.5 },
			"a count of none":                func(i map[string]any) { i["counts"].(map[string]any)["move"] = 0 },
			"another file":                   func(i map[string]any) { i["files"].(map[string]any)["evil.tf"] = "cc33" },
			"a file renamed": func(i map[string]any) {
				m := i["files"].(map[string]any)
				m["other.tf"] = m["main.tf"]
				delete(m, "main.tf")
			},
			"no position": func(i map[string]any) { delete(i["statePosition"].(map[string]any), "serial") },
		}
		newRecord := func() Record {
			r := b.newRecord(&StatePosition{"L", 5})
			r.Dependencies = []Dependency{{"network", "prod", StatePosition{"N", 7}}}
			r.ModulesDigest, r.ModuleFiles = strings.Repeat("e2", 32), map[string]string{"module.vpc: run.sh": "f3"}
			r.Mode, r.Targets, r.Replace = "destroy", []string{"a.b", "c.d"}, []string{"e.f"}
			r.ChangesDigest, r.PolicyDigest, r.PolicyResult = strings.Repeat("a1", 32), strings.Repeat("a2", 32), "passed"
			r.Required, r.EqualTo = fullAudit().Required, []string{anotherID}
			return r
		}
		template := b.putWithFiles(t, newRecord(), "plan", "files")
		attributes := 0
		for name, value := range b.itemOf(t, template) {
			if name == "pk" || name == "sk" {
				continue
			}
			attributes++
			spoils[name+" changed"] = func(i map[string]any) { i[name] = changed(value) }
			spoils[name+" removed"] = func(i map[string]any) { delete(i, name) }
		}
		if want := reflect.TypeFor[recordItem]().NumField() - 2; attributes != want-2 && attributes != want { // a folder has no object versions
			t.Fatalf("the record has %d attributes, want one with all %d", attributes, want)
		}
		i := 0
		for name, spoil := range spoils {
			i++
			r := newRecord()
			r.Component = fmt.Sprint("c", i)
			r = b.putWithFiles(t, r, "plan", "files")
			item := b.itemOf(t, r)
			spoil(item)
			b.PutItem(t, item)
			b.refused(t, name, r.Target, r.Commit, ErrAltered)
			if err := b.putRecord(t.Context(), r); !errors.Is(err, ErrAltered) {
				t.Errorf("%s: put again: %v, want ErrAltered", name, err)
			}
			if i > 1 {
				continue
			}
			again := b.newRecord(nil) // what the error says to do
			again.Target = r.Target
			again = b.put(t, again, "plan")
			if got := b.status(t, again); got != StatusPlanned {
				t.Errorf("planned again: status %s", got)
			}
		}
	})
}

func TestRecordThatWasCopiedIsRefused(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		other := network
		other.Stack = "prod"
		for name, copied := range map[string]struct {
			change func(item map[string]any, r Record)
			target Target
			commit string
		}{
			"to another target": {
				func(i map[string]any, _ Record) { i["pk"] = planPrefix + other.Key() }, other, commitA,
			},
			"to another target, and adapted": {
				func(i map[string]any, r Record) {
					i["pk"], i["stack"] = planPrefix+other.Key(), other.Stack
					i["objectKey"] = objectKey(other, r.Commit, r.Digest)
				}, other, commitA,
			},
			"to another commit": {
				func(i map[string]any, r Record) { i["sk"] = strings.Replace(r.ID(), commitA, commitB, 1) }, network, commitB,
			},
			"to another commit, and adapted": {
				func(i map[string]any, r Record) {
					i["sk"], i["commit"] = strings.Replace(r.ID(), commitA, commitB, 1), commitB
					i["objectKey"] = objectKey(network, commitB, r.Digest)
				}, network, commitB,
			},
			"to a later time": {
				func(i map[string]any, r Record) {
					i["sk"] = strings.Replace(r.ID(), storage.FormatTime(r.CreatedAt), storage.FormatTime(r.CreatedAt.Add(time.Hour)), 1)
				}, network, commitA,
			},
			"to a later attempt": {
				func(i map[string]any, r Record) { i["sk"] = strings.Replace(r.ID(), "#100.1#", "#100.2#", 1) }, network, commitA,
			},
			"to a key without a seal": {
				func(i map[string]any, r Record) { i["sk"] = r.sortKey() + "~" }, network, commitA,
			},
			"to a key with words": {
				func(i map[string]any, r Record) { i["sk"] = r.sortKey() + "~\n::error::forged" }, network, commitA,
			},
		} {
			r := b.put(t, b.newRecord(nil), "plan")
			item := b.itemOf(t, r)
			copied.change(item, r)
			b.PutItem(t, item)
			if copied.target != network || copied.commit != commitA {
				b.refused(t, name, copied.target, copied.commit, ErrAltered)
				continue
			}
			found, err := b.Find(t.Context(), network, commitA) // the copied one itself
			if err != nil || found.Record.ID() != r.ID() || strings.ContainsAny(strings.Join(found.Damaged, ""), "\n\x00") {
				t.Errorf("%s: found %s, stepped over %q, error %v", name, found.Record.ID(), found.Damaged, err)
			}
		}
	})
}

// Whoever may write records can seal what they write. A sealed item is still refused if Put
// can't have written it under this key.
func TestRecordThatDisagreesWithItsKeyIsRefusedHoweverItIsSealed(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		for name, forge := range map[string]func(item map[string]any, r Record){
			"about another stack":   func(i map[string]any, _ Record) { i["stack"] = "prod" },
			"of another repository": func(i map[string]any, _ Record) { i["repository"] = "evil/infra" },
			"about another commit":  func(i map[string]any, _ Record) { i["commit"] = commitB },
			"made at another time":  func(i map[string]any, r Record) { i["createdAt"] = storage.FormatTime(r.CreatedAt.Add(1)) },
			"with a time it is not": func(i map[string]any, _ Record) { i["createdAt"] = "yesterday" },
			"with a time otherwise": func(i map[string]any, r Record) {
				i["createdAt"] = r.CreatedAt.Format("2006-01-02T15:04:05.999999999-07:00")
			},
			"made by another run":      func(i map[string]any, _ Record) { i["runId"], i["run"] = "101", "acme/infra#101" },
			"of another attempt":       func(i map[string]any, _ Record) { i["runAttempt"] = 2 },
			"in another run's index":   func(i map[string]any, _ Record) { i["run"] = "evil/infra#100" },
			"in another request's":     func(i map[string]any, _ Record) { i["pullRequest"] = "acme/infra#42" },
			"a drift plan":             func(i map[string]any, _ Record) { i["kind"] = "drift" },
			"of no kind":               func(i map[string]any, _ Record) { delete(i, "kind") },
			"that expired before":      func(i map[string]any, _ Record) { i["expiresAt"] = 1 },
			"with more in it":          func(i map[string]any, _ Record) { i["approved"] = "yes" },
			"with empty text":          func(i map[string]any, _ Record) { i["approved"] = "" },
			"with a name of two cases": func(i map[string]any, _ Record) { i["Digest"] = strings.Repeat("0", 64) },
			"of no version":            func(i map[string]any, _ Record) { delete(i, "version") },
			"of an old version":        func(i map[string]any, _ Record) { i["version"] = 0 },
			"of a version without dependencies": func(i map[string]any, _ Record) {
				i["dependencies"] = map[string]any{"network": map[string]any{"prod": map[string]any{"lineage": "N", "serial": 7}}}
			},
			"of the version with dependencies": func(i map[string]any, _ Record) { i["version"] = 2 },
			"with no dependencies in it":       func(i map[string]any, _ Record) { i["version"], i["dependencies"] = 2, map[string]any{} },
			"with no stack of a dependency": func(i map[string]any, _ Record) {
				i["version"], i["dependencies"] = 2, map[string]any{"network": map[string]any{}}
			},
			"with more of a dependency": func(i map[string]any, _ Record) {
				i["version"], i["dependencies"] = 2, map[string]any{"network": map[string]any{"prod": map[string]any{"lineage": "N", "serial": 7, "more": 1}}}
			},
			"of a version in words": func(i map[string]any, _ Record) { i["version"] = "one" },
		} {
			r := b.put(t, b.newRecord(nil), "plan")
			item := b.itemOf(t, r)
			// Encode the numbers of the test as they are read.
			forge(item, r)
			item = b.asRead(t, item)
			reseal(t, item)
			b.PutItem(t, item)
			// If two have the same time, their seals decide which is newer: hide the other one.
			if item["sk"] != r.ID() {
				b.hide(t, r)
			}
			b.refused(t, name, network, commitA, ErrAltered)
		}
	})
}

// asRead is an item as the store returns it.
func (b *backend) asRead(t *testing.T, item map[string]any) map[string]any {
	t.Helper()
	read, err := storage.Encode(item)
	must(t, err)
	return read
}

// hide deletes a record, so that the next one is found.
func (b *backend) hide(t *testing.T, r Record) {
	t.Helper()
	b.hideItem(t, planPrefix+r.Key(), r.ID())
}

func (b *backend) hideItem(t *testing.T, pk, sk string) {
	t.Helper()
	b.Delete(t, storage.Key{Partition: pk, Sort: sk})
}

func TestRecordOfANewerVersionSaysSo(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		r := b.put(t, b.newRecord(nil), "plan")
		item := b.itemOf(t, r)
		item["version"], item["approvals"], item["counts"] = recordVersion+1, map[string]any{"octocat": 2}, "many"
		item = b.asRead(t, item)
		reseal(t, item)
		b.PutItem(t, item)
		b.hide(t, r)
		b.refused(t, "whole", network, commitA, ErrNewerVersion)

		item["approvals"] = "none"
		b.PutItem(t, item)
		b.refused(t, "altered", network, commitA, ErrAltered)
	})
}

func TestRecordPutAgainIsTheSameAndAnotherIsAnother(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		r := b.put(t, b.newRecord(nil), "plan")
		must(t, b.putRecord(t.Context(), r))
		before := b.itemOf(t, r)
		forged := r
		forged.Actor = "mallory"
		forged = b.put(t, forged, "forged")
		if forged.ID() == r.ID() {
			t.Fatal("two records have one ID")
		}
		if diff := cmp.Diff(before, b.itemOf(t, r)); diff != "" {
			t.Errorf("the record was written over (-before +after):\n%s", diff)
		}
	})
}

func TestClaimSaysExactlyWhichRecordWasApplied(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		r := b.put(t, b.newRecord(nil), "plan")
		b.apply(t, r, runNumber("200", 1))
		claim := b.Item(t, applyPrefix+r.Key(), claimPrefix+r.ID())
		sum, err := seal(b.itemOf(t, r))
		must(t, err)
		if !strings.HasSuffix(claim["sk"].(string), "#"+sum) {
			t.Errorf("the claim %s does not name the seal %s", claim["sk"], sum)
		}
		if last := b.Item(t, applyPrefix+r.Key(), lastKey); last["recordId"] != r.ID() {
			t.Errorf("the last apply is of %s", last["recordId"])
		}
		// What is under the record's key now does not matter.
		item := b.itemOf(t, r)
		item["digest"] = strings.Repeat("0", 64)
		b.PutItem(t, item)
		b.refused(t, "altered after its apply", network, commitA, ErrAltered)
		b.refusedAs(t, r, StatusApplied)
	})
}

func TestValueCopiedInTheFolderIsRefused(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	b := newFolderBackend(t, path)
	r := b.put(t, b.newRecord(nil), "plan")
	other := network
	other.Stack = "prod"
	storetest.InDatabase(t, path, func(bucket *bbolt.Bucket) error {
		name := func(t Target, id string) []byte {
			return storetest.NameOf(storage.Key{Partition: planPrefix + t.Key(), Sort: id})
		}
		value := bucket.Get(name(r.Target, r.ID()))
		return errors.Join(
			bucket.Put(name(other, r.ID()), value),
			bucket.Put(name(r.Target, strings.Replace(r.ID(), commitA, commitB, 1)), value),
			bucket.Put(name(r.Target, r.ID()), append([]byte("x"), value...)))
	})
	b.refused(t, "another target", other, commitA, ErrAltered)
	b.refused(t, "another commit", network, commitB, ErrAltered)
	b.refused(t, "not JSON", network, commitA, ErrAltered)
}
