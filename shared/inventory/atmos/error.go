package atmos

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// Error says that Atmos failed.
type Error struct {
	Line string // what failed, and what to do
	Said string // what Atmos printed
	Err  error  // [inventory.ErrUnknownTarget], or nil
}

func (e *Error) Error() string { return e.Line }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Code is the code of the cause, or [problem.Atmos].
func (e *Error) Code() problem.Code { return cmp.Or(problem.CodeOf(e.Err), problem.Atmos) }

// lacks is the error of a description without a member.
func (a Project) lacks(v Version, name inventory.Name, member string) error {
	return problem.With(problem.Atmos, fmt.Errorf("read how Atmos %s describes %s in %s: there is no `%s`, which these actions need: they were tried with Atmos %s to %s: install one of these, and report this", v, problem.Quote(name.Component), problem.Quote(name.Stack), member, Oldest, Newest))
}

// explain makes an error of what Atmos said about a component.
func (a Project) explain(ctx context.Context, component, stack, said string, err error) error {
	if ctx.Err() == nil && notFound.MatchString(readSaid(said).String()) {
		return &Error{Said: said, Err: inventory.ErrUnknownTarget, Line: fmt.Sprintf("%v: %s", inventory.ErrUnknownTarget, a.suggest(ctx, component, stack))}
	}
	return a.failed(ctx, fmt.Sprintf("describe %s in %s", problem.Quote(component), problem.Quote(stack)), said, err)
}

var notFound = regexp.MustCompile(`Could not find the component .* in the stack `)

// failed is the error of something that Atmos can't do, in its own words if there are some.
func (a Project) failed(ctx context.Context, what, said string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("have Atmos %s: interrupted: %w", what, context.Cause(ctx))
	}
	words := readSaid(said).String()
	if words == "" {
		words = err.Error()
	}
	return &Error{Line: fmt.Sprintf("Atmos can't %s: %s", what, words), Said: said}
}

// suggest names what there is instead of a missing target. It lists all stacks, which is slow.
func (a Project) suggest(ctx context.Context, component, stack string) string {
	var stacks map[string]struct {
		Components struct {
			Terraform map[string]any `json:"terraform"`
		} `json:"components"`
	}
	version, err := a.Version(ctx)
	if err != nil {
		return err.Error()
	}
	out, _, err := a.run(ctx, append([]string{"describe", "stacks", "--sections", "component"}, version.flags(processing{})...)...)
	if err != nil || json.Unmarshal(out, &stacks) != nil {
		return fmt.Sprintf("Atmos has no component %s in stack %s", problem.Quote(component), problem.Quote(stack))
	}
	in, ok := stacks[stack]
	if !ok {
		return fmt.Sprintf("Atmos has no stack %s: %s", problem.Quote(stack), problem.Suggest(stack, slices.Sorted(maps.Keys(stacks))))
	}
	return fmt.Sprintf("Atmos has no component %s in stack %s: %s", problem.Quote(component), problem.Quote(stack), problem.Suggest(component, slices.Sorted(maps.Keys(in.Components.Terraform))))
}
