package dynamo

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/terraform-gitops/gitops/shared/planstore/storage"
)

// expression is a condition as DynamoDB takes it, with its placeholders.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
type expression struct {
	condition string
	names     map[string]string
	values    map[string]types.AttributeValue
}

// newExpression returns the expression of a condition; nil: none.
func newExpression(c storage.Condition) *expression {
	e := &expression{names: map[string]string{}, values: map[string]types.AttributeValue{}}
	if c != nil {
		e.condition = e.write(c)
	}
	return e
}

// text returns the expression as a request takes it. A request must not have empty maps.
func (e *expression) text() (condition *string, names map[string]string, values map[string]types.AttributeValue) {
	if e.condition != "" {
		condition = &e.condition
	}
	if len(e.names) > 0 {
		names = e.names
	}
	if len(e.values) > 0 {
		values = e.values
	}
	return condition, names, values
}

// path is a path with placeholders, since a name may be a reserved word.
func (e *expression) path(path string) string {
	var parts []string
	for name := range strings.SplitSeq(path, ".") {
		e.names["#"+name] = name
		parts = append(parts, "#"+name)
	}
	return strings.Join(parts, ".")
}

func (e *expression) value(v any) string {
	name := ":" + strconv.Itoa(len(e.values))
	e.values[name] = attribute(v)
	return name
}

func (e *expression) write(c storage.Condition) string {
	switch c := c.(type) {
	case storage.Absent:
		return "attribute_not_exists(pk)"
	case storage.Missing:
		return "attribute_not_exists(" + e.path(c.Path) + ")"
	case storage.Text:
		return "attribute_type(" + e.path(c.Path) + ", " + e.value("S") + ")"
	case storage.Compare:
		return e.path(c.Path) + " " + string(c.Is) + " " + e.value(c.Value)
	case storage.Not:
		return "NOT " + e.write(c.Condition)
	case storage.All:
		return e.join(c, " AND ")
	case storage.Any:
		return e.join(c, " OR ")
	}
	panic(fmt.Sprintf("a condition of type %T", c))
}

func (e *expression) join(all []storage.Condition, with string) string {
	var parts []string
	for _, c := range all {
		parts = append(parts, e.write(c))
	}
	return "(" + strings.Join(parts, with) + ")"
}

// set is the update expression that sets attributes.
func (e *expression) set(attributes storage.Item) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		parts = append(parts, e.path(name)+" = "+e.value(attributes[name]))
	}
	return "SET " + strings.Join(parts, ", ")
}
