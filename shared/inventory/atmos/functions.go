package atmos

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// function is a value that Atmos computes when it runs Terraform: a call of a YAML function,
// such as "!terraform.output network acme-ue2-dev vpc".
// https://atmos.tools/functions/yaml
type function struct {
	at   string // where it is: vars.image, or vars.images[0].name
	text string
}

// ReadValue is a value of a target that Atmos reads from elsewhere, such as another target's
// state.
type ReadValue struct {
	At     string         // where it is: vars.image
	Target inventory.Name // whose state is read; empty if it is no component's
	Text   string         // the function as in the manifest, or the value
}

// UnresolvedError says that values of a target are not known. The target can't be planned:
// Atmos would give Terraform null instead.
type UnresolvedError struct {
	Target inventory.Name
	Values []ReadValue
	Said   string // the error of Atmos, on a line; empty if there is none
}

func (e *UnresolvedError) Error() string {
	var values []string
	for _, v := range e.Values {
		switch {
		case v.Target != inventory.Name{}:
			values = append(values, fmt.Sprintf("%s is an output of %s (%s)", problem.Quote(v.At), v.Target, problem.Quote(v.Text)))
		default:
			values = append(values, fmt.Sprintf("%s is %s", problem.Quote(v.At), problem.Quote(v.Text)))
		}
	}
	const most = 5
	if more := len(values) - most; more > 0 {
		values = append(values[:most], fmt.Sprintf("%d more", more))
	}
	text := e.Target.String() + " can't be planned: " + strings.Join(values, ", and ") + ", which has no value"
	if e.Said != "" {
		text += ": " + e.Said
	}
	if names := e.Reads(); len(names) > 0 {
		text += ": apply " + strings.Join(texts(names), " and ") + " first"
	} else {
		text += ": set what it reads, or give the function a default"
	}
	return text
}

// Code is [problem.Unresolved].
func (e *UnresolvedError) Code() problem.Code { return problem.Unresolved }

// Reads are the targets that have to be applied first, sorted by name.
func (e *UnresolvedError) Reads() []inventory.Name {
	var names []inventory.Name
	for _, v := range e.Values {
		if v.Target != (inventory.Name{}) {
			names = append(names, v.Target)
		}
	}
	slices.SortFunc(names, inventory.Name.Compare)
	return slices.Compact(names)
}

func texts(names []inventory.Name) (all []string) {
	for _, n := range names {
		all = append(all, n.String())
	}
	return all
}

// noValue is what templates have instead of a value that is not known, and computed is what
// newer versions of Atmos have.
const (
	noValue  = "<no value>"
	computed = "(computed)"
)

// Resolve has Atmos call the functions of a target, and process its templates if they are
// text, and puts the values into t.Atmos. Functions may read states and run Terraform, so env
// has Terraform's credentials. If there is nothing to resolve, Atmos is not called.
//
// If a value is not known, that is an *[UnresolvedError]: it is null and the function has no
// default, or Atmos has a placeholder instead, or a function failed.
func (a Project) Resolve(ctx context.Context, t *inventory.Target, env []string) error {
	functions, missing := dynamic(t.Atmos.Sections)
	failed := &UnresolvedError{Target: t.Name(), Values: missing}
	if len(functions) > 0 || t.Atmos.AsText {
		version, err := a.Version(ctx)
		if err != nil {
			return err
		}
		a.Env = env
		d, err := a.describe(ctx, version, t.Name(), processing{templates: true, functions: true})
		var refused *Error
		switch {
		case errors.As(err, &refused) && ctx.Err() == nil && len(functions) > 0:
			// Atmos may say which of them it is.
			for _, f := range functions {
				failed.Values = append(failed.Values, f.read(t.Stack))
			}
			if named := slices.DeleteFunc(slices.Clone(failed.Values), func(v ReadValue) bool { return !strings.Contains(refused.Line, strings.TrimSpace(v.Text)) }); len(named) > 0 {
				failed.Values = named
			}
			failed.Said = refused.Line
			return failed
		case err != nil:
			return err
		}
		if member := d.lacking(inStacks...); member != "" {
			return a.lacks(version, t.Name(), member)
		}
		if d.unfit != nil {
			return problem.With(problem.Atmos, fmt.Errorf("read how Atmos %s describes %s: %w", version, t.Name(), d.unfit))
		}
		t.Atmos.Vars, t.Atmos.Env = d.Vars, d.Env
		if t.Atmos.AsText {
			t.Atmos.Workspace = d.Workspace
			_, more := dynamic(d.sections())
			failed.Values = append(failed.Values, slices.DeleteFunc(more, func(v ReadValue) bool {
				return slices.ContainsFunc(functions, func(f function) bool { return f.at == v.At }) // reported below
			})...)
		}
		values := make(map[string]any)
		leaves("", d.sections(), func(at string, value any) { values[at] = value })
		for _, f := range functions {
			value, scalar := values[f.at]
			text, isText := value.(string)
			unknown := scalar && value == nil && !f.hasDefault() ||
				isText && (strings.Contains(text, computed) || strings.Contains(text, noValue) || text == f.text && !callsOut(text))
			if unknown {
				failed.Values = append(failed.Values, f.read(t.Stack))
			}
		}
	}
	if len(failed.Values) > 0 {
		return failed
	}
	return nil
}

