package fingerprint

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/checkout"
	"github.com/terraform-gitops/gitops/shared/git"
)

// OpenCompared opens a checkout to compare it with another commit. base is set for the earlier
// commit, which was checked out for this. environ is the job's environment.
func OpenCompared(ctx context.Context, co checkout.Tree, base bool, environ []string) (*Files, error) {
	f, err := OpenFiles(ctx, co, nil)
	if err != nil {
		return nil, err
	}
	f.base = base
	return f, f.compareObjects(ctx, environ)
}

// conversions are the attributes that have Git write other content into the workspace than it
// keeps.
// https://git-scm.com/docs/gitattributes
var conversions = []string{"filter", "eol", "ident", "working-tree-encoding"}

// compareObjects prepares for comparing files by their object ID in Git's index instead of
// their content. The base is checked out without filters, so with Git LFS, say, the content
// would differ. Git tells which files of the workspace differ from the index; these are
// compared by content. The attributes that convert a file count together with its ID.
func (f *Files) compareObjects(ctx context.Context, environ []string) error {
	if !f.index.Git {
		return nil
	}
	f.changed, f.attributes = make(map[string]bool), make(map[string]string)
	if !f.base {
		if err := f.readChanged(ctx, "", environ); err != nil {
			return err
		}
	}
	if !slices.ContainsFunc(f.index.Names, func(name string) bool {
		return name == ".gitattributes" || strings.HasSuffix(name, "/.gitattributes")
	}) {
		return nil
	}
	set, err := git.Attributes(ctx, f.Resolved, f.index.Names, conversions, environ)
	if err != nil {
		return fmt.Errorf("ask Git for attributes: %w", err)
	}
	for _, a := range set {
		f.attributes[a.File] += " " + a.Name + "=" + a.Value
	}
	return nil
}

// readChanged finds the files that differ from the index.
func (f *Files) readChanged(ctx context.Context, prefix string, environ []string) error {
	changed, err := git.Modified(ctx, f.Path(prefix), environ)
	if err != nil {
		return fmt.Errorf("ask Git which files have changed: %w", err)
	}
	for _, name := range changed {
		f.changed[prefix+name] = true
	}
	for _, submodule := range f.index.Present {
		if prefix == "" {
			if err := f.readChanged(ctx, submodule+"/", environ); err != nil {
				return err
			}
		}
	}
	return nil
}

// objectID stands for the content of a file, if files are compared by object ID.
func (f *Files) objectID(name string) (string, bool) {
	object, tracked := f.index.Objects[name]
	if f.changed == nil || !tracked || f.changed[name] {
		return "", false
	}
	return object.ID + f.attributes[name], true
}
