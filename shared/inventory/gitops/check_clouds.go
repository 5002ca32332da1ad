package gitops

import (
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// checkClouds refuses values of google and azure that can't be meant.
func (c *Config) checkClouds(l layer) error {
	for _, t := range []text{
		l.Google.Plan.WorkloadIdentityProvider, l.Google.Plan.ServiceAccount, l.Google.Apply.WorkloadIdentityProvider, l.Google.Apply.ServiceAccount,
		l.Azure.Plan.ClientID, l.Azure.Plan.TenantID, l.Azure.Plan.SubscriptionID, l.Azure.Apply.ClientID, l.Azure.Apply.TenantID, l.Azure.Apply.SubscriptionID,
	} {
		if err := inventory.CheckCloudSetting(t.at.name, t.value); err != nil {
			return c.fault(t.at, err, "%s, %s, can't be used", t.at.named(), problem.Quote(t.value))
		}
	}
	return nil
}

// checkIdentities refuses a target whose providers could not sign in.
func (c *Config) checkIdentities(comp component, t inventory.Target) error {
	for action, clouds := range map[string]inventory.Clouds{"plan": t.Settings.PlanClouds, "apply": t.Settings.ApplyClouds} {
		if err := clouds.Check(); err != nil {
			return c.fault(comp.At, err, "the identity to %s %s with can't be used", action, problem.Shorten(t.String()))
		}
	}
	return nil
}
