package dynamo

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go"

	"github.com/terraform-gitops/gitops/shared/planstore/storage"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/test/kit/fakeaws"
)

const (
	tokenOfTest  = "FwoGSESSIONTOKEN"
	secretOfTest = "SECRETACCESSKEY"
)

// newRefusingAWS is a backend in an AWS that answers requests of one operation with an error,
// and all others with success. moto has no access control, keys that are disabled, clock, or
// regions to be wrong in, so these answers are written down from AWS's documentation; see the
// links at advice.
func newDenyingAWS(t *testing.T, refused string, status int, header http.Header, body string) *Backend {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		switch {
		case operation(r) == refused:
			for name := range header {
				w.Header().Set(name, header.Get(name))
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		case operation(r) == "PUT":
		default:
			_, _ = io.WriteString(w, "{}")
		}
	}))
	t.Cleanup(server.Close)
	cfg := aws.Config{
		Region: "us-east-1", BaseEndpoint: &server.URL,
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", secretOfTest, tokenOfTest),
	}
	return Open(cfg, "acme-plans", "acme-table")
}

// operation names a request: PutItem, or the method of one to S3.
func operation(r *http.Request) string {
	if _, name, ok := strings.Cut(r.Header.Get("X-Amz-Target"), "."); ok {
		return name
	}
	return r.Method
}

const objectKey = "planfiles/acme/infra/network/plat-ue2-dev/4f1c2d9/d1.tfplan"

// request sends a request of an operation.
func request(t *testing.T, b *Backend, operation string) error {
	key := storage.Key{Partition: "plan#acme/infra#network#plat-ue2-dev", Sort: "x"}
	item := storage.Item{"pk": key.Partition, "sk": key.Sort}
	var err error
	switch operation {
	case "PUT":
		path := filepath.Join(t.TempDir(), "plan")
		must(t, os.WriteFile(path, []byte("plan"), 0o600))
		f, openErr := os.Open(path)
		must(t, openErr)
		defer f.Close()
		_, err = b.PutObject(t.Context(), objectKey, f, storage.Content{Size: 4, SHA256: sha256.Sum256([]byte("plan"))})
	case "GET":
		_, _, err = b.GetObject(t.Context(), objectKey, "")
	case "PutItem":
		err = b.Put(t.Context(), item, nil)
	case "Query":
		for _, err = range b.Query(t.Context(), storage.Query{Partition: key.Partition}) {
		}
	case "BatchGetItem":
		_, err = b.Get(t.Context(), key)
	case "TransactWriteItems":
		err = b.Transact(t.Context(), "", storage.Write{Key: key, Put: item, If: storage.Absent{}})
	}
	return err
}

