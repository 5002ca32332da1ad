package planstore

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/terraform-gitops/gitops/shared/planstore/storetest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// moto does not know request tokens, so a write that is sent again meets itself: the worse
// case.
func TestWritesWhoseAnswerWasLostAreKnownAsOurs(t *testing.T) {
	t.Parallel()
	for _, times := range []int{1, 2, storetest.Forever} {
		t.Run(fmt.Sprint(times), func(t *testing.T) {
			t.Parallel()
			b, w := newWiredBackend(t)
			if times != storetest.Forever { // a record can only be recognized in an answer
				w.BreakWith(storetest.LoseAnswers("PutItem", times))
			}
			r := b.put(t, b.newRecord(nil), "plan")

			w.BreakWith(storetest.LoseAnswers("TransactWriteItems", times))
			must(t, b.Claim(t.Context(), r, runNumber("200", 1), "x", Audit{}))
			w.BreakWith(nil)
			b.refusedAs(t, r, StatusApplying)
			// The same attempt of the same run, but another call, as from another job.
			if err := b.Claim(t.Context(), r, runNumber("200", 1), "x", Audit{}); err == nil {
				t.Error("claimed twice")
			}

			w.BreakWith(storetest.LoseAnswers("TransactWriteItems", times))
			must(t, b.Release(t.Context(), r, runNumber("200", 1), "locked"))
			w.BreakWith(nil)
			if got := b.status(t, r); got != StatusPlanned {
				t.Errorf("status %s after a release", got)
			}
			w.BreakWith(storetest.LoseAnswers("TransactWriteItems", times))
			must(t, b.Claim(t.Context(), r, runNumber("200", 1), "x", Audit{}))

			w.BreakWith(storetest.LoseAnswers("TransactWriteItems", times))
			must(t, b.Finish(t.Context(), r, runNumber("200", 1), Result{Status: StatusApplied}))
			w.BreakWith(nil)
			if got := b.status(t, r); got != StatusApplied {
				t.Errorf("status %s", got)
			}
		})
	}
}

func TestWritesAreKnownAsOursWhenTheContextEndsJustAfterThem(t *testing.T) {
	t.Parallel()
	b, w := newWiredBackend(t)
	r := b.put(t, b.newRecord(nil), "plan")
	run := runNumber("200", 1)
	for _, write := range []func(context.Context) error{
		func(ctx context.Context) error { return b.Claim(ctx, r, run, "x", Audit{}) },
		func(ctx context.Context) error { return b.Release(ctx, r, run, "locked") },
		func(ctx context.Context) error { return b.Claim(ctx, r, run, "x", Audit{}) },
		func(ctx context.Context) error { return b.Finish(ctx, r, run, Result{Status: StatusApplied}) },
	} {
		ctx, cancel := context.WithCancel(t.Context())
		lose := storetest.LoseAnswers("TransactWriteItems", 1)
		w.BreakWith(func(operation string, r *http.Request) (*http.Response, error) {
			answer, err := lose(operation, r.WithContext(t.Context()))
			if err != nil {
				cancel()
			}
			return answer, err
		})
		must(t, write(ctx))
		if ctx.Err() == nil {
			t.Fatal("the context did not end")
		}
	}
}

func TestClaimThatNeverArrivedIsAnErrorAndNotARefusal(t *testing.T) {
	t.Parallel()
	b, w := newWiredBackend(t)
	r := b.put(t, b.newRecord(nil), "plan")
	w.BreakWith(func(operation string, _ *http.Request) (*http.Response, error) {
		if operation == "TransactWriteItems" {
			return nil, io.ErrUnexpectedEOF
		}
		return nil, nil
	})
	var refused *NotClaimableError
	if err := b.Claim(t.Context(), r, runNumber("200", 1), "x", Audit{}); err == nil || errors.As(err, &refused) {
		t.Errorf("claim: %v", err)
	}
	w.BreakWith(nil)
	must(t, b.Claim(t.Context(), r, runNumber("201", 1), "x", Audit{}))
}

const conflictBody = `{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","Message":"Transaction cancelled",` +
	`"CancellationReasons":[{"Code":"None"},{"Code":"TransactionConflict","Message":"Transaction is ongoing for the item"}]}`

func TestTransactionConflictsAreTriedAgain(t *testing.T) {
	t.Parallel()
	b, w := newWiredBackend(t)
	r := b.put(t, b.newRecord(nil), "plan")
	w.BreakWith(storetest.FailWith("TransactWriteItems", 3, 400, conflictBody))
	must(t, b.Claim(t.Context(), r, runNumber("200", 1), "x", Audit{}))
	w.BreakWith(storetest.FailWith("TransactWriteItems", 3, 400, conflictBody))
	must(t, b.Finish(t.Context(), r, runNumber("200", 1), Result{Status: StatusApplied}))

	next := b.newRecord(nil)
	next.Commit = commitB
	next = b.put(t, next, "next")
	w.BreakWith(storetest.FailWith("TransactWriteItems", storetest.Forever, 400, conflictBody))
	var refused *NotClaimableError
	if err := b.Claim(t.Context(), next, runNumber("201", 1), "x", Audit{}); err == nil || errors.As(err, &refused) {
		t.Errorf("claim: %v", err)
	}
	if n := strings.Count(strings.Join(w.Operations(), " "), "TransactWriteItems"); n != 5 {
		t.Errorf("%d attempts", n)
	}
}

