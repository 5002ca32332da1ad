package dynamo

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
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/terraform-gitops/gitops/shared/planstore/storage"
)

// bucket keeps objects in an S3 bucket. The bucket's default encryption applies.
type bucket struct {
	client *s3.Client
	resource
}

// PutObject implements storage.Objects.
func (b bucket) PutObject(ctx context.Context, key string, f *os.File, content storage.Content) (version string, err error) {
	answer, err := b.client.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &b.name, Key: &key,
		Body: f, ContentLength: &content.Size,
		ChecksumAlgorithm: types.ChecksumAlgorithmSha256,
		ChecksumSHA256:    aws.String(base64.StdEncoding.EncodeToString(content.SHA256[:])), // S3 refuses a body that differs
		IfNoneMatch:       aws.String("*"),
	})
	if statusCode(err) == http.StatusPreconditionFailed {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("write %s: %w", b.ObjectLocation(key), b.explain(b.ObjectLocation(key), err))
	}
	return aws.ToString(answer.VersionId), nil
}

// GetObject implements storage.Objects.
func (b bucket) GetObject(ctx context.Context, key, version string) (io.ReadCloser, time.Time, error) {
	request := &s3.GetObjectInput{Bucket: &b.name, Key: &key}
	if version != "" {
		request.VersionId = &version
	}
	answer, err := b.client.GetObject(ctx, request)
	if err == nil {
		return answer.Body, aws.ToTime(answer.LastModified), nil
	}
	var api smithy.APIError
	switch {
	case errors.As(err, &api) && (api.ErrorCode() == "NoSuchKey" || api.ErrorCode() == "NoSuchVersion"):
		err = fmt.Errorf("%w: %w", storage.ErrGone, err)
	case api != nil && api.ErrorCode() == "AccessDenied" && !kmsAction.MatchString(api.ErrorMessage()):
		// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html, "Permissions"
		err = fmt.Errorf("this role may not read it, or it is gone (S3 tells only those who may list the bucket): %w", b.explain(b.ObjectLocation(key), err))
	default:
		err = b.explain(b.ObjectLocation(key), err)
	}
	return nil, time.Time{}, fmt.Errorf("read %s: %w", b.ObjectLocation(key), err)
}

// ObjectLocation is the object's address.
func (b bucket) ObjectLocation(key string) string { return "s3://" + b.name + "/" + key }
