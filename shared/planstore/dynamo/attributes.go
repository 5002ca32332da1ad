package dynamo

import (
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/terraform-gitops/gitops/shared/planstore/storage"
)

// attributes returns an item as DynamoDB has it.
func attributes(item storage.Item) map[string]types.AttributeValue {
	all := make(map[string]types.AttributeValue, len(item))
	for name, value := range item {
		all[name] = attribute(value)
	}
	return all
}

func attribute(value any) types.AttributeValue {
	switch value := value.(type) {
	case nil:
		return &types.AttributeValueMemberNULL{Value: true}
	case string:
		return text(value)
	case json.Number:
		return &types.AttributeValueMemberN{Value: value.String()}
	case bool:
		return &types.AttributeValueMemberBOOL{Value: value}
	case []any:
		list := make([]types.AttributeValue, len(value))
		for i := range value {
			list[i] = attribute(value[i])
		}
		return &types.AttributeValueMemberL{Value: list}
	case map[string]any:
		return &types.AttributeValueMemberM{Value: attributes(value)}
	}
	panic(fmt.Sprintf("no item has a value of type %T", value))
}

// itemOf is the inverse of attributes; nil stays nil. Types that no item has, such as bytes and
// sets, become an empty list, which nobody takes for a value.
func itemOf(all map[string]types.AttributeValue) storage.Item {
	if all == nil {
		return nil
	}
	item := make(storage.Item, len(all))
	for name, value := range all {
		item[name] = valueOf(value)
	}
	return item
}

func valueOf(value types.AttributeValue) any {
	switch value := value.(type) {
	case *types.AttributeValueMemberNULL:
		return nil
	case *types.AttributeValueMemberS:
		return value.Value
	case *types.AttributeValueMemberN:
		return json.Number(value.Value)
	case *types.AttributeValueMemberBOOL:
		return value.Value
	case *types.AttributeValueMemberM:
		attributes := make(map[string]any, len(value.Value))
		for name, value := range value.Value {
			attributes[name] = valueOf(value)
		}
		return attributes
	case *types.AttributeValueMemberL:
		list := make([]any, len(value.Value))
		for i := range value.Value {
			list[i] = valueOf(value.Value[i])
		}
		return list
	}
	return []any{}
}

func key(k storage.Key) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{"pk": text(k.Partition), "sk": text(k.Sort)}
}

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
