package dynamo

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/terraform-gitops/gitops/shared/planstore/storage"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// maxKeys is how many keys one BatchGetItem can have.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
const maxKeys = 100

// Get implements storage.Items.
func (t table) Get(ctx context.Context, keys ...storage.Key) (found []storage.Item, err error) {
	for some := range slices.Chunk(keys, maxKeys) {
		var names []map[string]types.AttributeValue
		for _, k := range some {
			names = append(names, key(k))
		}
		wanted := map[string]types.KeysAndAttributes{t.name: {ConsistentRead: aws.Bool(true), Keys: names}}
		// DynamoDB may leave keys unprocessed if it is short of capacity.
		for attempt := 0; len(wanted) > 0; attempt++ {
			if err := pause(ctx, attempt); err != nil {
				return nil, t.failed("read from", "table "+t.name, err)
			}
			answer, err := t.client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: wanted})
			if err != nil {
				return nil, t.failed("read from", "table "+t.name, err)
			}
			for _, attributes := range answer.Responses[t.name] {
				found = append(found, itemOf(attributes))
			}
			wanted = answer.UnprocessedKeys
		}
	}
	return found, nil
}

const maxUnprocessed = 8 // tries: six seconds in all

// pause waits before another attempt: 50 ms, 100 ms, and so on. It does not wait before the
// first.
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
