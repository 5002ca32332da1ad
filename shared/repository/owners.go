package repository

import (
	"context"
	"path"
	"reflect"
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
// hold the settings of targets, files that are not in the workspace (removed ones, and names that JSON
// can't have), symbolic links and submodules. If none of the files counts, all do.
//
// After a rebase merge, base may be a commit of the pull request. So if it changes CODEOWNERS, the
// owners at opened have to approve, too: that is the commit of the base branch from which GitHub
// compares the pull request. It may be empty.
func (rp *Repository) Owners(ctx context.Context, base, opened string, t inventory.Target, changed []github.ChangedFile) ([]approvals.Requirement, error) {
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
		if !index.Has(f.Path) || linked || rp.maySet(f.Path, t) || read.Holds(f.Path) {
			own = append(own, f.Path)
		}
	}
	if len(own) == 0 {
		own = all
	}
	bases := []string{base}
	if opened != "" && opened != base && slices.ContainsFunc(all, func(name string) bool { return slices.Contains(approvals.CodeownersPaths, name) }) {
		bases = append(bases, opened)
	}
	var required []approvals.Requirement
	for _, commit := range bases {
		owners, err := rp.codeownersAt(ctx, commit)
		if err != nil {
			return nil, err
		}
		more, err := approvals.Codeowners(owners.content, owners.path, own)
		if err != nil {
			return nil, err
		}
		for _, r := range more {
			if !slices.ContainsFunc(required, func(other approvals.Requirement) bool { return reflect.DeepEqual(r, other) }) {
				required = append(required, r)
			}
		}
	}
	return required, nil
}

// Reads reports whether a target reads one of the changed files, as they are in the workspace.
func (rp *Repository) Reads(ctx context.Context, t inventory.Target, changed []github.ChangedFile) (bool, error) {
	read, err := fingerprint.Read(ctx, t, fingerprint.JobFiles(t, rp.Environ)...)
	return slices.ContainsFunc(changed, func(f github.ChangedFile) bool { return read.Holds(f.Path) }), err
}

func (rp *Repository) codeownersAt(ctx context.Context, commit string) (codeowners, error) {
	return rp.codeowners.Get(commit, func() (codeowners, error) {
		if err := rp.fetchBase(ctx, commit); err != nil {
			return codeowners{}, err
		}
		content, at, err := approvals.FindCodeowners(func(name string) ([]byte, bool, error) {
			found, err := git.Contents(ctx, rp.Context.Workspace, []string{commit + ":" + name})
			for _, content := range found { // by the ID of its object
				return content, true, err
			}
			return nil, false, err
		})
		return codeowners{content, at}, err
	})
}

// maySet reports whether a file may hold the settings of a target. Manifests of Atmos may include files of
// these kinds from anywhere (!include), and don't show that afterwards.
func (rp *Repository) maySet(name string, t inventory.Target) bool {
	kinds := []string{".yaml", ".yml", ".tmpl", ".terraform-version", ".opentofu-version"}
	if t.Atmos != nil {
		kinds = append(kinds, ".json", ".hcl", ".tfvars", ".toml", ".txt")
	}
	return name == path.Clean(rp.Source.Name) || slices.Contains(kinds, path.Ext(name))
}
