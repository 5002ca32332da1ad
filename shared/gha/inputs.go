package gha

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/terraform-gitops/gitops/shared/envlist"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// Input returns an input's value without surrounding white space. It is empty if the input
// is not set: the runner does not tell not set from empty.
//
// The runner passes input `plan-role` as INPUT_PLAN-ROLE.
func (r *Runtime) Input(name string) string {
	return strings.TrimSpace(r.env["INPUT_"+strings.ToUpper(strings.ReplaceAll(name, " ", "_"))])
}

// Inputs reads typed inputs and collects what is wrong with them, so that a person sees all
// of it at once: read every input, then call [Inputs.Err].
type Inputs struct {
	r        *Runtime
	problems []string
}

// Inputs returns a reader of typed inputs, for one goroutine.
func (r *Runtime) Inputs() *Inputs { return &Inputs{r: r} }

// Bool returns a boolean input, or absent if it is not set. It accepts the spellings of YAML
// 1.2's core schema, like GitHub's own toolkit.
func (in *Inputs) Bool(name string, absent bool) bool {
	switch value := in.r.Input(name); value {
	case "":
		return absent
	case "true", "True", "TRUE":
		return true
	case "false", "False", "FALSE":
		return false
	default:
		in.problem("input `%s` is %s: choose true or false", name, quote(value))
		return absent
	}
}

// Int returns a whole number from least to most, or absent if it is not set.
func (in *Inputs) Int(name string, absent, least, most int) int {
	value := in.r.Input(name)
	if value == "" {
		return absent
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < least || n > most {
		in.problem("input `%s` is %s: give a whole number from %d to %d", name, quote(value), least, most)
		return absent
	}
	return n
}

// Choice returns one of choices; the first one if the input is not set.
func (in *Inputs) Choice(name string, choices ...string) string {
	value := in.r.Input(name)
	switch {
	case value == "":
		return choices[0]
	case slices.Contains(choices, value):
		return value
	}
	last := len(choices) - 1
	in.problem("input `%s` is %s: choose %s or %s", name, quote(value), strings.Join(choices[:last], ", "), choices[last])
	return choices[0]
}

// Variables returns the environment variables in an input, which are secrets: each value is masked.
// [envlist.Parse] describes their form. refuse returns why a variable of this name is refused, or
// nothing.
func (in *Inputs) Variables(name string, refuse func(variable string) (why string)) []string {
	environ, err := envlist.Parse(in.r.Input(name))
	if err != nil {
		in.problem("input `%s`: %v", name, err)
	}
	for _, entry := range environ {
		variable, value, _ := strings.Cut(entry, "=")
		in.r.Mask(value)
		members, _ := secretMembers(value)
		in.r.Redact(members...)
		if why := refuse(variable); why != "" {
			in.problem("input `%s` sets %s, which Terraform does not get: %s", name, variable, why)
		}
	}
	return environ
}

// Problem adds what is wrong with inputs that were read in another way.
func (in *Inputs) Problem(err error) { in.problem("%v", err) }

// Err returns nil, or an error of one line that names every input with a wrong value.
func (in *Inputs) Err() error {
	if len(in.problems) == 0 {
		return nil
	}
	return problem.With(problem.Input, errors.New(strings.Join(in.problems, "; ")))
}

func (in *Inputs) problem(format string, args ...any) {
	in.problems = append(in.problems, fmt.Sprintf(format, args...))
}

// quote keeps a value on one line, and short.
func quote(value string) string {
	const limit = 80 // bytes
	if len(value) > limit {
		return strconv.Quote(strings.ToValidUTF8(value[:limit], "")) + "…"
	}
	return strconv.Quote(value)
}
