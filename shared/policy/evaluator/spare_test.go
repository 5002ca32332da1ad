package evaluator_test

import (
	"testing"

	"github.com/terraform-gitops/gitops/shared/policy"
)

// A target leaves out the policy that the library is for.
func TestALibraryOfAPolicyThatIsLeftOut(t *testing.T) {
	t.Parallel()
	for spare, want := range map[bool]policy.Result{false: policy.Denied, true: policy.Passed} {
		set := files("policies/a.rego", "package main\n\ndeny contains \"no\" if false\n", "policies/lib.rego", "package lib\n\nyes := true\n")
		set[1].Spare = spare
		if v := evaluate(t, policy.Options{Policies: set}, aPlan); v.Result != want {
			t.Errorf("spare %v: %+v", spare, v)
		}
	}
}

// Also then, a mistake is one.
func TestAMistakeIsNotSpare(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{
		"package mian\n\ndeny contains \"x\" if true\n":  "nothing evaluates this file: its package is mian",
		"package main\n\ndenny contains \"x\" if true\n": "is it meant to be deny?",
	} {
		set := files("policies/a.rego", "package main\n\ndeny contains \"no\" if false\n", "policies/b.rego", content)
		set[1].Spare = true
		denied(t, policy.Options{Policies: set}, aPlan, want)
	}
}
