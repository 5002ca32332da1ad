package fingerprint

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/checkout"
	"github.com/terraform-gitops/gitops/shared/git"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// CheckDataFolder refuses a target if Git tracks files of Terraform's data folder in its root
// module: installed modules, providers, the backend's settings. Terraform would use these
// instead of what the configuration names, and no reviewer expects that. It is checked
// before init.
func CheckDataFolder(ctx context.Context, t inventory.Target) error {
	co, err := checkout.Open(t.Root)
	if err != nil {
		return problem.With(problem.RootModule, err)
	}
	read, err := t.Tracked.Index(ctx, co.Resolved)
	if err != nil {
		return problem.With(problem.RootModule, err)
	}
	if err := committedData(read.Names, t.Dir); err != nil {
		return problem.With(problem.RootModule, fmt.Errorf("%s: %w", t, err))
	}
	// Atmos copies the component's folder over what is there, and runs Terraform on both.
	if t.Atmos != nil && t.Atmos.Sections["provision"] != nil {
		i := slices.IndexFunc(read.Names, func(name string) bool { return slices.Contains(strings.Split(name, "/"), ".workdir") })
		if i >= 0 {
			return problem.With(problem.RootModule, fmt.Errorf("%s: Git tracks files below .workdir, where Atmos makes the copies in which it runs Terraform: remove them from Git (git rm -r --cached), and add .workdir/ to .gitignore: %s", t, problem.Quote(read.Names[i])))
		}
	}
	return nil
}

// committedData is the error of names in a folder that are in Terraform's data folder. names
// are sorted.
func committedData(names []string, folder string) error {
	var found []string
	for _, name := range git.Below(names, folder) {
		if isData(checkout.RelativeTo(folder, name)) {
			found = append(found, problem.Quote(name))
		}
	}
	if len(found) == 0 {
		return nil
	}
	const most = 3
	list := strings.Join(found[:min(most, len(found))], ", ")
	if more := len(found) - most; more > 0 {
		list += fmt.Sprintf(" and %d more", more)
	}
	return errors.New("Git tracks files of Terraform's data folder, which would be used instead of what the configuration names: remove them from Git (git rm -r --cached), and add .terraform/ to .gitignore: " + list)
}

// isData tells whether a path is in Terraform's data folder, or is a CLI configuration file,
// which may say where providers come from. It ignores case, as some file systems do. It is
// false for the dependency lock file, and for what other programs read (.terraform-version,
// .terraform-docs.yml, .terraformignore).
func isData(rel string) bool {
	for _, part := range strings.Split(strings.ToLower(rel), "/") {
		switch part {
		case DataFolder, ".terraform.d", ".terraformrc", "terraform.rc", ".tofurc", "tofu.rc":
			return true
		}
	}
	return false
}
