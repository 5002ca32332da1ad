package dynamo

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/terraform-gitops/gitops/shared/planstore/storage"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// The SDK's own words name a metadata service that a runner does not have.
func TestMissingCredentialsSayWhatToSet(t *testing.T) {
	t.Parallel()
	none := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{}, errors.New("no EC2 IMDS role found")
	})
	b := Open(aws.Config{Region: "us-east-1", Credentials: none}, "bucket", "table")
	_, err := b.Get(t.Context(), storage.Key{Partition: "p", Sort: "s"})
	if problem.CodeOf(err) != problem.AWSCredentials || !strings.Contains(err.Error(), "artifact-storage.role") {
		t.Errorf("%v", err)
	}
	_, _, err = b.GetObject(t.Context(), "key", "")
	if problem.CodeOf(err) != problem.AWSCredentials {
		t.Errorf("%v", err)
	}
}