func TestConflictingUploadIsTriedAgain(t *testing.T) {
	t.Parallel()
	b, w := newWiredBackend(t)
	w.BreakWith(storetest.FailWith("PUT", 2, 409, `<Error><Code>ConditionalRequestConflict</Code><Message>The conditional request cannot succeed due to a conflicting operation against this resource.</Message></Error>`))
	r := b.put(t, b.newRecord(nil), "plan")
	must(t, b.Fetch(t.Context(), r, filepath.Join(t.TempDir(), "f")))
}

func TestKeysLeftUnprocessedAreAskedForAgain(t *testing.T) {
	t.Parallel()
	b, w := newWiredBackend(t)
	r := b.put(t, b.newRecord(nil), "plan")
	b.apply(t, r, runNumber("200", 1))
	unprocessed := func(times int) func(string, *http.Request) (*http.Response, error) {
		return func(operation string, q *http.Request) (*http.Response, error) {
			if operation != "BatchGetItem" || times == 0 {
				return nil, nil
			}
			times--
			var body struct{ RequestItems json.RawMessage }
			must(t, json.NewDecoder(q.Body).Decode(&body))
			return storetest.FailWith(operation, 1, 200, fmt.Sprintf(`{"Responses":{},"UnprocessedKeys":%s}`, body.RequestItems))(operation, q)
		}
	}
	w.BreakWith(unprocessed(2))
	found, err := b.Find(t.Context(), network, commitA)
	must(t, err)
	if found.Status != StatusApplied || found.Last == nil {
		t.Errorf("found %+v", found)
	}
	w.BreakWith(unprocessed(storetest.Forever))
	if _, err := b.Find(t.Context(), network, commitA); err == nil {
		t.Error("a claim that could not be read was taken for none")
	}
}

