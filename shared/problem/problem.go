// Package problem gives errors that a person meets a stable code, under which
// docs/troubleshooting.md says what they mean and what to do. Words of errors may
// change; codes are for searching, and for scripts.
//
// An error gets its code where it is made: by [With], or, where it is of a type of its
// own, by a method Code() Code.
package problem

import (
	"context"
	"errors"
	"strings"
)

// Code is the stable name of a kind of problem: GITOPS- and capitals. The empty one is
// no code.
type Code string

// Placed is an error at a place in a file, whose path is relative to the checkout. Lines and
// columns begin with 1.
type Placed interface {
	error
	Place() (file string, line, column int)
}

// page explains each code in a section of its own, as main has it: a code keeps its meaning.
const page = "https://github.com/terraform-gitops/gitops/blob/main/docs/troubleshooting.md"

// URL is where the code is explained.
func (c Code) URL() string { return page + "#" + strings.ToLower(string(c)) }

// With gives an error a code. What it says, wraps and matches stays the same; nil stays
// nil.
func With(code Code, err error) error {
	if err == nil {
		return nil
	}
	return &coded{code: code, err: err}
}

// CodeOf is the code of an error: the first one that is found from the outside to the
// inside, and empty where there is none. Where a cancelled context is the cause it is
// [Cancelled], unless a state has to be rescued.
func CodeOf(err error) (code Code) {
	var found interface {
		error
		Code() Code
	}
	if errors.As(err, &found) {
		code = found.Code()
	}
	if code != ErroredState && errors.Is(err, context.Canceled) {
		return Cancelled
	}
	return code
}

// Text is what an error says, with its code behind it: "no stored plan [GITOPS-NO-PLAN]".
func Text(err error) string {
	if code := CodeOf(err); code != "" {
		return err.Error() + " [" + string(code) + "]"
	}
	return err.Error()
}

type coded struct {
	code Code
	err  error
}

func (e *coded) Error() string { return e.err.Error() }

// Unwrap returns the error that has the code.
func (e *coded) Unwrap() error { return e.err }

// Code returns the code.
func (e *coded) Code() Code { return e.code }
