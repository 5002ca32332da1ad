package plan

import (
	"errors"
	"slices"

	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/changes/ignore"
	"github.com/terraform-gitops/gitops/shared/terraform/planfile"
)

// notKnown are rules of which nothing is known, as of a plan that fails.
func notKnown(rules []ignore.Rule) (all []ignore.Use) {
	for _, r := range rules {
		all = append(all, ignore.Use{Rule: r.String()})
	}
	return all
}

// uses says what became of each rule: what it ignored in the plan, and whether there is
// anything that it could match. That may be in the plan, or in the state, which also has what does
// not change.
func uses(rules []ignore.Rule, plan *changes.Plan, path string) ([]ignore.Use, error) {
	if len(rules) == 0 {
		return nil, nil
	}
	all := notKnown(rules)
	copy(all, plan.Ignored.Uses)
	finder := ignore.NewFinder(rules)
	err := planfile.EachInState(path, func(r planfile.InState) {
		finder.See(ignore.InstanceOf(r.Module, r.Type, r.Name, r.Key), func(p ignore.Path) bool {
			return r.Attributes == nil || slices.ContainsFunc(r.Attributes, p.CanBegin)
		})
	}, func(name string) {
		finder.See(ignore.OutputInstance(name), nil)
	})
	encrypted := errors.Is(err, planfile.ErrEncrypted)
	if err != nil && !encrypted {
		return nil, err
	}
	for i, found := range finder.Found() {
		switch {
		case !encrypted:
			all[i].Presence = all[i].Presence.Most(found)
		case all[i].Presence != ignore.Present:
			all[i].Presence = ignore.NotKnown
		}
	}
	return all, nil
}
