package storage_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/shared/planstore/storage"
	"github.com/terraform-gitops/gitops/shared/planstore/storetest"
)

func item(pk, sk string, attributes map[string]any) storage.Item {
	i := storage.Item{"pk": pk, "sk": sk}
	for name, value := range attributes {
		i[name] = value
	}
	return i
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// DynamoDB decides conditions itself, so what Holds says has to be what it does.
func TestConditionsHoldAlikeInEachBackend(t *testing.T) {
	compare := func(path string, is storage.Comparison, value any) storage.Condition {
		return storage.Compare{Path: path, Is: is, Value: value}
	}
	var conditions []storage.Condition
	for _, is := range []storage.Comparison{storage.Equals, storage.Differs, storage.Before, storage.AtMost, storage.After} {
		for _, n := range []uint64{4, 5, 6, 10, 1<<64 - 1} {
			conditions = append(conditions, compare("at.serial", is, storage.Number(n)))
		}
		for _, s := range []string{"", "L", "M", "é"} {
			conditions = append(conditions, compare("status", is, s))
		}
	}
	conditions = append(conditions,
		storage.Absent{}, storage.Missing{Path: "status"}, storage.Missing{Path: "at.serial"}, storage.Missing{Path: "at"},
		storage.Text{Path: "status"}, storage.Text{Path: "at"}, storage.Not{Condition: storage.Text{Path: "at"}},
		storage.All{storage.Text{Path: "status"}, storage.Missing{Path: "at"}},
		storage.Any{storage.Absent{}, storage.All{compare("status", storage.Equals, "L"), storage.Not{Condition: storage.Missing{Path: "at"}}}})
	stored := map[string]storage.Item{
		"nothing":         nil,
		"no attributes":   item("a", "b", nil),
		"text":            item("a", "b", map[string]any{"status": "L"}),
		"text and number": item("a", "b", map[string]any{"status": "M", "at": map[string]any{"serial": storage.Number(5)}}),
		"a large number":  item("a", "b", map[string]any{"status": "L", "at": map[string]any{"serial": storage.Number(uint64(1<<64 - 1))}}),
	}
	storetest.OnEach(t, func(t *testing.T, b *storetest.Backend) {
		n := 0
		for name, before := range stored {
			for _, c := range conditions {
				// moto, unlike DynamoDB, takes a comparison with what is missing for an error:
				// no condition of the store makes one.
				if compares, ok := c.(storage.Compare); ok && before != nil && (storage.Missing{Path: compares.Path}).Holds(before) {
					continue
				}
				n++
				pk := fmt.Sprint("pk", n)
				if before != nil {
					at := item(pk, "b", before)
					at["pk"], at["sk"] = pk, "b"
					must(t, b.Put(t.Context(), at, nil))
				}
				want := c.Holds(before)
				for how, err := range map[string]error{
					"check": b.Transact(t.Context(), "", storage.Write{Key: storage.Key{Partition: pk, Sort: "b"}, If: c}),
					"put":   b.Put(t.Context(), item(pk, "b", map[string]any{"written": "yes"}), c),
				} {
					if _, refused := errors.AsType[*storage.ConditionError](err); refused == want || err != nil && !refused {
						t.Errorf("%s: %s with %#v: %v, want it met: %v", name, how, c, err, want)
					}
				}
				if got := b.Item(t, pk, "b")["written"] == "yes"; got != want {
					t.Errorf("%s: with %#v: written is %v", name, c, got)
				}
			}
		}
	})
}

func TestTransactionsAreDoneAsAWholeOrNotAtAll(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, b *storetest.Backend) {
		key := func(sk string) storage.Key { return storage.Key{Partition: "a", Sort: sk} }
		must(t, b.Put(t.Context(), item("a", "1", map[string]any{"kept": "k", "status": "old"}), nil))
		put := storage.Write{Key: key("2"), Put: item("a", "2", nil), If: storage.Absent{}}
		set := storage.Write{
			Key: key("1"), Set: storage.Item{"status": "new", "at": map[string]any{"serial": storage.Number(7)}},
			If: storage.Compare{Path: "status", Is: storage.Equals, Value: "old"},
		}
		err := b.Transact(t.Context(), "", set, put, storage.Write{Key: key("3"), If: storage.Not{Condition: storage.Absent{}}})
		if refused, ok := errors.AsType[*storage.ConditionError](err); !ok || refused.Write != 2 {
			t.Errorf("error %#v, want one of write 2", err)
		}
		if got := b.Item(t, "a", "1"); got["status"] != "old" || b.Item(t, "a", "2") != nil {
			t.Errorf("half of it was done: %v, %v", got, b.Item(t, "a", "2"))
		}
		must(t, b.Transact(t.Context(), "", set, put))
		want := item("a", "1", map[string]any{"kept": "k", "status": "new", "at": map[string]any{"serial": storage.Number(7)}})
		if diff := cmp.Diff(want, b.Item(t, "a", "1")); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		err = b.Put(t.Context(), item("a", "1", nil), storage.Absent{})
		if refused, ok := errors.AsType[*storage.ConditionError](err); !ok || cmp.Diff(want, refused.Stored) != "" {
			t.Errorf("error %#v, want one with what is stored", err)
		}
	})
}

