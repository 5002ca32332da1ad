package fakeaws

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// CreateStore makes a bucket and a table of its own for one test, as
// [NewStore] does, and returns their names.
func CreateStore(t testing.TB, cfg aws.Config) (bucket, table string) {
	t.Helper()
	name := "plans-" + strings.ToLower(rand.Text())
	if err := NewStore(t.Context(), cfg, name, name); err != nil {
		t.Fatal(err)
	}
	return name, name
}

// NewStore makes what a plan store needs, as modules/s3-bucket and
// modules/dynamodb-table do: a versioned bucket, and a table with the keys,
// the indexes by-pull-request, by-run and by-day, and the TTL attribute.
func NewStore(ctx context.Context, cfg aws.Config, bucket, table string) error {
	objects := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	if _, err := objects.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &bucket}); err != nil {
		return fmt.Errorf("create bucket %s: %w", bucket, err)
	}
	if _, err := objects.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{
		Bucket:                  &bucket,
		VersioningConfiguration: &s3types.VersioningConfiguration{Status: s3types.BucketVersioningStatusEnabled},
	}); err != nil {
		return fmt.Errorf("version bucket %s: %w", bucket, err)
	}
	items := dynamodb.NewFromConfig(cfg)
	if _, err := items.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName:            &table,
		BillingMode:          dynamodbtypes.BillingModePayPerRequest,
		AttributeDefinitions: stringAttributes("pk", "sk", "pullRequest", "createdAt", "run", "claimedOn", "claimedAt"),
		KeySchema:            keys("pk", "sk"),
		GlobalSecondaryIndexes: []dynamodbtypes.GlobalSecondaryIndex{
			index("by-pull-request", "pullRequest", "createdAt"),
			index("by-run", "run", "pk"),
			index("by-day", "claimedOn", "claimedAt"),
		},
	}); err != nil {
		return fmt.Errorf("create table %s: %w", table, err)
	}
	if _, err := items.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
		TableName:               &table,
		TimeToLiveSpecification: &dynamodbtypes.TimeToLiveSpecification{AttributeName: aws.String("expiresAt"), Enabled: aws.Bool(true)},
	}); err != nil {
		return fmt.Errorf("set the TTL attribute of table %s: %w", table, err)
	}
	return nil
}

func stringAttributes(names ...string) (all []dynamodbtypes.AttributeDefinition) {
	for _, name := range names {
		all = append(all, dynamodbtypes.AttributeDefinition{AttributeName: aws.String(name), AttributeType: dynamodbtypes.ScalarAttributeTypeS})
	}
	return all
}

func keys(partition, sort string) []dynamodbtypes.KeySchemaElement {
	return []dynamodbtypes.KeySchemaElement{
		{AttributeName: aws.String(partition), KeyType: dynamodbtypes.KeyTypeHash},
		{AttributeName: aws.String(sort), KeyType: dynamodbtypes.KeyTypeRange},
	}
}

func index(name, partition, sort string) dynamodbtypes.GlobalSecondaryIndex {
	return dynamodbtypes.GlobalSecondaryIndex{
		IndexName:  aws.String(name),
		KeySchema:  keys(partition, sort),
		Projection: &dynamodbtypes.Projection{ProjectionType: dynamodbtypes.ProjectionTypeAll},
	}
}
