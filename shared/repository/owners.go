package repository

import (
	"context"
	"path"

	"github.com/terraform-gitops/gitops/shared/approvals"
	"github.com/terraform-gitops/gitops/shared/fingerprint"
	"github.com/terraform-gitops/gitops/shared/git"
	"github.com/terraform-gitops/gitops/shared/github"
	"github.com/terraform-gitops/gitops/shared/inventory"
)

// codeowners is a CODEOWNERS file.
type codeowners struct {
	content []byte
	path    string
}

// Owners returns who has to approve what a target's configuration changed, by the CODEOWNERS of the
// commit base: an owner of each file that counts for the target. A YAML file always does, since the
// settings of targets are in YAML files, and so does a file that is no longer there. If none of the
// files does, all do.
func (rp *Repository) Owners(ctx context.Context, base string, t inventory.Target, changed []github.ChangedFile) ([]approvals.Requirement, error) {
	owners, err := rp.codeowners.Get(base, func() (codeowners, error) {
		if err := rp.fetchBase(ctx, base); err != nil {
			return codeowners{}, err
		}
		content, at, err := approvals.FindCodeowners(func(name string) ([]byte, bool, error) {
			found, err := git.Contents(ctx, rp.Context.Workspace, []string{base + ":" + name})
			for _, content := range found { // by the ID of its object
				return content, true, err
			}
			return nil, false, err
		})
		return codeowners{content, at}, err
	})
	if err != nil {
		return nil, err
	}
	read, err := fingerprint.Read(ctx, t)
	if err != nil {
		return nil, err
	}
	var all, own []string
	for _, f := range changed {
		all = append(all, f.Path)
		if f.Previous != "" {
			all, own = append(all, f.Previous), append(own, f.Previous)
		}
		extension := path.Ext(f.Path)
		if f.Status == "removed" || extension == ".yaml" || extension == ".yml" || read.Holds(f.Path) {
			own = append(own, f.Path)
		}
	}
	if len(own) == 0 {
		own = all
	}
	return approvals.Codeowners(owners.content, owners.path, own)
}
