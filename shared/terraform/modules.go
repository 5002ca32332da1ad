package terraform

import "github.com/terraform-gitops/gitops/shared/terraform/modules"

// ModuleFiles reads what Init has installed from outside of the repository. With planned,
// a plan has run since; see [modules.ReadFiles].
func (c *CLI) ModuleFiles(planned bool) (modules.Files, error) {
	return modules.ReadFiles(c.RunDir(), c.dataDir(), planned)
}
