package planstore

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// byPullRequest is the index of what belongs to a pull request.
const byPullRequest = "by-pull-request"

// changePlans looks on both sides of the drift plans, which it does not read:
// commits sort before and after "drift#", and none begins with it.
func (t table) changePlans(ctx context.Context, pk string) (items []shortItem, err error) {
	for _, side := range []struct{ condition, sk string }{{"sk < :sk", driftRecord}, {"sk > :sk", "drift$"}} { // $ comes next after #
		some, err := t.shortItems(ctx, "table "+t.name, &dynamodb.QueryInput{
			ConsistentRead:            aws.Bool(true),
			KeyConditionExpression:    aws.String("pk = :pk AND " + side.condition),
			ExpressionAttributeValues: map[string]types.AttributeValue{":pk": text(pk), ":sk": text(side.sk)},
		})
		if err != nil {
			return nil, err
		}
		items = append(items, some...)
	}
	return items, nil
}

// ofPullRequest is not strongly consistent: no index can be.
func (t table) ofPullRequest(ctx context.Context, prefix, pullRequest string) ([]shortItem, error) {
	return t.shortItems(ctx, "index "+byPullRequest+" of DynamoDB table "+t.name, &dynamodb.QueryInput{
		IndexName:                 aws.String(byPullRequest),
		KeyConditionExpression:    aws.String("pullRequest = :pr"),
		FilterExpression:          aws.String("begins_with(pk, :prefix)"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":pr": text(pullRequest), ":prefix": text(prefix)},
	})
}

// shortItems reads all pages of a query, and of each item what shortItem has.
func (t table) shortItems(ctx context.Context, where string, query *dynamodb.QueryInput) (items []shortItem, err error) {
	query.TableName = &t.name
	query.ExpressionAttributeNames = map[string]string{} // some are reserved words
	var wanted []string
	for i, name := range shortAttributes {
		query.ExpressionAttributeNames["#"+strconv.Itoa(i)] = name
		wanted = append(wanted, "#"+strconv.Itoa(i))
	}
	query.ProjectionExpression = aws.String(strings.Join(wanted, ", "))
	for pages := dynamodb.NewQueryPaginator(t.client, query); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("look in %s: %w", where, t.explain(where, err))
		}
		for _, attributes := range page.Items {
			var item shortItem
			// One that is damaged is left out: see shortItem.
			if decode(attributes, &item) == nil {
				items = append(items, item)
			}
		}
	}
	return items, nil
}
