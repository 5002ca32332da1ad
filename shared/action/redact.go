package action

import (
	"errors"
	"reflect"

	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// Redact returns a copy of a report without the secrets that the runtime knows. It replaces them
// in all strings, at any depth. It has to run before the report is written: after escaping or
// cutting, the runtime would no longer recognize a secret.
//
// Strings with a type of their own, such as a status, are constants of this project and stay
// unchanged. So do maps and unexported fields.
func Redact[T any](r *gha.Runtime, report T) T {
	return redact(r, reflect.ValueOf(&report).Elem()).Interface().(T)
}

// Readable refuses the name of an environment that an output would not show, since it has the value of a
// secret in it: the job would run under the environment ***, which nobody has set up.
func Readable(r *gha.Runtime, environment string) error {
	if r.Redacted(environment) == environment {
		return nil
	}
	return problem.With(problem.Input, errors.New("the name of an environment has the value of a secret in it, so no output can pass it on: choose another name, or remove the variable of the job that has this value and whose name ends in KEY, TOKEN, SECRET, PASSWORD or CREDENTIALS"))
}

func redact(r *gha.Runtime, v reflect.Value) reflect.Value {
	switch v.Kind() {
	case reflect.String:
		if v.Type() == reflect.TypeFor[string]() {
			return reflect.ValueOf(r.Redacted(v.String()))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			to := reflect.New(v.Type().Elem())
			to.Elem().Set(redact(r, v.Elem()))
			return to
		}
	case reflect.Slice:
		switch {
		case v.IsNil():
		case v.Type().Elem().Kind() == reflect.Uint8: // JSON as Terraform wrote it
			return reflect.ValueOf([]byte(r.Redacted(string(v.Bytes())))).Convert(v.Type())
		default:
			to := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
			for i := range v.Len() {
				to.Index(i).Set(redact(r, v.Index(i)))
			}
			return to
		}
	case reflect.Struct:
		to := reflect.New(v.Type()).Elem()
		to.Set(v)
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				to.Field(i).Set(redact(r, v.Field(i)))
			}
		}
		return to
	}
	return v
}
