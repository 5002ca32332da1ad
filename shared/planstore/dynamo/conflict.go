package dynamo

import (
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Codes of CancellationReasons, which stand in the order of the transaction's items:
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
const (
	conditionFailed     = "ConditionalCheckFailed"
	transactionConflict = "TransactionConflict"
)

// cancelReasons are the codes with which DynamoDB cancelled a transaction, one
// an item; nil for any other error.
func cancelReasons(err error) (codes []string) {
	var cancelled *types.TransactionCanceledException
	if errors.As(err, &cancelled) {
		for _, reason := range cancelled.CancellationReasons {
			codes = append(codes, aws.ToString(reason.Code))
		}
	}
	return codes
}

// conflictRetryer also retries transactions that were cancelled because another
// one was writing the same items, or for want of capacity; the SDK, which does
// not look at the reasons, retries none.
type conflictRetryer struct{ aws.Retryer }

// conflictAttempts lasts, with the SDK's backoff, for half a minute at most.
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
