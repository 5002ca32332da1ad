package inventory

import (
	"fmt"
	"strings"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// RolesApart refuses settings in which Terraform has a role that opens the plan store: one
// that is role.plan or role.apply anywhere in them, and one of artifact-storage.role
// anywhere. What Terraform runs is anybody's code in a pull request: it could store plans of
// its own, or read those with the secrets of others. Roles of different targets are compared,
// too. Settings without roles say nothing of the credentials that are used instead.
func RolesApart(all ...Settings) error {
	store := map[string]string{}
	for _, s := range all {
		for _, r := range []struct{ setting, arn string }{
			{"artifact-storage.role.plan", s.PlanStorageRole}, {"artifact-storage.role.apply", s.ApplyStorageRole}, {"artifact-storage.role.drift", s.DriftStorageRole},
		} {
			if key := RoleKey(r.arn); key != "" && store[key] == "" {
				store[key] = r.setting
			}
		}
	}
	for _, s := range all {
		for _, r := range []struct{ setting, arn string }{{"role.plan", s.PlanRole}, {"role.apply", s.ApplyRole}} {
			if setting := store[RoleKey(r.arn)]; setting != "" {
				return problem.With(problem.Roles, SameRole(r.setting, setting, r.arn))
			}
		}
	}
	return nil
}

// SameRole is the error of a role that two settings give, one to Terraform and one to the
// plan store.
func SameRole(terraform, store, arn string) error {
	return fmt.Errorf("%s, with which Terraform runs, is also %s, which opens the plan store (%s): code of a pull request would have the plan store, too: give Terraform a role of its own", terraform, store, strings.TrimSpace(arn))
}

// RoleKey is the same for two ARNs of one role. An account has a role's name once, whatever
// its path and however it is spelled in capitals.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
func RoleKey(arn string) string {
	arn = strings.ToLower(strings.TrimSpace(arn))
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return arn
	}
	return parts[4] + "/" + parts[5][strings.LastIndex(parts[5], "/")+1:]
}