func s3Error(code, message string) string {
	return fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?><Error><Code>%s</Code><Message>%s</Message><RequestId>4442587FB7D0A2F9</RequestId></Error>`, code, message)
}

func dynamoError(code, message string) string {
	return fmt.Sprintf(`{"__type":"com.amazonaws.dynamodb.v20120810#%s","message":%q}`, code, message)
}

func TestDenialsOfAWSSayWhatToDo(t *testing.T) {
	t.Parallel()
	const (
		user     = "User: arn:aws:sts::123456789012:assumed-role/gitops/acme is not authorized to perform: "
		object   = "s3://acme-plans/" + objectKey
		mismatch = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
		expired  = "Signature expired: 20250301T114000Z is now earlier than 20250301T115500Z (20250301T120000Z - 5 min.)"
		early    = "Signature not yet current: 20250301T123000Z is still later than 20250301T120500Z (20250301T120000Z + 5 min.)"
	)
	in := func(region string) http.Header { return http.Header{"X-Amz-Bucket-Region": {region}} }
	for name, test := range map[string]struct {
		code      problem.Code
		operation string
		status    int
		header    http.Header
		body      string
		want      []string
	}{
		"no bucket to write to": {problem.AWSNotFound, "PUT", 404, nil, s3Error("NoSuchBucket", "The specified bucket does not exist"),
			[]string{"there is no bucket acme-plans in us-east-1", "set artifact-storage.bucket and artifact-storage.region", "modules/s3-bucket"}},
		"no bucket to read from": {problem.AWSNotFound, "GET", 404, nil, s3Error("NoSuchBucket", "The specified bucket does not exist"),
			[]string{"there is no bucket acme-plans in us-east-1"}},
		"no table": {problem.AWSNotFound, "Query", 400, nil, dynamoError("ResourceNotFoundException", "Requested resource not found: Table: acme-table not found"),
			[]string{"there is no table acme-table in us-east-1", "set artifact-storage.table and artifact-storage.region", "modules/dynamodb-table"}},

		"another region, redirected": {problem.AWSNotFound, "PUT", 301, in("eu-west-1"), s3Error("PermanentRedirect", "The bucket you are attempting to access must be addressed using the specified endpoint."),
			[]string{"bucket acme-plans is in eu-west-1, and was looked for in us-east-1: set artifact-storage.region to eu-west-1"}},
		"another region, redirected without a word": {problem.AWSNotFound, "GET", 301, in("eu-west-1"), "",
			[]string{"bucket acme-plans is in eu-west-1, and was looked for in us-east-1"}},
		"another region, by its signature": {problem.AWSNotFound, "GET", 400, in("eu-west-1"), s3Error("AuthorizationHeaderMalformed", "The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-west-1'"),
			[]string{"bucket acme-plans is in eu-west-1, and was looked for in us-east-1"}},
		"another region, in the message only": {problem.AWSNotFound, "PUT", 400, nil, s3Error("AuthorizationHeaderMalformed", "The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-west-1'"),
			[]string{"bucket acme-plans is in eu-west-1, and was looked for in us-east-1"}},
		"another region, not said which": {problem.AWSNotFound, "PUT", 400, nil, s3Error("IllegalLocationConstraintException", "The me-south-1 location constraint is incompatible for the region specific endpoint this request was sent to."),
			[]string{"bucket acme-plans is not in us-east-1: set artifact-storage.region"}},

		"write denied": {problem.AWSDenied, "PUT", 403, in("us-east-1"), s3Error("AccessDenied", user+`s3:PutObject on resource: &quot;arn:aws:s3:::acme-plans/x&quot; because no identity-based policy allows the s3:PutObject action`),
			[]string{user, "because no identity-based policy", "allow the storage role s3:PutObject on " + object, "artifact-storage.role"}},
		"read denied": {problem.AWSDenied, "GET", 403, nil, s3Error("AccessDenied", "Access Denied"),
			[]string{"or it is gone", "allow the storage role s3:GetObject and s3:GetObjectVersion on " + object}},
		"query denied": {problem.AWSDenied, "Query", 400, nil, dynamoError("AccessDeniedException", user+"dynamodb:Query on resource: arn:aws:dynamodb:us-east-1:123456789012:table/acme-table because no identity-based policy allows the dynamodb:Query action"),
			[]string{user, "allow the storage role dynamodb:Query on table acme-table"}},
		"record denied": {problem.AWSDenied, "PutItem", 400, nil, dynamoError("AccessDeniedException", user+"dynamodb:PutItem"),
			[]string{"allow the storage role dynamodb:PutItem on table acme-table"}},
		"claim's read denied": {problem.AWSDenied, "BatchGetItem", 400, nil, dynamoError("AccessDeniedException", user+"dynamodb:BatchGetItem"),
			[]string{"allow the storage role dynamodb:BatchGetItem on table acme-table"}},
		"claim denied": {problem.AWSDenied, "TransactWriteItems", 400, nil, dynamoError("AccessDeniedException", user+"dynamodb:ConditionCheckItem"),
			[]string{user, "allow the storage role dynamodb:PutItem, dynamodb:UpdateItem and dynamodb:ConditionCheckItem on table acme-table"}},

		"key denied to a writer": {problem.AWSDenied, "PUT", 403, nil, s3Error("AccessDenied", user+"kms:GenerateDataKey on resource: arn:aws:kms:us-east-1:123456789012:key/1234 because no identity-based policy allows the kms:GenerateDataKey action"),
			[]string{"the storage role may not use the KMS key of the bucket acme-plans in us-east-1: allow it kms:GenerateDataKey on that key, in the role's policy and in the key's"}},
		"key denied to a reader": {problem.AWSDenied, "GET", 403, nil, s3Error("AccessDenied", user+"kms:Decrypt on this resource because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access"),
			[]string{"d1.tfplan: operation error S3: GetObject", "allow it kms:Decrypt on that key"}}, // and not that it may be gone
		"key of the table denied": {problem.AWSDenied, "Query", 400, nil, dynamoError("AccessDeniedException", "KMS key access denied error: "+user+"kms:Decrypt"),
			[]string{"the KMS key of the table acme-table in us-east-1: allow it kms:Decrypt"}},
		"key disabled": {problem.AWSKey, "GET", 400, nil, s3Error("KMS.DisabledException", "arn:aws:kms:us-east-1:123456789012:key/1234 is disabled."),
			[]string{"is disabled.", "the KMS key of the bucket acme-plans in us-east-1 can't be used: enable it"}},
		"key to be deleted": {problem.AWSKey, "PUT", 400, nil, s3Error("KMS.KMSInvalidStateException", "arn:aws:kms:us-east-1:123456789012:key/1234 is pending deletion."),
			[]string{"is pending deletion.", "or cancel its deletion"}},

		"a wrong clock, to S3":            {problem.AWSClock, "PUT", 403, nil, s3Error("RequestTimeTooSkewed", "The difference between the request time and the current time is too large."), []string{checkClock}},
		"a late clock, to DynamoDB":       {problem.AWSClock, "Query", 400, nil, dynamoError("InvalidSignatureException", expired), []string{expired, checkClock}},
		"an early clock, to DynamoDB":     {problem.AWSClock, "PutItem", 400, nil, dynamoError("InvalidSignatureException", early), []string{early, checkClock}},
		"an expired request, to DynamoDB": {problem.AWSClock, "Query", 400, nil, dynamoError("RequestExpired", "Request has expired."), []string{checkClock}},

		"a wrong secret, with the session token in AWS's answer": {problem.AWSCredentials, "Query", 400, nil,
			dynamoError("InvalidSignatureException", mismatch+"\n\nThe Canonical String for this request should have been\n'POST\n/\n\nhost:dynamodb.us-east-1.amazonaws.com\nx-amz-security-token:"+tokenOfTest+"\n\nhost\n0'\n\nThe String-to-Sign should have been\n'AWS4-HMAC-SHA256'\n"),
			[]string{mismatch + ": the credentials are incomplete or wrong"}},
		"a wrong secret, to S3": {problem.AWSCredentials, "PUT", 403, nil, s3Error("SignatureDoesNotMatch", mismatch), []string{"the credentials are incomplete or wrong"}},

		"expired credentials, to S3":       {problem.AWSCredentials, "GET", 400, nil, s3Error("ExpiredToken", "The provided token has expired."), []string{"the storage credentials have ended: run the job again"}},
		"expired credentials, to DynamoDB": {problem.AWSCredentials, "TransactWriteItems", 400, nil, dynamoError("ExpiredTokenException", "The security token included in the request is expired"), []string{"the storage credentials have ended: run the job again"}},
		"unknown credentials, to S3":       {problem.AWSCredentials, "PUT", 403, nil, s3Error("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."), []string{"AWS does not know the storage credentials in us-east-1"}},
		"unknown token, to S3":             {problem.AWSCredentials, "PUT", 400, nil, s3Error("InvalidToken", "The provided token is malformed or otherwise not valid."), []string{"AWS does not know the storage credentials"}},
		"unknown credentials, to DynamoDB": {problem.AWSCredentials, "Query", 400, nil, dynamoError("UnrecognizedClientException", "The security token included in the request is invalid."), []string{"AWS does not know the storage credentials in us-east-1"}},
		"no such client, to DynamoDB":      {problem.AWSCredentials, "Query", 403, nil, dynamoError("InvalidClientTokenId", "The security token included in the request is invalid."), []string{"AWS does not know the storage credentials"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newDenyingAWS(t, test.operation, test.status, test.header, test.body)
			err := request(t, b, test.operation)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %s\nwant  %s", err, want)
				}
			}
			if strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), tokenOfTest) || strings.Contains(err.Error(), secretOfTest) {
				t.Errorf("not a line, or one with a secret: %q", err)
			}
			var api smithy.APIError
			if !errors.As(err, &api) {
				t.Errorf("%v does not wrap what AWS said", err)
			}
			if code := problem.CodeOf(err); code != test.code {
				t.Errorf("its code is %q, want %q", code, test.code)
			}
		})
	}
}

func TestOtherErrorsOfAWSAreLeftAsTheyAre(t *testing.T) {
	t.Parallel()
	b := newDenyingAWS(t, "Query", 400, nil, dynamoError("ValidationException", "The provided key element does not match the schema"))
	err := request(t, b, "Query")
	var explained *denial
	if err == nil || errors.As(err, &explained) {
		t.Errorf("error %v", err)
	}
}

func TestBucketOrTableThatIsNotThereIsNamed(t *testing.T) {
	t.Parallel()
	cfg := fakeaws.Start(t).Config()
	bucketName, tableName := fakeaws.CreateStore(t, cfg)
	noBucket, noTable := Open(cfg, "no-bucket", tableName), Open(cfg, bucketName, "no-table")
	for _, test := range []struct {
		b                *Backend
		operation, names string
	}{
		{noBucket, "PUT", "there is no bucket no-bucket in us-east-1"},
		{noBucket, "GET", "there is no bucket no-bucket in us-east-1"},
		{noTable, "PutItem", "there is no table no-table in us-east-1"},
		{noTable, "Query", "there is no table no-table in us-east-1"},
		{noTable, "BatchGetItem", "there is no table no-table in us-east-1"},
		{noTable, "TransactWriteItems", "there is no table no-table in us-east-1"},
	} {
		if err := request(t, test.b, test.operation); err == nil || !strings.Contains(err.Error(), test.names) {
			t.Errorf("%s: %v, want %q", test.operation, err, test.names)
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
