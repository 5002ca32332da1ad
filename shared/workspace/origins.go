package workspace

import "fmt"

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
