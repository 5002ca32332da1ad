// Package problem gives errors a stable code. docs/troubleshooting.md explains each code and says
// what to do. The text of an error may change; a code doesn't, so that people can search for it
// and scripts can test for it.
//
// An error gets its code where it is created: by [With], or by a method Code() Code of its type.
package problem

import (
	"context"
	"errors"
	"strings"
)

// Code is the stable name of a kind of problem, such as GITOPS-NO-PLAN. It is empty if an error has
// no code.
type Code string

// Placed is an error at a place in a file. The path is relative to the checkout's root; lines and
// columns count from 1.
type Placed interface {
	error
	Place() (file string, line, column int)
}

// page explains each code in a section. It is the newest version, since a code keeps its meaning.
const page = "https://github.com/terraform-gitops/gitops/blob/main/docs/troubleshooting.md"

// URL returns the address of the code's explanation.
func (c Code) URL() string { return page + "#" + strings.ToLower(string(c)) }

// With gives an error a code. Its text and the errors that it wraps stay the same. nil stays nil.
func With(code Code, err error) error {
	if err == nil {
		return nil
	}
	return &coded{code: code, err: err}
}

// CodeOf returns the code of an error, or of the outermost error in its chain that has one. It is
// [Cancelled] if the cause is a cancelled context, unless a state has to be rescued. It is empty if
// there is none.
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

// Text returns the text of an error followed by its code: "no stored plan [GITOPS-NO-PLAN]".
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
