package planfile

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// Variables are the values of root variables that the plan was made with, by name.
func (p *File) Variables() map[string]Value { return p.planned.variables }

// Value is a value in the form that planfiles have: msgpack. It may be secret.
type Value []byte

// Decode reads the value with its type.
func (v Value) Decode() (cty.Value, error) { return decodeDynamic(v) }

// ApplyEnviron is an environment to apply the planfile in, which program made: without
// values of variables that are other ones than the planned, which the planfile holds. The
// job that applies may have another value than the one that planned, or an empty one, on
// which Terraform refuses the planfile, or crashes (1.11, for a map), when it is claimed.
// Ephemeral ones stay, since no planfile has them, and the very values that were planned:
// a provisioner may read them.
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

// means reports whether a text in the environment stands for a value.
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
