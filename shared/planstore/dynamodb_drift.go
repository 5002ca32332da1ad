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
func (t table) putDriftResult(ctx context.Context, item driftItem, now string) error {
	// What is there and has no time, or one that is yet to come, is spoiled.
	err := t.putIf(ctx, item, "attribute_not_exists(pk) OR NOT attribute_type(seenAt, :text) OR seenAt <= :at OR seenAt > :now",
		map[string]types.AttributeValue{":at": text(item.SeenAt), ":text": text("S"), ":now": text(now)})
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

func (t table) driftIssues(ctx context.Context, pks []string) ([]issueItem, error) {
	return readEach[issueItem](ctx, t, "link to the drift issue", pks, issueKey)
}

func (t table) putDriftIssue(ctx context.Context, item issueItem) error {
	return t.putRevision(ctx, "link to the drift issue", item.Revision, item)
}
