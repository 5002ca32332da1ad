package planstore

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

// OpenAWS opens the store in an S3 bucket and a DynamoDB table, which modules/
// provisions. It sends nothing: a bucket or table that is not there shows in the
// first use. Where the configuration has an endpoint of its own instead of
// AWS's, buckets are addressed by path, since its name has none of theirs.
func OpenAWS(cfg aws.Config, bucketName, tableName string, now func() time.Time) *Store {
	return &Store{objects: openBucket(cfg, bucketName), items: openTable(cfg, tableName), now: now}
}

// bucket holds objects in an S3 bucket. Encryption is the bucket's default.
type bucket struct {
	client *s3.Client
	resource
}

func openBucket(cfg aws.Config, name string) bucket {
	return bucket{resource: resource{"bucket", "s3-bucket", name, cfg.Region}, client: s3.NewFromConfig(cfg, func(o *s3.Options) {
		o.UsePathStyle = o.BaseEndpoint != nil
		// Another upload of this key is under way: S3 asks to try again.
		o.Retryer = retry.AddWithErrorCodes(o.Retryer, "ConditionalRequestConflict")
		// The reader compares with the record's digest, which is stronger.
		o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
	})}
}

func (b bucket) put(ctx context.Context, key string, f *os.File, sum fingerprint) (version string, err error) {
	answer, err := b.client.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &b.name, Key: &key,
		Body: f, ContentLength: &sum.size,
		ChecksumAlgorithm: types.ChecksumAlgorithmSha256,
		ChecksumSHA256:    aws.String(base64.StdEncoding.EncodeToString(sum.sha256[:])), // S3 refuses a body that differs
		IfNoneMatch:       aws.String("*"),
	})
	if statusCode(err) == http.StatusPreconditionFailed {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("write %s: %w", b.location(key), b.explain(b.location(key), err))
	}
	return aws.ToString(answer.VersionId), nil
}

func (b bucket) get(ctx context.Context, key, version string) (io.ReadCloser, error) {
	request := &s3.GetObjectInput{Bucket: &b.name, Key: &key}
	if version != "" {
		request.VersionId = &version
	}
	answer, err := b.client.GetObject(ctx, request)
	if err == nil {
		return answer.Body, nil
	}
	var api smithy.APIError
	switch {
	case errors.As(err, &api) && (api.ErrorCode() == "NoSuchKey" || api.ErrorCode() == "NoSuchVersion"):
		err = fmt.Errorf("%w (%w)", ErrPlanfileGone, err)
	case api != nil && api.ErrorCode() == "AccessDenied" && !kmsAction.MatchString(api.ErrorMessage()):
		// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html, "Permissions"
		err = fmt.Errorf("this role may not read it, or it is gone (S3 tells only those who may list the bucket): %w", b.explain(b.location(key), err))
	default:
		err = b.explain(b.location(key), err)
	}
	return nil, fmt.Errorf("read %s: %w", b.location(key), err)
}

func (b bucket) location(key string) string { return "s3://" + b.name + "/" + key }