func TestUploadIsCheckedByS3AndKeepsWhatIsThere(t *testing.T) {
	t.Parallel()
	b, w := newWiredBackend(t)
	w.BreakWith(nil)
	r := b.put(t, b.newRecord(nil), "plan")
	if got, want := strings.Join(w.Operations(), " "), "PUT PutItem"; got != want {
		t.Fatalf("requests %s, want %s: first the object, then the item", got, want)
	}
	upload := w.Requests()[0]
	sum, err := hex.DecodeString(r.Digest)
	must(t, err)
	for name, want := range map[string]string{
		"X-Amz-Checksum-Sha256": base64.StdEncoding.EncodeToString(sum),
		"If-None-Match":         "*",
	} {
		if got := upload.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if upload.ContentLength != 4 {
		t.Errorf("length %d", upload.ContentLength)
	}
	for name := range upload.Header {
		if strings.HasPrefix(name, "X-Amz-Server-Side-Encryption") {
			t.Errorf("%s overrides the bucket's default encryption", name)
		}
	}
	if r.ObjectVersion == "" {
		t.Error("the version is not recorded")
	}
	again := b.newRecord(nil)
	if again = b.put(t, again, "plan"); again.ObjectVersion != "" || again.ObjectKey != r.ObjectKey {
		t.Errorf("the same planfile again: version %q, key %s", again.ObjectVersion, again.ObjectKey)
	}
	must(t, b.Fetch(t.Context(), again, filepath.Join(t.TempDir(), "f")))
}

func TestObjectThatCouldNotBeWrittenHasNoRecord(t *testing.T) {
	t.Parallel()
	b, w := newWiredBackend(t)
	w.BreakWith(storetest.FailWith("PUT", storetest.Forever, 403, `<Error><Code>AccessDenied</Code><Message>no</Message></Error>`))
	if _, err := b.Put(t.Context(), b.newRecord(nil), writeFile(t, "plan")); err == nil || !strings.Contains(err.Error(), "s3://") {
		t.Errorf("put: %v", err)
	}
	if _, err := b.Find(t.Context(), network, commitA); !errors.Is(err, ErrNotFound) {
		t.Errorf("find: %v", err)
	}
}

func TestRefusedReadSaysThatThePlanfileMayBeGone(t *testing.T) {
	t.Parallel()
	b, w := newWiredBackend(t)
	r := b.put(t, b.newRecord(nil), "plan")
	w.BreakWith(storetest.FailWith("GET", storetest.Forever, 403, `<Error><Code>AccessDenied</Code><Message>no</Message></Error>`))
	if err := b.Fetch(t.Context(), r, filepath.Join(t.TempDir(), "f")); err == nil || errors.Is(err, ErrPlanfileGone) || !strings.Contains(err.Error(), "or it is gone") {
		t.Errorf("fetch: %v", err)
	}
}

func TestDownloadThatBreaksOffLeavesNoFileAndIsNoMismatch(t *testing.T) {
	t.Parallel()
	b, w := newWiredBackend(t)
	r := b.put(t, b.newRecord(nil), "the whole plan")
	w.BreakWith(func(operation string, q *http.Request) (*http.Response, error) {
		if operation != "GET" {
			return nil, nil
		}
		body := io.MultiReader(strings.NewReader("the wh"), failing{})
		return &http.Response{StatusCode: 200, Header: http.Header{}, ContentLength: 14, Body: io.NopCloser(body), Request: q}, nil
	})
	path := filepath.Join(t.TempDir(), "f")
	if err := b.Fetch(t.Context(), r, path); !errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, ErrDigestMismatch) {
		t.Errorf("fetch: %v", err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Error("half a planfile was left behind")
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestFetchDoesNotReadMoreThanWasRecorded(t *testing.T) {
	t.Parallel()
	b, w := newWiredBackend(t)
	r := b.put(t, b.newRecord(nil), "plan")
	var read int
	w.BreakWith(func(operation string, q *http.Request) (*http.Response, error) {
		if operation != "GET" {
			return nil, nil
		}
		return &http.Response{StatusCode: 200, Header: http.Header{}, ContentLength: -1, Body: io.NopCloser(endless{&read}), Request: q}, nil
	})
	if err := b.Fetch(t.Context(), r, filepath.Join(t.TempDir(), "f")); !errors.Is(err, ErrDigestMismatch) {
		t.Errorf("fetch: %v", err)
	}
	if read > 5 {
		t.Errorf("read %d bytes of a planfile of 4", read)
	}
}

type endless struct{ read *int }

func (e endless) Read(p []byte) (int, error) {
	*e.read += len(p)
	return copy(p, bytes.Repeat([]byte("plan"), len(p)/4+1)), nil
}

// Each index must have plan records only, of what a plan and its apply write, and only plan
// records may expire.
func TestItemsHaveTheAttributesThatIndexesAndPoliciesRestOn(t *testing.T) {
	t.Parallel()
	b := newBackend(storetest.NewAWS(t))
	r := b.newRecord(&StatePosition{"L", 5})
	r.Repository = "Acme/Infra"
	r = b.put(t, r, "plan")
	b.apply(t, r, runNumber("200", 1))

	query := func(index, attribute, value string) []map[string]types.AttributeValue {
		answer, err := b.DynamoDB.Query(t.Context(), &dynamodb.QueryInput{
			TableName: &b.Table, IndexName: &index,
			KeyConditionExpression:    aws.String("#a = :v"),
			ExpressionAttributeNames:  map[string]string{"#a": attribute},
			ExpressionAttributeValues: map[string]types.AttributeValue{":v": &types.AttributeValueMemberS{Value: value}},
		})
		must(t, err)
		return answer.Items
	}
	for _, found := range [][]map[string]types.AttributeValue{
		query("by-run", "run", "acme/infra#100"),
		query("by-pull-request", "pullRequest", "acme/infra#41"),
	} {
		if len(found) != 1 {
			t.Fatalf("an index has %d items, want the plan record", len(found))
		}
		var pk, sk string
		must(t, attributevalue.Unmarshal(found[0]["pk"], &pk))
		must(t, attributevalue.Unmarshal(found[0]["sk"], &sk))
		if pk != "plan#acme/infra#network#plat-ue2-dev" || !strings.HasPrefix(sk, commitA+"#2025-03-01T12:00:00.124456789Z#100.1#") {
			t.Errorf("keys %s %s", pk, sk)
		}
		if n, ok := found[0]["expiresAt"].(*types.AttributeValueMemberN); !ok || n.Value != fmt.Sprint(r.ExpiresAt.Unix()) {
			t.Errorf("expiresAt %+v", found[0]["expiresAt"])
		}
	}
	if found := query("by-day", "claimedOn", "acme/infra#2025-03-01"); len(found) != 1 {
		t.Errorf("the index by-day has %d items, want the claim", len(found))
	}
	if found := query("by-run", "run", "acme/infra#200"); len(found) != 0 {
		t.Errorf("the index by-run has a claim: %v", found)
	}
	for _, sk := range []string{"claim#" + r.ID(), "last"} {
		item := b.Item(t, "apply#acme/infra#network#plat-ue2-dev", sk)
		if len(item) == 0 {
			t.Errorf("no item %s", sk)
		}
		for _, name := range []string{"expiresAt", "run", "pullRequest"} {
			if _, ok := item[name]; ok {
				t.Errorf("item %s has the attribute %s", sk, name)
			}
		}
	}
}
