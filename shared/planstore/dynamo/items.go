package dynamo

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/terraform-gitops/gitops/shared/planstore/storage"
)

// table keeps items in a DynamoDB table. It never scans. All reads but those of an index are
// strongly consistent.
type table struct {
	client *dynamodb.Client
	resource
}

// Put implements storage.Items. A condition may fail because of this very call, if its answer
// was lost and the SDK sent it again.
func (t table) Put(ctx context.Context, item storage.Item, condition storage.Condition) error {
	put := &dynamodb.PutItemInput{TableName: &t.name, Item: attributes(item)}
	if condition != nil {
		e := newExpression(condition)
		put.ConditionExpression, put.ExpressionAttributeNames, put.ExpressionAttributeValues = e.text()
		put.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
	}
	_, err := t.client.PutItem(ctx, put)
	if refused, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		return &storage.ConditionError{Stored: itemOf(refused.Item)}
	}
	return t.failed("write to", "table "+t.name, err)
}

// Transact implements storage.Items.
func (t table) Transact(ctx context.Context, token string, writes ...storage.Write) error {
	request := &dynamodb.TransactWriteItemsInput{}
	if token != "" { // else the SDK makes one up; it sends it again with each retry
		request.ClientRequestToken = &token
	}
	for _, w := range writes {
		request.TransactItems = append(request.TransactItems, t.transactItem(w))
	}
	_, err := t.client.TransactWriteItems(ctx, request)
	if i := slices.Index(cancelReasons(err), conditionFailed); i >= 0 {
		return &storage.ConditionError{Write: i}
	}
	return t.failed("write to", "table "+t.name, err)
}

func (t table) transactItem(w storage.Write) types.TransactWriteItem {
	e := newExpression(w.If)
	switch {
	case w.Put != nil:
		put := &types.Put{TableName: &t.name, Item: attributes(w.Put)}
		put.ConditionExpression, put.ExpressionAttributeNames, put.ExpressionAttributeValues = e.text()
		return types.TransactWriteItem{Put: put}
	case w.Set != nil:
		set := e.set(w.Set)
		update := &types.Update{TableName: &t.name, Key: key(w.Key), UpdateExpression: &set}
		update.ConditionExpression, update.ExpressionAttributeNames, update.ExpressionAttributeValues = e.text()
		return types.TransactWriteItem{Update: update}
	}
	check := &types.ConditionCheck{TableName: &t.name, Key: key(w.Key)}
	check.ConditionExpression, check.ExpressionAttributeNames, check.ExpressionAttributeValues = e.text()
	return types.TransactWriteItem{ConditionCheck: check}
}

// index is an index of the table.
type index struct {
	name        string
	byPartition bool // the sort key of the index is pk
}

var indexes = map[storage.Index]index{
	storage.ByRun:         {"by-run", true},
	storage.ByPullRequest: {"by-pull-request", false},
}

// Query implements storage.Items.
func (t table) Query(ctx context.Context, q storage.Query) iter.Seq2[storage.Item, error] {
	return func(yield func(storage.Item, error) bool) {
		query, object := t.query(q)
		for {
			page, err := t.client.Query(ctx, query)
			if err != nil {
				yield(nil, t.failed("look in", object, err))
				return
			}
			for _, found := range page.Items {
				if !yield(itemOf(found), nil) {
					return
				}
			}
			if len(page.LastEvaluatedKey) == 0 {
				return
			}
			query.ExclusiveStartKey, query.Limit = page.LastEvaluatedKey, nil
		}
	}
}

// query returns the request of a query, and the table or index that it is about.
func (t table) query(q storage.Query) (query *dynamodb.QueryInput, object string) {
	query = &dynamodb.QueryInput{
		TableName:                 &t.name,
		ScanIndexForward:          aws.Bool(!q.Descending),
		ExpressionAttributeNames:  map[string]string{}, // some are reserved words
		ExpressionAttributeValues: map[string]types.AttributeValue{},
	}
	value := func(name, value string) string {
		query.ExpressionAttributeValues[name] = text(value)
		return name
	}
	var condition string
	if i, ok := indexes[q.Index]; ok {
		object = "index " + i.name + " of table " + t.name
		query.IndexName = &i.name
		query.ExpressionAttributeNames["#value"] = string(q.Index)
		condition = "#value = " + value(":value", q.Value)
		begins := "begins_with(pk, " + value(":prefix", q.Prefix) + ")"
		if i.byPartition {
			condition += " AND " + begins
		} else {
			query.FilterExpression = &begins
			if q.From != "" {
				condition += " AND createdAt BETWEEN " + value(":from", q.From) + " AND " + value(":to", q.To)
			}
		}
	} else {
		object = "table " + t.name
		query.ConsistentRead = aws.Bool(true) // no index can be
		condition = "pk = " + value(":pk", q.Partition)
		switch {
		case q.From != "" && q.To != "":
			condition += " AND sk BETWEEN " + value(":from", q.From) + " AND " + value(":to", q.To)
		case q.From != "":
			condition += " AND sk >= " + value(":from", q.From)
		case q.To != "":
			condition += " AND sk <= " + value(":to", q.To)
		}
	}
	query.KeyConditionExpression = &condition
	if q.Expected > 0 {
		query.Limit = aws.Int32(int32(q.Expected))
	}
	var wanted []string
	for i, name := range q.Attributes {
		placeholder := "#" + strconv.Itoa(i)
		query.ExpressionAttributeNames[placeholder] = name
		wanted = append(wanted, placeholder)
	}
	if len(wanted) > 0 {
		query.ProjectionExpression = aws.String(strings.Join(wanted, ", "))
	}
	if len(query.ExpressionAttributeNames) == 0 {
		query.ExpressionAttributeNames = nil // an empty map is an error
	}
	return query, object
}

// failed says what could not be done with a table or an index, and what to do.
func (t table) failed(what, object string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s DynamoDB %s: %w", what, object, t.explain(object, err))
}
