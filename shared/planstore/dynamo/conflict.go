package dynamo

import (
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Codes of CancellationReasons. There is one for each item of the transaction, in their order.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
const (
	conditionFailed     = "ConditionalCheckFailed"
	transactionConflict = "TransactionConflict"
)

// cancelReasons returns the codes with which DynamoDB cancelled a transaction, one for each
// item; nil for any other error.
func cancelReasons(err error) (codes []string) {
	var cancelled *types.TransactionCanceledException
	if errors.As(err, &cancelled) {
		for _, reason := range cancelled.CancellationReasons {
			codes = append(codes, aws.ToString(reason.Code))
		}
	}
	return codes
}

// conflictRetryer also retries transactions that were cancelled because another one wrote the
// same items, or for lack of capacity. The SDK does not look at the reasons, and retries none.
type conflictRetryer struct{ aws.Retryer }

// conflictAttempts takes half a minute at most, with the SDK's backoff.
const conflictAttempts = 5

func (r conflictRetryer) MaxAttempts() int { return max(conflictAttempts, r.Retryer.MaxAttempts()) }

func (r conflictRetryer) IsErrorRetryable(err error) bool {
	if codes := cancelReasons(err); codes != nil {
		return !slices.Contains(codes, conditionFailed) &&
			slices.ContainsFunc(codes, func(code string) bool {
				return code == transactionConflict || code == "ThrottlingError" || code == "ProvisionedThroughputExceeded"
			})
	}
	return r.Retryer.IsErrorRetryable(err)
}
