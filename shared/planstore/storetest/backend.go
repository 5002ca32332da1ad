// Package storetest has the backends of a plan store for tests. Each can be damaged, and the
// one in AWS can lose requests and answers.
package storetest

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"go.etcd.io/bbolt"

	"github.com/terraform-gitops/gitops/shared/planstore/dynamo"
	"github.com/terraform-gitops/gitops/shared/planstore/folder"
	"github.com/terraform-gitops/gitops/shared/planstore/storage"
	"github.com/terraform-gitops/gitops/test/kit/fakeaws"
)

// Backend is a backend of one test.
type Backend struct {
	storage.Backend

	// Open opens the same backend again, as another process would.
	Open func() storage.Backend
	// Overwrite replaces an object's contents, which no backend does, and returns the new
	// version, if there is one. Remove removes an object.
	Overwrite func(t *testing.T, key string, contents []byte) (version string)
	Remove    func(t *testing.T, key string)
	// Delete removes an item, which no backend does.
	Delete func(t *testing.T, key storage.Key)

	// Only of a backend in AWS.
	DynamoDB *dynamodb.Client
	Table    string
}

// Item returns an item; nil if it does not exist.
func (b *Backend) Item(t testing.TB, pk, sk string) storage.Item {
	t.Helper()
	items, err := b.Get(t.Context(), storage.Key{Partition: pk, Sort: sk})
	must(t, err)
	if len(items) == 0 {
		return nil
	}
	return items[0]
}

// PutItem replaces whatever is under an item's keys. Its values may be any that JSON has.
func (b *Backend) PutItem(t testing.TB, item storage.Item) {
	t.Helper()
	encoded, err := storage.Encode(item)
	must(t, err)
	must(t, b.Put(t.Context(), encoded, nil))
}

// OnEach runs one conformance test on S3 and DynamoDB and on a folder.
func OnEach(t *testing.T, test func(t *testing.T, b *Backend)) {
	t.Parallel()
	t.Run("aws", func(t *testing.T) {
		t.Parallel()
		test(t, NewAWS(t))
	})
	t.Run("folder", func(t *testing.T) {
		t.Parallel()
		test(t, NewFolder(t, t.TempDir()))
	})
}

// NewAWS returns a new backend in AWS, for which moto stands in.
func NewAWS(t testing.TB) *Backend {
	cfg := fakeaws.Start(t).Config()
	bucket, table := fakeaws.CreateStore(t, cfg)
	return inAWS(cfg, bucket, table, cfg)
}

// inAWS returns the backend in a bucket and a table. It uses the configuration open, and the
// means to damage it use cfg.
func inAWS(cfg aws.Config, bucket, table string, open aws.Config) *Backend {
	objects := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	items := dynamodb.NewFromConfig(cfg)
	return &Backend{
		Backend: dynamo.Open(open, bucket, table), DynamoDB: items, Table: table,
		Open: func() storage.Backend { return dynamo.Open(open, bucket, table) },
		Overwrite: func(t *testing.T, key string, contents []byte) string {
			answer, err := objects.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: bytes.NewReader(contents)})
			must(t, err)
			return aws.ToString(answer.VersionId)
		},
		Remove: func(t *testing.T, key string) {
			versions, err := objects.ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{Bucket: &bucket, Prefix: &key})
			must(t, err)
			for _, v := range versions.Versions {
				_, err := objects.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &bucket, Key: &key, VersionId: v.VersionId})
				must(t, err)
			}
		},
		Delete: func(t *testing.T, key storage.Key) {
			_, err := items.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &table, Key: map[string]types.AttributeValue{
				"pk": &types.AttributeValueMemberS{Value: key.Partition}, "sk": &types.AttributeValueMemberS{Value: key.Sort},
			}})
			must(t, err)
		},
	}
}

// NewFolder returns the backend in a folder.
func NewFolder(t testing.TB, path string) *Backend {
	open := func() storage.Backend {
		f, err := folder.Open(path)
		must(t, err)
		return f
	}
	b := open()
	return &Backend{
		Backend: b, Open: open,
		Overwrite: func(t *testing.T, key string, contents []byte) string {
			must(t, os.WriteFile(b.ObjectLocation(key), contents, 0o600))
			return ""
		},
		Remove: func(t *testing.T, key string) { must(t, os.Remove(b.ObjectLocation(key))) },
		Delete: func(t *testing.T, key storage.Key) {
			InDatabase(t, path, func(b *bbolt.Bucket) error { return b.Delete(NameOf(key)) })
		},
	}
}

// InDatabase changes the bytes in a folder's database.
func InDatabase(t testing.TB, path string, change func(*bbolt.Bucket) error) {
	t.Helper()
	db, err := bbolt.Open(filepath.Join(path, "items.db"), 0o600, nil)
	must(t, err)
	must(t, db.Update(func(tx *bbolt.Tx) error { return change(tx.Bucket([]byte("items"))) }))
	must(t, db.Close())
}

// NameOf is the name of an item in a folder's database.
func NameOf(k storage.Key) []byte { return []byte(k.Partition + "\x00" + k.Sort) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