// RunsIn are the other targets in whose folders Atmos runs Terraform to read their outputs,
// sorted by name.
func RunsIn(t inventory.Target) []inventory.Name {
	own := t.Name()
	functions, _ := dynamic(t.Atmos.Sections)
	var names []inventory.Name
	for _, f := range functions {
		if strings.HasPrefix(f.text, "!terraform.output ") {
			names = append(names, f.read(own.Stack).Target)
		}
		names = append(names, templateReads(f.text, own.Stack)...)
	}
	names = slices.DeleteFunc(names, func(n inventory.Name) bool { return n == own || n == inventory.Name{} })
	slices.SortFunc(names, inventory.Name.Compare)
	return slices.Compact(names)
}

// dynamic are the functions in sections, and the values of templates that found nothing.
func dynamic(sections map[string]any) (functions []function, missing []ReadValue) {
	leaves("", sections, func(at string, value any) {
		text, _ := value.(string)
		f := function{at, text}
		switch {
		case f.reaches():
			functions = append(functions, f)
		case strings.Contains(text, noValue):
			missing = append(missing, ReadValue{At: at, Text: text})
		}
	})
	return functions, missing
}

// leaves calls do for each value in a value that is no list or mapping, in order.
func leaves(at string, value any, do func(at string, value any)) {
	switch v := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			below := key
			if at != "" {
				below = at + "." + key
			}
			leaves(below, v[key], do)
		}
	case []any:
		for i, element := range v {
			leaves(fmt.Sprintf("%s[%d]", at, i), element, do)
		}
	case json.RawMessage:
		leaves(at, decoded(v), do)
	default:
		do(at, value)
	}
}

// reaches tells whether the text is a function that reads something outside of Git. Any other
// text with an exclamation mark is for Terraform.
func (f function) reaches() bool {
	name, _, _ := strings.Cut(f.text, " ")
	switch name {
	case "!terraform.output", "!terraform.state", "!store", "!store.get", "!env", "!exec", "!template", "!secret", "!random", "!emulator", "!starlark":
		return true
	}
	return strings.HasPrefix(name, "!aws.") || strings.HasPrefix(name, "!git.") || callsOut(f.text)
}

// IsFunction tells whether a text is a function that [Project.Resolve] has Atmos call.
func IsFunction(text string) bool { return function{text: text}.reaches() }

// hasDefault says that the function has a default, so that null is what the manifest wants.
// https://atmos.tools/functions/yaml/terraform.output
func (f function) hasDefault() bool {
	name, arguments, _ := strings.Cut(f.text, " ")
	switch name {
	case "!terraform.output", "!terraform.state":
		return strings.Contains(arguments, "//")
	case "!store", "!store.get":
		return strings.Contains(arguments, "| default") || strings.Contains(arguments, "//")
	case "!env":
		return len(f.arguments()) > 1
	case "!template":
		// A template that reads only the manifest may be null.
		return !strings.Contains(arguments, "atmos.") && !strings.Contains(arguments, "outputs")
	}
	return false
}

// arguments splits the text after the name at spaces that are not in quotes, as Atmos does.
func (f function) arguments() []string {
	_, text, _ := strings.Cut(f.text, " ")
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, r.TrimLeadingSpace, r.LazyQuotes = ' ', true, true
	words, err := r.Read()
	if err != nil {
		return strings.Fields(text)
	}
	return slices.DeleteFunc(words, func(word string) bool { return word == "" })
}

// read is what the function reads, for a target in the stack.
func (f function) read(stack string) ReadValue {
	v := ReadValue{At: f.at, Text: f.text}
	if names := templateReads(f.text, stack); len(names) > 0 {
		v.Target = names[0]
	}
	if !strings.HasPrefix(f.text, "!terraform.") {
		return v
	}
	switch words := f.arguments(); len(words) {
	case 2:
		v.Target = inventory.Name{Component: words[0], Stack: stack}
	case 3:
		v.Target = inventory.Name{Component: words[0], Stack: words[1]}
	}
	return v
}
