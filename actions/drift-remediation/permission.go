package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/drift"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// roles are the roles of a repository, from the weakest to the strongest.
// https://docs.github.com/en/organizations/managing-user-access-to-your-organizations-repositories/managing-repository-roles/repository-roles-for-an-organization
var roles = []string{"none", "read", "triage", "write", "maintain", "admin"}

// mayApply refuses the apply if a person who asks for it may not: the person who added the label or,
// if the event is not the label's, the person who started this run. A label alone is no permission,
// since the triage role can add it.
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
