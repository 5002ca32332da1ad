package problem

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"testing"
)

func TestACodeChangesNothingElseOfAnError(t *testing.T) {
	err := With(NoPlan, fmt.Errorf("no stored plan: %w", fs.ErrNotExist))
	if got := err.Error(); got != "no stored plan: file does not exist" {
		t.Errorf("it says %q", got)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		t.Error("its cause is not found any more")
	}
	if With(NoPlan, nil) != nil {
		t.Error("no error became one")
	}
}

type typed struct{ cause error }

func (typed) Error() string   { return "typed" }
func (e typed) Unwrap() error { return e.cause }
func (typed) Code() Code      { return Terraform }

func TestCodeOf(t *testing.T) {
	plain := errors.New("plain")
	for name, c := range map[string]struct {
		err  error
		want Code
	}{
		"none":                            {plain, ""},
		"no error":                        {nil, ""},
		"given":                           {With(Expired, plain), Expired},
		"wrapped":                         {fmt.Errorf("apply: %w", With(Expired, plain)), Expired},
		"of a type":                       {fmt.Errorf("apply: %w", typed{}), Terraform},
		"the outer one counts":            {typed{With(Expired, plain)}, Terraform},
		"the first of several counts":     {errors.Join(plain, With(Expired, plain), With(AWS, plain)), Expired},
		"a state to be rescued":           {With(ErroredState, context.Canceled), ErroredState},
		"cancelled, whatever that led to": {With(AWS, fmt.Errorf("put: %w", context.Canceled)), Cancelled},
	} {
		if got := CodeOf(c.err); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestTextEndsInTheCode(t *testing.T) {
	if got, want := Text(With(Expired, errors.New("too old"))), "too old [GITOPS-EXPIRED]"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := Text(errors.New("plain")); got != "plain" {
		t.Errorf("%q without a code", got)
	}
}
