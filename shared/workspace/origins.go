package workspace

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/terraform-gitops/gitops/shared/inventory"
)

// Origins returns a line for each setting that is set: its value, and whether it comes from an
// input of the action or from the configuration.
func (w *Workspace) Origins() []string {
	s, in := w.Settings, w.Inputs.Overrides
	var lines []string
	for _, setting := range []struct{ name, value, input, given string }{
		{"Terraform version", s.TerraformVersion, "", ""},
		{"OpenTofu version", s.OpenTofuVersion, "", ""},
		{"region", s.Region, "region", in.Region},
		{"bucket", s.Bucket, "bucket", in.Bucket},
		{"table", s.Table, "table", in.Table},
		{"storage URL", s.StorageURL, "storage-url", in.StorageURL},
		{"plan storage role", s.PlanStorageRole, "storage-role", in.StorageRole},
		{"apply storage role", s.ApplyStorageRole, "storage-role", in.StorageRole},
		{"drift storage role", s.DriftStorageRole, "storage-role", in.StorageRole},
		{"plan role", s.PlanRole, w.Inputs.RoleInput, in.TerraformRole},
		{"apply role", s.ApplyRole, w.Inputs.RoleInput, in.TerraformRole},
		{"environment", s.Environment, "", ""},
		{"plan workload identity provider (Google)", s.PlanClouds.Google.WorkloadIdentityProvider, "", ""},
		{"plan service account (Google)", s.PlanClouds.Google.ServiceAccount, "", ""},
		{"apply workload identity provider (Google)", s.ApplyClouds.Google.WorkloadIdentityProvider, "", ""},
		{"apply service account (Google)", s.ApplyClouds.Google.ServiceAccount, "", ""},
		{"plan client ID (Azure)", s.PlanClouds.Azure.ClientID, "", ""},
		{"apply client ID (Azure)", s.ApplyClouds.Azure.ClientID, "", ""},
		{"policies", strings.Join(s.Policy.Path, ", "), "", ""},
		{"included policies", strings.Join(s.Policy.Include, ", "), "", ""},
		{"excluded policies", strings.Join(s.Policy.Exclude, ", "), "", ""},
		{"override of policies", strings.Join(s.Policy.Override, ", "), "", ""},
		{"approvals", approvals(s.Approvals), "", ""},
		{"audience", s.Audience, "audience", in.Audience},
	} {
		switch {
		case setting.value == "":
		case setting.given != "":
			lines = append(lines, fmt.Sprintf("%s: %s, from the input %s", setting.name, setting.value, setting.input))
		default:
			lines = append(lines, fmt.Sprintf("%s: %s, from %s", setting.name, setting.value, w.repository.Source.Name))
		}
	}
	return lines
}

// approvals says what the settings require; empty if that is nothing.
func approvals(a inventory.ApprovalSettings) string {
	var parts []string
	if a.Count > 0 {
		who := append(a.Teams[:len(a.Teams):len(a.Teams)], a.Users...)
		if len(who) == 0 {
			who = []string{"whoever may write to the repository"}
		}
		parts = append(parts, strconv.Itoa(a.Count)+" of "+strings.Join(who, ", "))
	}
	if a.CodeOwners {
		parts = append(parts, "code owners")
	}
	if a.Older && len(parts) > 0 {
		parts = append(parts, "also older than the plan")
	}
	return strings.Join(parts, "; ")
}
