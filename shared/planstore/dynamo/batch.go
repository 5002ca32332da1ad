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
	"github.com/terraform-gitops/gitops/shared/retry"
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
		err := unprocessed.Do(ctx, func() (again bool, err error) {
			answer, err := t.client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: wanted})
			if err != nil {
				return false, err
			}
			for _, attributes := range answer.Responses[t.name] {
				found = append(found, itemOf(attributes))
			}
			if wanted = answer.UnprocessedKeys; len(wanted) > 0 {
				return true, errCapacity
			}
			return false, nil
		})
		if err != nil {
			return nil, t.failed("read from", "table "+t.name, err)
		}
	}
	return found, nil
}

// unprocessed says how often keys are asked for again that DynamoDB has left unprocessed. It
// may do that if it is short of capacity. The waits take six seconds in all.
var unprocessed = retry.Policy{Tries: 8, Wait: 50 * time.Millisecond, Double: true}

var errCapacity = problem.With(problem.AWS, errors.New("DynamoDB has no capacity for it"))
