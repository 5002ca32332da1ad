package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/drift"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// roles are what a person may do with a repository, the least first.
// https://docs.github.com/en/organizations/managing-user-access-to-your-organizations-repositories/managing-repository-roles/repository-roles-for-an-organization
var roles = []string{"none", "read", "triage", "write", "maintain", "admin"}

// mayApply refuses when somebody asks for the apply who may not: who put the label on,
// and, where that is not what the event is of, who started this run. A label alone says
// little: a triage role is enough to set it.
func (w *work) mayApply(ctx context.Context, labelled string) error {
	people := []string{labelled}
	if starter := w.actx.TriggeringActor; w.event.Issue == nil && starter != "" && !strings.EqualFold(starter, labelled) {
		people = append(people, starter)
	}
	for _, person := range people {
		has, err := w.github.Permission(ctx, w.actx.Repository, person)
		if err != nil {
			return err
		}
		if slices.Index(roles, has) < slices.Index(roles, w.Permission) {
			return w.refuse(problem.With(problem.Permission, fmt.Errorf("%s has the permission %s on this repository, but %s is needed", person, has, w.Permission)),
				fmt.Sprintf("Ask somebody who has it to look at the drift and to add the label %s.", drift.LabelApply))
		}
	}
	return nil
}
