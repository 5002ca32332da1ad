package planstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// byRun is the index of what runs have written.
const byRun = "by-run"

// putDriftResult may meet its own write, when the answer was lost: the same
// time, and so written again.
func (t table) putDriftResult(ctx context.Context, item driftItem) error {
	err := t.putIf(ctx, item, "attribute_not_exists(pk) OR seenAt <= :at", map[string]types.AttributeValue{":at": text(item.SeenAt)})
	if errors.Is(err, errCondition) {
		return nil
	}
	return t.failed("write the drift result", err)
}

// driftResults is the only read that is not strongly consistent: no index can be.
func (t table) driftResults(ctx context.Context, prefix, run string) (results []driftItem, err error) {
	pages := dynamodb.NewQueryPaginator(t.client, &dynamodb.QueryInput{
		TableName:                 &t.name,
		IndexName:                 aws.String(byRun),
		KeyConditionExpression:    aws.String("#run = :run AND begins_with(pk, :prefix)"),
		ExpressionAttributeNames:  map[string]string{"#run": "run"},
		ExpressionAttributeValues: map[string]types.AttributeValue{":run": text(run), ":prefix": text(prefix)},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			where := "index " + byRun + " of DynamoDB table " + t.name
			return nil, fmt.Errorf("look in %s: %w", where, t.explain(where, err))
		}
		for _, attributes := range page.Items {
			var item driftItem
			if err := decode(attributes, &item); err != nil {
				return nil, fmt.Errorf("a drift result in DynamoDB table %s is damaged: %w", t.name, err)
			}
			results = append(results, item)
		}
	}
	return results, nil
}

func (t table) driftIssues(ctx context.Context, pks []string) (issues []issueItem, err error) {
	keys := make([]map[string]types.AttributeValue, 0, len(pks))
	for _, pk := range pks {
		keys = append(keys, key(pk, issueKey))
	}
	err = t.getItems(ctx, "read the links to the drift issues", keys, func(attributes map[string]types.AttributeValue) error {
		var item issueItem
		if err := decode(attributes, &item); err != nil {
			return fmt.Errorf("a link to a drift issue is damaged: %w", err)
		}
		issues = append(issues, item)
		return nil
	})
	return issues, err
}

func (t table) putDriftIssue(ctx context.Context, item issueItem) error {
	condition, values := "revision = :before", map[string]types.AttributeValue{":before": number(uint64(item.Revision - 1))}
	if item.Revision == 1 {
		condition, values = "attribute_not_exists(pk)", nil // one that is not used is an error
	}
	err := t.putIf(ctx, item, condition, values)
	if errors.Is(err, errCondition) {
		return err
	}
	return t.failed("write the link to the drift issue", err)
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
