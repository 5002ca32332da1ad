package dynamo

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// denial is a request that AWS denied: its error, and what to do.
type denial struct {
	cause  error
	code   problem.Code
	advice string
}

// Error leaves out the canonical string that AWS puts into the message of a wrong signature:
// many lines, with the session token.
func (e *denial) Error() string {
	text, _, _ := strings.Cut(e.cause.Error(), "The Canonical String")
	return strings.TrimSpace(text) + ": " + e.advice
}

func (e *denial) Unwrap() error { return e.cause }

// Code is the code of this kind of problem.
func (e *denial) Code() problem.Code { return e.code }

// resource is the bucket or table of a request.
type resource struct {
	kind   string // bucket or table, as in the settings
	module string // that makes it
	name   string
	region string
}

func (r resource) String() string { return fmt.Sprintf("%s %s in %s", r.kind, r.name, r.region) }

// explain adds advice to an error of AWS, if there is any. object is the address of the object
// or table of the request.
func (r resource) explain(object string, err error) error {
	if problem.CodeOf(err) != "" { // it is about what is stored, or a cancel
		return err
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		if code, advice := r.advice(object, api, err); advice != "" {
			return &denial{err, code, advice}
		}
	}
	// The SDK has no type for it: it found no credentials, so that the request was not sent.
	if strings.Contains(err.Error(), "get identity: get credentials") {
		return &denial{err, problem.AWSCredentials, "this job has no AWS credentials: set artifact-storage.role and give the job `permissions: id-token: write`, or sign in to AWS in a step before this one"}
	}
	return problem.With(problem.AWS, err)
}

// advice says what to do about an error, for the error codes that AWS documents:
//   - of S3: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList
//   - of DynamoDB: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
//   - of both: https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
//   - of KMS, through S3: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ExportSnapshot.html
func (r resource) advice(object string, api smithy.APIError, err error) (problem.Code, string) {
	code, message := api.ErrorCode(), api.ErrorMessage()
	switch code {
	case "NoSuchBucket", "ResourceNotFoundException":
		return problem.AWSNotFound, fmt.Sprintf("there is no %s: set artifact-storage.%s and artifact-storage.region to the one that was made, or make it with modules/%s", r, r.kind, r.module)

	case "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException",
		"MovedPermanently": // the SDK's word for a 301 without a body
		if there := bucketRegion(message, err); there != "" && there != r.region {
			return problem.AWSNotFound, fmt.Sprintf("bucket %s is in %s, and was looked for in %s: set artifact-storage.region to %[2]s (the table is looked for there, too)", r.name, there, r.region)
		}
		return problem.AWSNotFound, fmt.Sprintf("bucket %s is not in %s: set artifact-storage.region to the bucket's", r.name, r.region)

	case "AccessDenied", "AccessDeniedException":
		if action := kmsAction.FindString(message); action != "" {
			return problem.AWSDenied, fmt.Sprintf("the storage role may not use the KMS key of the %s: allow it %s on that key, in the role's policy and in the key's", r, action)
		}
		return problem.AWSDenied, fmt.Sprintf("allow the storage role %s on %s (plan and apply each have their own role: artifact-storage.role)", action(err), object)

	case "RequestTimeTooSkewed", "RequestExpired":
		return problem.AWSClock, checkClock
	case "InvalidSignatureException", "SignatureDoesNotMatch":
		if strings.Contains(message, "Signature expired") || strings.Contains(message, "Signature not yet current") {
			return problem.AWSClock, checkClock
		}
		return problem.AWSCredentials, "the credentials are incomplete or wrong: check the secret access key, and that no proxy changes requests"

	case "ExpiredToken", "ExpiredTokenException":
		return problem.AWSCredentials, "the storage credentials have ended: run the job again"
	case "InvalidAccessKeyId", "InvalidToken", "InvalidClientTokenId", "UnrecognizedClientException":
		return problem.AWSCredentials, fmt.Sprintf("AWS does not know the storage credentials in %s: check where the job has them from, and that the account has this region enabled", r.region)
	}
	if strings.HasPrefix(code, "KMS.") { // KMS.DisabledException, KMS.KMSInvalidStateException, KMS.NotFoundException
		return problem.AWSKey, fmt.Sprintf("the KMS key of the %s can't be used: enable it, or cancel its deletion (what a deleted key encrypted is lost: plan again with another key)", r)
	}
	return "", ""
}

const checkClock = "the runner's clock is not AWS's: set it (NTP), and run again"

var kmsAction = regexp.MustCompile(`\bkms:[A-Za-z]+`)

// expectedRegion is how S3 names a bucket's region in a message: "the region 'us-east-1' is
// wrong; expecting 'eu-west-1'".
var expectedRegion = regexp.MustCompile(`expecting '([a-z0-9-]+)'`)

// bucketRegion is the region that S3 says a bucket is in; empty if it does not say.
func bucketRegion(message string, err error) string {
	var response *awshttp.ResponseError
	if errors.As(err, &response) && response.HTTPResponse() != nil {
		if region := response.HTTPResponse().Header.Get("X-Amz-Bucket-Region"); region != "" {
			return region
		}
	}
	if said := expectedRegion.FindStringSubmatch(message); said != nil {
		return said[1]
	}
	return ""
}

// action is IAM's name for the operation that failed.
func action(err error) string {
	var operation *smithy.OperationError
	if !errors.As(err, &operation) {
		return "access"
	}
	switch operation.Operation() {
	case "TransactWriteItems": // is allowed by its parts
		return "dynamodb:PutItem, dynamodb:UpdateItem and dynamodb:ConditionCheckItem"
	case "GetObject": // without and with a version
		return "s3:GetObject and s3:GetObjectVersion"
	}
	return strings.ToLower(operation.Service()) + ":" + operation.Operation()
}

// statusCode is the HTTP status of an AWS error, or 0.
func statusCode(err error) int {
	var response *awshttp.ResponseError
	if errors.As(err, &response) {
		return response.HTTPStatusCode()
	}
	return 0
}
