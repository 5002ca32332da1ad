package planstore

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// maxKeys is how many keys one BatchGetItem takes:
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
const maxKeys = 100

// getItems reads the items with these keys, of which no two may be the same, in
// any order.
func (t table) getItems(ctx context.Context, what string, keys []map[string]types.AttributeValue, found func(map[string]types.AttributeValue) error) error {
	for some := range slices.Chunk(keys, maxKeys) {
		wanted := map[string]types.KeysAndAttributes{t.name: {ConsistentRead: aws.Bool(true), Keys: some}}
		// DynamoDB may leave keys unprocessed when it is short of capacity.
		for attempt := 0; len(wanted) > 0; attempt++ {
			if err := pause(ctx, attempt); err != nil {
				return t.failed(what, err)
			}
			answer, err := t.client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: wanted})
			if err != nil {
				return t.failed(what, err)
			}
			for _, attributes := range answer.Responses[t.name] {
				if err := found(attributes); err != nil {
					return err
				}
			}
			wanted = answer.UnprocessedKeys
		}
	}
	return nil
}

const maxUnprocessed = 8 // tries: six seconds in all

// pause waits before a try: not at all before the first, then 50 ms, 100 ms, …
func pause(ctx context.Context, attempt int) error {
	if attempt == 0 {
		return nil
	}
	if attempt == maxUnprocessed {
		return problem.With(problem.AWS, errors.New("DynamoDB has no capacity for it"))
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(25 * time.Millisecond << attempt):
		return nil
	}
}