func TestQueriesFindWhatTheyAskForInOrder(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, b *storetest.Backend) {
		for _, k := range []string{"p/a", "p/b1", "p/b2", "p/é", "pp/b1", "o/b1"} {
			pk, sk, _ := strings.Cut(k, "/")
			must(t, b.Put(t.Context(), item(pk, sk, map[string]any{"run": "r1", "pullRequest": "n" + pk, "createdAt": sk}), nil))
		}
		must(t, b.Put(t.Context(), item("p", "none", nil), nil)) // in no index
		for name, c := range map[string]struct {
			q    storage.Query
			want string
		}{
			"a partition":          {storage.Query{Partition: "p"}, "a b1 b2 none é"},
			"its end first":        {storage.Query{Partition: "p", Descending: true}, "é none b2 b1 a"},
			"from and to":          {storage.Query{Partition: "p", From: "b", To: "b2"}, "b1 b2"},
			"to, descending":       {storage.Query{Partition: "p", To: "b1", Descending: true, Expected: 1}, "b1 a"},
			"to what is not there": {storage.Query{Partition: "p", From: "a", To: "b3", Descending: true}, "b2 b1 a"},
			"from":                 {storage.Query{Partition: "p", From: "b2", Expected: 1}, "b2 none é"},
			"one":                  {storage.Query{Partition: "p", From: "b1", To: "b1", Expected: 1}, "b1"},
			"the last partition":   {storage.Query{Partition: "pp", Descending: true}, "b1"},
			"no such partition":    {storage.Query{Partition: "x", Descending: true}, ""},
			"with some attributes": {storage.Query{Partition: "o", Attributes: []string{"pk", "sk", "run"}}, "b1"},
			"an index":             {storage.Query{Index: storage.ByRun, Value: "r1", Prefix: "pp"}, "b1"},
			"another index":        {storage.Query{Index: storage.ByPullRequest, Value: "np", Prefix: "p"}, "a b1 b2 é"},
			"an index, at a time":  {storage.Query{Index: storage.ByPullRequest, Value: "np", Prefix: "p", From: "b1", To: "b2"}, "b1 b2"},
			"nothing in it":        {storage.Query{Index: storage.ByRun, Value: "r", Prefix: "p"}, ""},
			"another prefix":       {storage.Query{Index: storage.ByPullRequest, Value: "np", Prefix: "q"}, ""},
		} {
			var got []string
			for i, err := range b.Query(t.Context(), c.q) {
				must(t, err)
				got = append(got, i.Key().Sort)
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("%s: %q, want %q", name, got, c.want)
			}
		}
		for range b.Query(t.Context(), storage.Query{Partition: "p"}) {
			break // and the backend goes on working
		}
		if b.Item(t, "p", "a") == nil {
			t.Error("no item")
		}
	})
}

func TestItemsAreReadAsTheyWereWritten(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, b *storetest.Backend) {
		want := item("a", "b", map[string]any{
			"text": "é <&> \x00", "empty": "", "number": storage.Number(uint64(1<<64 - 1)), "true": true, "nothing": nil,
			"list": []any{"x", storage.Number(1)}, "map": map[string]any{"m": map[string]any{}, "n": "z"},
		})
		must(t, b.Put(t.Context(), want, nil))
		if diff := cmp.Diff(want, b.Item(t, "a", "b")); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
