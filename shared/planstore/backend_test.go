package planstore

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"go.etcd.io/bbolt"

	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/test/kit/fakeaws"
)

// backend is a store of one test, and the means to spoil it.
type backend struct {
	*Store
	clock *clock

	// open opens the same store again, as another process would.
	open func() *Store
	// overwrite replaces an object's contents behind the store's back and
	// returns the new version, if there is such a thing.
	overwrite func(t *testing.T, key string, contents []byte) (version string)
	remove    func(t *testing.T, key string)
	// item reads all that an item holds, and putItem writes it over whatever is
	// under its keys.
	item    func(t *testing.T, pk, sk string) map[string]any
	putItem func(t *testing.T, item map[string]any)
}

// onEachBackend runs one conformance test on S3 and DynamoDB and on a folder.
func onEachBackend(t *testing.T, test func(t *testing.T, b *backend)) {
	t.Parallel()
	t.Run("aws", func(t *testing.T) {
		t.Parallel()
		test(t, newAWSBackend(t))
	})
	t.Run("directory", func(t *testing.T) {
		t.Parallel()
		test(t, newDirectoryBackend(t, t.TempDir()))
	})
}

func newAWSBackend(t testing.TB) *backend {
	cfg := fakeaws.Start(t).Config()
	bucketName, tableName := fakeaws.CreateStore(t, cfg)
	c := newClock()
	client, items := openBucket(cfg, bucketName).client, dynamodb.NewFromConfig(cfg)
	open := func() *Store { return OpenAWS(cfg, bucketName, tableName, c.now) }
	return &backend{
		Store: open(), clock: c, open: open,
		overwrite: func(t *testing.T, key string, contents []byte) string {
			answer, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucketName, Key: &key, Body: bytes.NewReader(contents)})
			must(t, err)
			return aws.ToString(answer.VersionId)
		},
		remove: func(t *testing.T, key string) {
			versions, err := client.ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{Bucket: &bucketName, Prefix: &key})
			must(t, err)
			for _, v := range versions.Versions {
				_, err := client.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &bucketName, Key: &key, VersionId: v.VersionId})
				must(t, err)
			}
		},
		item: func(t *testing.T, pk, sk string) (item map[string]any) {
			answer, err := items.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: &tableName, Key: key(pk, sk)})
			must(t, err)
			must(t, decode(answer.Item, &item))
			return item
		},
		putItem: func(t *testing.T, item map[string]any) {
			attributes, err := attributevalue.MarshalMap(item)
			must(t, err)
			_, err = items.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &tableName, Item: attributes})
			must(t, err)
		},
	}
}

func newDirectoryBackend(t testing.TB, path string) *backend {
	c := newClock()
	open := func() *Store {
		s, err := OpenDirectory(path, c.now)
		must(t, err)
		return s
	}
	s := open()
	db := s.items.(*database)
	file := func(key string) string { return filepath.Join(path, objectsFolder, filepath.FromSlash(key)) }
	return &backend{
		Store: s, clock: c, open: open,
		overwrite: func(t *testing.T, key string, contents []byte) string {
			must(t, os.WriteFile(file(key), contents, 0o600))
			return ""
		},
		remove: func(t *testing.T, key string) { must(t, os.Remove(file(key))) },
		item: func(t *testing.T, pk, sk string) (item map[string]any) {
			must(t, db.view(t.Context(), func(b *bbolt.Bucket) (err error) {
				item, err = readJSON(b.Get(itemKey(pk, sk)))
				return err
			}))
			return item
		},
		putItem: func(t *testing.T, item map[string]any) {
			must(t, db.update(t.Context(), func(b *bbolt.Bucket) error {
				return putItem(b, item["pk"].(string), item["sk"].(string), item)
			}))
		},
	}
}

// clock is a time that a test moves. It also moves by itself, a little with
// each look, since no two things happen at one time.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2025, 3, 1, 12, 0, 0, 123456789, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(time.Millisecond)
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

var network = Target{Repository: "acme/infra", Component: "network", Stack: "plat-ue2-dev"}

const (
	commitA = "4f1c2d9aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	commitB = "4f1c2d9bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

func runNumber(id string, attempt int) Run {
	return Run{ID: id, Attempt: attempt, URL: "https://github.com/acme/infra/actions/runs/" + id}
}

// newRecord is a record with everything a plan action knows before Put.
func (b *backend) newRecord(state *StatePosition) Record {
	now := b.clock.now()
	return Record{
		Target: network, Commit: commitA, CreatedAt: now, Run: runNumber("100", 1), Actor: "octocat",
		Kind: KindChange, Outcome: OutcomeChanges,
		ConfigurationDigest: strings.Repeat("c0", 32), Files: map[string]string{"main.tf": "aa11", "ümlaut .tf": "bb22"},
		TerraformName: "terraform", TerraformVersion: "1.11.4",
		State: state, Counts: changes.Counts{Create: 2, Replace: 1, Outputs: 3},
		PullRequest: 41, Branch: "feature/x", BaseCommit: commitB,
		ExpiresAt: now.Add(24 * time.Hour),
	}
}

// put stores a record with a planfile of these contents.
func (b *backend) put(t *testing.T, r Record, contents string) Record {
	t.Helper()
	stored, err := b.Put(t.Context(), r, writeFile(t, contents))
	must(t, err)
	return stored
}

// putWithFiles stores a record with a planfile and built files of these contents.
func (b *backend) putWithFiles(t *testing.T, r Record, contents, files string) Record {
	t.Helper()
	stored, err := b.PutWithFiles(t.Context(), r, writeFile(t, contents), writeFile(t, files))
	must(t, err)
	return stored
}

// apply claims a record and finishes it as applied.
func (b *backend) apply(t *testing.T, r Record, run Run) {
	t.Helper()
	must(t, b.Claim(t.Context(), r, run, "octocat"))
	must(t, b.Finish(t.Context(), r, run, Result{Status: StatusApplied}))
}

func (b *backend) status(t *testing.T, r Record) Status {
	t.Helper()
	found, err := b.Find(t.Context(), r.Target, r.Commit)
	must(t, err)
	if found.Record.ID() != r.ID() {
		t.Fatalf("found record %s, want %s", found.Record.ID(), r.ID())
	}
	return found.Status
}

func writeFile(t testing.TB, contents string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "plan.tfplan")
	must(t, os.WriteFile(path, []byte(contents), 0o600))
	return path
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
