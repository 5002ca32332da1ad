package planstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// readEach reads the items that are there in these partitions under one sort key.
func readEach[T any](ctx context.Context, t table, what string, pks []string, sk string) (items []T, err error) {
	keys := make([]map[string]types.AttributeValue, 0, len(pks))
	for _, pk := range pks {
		keys = append(keys, key(pk, sk))
	}
	err = t.getItems(ctx, "read each "+what, keys, func(attributes map[string]types.AttributeValue) error {
		var item T
		if decode(attributes, &item) != nil {
			// It is not whole, which is seen when it is read: by its keys it is found.
			item = *new(T)
			if err := decode(map[string]types.AttributeValue{"pk": attributes["pk"], "sk": attributes["sk"]}, &item); err != nil {
				return fmt.Errorf("a %s is damaged: %w", what, err)
			}
		}
		items = append(items, item)
		return nil
	})
	return items, err
}

// putRevision puts an item in the place of the revision before it.
func (t table) putRevision(ctx context.Context, what string, revision int, item any) error {
	condition, values := "revision = :before", map[string]types.AttributeValue{":before": number(uint64(revision - 1))}
	if revision == 1 {
		condition, values = "attribute_not_exists(pk)", nil // one that is not used is an error
	}
	err := t.putIf(ctx, item, condition, values)
	if errors.Is(err, errCondition) {
		return err
	}
	return t.failed("write the "+what, err)
}

// putIf writes an item if what is stored under its keys meets a condition; else
// the error is errCondition.
func (t table) putIf(ctx context.Context, item any, condition string, values map[string]types.AttributeValue) error {
	attributes, err := encode(item)
	if err != nil {
		return err
	}
	_, err = t.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &t.name, Item: attributes,
		ConditionExpression: &condition, ExpressionAttributeValues: values,
	})
	var failed *types.ConditionalCheckFailedException
	if errors.As(err, &failed) {
		return errCondition
	}
	return err
}

func (t table) lastApplies(ctx context.Context, pks []string) ([]lastItem, error) {
	return readEach[lastItem](ctx, t, "last apply", pks, lastKey)
}

func (t table) locks(ctx context.Context, pks []string) ([]lockItem, error) {
	return readEach[lockItem](ctx, t, "lock", pks, lockKey)
}

func (t table) putLock(ctx context.Context, item lockItem) error {
	return t.putRevision(ctx, "lock", item.Revision, item)
}
