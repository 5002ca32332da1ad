package inventory

import (
	"fmt"
	"strings"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// RolesApart refuses a role that Terraform runs with (role.plan or role.apply) and that also
// opens the plan store (artifact-storage.role), be it in the settings of different targets.
// Terraform runs code that anybody may write in a pull request. With the store's role it
// could store plans of its own, or read the secrets in the plans of others. If a role is not
// set, nothing is known of the credentials that are used instead.
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

// SameRole is the error of a role that two settings name: one for Terraform, one for the plan
// store.
func SameRole(terraform, store, arn string) error {
	return fmt.Errorf("%s, with which Terraform runs, is also %s, which opens the plan store (%s): code in a pull request could read and write all plans: give Terraform a role of its own", terraform, store, strings.TrimSpace(arn))
}

// RoleKey is equal for two ARNs of one role. Within an account, no two roles have the same
// name, even with different paths or capitals.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
func RoleKey(arn string) string {
	arn = strings.ToLower(strings.TrimSpace(arn))
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return arn
	}
	return parts[4] + "/" + parts[5][strings.LastIndex(parts[5], "/")+1:]
}
