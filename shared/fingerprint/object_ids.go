package fingerprint

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/checkout"
	"github.com/terraform-gitops/gitops/shared/git"
)

// OpenCompared opens the files of a checkout to compare them with another commit's. base is
// set for the earlier one, which was checked out for this. environ is the job's environment.
func OpenCompared(ctx context.Context, co checkout.Tree, base bool, environ []string) (*Files, error) {
	f, err := OpenFiles(ctx, co, nil)
	if err != nil {
		return nil, err
	}
	f.base = base
	return f, f.compareObjects(ctx, environ)
}

// conversions are the attributes for which Git writes another content into the workspace
// than it keeps, on every machine.
// https://git-scm.com/docs/gitattributes
var conversions = []string{"filter", "eol", "ident", "working-tree-encoding"}

// compareObjects has files be compared by the IDs that Git's index has of them, where
// they are what it has: by Git's own word, so that a filter such as that of Git LFS is
// undone before. What a file is in the workspace then depends on the ID and on the
// attributes that convert it, which count, too. The base is checked out without filters,
// so all in it is what the index has.
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

// objectID is what stands for a file's content where files are compared by IDs.
func (f *Files) objectID(name string) (string, bool) {
	object, tracked := f.index.Objects[name]
	if f.changed == nil || !tracked || f.changed[name] {
		return "", false
	}
	return object.ID + f.attributes[name], true
}
