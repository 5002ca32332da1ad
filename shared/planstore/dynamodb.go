package planstore

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// table holds items in a DynamoDB table. No read is a Scan, and all but the one
// of an index are strongly consistent.
type table struct {
	client *dynamodb.Client
	resource
}

func openTable(cfg aws.Config, name string) table {
	return table{resource: resource{"table", "dynamodb-table", name, cfg.Region}, client: dynamodb.NewFromConfig(cfg, func(o *dynamodb.Options) {
		o.Retryer = conflictRetryer{o.Retryer}
	})}
}

func (t table) putRecord(ctx context.Context, r Record) error {
	item := newRecordItem(r)
	attributes, err := encode(item)
	if err != nil {
		return err
	}
	_, err = t.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName:                           &t.name,
		Item:                                attributes,
		ConditionExpression:                 aws.String("attribute_not_exists(pk)"),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	var exists *types.ConditionalCheckFailedException
	if errors.As(err, &exists) {
		// Our own write, when its answer was lost and the SDK sent it again.
		if reflect.DeepEqual(exists.Item, attributes) {
			return nil
		}
		return fmt.Errorf("%w (%s %s)", ErrAltered, item.PK, item.SK)
	}
	return t.failed("write the plan record", err)
}

// eachRecord reads one record, as a rule, and pages of what follows when that is not enough.
func (t table) eachRecord(ctx context.Context, target Target, commit, end string, enough func(string, Record, error) bool) error {
	pk := planPrefix + target.key()
	query := t.recordQuery("pk = :pk AND sk BETWEEN :begin AND :end", map[string]types.AttributeValue{":pk": text(pk), ":begin": text(commit + "#"), ":end": text(end)})
	for {
		page, err := t.client.Query(ctx, query)
		if err != nil {
			return t.failed("look for the plan record", err)
		}
		for _, attributes := range page.Items {
			if enough(readRecord(pk, attributes)) {
				return nil
			}
		}
		if len(page.LastEvaluatedKey) == 0 {
			return nil
		}
		query.ExclusiveStartKey, query.Limit = page.LastEvaluatedKey, nil
	}
}

// record needs no more permission than eachRecord: GetItem would be another.
func (t table) record(ctx context.Context, target Target, recordID string) (Record, error) {
	pk := planPrefix + target.key()
	page, err := t.client.Query(ctx, t.recordQuery("pk = :pk AND sk = :sk", map[string]types.AttributeValue{":pk": text(pk), ":sk": text(recordID)}))
	if err != nil {
		return Record{}, t.failed("look for the plan record", err)
	}
	if len(page.Items) == 0 {
		return Record{}, ErrNotFound
	}
	_, r, err := readRecord(pk, page.Items[0])
	return r, err
}

func (t table) recordQuery(condition string, values map[string]types.AttributeValue) *dynamodb.QueryInput {
	return &dynamodb.QueryInput{
		TableName:                 &t.name,
		ConsistentRead:            aws.Bool(true),
		KeyConditionExpression:    &condition,
		ExpressionAttributeValues: values,
		ScanIndexForward:          aws.Bool(false), // newest first
		Limit:                     aws.Int32(1),
	}
}

func readRecord(pk string, attributes map[string]types.AttributeValue) (sk string, r Record, err error) {
	var content map[string]any
	if err := decode(attributes, &content); err != nil {
		return "", Record{}, fmt.Errorf("%w (%s: %w)", ErrAltered, pk, err)
	}
	sk, _ = content["sk"].(string)
	r, err = openRecord(pk, sk, content, func(item *recordItem) error { return decode(attributes, item) })
	return sk, r, err
}

// readClaims uses BatchGetItem rather than TransactGetItems, which would read
// all at one moment but costs twice as much and fails while a claim or finish
// is being written. Nothing rests on one moment: the claim decides before the
// last apply does, and writes check both again.
func (t table) readClaims(ctx context.Context, target Target, recordIDs ...string) (claims, error) {
	keys := []map[string]types.AttributeValue{key(applyPrefix+target.key(), lastKey), key(lockPrefix+target.key(), lockKey)}
	for _, id := range recordIDs {
		pk, sk := claimKeys(target, id)
		keys = append(keys, key(pk, sk))
	}
	read := claims{of: map[string]*heldClaim{}}
	err := t.getItems(ctx, "read the claim", keys, func(attributes map[string]types.AttributeValue) (err error) {
		switch {
		case reflect.DeepEqual(attributes["sk"], text(lastKey)):
			read.last, err = decodeLast(attributes)
		case reflect.DeepEqual(attributes["sk"], text(lockKey)):
			var item lockItem
			if err := decode(attributes, &item); err != nil {
				return damagedLock(target, err)
			}
			read.lock, err = item.held(target)
		default:
			var item claimItem
			if err := decode(attributes, &item); err != nil {
				return problem.With(problem.Storage, fmt.Errorf("the claim is damaged: %w", err))
			}
			read.of[strings.TrimPrefix(item.SK, claimPrefix)], err = item.claim()
		}
		return err
	})
	if err != nil {
		return claims{}, err
	}
	return read, nil
}

func (t table) putClaim(ctx context.Context, r Record, c heldClaim) error {
	item := newClaimItem(r, c)
	attributes, err := encode(item)
	if err != nil {
		return err
	}
	condition, values := notSuperseded(r)
	_, err = t.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{
		ClientRequestToken: &c.token, // the SDK sends it again with each retry
		TransactItems: []types.TransactWriteItem{
			{Put: &types.Put{
				TableName: &t.name, Item: attributes,
				ConditionExpression:       aws.String("attribute_not_exists(pk) OR #status = :released"),
				ExpressionAttributeNames:  map[string]string{"#status": "status"},
				ExpressionAttributeValues: map[string]types.AttributeValue{":released": text(string(statusReleased))},
			}},
			{ConditionCheck: &types.ConditionCheck{
				TableName: &t.name, Key: key(item.PK, lastKey),
				ConditionExpression: &condition, ExpressionAttributeValues: values,
			}},
		},
	})
	if slices.Contains(cancelReasons(err), conditionFailed) {
		return errCondition
	}
	return t.failed("write the claim", err)
}

