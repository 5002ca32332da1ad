// Package dynamo keeps a plan store in AWS: objects in an S3 bucket, items in a DynamoDB table.
// The modules s3-bucket and dynamodb-table create them.
package dynamo

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Backend is a [github.com/terraform-gitops/gitops/shared/planstore/storage.Backend] in AWS.
type Backend struct {
	bucket
	table
}

// Open returns the backend in a bucket and a table. It sends no request: if one does not exist,
// the first use fails. If the configuration has an endpoint of its own, buckets are addressed
// by path, since such an endpoint has no host for each bucket.
func Open(cfg aws.Config, bucketName, tableName string) *Backend {
	return &Backend{
		bucket{resource: resource{"bucket", "s3-bucket", bucketName, cfg.Region}, client: s3.NewFromConfig(cfg, func(o *s3.Options) {
			o.UsePathStyle = o.BaseEndpoint != nil
			// Another upload of this key is running: S3 asks to try again.
			o.Retryer = retry.AddWithErrorCodes(o.Retryer, "ConditionalRequestConflict")
			// The reader compares the SHA-256, which is stronger.
			o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
		})},
		table{resource: resource{"table", "dynamodb-table", tableName, cfg.Region}, client: dynamodb.NewFromConfig(cfg, func(o *dynamodb.Options) {
			o.Retryer = conflictRetryer{o.Retryer}
		})},
	}
}
