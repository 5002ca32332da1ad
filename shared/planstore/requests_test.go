package planstore

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"
)

// fill adds so many records of the target, for all kinds of commits, in one
// request for each 25 of them.
func (b *backend) fill(t testing.TB, records int) {
	writers, ctx := errgroup.WithContext(t.Context())
	writers.SetLimit(4)
	for from := 0; from < records; from += 25 {
		var writes []types.WriteRequest
		for i := from; i < min(from+25, records); i++ {
			r := b.newRecord(nil)
			r.Commit, r.CreatedAt = fmt.Sprintf("%040x", i/2), r.CreatedAt.Add(-time.Duration(i)*time.Minute)
			if i%10 == 0 { // and a hundred or a thousand for the very commit
				r.Commit = commitA
			}
			item := newRecordItem(r)
			attributes, err := attributevalue.MarshalMapWithOptions(item, func(o *attributevalue.EncoderOptions) { o.TagKey = "json" })
			must(t, err)
			writes = append(writes, types.WriteRequest{PutRequest: &types.PutRequest{Item: attributes}})
		}
		writers.Go(func() error {
			answer, err := b.DynamoDB.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{b.Table: writes}})
			if err == nil && len(answer.UnprocessedItems) > 0 {
				err = fmt.Errorf("%d tables with unprocessed items", len(answer.UnprocessedItems))
			}
			return err
		})
	}
	must(t, writers.Wait())
}

// findAndFetch is what an apply reads.
func (b *backend) findAndFetch(t testing.TB) Stored {
	found, err := b.Find(t.Context(), network, commitA)
	must(t, err)
	must(t, b.Fetch(t.Context(), found.Record, filepath.Join(t.TempDir(), "f")))
	return found
}

func TestFindAndFetchCostTheSameHoweverManyPlansAreStored(t *testing.T) {
	t.Parallel()
	for _, records := range []int{10, 2_000} {
		t.Run(fmt.Sprint(records), func(t *testing.T) {
			t.Parallel()
			b, w := newWiredBackend(t)
			b.fill(t, records)
			r := b.put(t, b.newRecord(nil), "plan")

			w.BreakWith(nil)
			if found := b.findAndFetch(t); found.Record.ID() != r.ID() {
				t.Errorf("found %s, want the newest, %s", found.Record.ID(), r.ID())
			}
			if got, want := strings.Join(w.Operations(), " "), "Query BatchGetItem GET"; got != want {
				t.Errorf("with %d records: requests %s, want %s", records, got, want)
			}
		})
	}
}

func TestNothingEverScans(t *testing.T) {
	t.Parallel()
	b, w := newWiredBackend(t)
	w.BreakWith(func(operation string, _ *http.Request) (*http.Response, error) {
		if operation == "Scan" || operation == "ExecuteStatement" {
			t.Errorf("a %s was sent", operation)
		}
		return nil, nil
	})
	r := b.put(t, b.newRecord(nil), "plan")
	b.findAndFetch(t)
	b.apply(t, r, runNumber("200", 1))
	b.refusedAs(t, r, StatusApplied)
	_, err := b.PutErroredState(t.Context(), r, runNumber("200", 1), writeFile(t, "state"))
	must(t, err)
	if got, want := strings.Join(w.Operations(), " "), "PUT PutItem Query BatchGetItem GET TransactWriteItems TransactWriteItems TransactWriteItems BatchGetItem PUT"; got != want {
		t.Errorf("requests %s\nwant     %s", got, want)
	}
}

func TestListsTakeFewRequests(t *testing.T) {
	t.Parallel()
	b, w := newWiredBackend(t)
	var targets []Target
	for i := range 120 {
		targets = append(targets, Target{"acme/infra", "network", fmt.Sprint(i)})
	}
	r := b.put(t, b.newRecord(nil), "plan")
	held := b.take(t, lockFor(network, 41))
	for _, c := range []struct {
		ask  func() error
		want string
	}{
		{func() error { _, err := b.LastApplies(t.Context(), targets); return err }, "BatchGetItem BatchGetItem"},
		{func() error { _, err := b.ReadLocks(t.Context(), targets[:100]); return err }, "BatchGetItem"},
		{func() error { _, err := b.ReadLocks(t.Context(), nil); return err }, ""},
		{func() error { _, err := b.PullRequestPlans(t.Context(), network); return err }, "Query Query BatchGetItem"},
		{func() error { _, err := b.PlansOfPullRequest(t.Context(), "acme/infra", 41); return err }, "Query"},
		{func() error { _, err := b.NewestOfPullRequest(t.Context(), "acme/infra", 41); return err }, "Query"},
		{func() error { _, err := b.RecordOf(t.Context(), summaryOf(r)); return err }, "Query"},
		{func() error { _, err := b.LocksOfPullRequest(t.Context(), "acme/infra", 41); return err }, "Query BatchGetItem"},
		{func() error { return b.ReleaseLock(t.Context(), held) }, "PutItem"},
		// Its plans are no locks.
		{func() error { _, err := b.LocksOfPullRequest(t.Context(), "acme/infra", 41); return err }, "Query"},
	} {
		w.BreakWith(nil)
		must(t, c.ask())
		if got := strings.Join(w.Operations(), " "); got != c.want {
			t.Errorf("requests %s, want %s", got, c.want)
		}
	}
}

// BenchmarkFindAndFetch counts the requests of what an apply reads. Its times
// are moto's, not AWS's.
func BenchmarkFindAndFetch(b *testing.B) {
	for _, records := range []int{10, 2_000} {
		b.Run(fmt.Sprintf("records=%d", records), func(b *testing.B) {
			s, w := newWiredBackend(b)
			s.fill(b, records)
			if _, err := s.Put(b.Context(), s.newRecord(nil), writeFile(b, "plan")); err != nil {
				b.Fatal(err)
			}
			w.BreakWith(nil)
			for b.Loop() {
				s.findAndFetch(b)
			}
			b.ReportMetric(float64(len(w.Operations()))/float64(b.N), "requests/op")
		})
	}
}