// notSuperseded is LastApply.supersedes, negated, on the stored last apply.
// A comparison with an attribute that is not there is false in DynamoDB, and
// one with <> is true; each is guarded so that nothing rests on that.
func notSuperseded(r Record) (string, map[string]types.AttributeValue) {
	values := map[string]types.AttributeValue{":created": text(formatTime(r.CreatedAt))}
	if r.State == nil {
		return "attribute_not_exists(pk) OR appliedAt < :created", values
	}
	addPosition(values, *r.State)
	return "attribute_not_exists(pk)" +
		" OR (attribute_exists(statePosition) AND statePosition.lineage = :lineage AND statePosition.serial < :serial)" +
		" OR (appliedAt < :created AND (attribute_not_exists(statePosition) OR statePosition.lineage <> :lineage OR statePosition.serial = :serial))", values
}

func (t table) finishClaim(ctx context.Context, r Record, run Run, result Result, at time.Time, last *LastApply) error {
	end, err := t.updateClaim(r, run, result, at)
	if err != nil {
		return err
	}
	write := &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{{Update: end}}}
	if last == nil {
		return t.transact(ctx, write)
	}
	put, err := t.putLast(r.Target, *last)
	if err != nil {
		return err
	}
	err = t.transact(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{{Update: end}, {Put: put}}})
	if errors.Is(err, errOutdated) {
		return t.transact(ctx, write)
	}
	return err
}

// errOutdated says that the stored last apply was of a plan on a later state.
var errOutdated = errors.New("a later apply is already recorded")

// transact writes what ends a claim: its update first, then perhaps the last apply.
func (t table) transact(ctx context.Context, write *dynamodb.TransactWriteItemsInput) error {
	_, err := t.client.TransactWriteItems(ctx, write)
	reasons := cancelReasons(err)
	switch slices.Index(reasons, conditionFailed) {
	case 0:
		return errCondition
	case 1:
		return errOutdated
	}
	return t.failed("write how the apply ended", err)
}

func (t table) updateClaim(r Record, run Run, result Result, at time.Time) (*types.Update, error) {
	pk, sk := claimKeys(r.Target, r.ID())
	set := "SET #status = :status, finishedAt = :at, reason = :reason"
	values := map[string]types.AttributeValue{
		":applying": text(string(StatusApplying)), ":id": text(run.ID), ":attempt": number(uint64(run.Attempt)),
		":status": text(string(result.Status)), ":at": text(formatTime(at)), ":reason": text(result.Reason),
	}
	if result.After != nil {
		after, err := attributevalue.MarshalWithOptions(newPositionItem(result.After), withJSONTags)
		if err != nil {
			return nil, err
		}
		set, values[":after"] = set+", stateAfter = :after", after
	}
	return &types.Update{
		TableName: &t.name, Key: key(pk, sk),
		UpdateExpression:          &set,
		ConditionExpression:       aws.String("#status = :applying AND runId = :id AND runAttempt = :attempt"),
		ExpressionAttributeNames:  map[string]string{"#status": "status"},
		ExpressionAttributeValues: values,
	}, nil
}

func (t table) putLast(target Target, last LastApply) (*types.Put, error) {
	attributes, err := encode(newLastItem(target, last))
	if err != nil {
		return nil, err
	}
	put := &types.Put{TableName: &t.name, Item: attributes}
	if last.State != nil {
		put.ConditionExpression = aws.String(notOutdated)
		put.ExpressionAttributeValues = map[string]types.AttributeValue{}
		addPosition(put.ExpressionAttributeValues, *last.State)
	}
	return put, nil
}

// notOutdated is LastApply.outdates, negated, on the stored last apply.
const notOutdated = "attribute_not_exists(statePosition) OR statePosition.lineage <> :lineage OR statePosition.serial <= :serial"

func addPosition(values map[string]types.AttributeValue, p StatePosition) {
	values[":lineage"], values[":serial"] = text(p.Lineage), number(p.Serial)
}

// failed says what failed, on which table, and what to do.
func (t table) failed(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s in DynamoDB table %s: %w", what, t.name, t.explain("table "+t.name, err))
}

// withJSONTags makes DynamoDB's attributes the fields of the JSON form.
func withJSONTags(o *attributevalue.EncoderOptions) { o.TagKey = "json" }

func encode(item any) (map[string]types.AttributeValue, error) {
	return attributevalue.MarshalMapWithOptions(item, withJSONTags)
}

// decode reads an item into its form, or all that it holds into a map of any.
func decode(attributes map[string]types.AttributeValue, item any) error {
	return attributevalue.UnmarshalMapWithOptions(attributes, item, func(o *attributevalue.DecoderOptions) {
		o.TagKey = "json"
		o.UseNumber = true // 64 bits don't fit into a float
	})
}

func decodeLast(attributes map[string]types.AttributeValue) (*LastApply, error) {
	var item lastItem
	if err := decode(attributes, &item); err != nil {
		return nil, problem.With(problem.Storage, fmt.Errorf("the last apply is damaged: %w", err))
	}
	return item.lastApply()
}

func key(pk, sk string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{"pk": text(pk), "sk": text(sk)}
}

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number(n uint64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatUint(n, 10)}
}
