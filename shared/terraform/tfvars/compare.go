package tfvars

import (
	"fmt"
	"slices"

	"github.com/terraform-gitops/gitops/shared/terraform/planfile"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// Compare compares the values of root variables in a planfile with what is known about them.
// It names the variables that differ, sorted, but never a value. Variables that are in Given
// are not compared.
func (v *Values) Compare(plan *planfile.File) ([]string, error) {
	var differs []string
	planned := plan.Variables()
	for name, packed := range planned {
		d := v.declared[name]
		if d == nil {
			differs = append(differs, fmt.Sprintf("variable %.100q: the root module does not declare it", name))
			continue
		}
		if v.given[name] {
			continue
		}
		value, err := packed.Decode()
		if err != nil {
			return nil, fmt.Errorf("the planfile's value of variable %.100q: %w", name, err)
		}
		known, set := v.values[name]
		switch {
		case set && !slices.ContainsFunc(known, value.RawEquals):
			differs = append(differs, fmt.Sprintf("variable %q: its value differs from the one in Git", name))
		case !set && !isDefault(d.fallback, value):
			differs = append(differs, fmt.Sprintf("variable %q: its value differs from its default, and neither Git nor this job's environment sets it", name))
		}
	}
	for name := range v.values {
		if _, is := planned[name]; !is && !v.declared[name].ephemeral {
			differs = append(differs, fmt.Sprintf("variable %q: it has no value in the plan, but has one in Git", name))
		}
	}
	slices.Sort(differs)
	return differs, nil
}

// isDefault reports whether a value is a variable's default. Terraform before 1.2 writes the
// default into planfiles, converted to the variable's type.
func isDefault(fallback, value cty.Value) bool {
	if fallback == cty.NilVal {
		return false
	}
	if fallback.RawEquals(value) {
		return true
	}
	if fallback.IsNull() || value.IsNull() {
		return fallback.IsNull() && value.IsNull()
	}
	there, err := convert.Convert(fallback, value.Type())
	if err != nil || !there.RawEquals(value) {
		return false
	}
	back, err := convert.Convert(value, fallback.Type())
	return err == nil && back.RawEquals(fallback)
}
