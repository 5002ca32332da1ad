package repository

import (
	"context"
	"path"
	"slices"

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
// commit base: an owner of each file that counts for the target. Always counted are files that may
// hold the settings of targets, files that are no longer there, symbolic links and submodules. If none
// of the files counts, all do.
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
	read, err := fingerprint.Read(ctx, t, fingerprint.JobFiles(t, rp.Environ)...)
	if err != nil {
		return nil, err
	}
	index, err := rp.Tracked.Index(ctx, rp.Context.Workspace)
	if err != nil {
		return nil, err
	}
	var all, own []string
	for _, f := range changed {
		all = append(all, f.Path)
		if f.Previous != "" {
			all, own = append(all, f.Previous), append(own, f.Previous)
		}
		linked := index.Objects[f.Path].Link || slices.Contains(index.Present, f.Path) || slices.Contains(index.Absent, f.Path)
		if f.Status == "removed" || linked || rp.maySet(f.Path) || read.Holds(f.Path) {
			own = append(own, f.Path)
		}
	}
	if len(own) == 0 {
		own = all
	}
	return approvals.Codeowners(owners.content, owners.path, own)
}

// maySet reports whether a file may hold the settings of a target.
func (rp *Repository) maySet(name string) bool {
	return name == path.Clean(rp.Source.Name) ||
		slices.Contains([]string{".yaml", ".yml", ".tmpl", ".terraform-version", ".opentofu-version"}, path.Ext(name))
}
