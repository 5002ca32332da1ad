package planfile

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// Variables are the values of root variables in the planfile, by name.
func (p *File) Variables() map[string]Value { return p.planned.variables }

// Value is a value as planfiles hold it, in msgpack. It may be secret.
type Value []byte

// Decode decodes the value and its type.
func (v Value) Decode() (cty.Value, error) { return decodeDynamic(v) }

// ApplyEnviron is env without the variables (TF_VAR_) whose value differs from the planned
// one, for applying the planfile that the program madeBy has made. The planfile holds all
// values. If the job that applies has another value than the job that planned, or an empty
// one, Terraform refuses the planfile, or crashes (1.11, for a map), after it was claimed.
// Ephemeral variables stay, since no planfile has them. Values that equal the planned ones
// stay, too: a provisioner may read them.
// https://github.com/hashicorp/terraform/issues/36130
func (p *File) ApplyEnviron(env []string, madeBy string) []string {
	ephemeral := p.Ephemeral(madeBy)
	return slices.DeleteFunc(slices.Clone(env), func(entry string) bool {
		name, text, _ := strings.Cut(entry, "=")
		variable, is := strings.CutPrefix(name, "TF_VAR_")
		if !is || slices.Contains(ephemeral, variable) {
			return false
		}
		packed, planned := p.planned.variables[variable]
		if !planned {
			return text == ""
		}
		value, err := packed.Decode()
		return err != nil || !means(text, value)
	})
}

// means reports whether a text in the environment has this value.
func means(text string, value cty.Value) bool {
	if value.IsNull() || !value.IsKnown() {
		return false
	}
	if value.Type() == cty.String {
		return value.AsString() == text
	}
	expression, problems := hclsyntax.ParseExpression([]byte(text), "", hcl.InitialPos)
	if problems.HasErrors() {
		return false
	}
	given, problems := expression.Value(nil)
	if problems.HasErrors() {
		return false
	}
	given, err := convert.Convert(given, value.Type())
	return err == nil && given.RawEquals(value)
}
