package fingerprint

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/checkout"
	"github.com/terraform-gitops/gitops/shared/git"
)

// OpenCompared opens the files of a checkout to compare them with another commit's.
func OpenCompared(ctx context.Context, co checkout.Tree, base bool) (*Files, error) {
	f, err := OpenFiles(ctx, co, nil)
	if err != nil {
		return nil, err
	}
	f.base = base
	return f, f.compareObjects(ctx)
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
func (f *Files) compareObjects(ctx context.Context) error {
	if !f.index.Git {
		return nil
	}
	f.changed, f.attributes = make(map[string]bool), make(map[string]string)
	if !f.base {
		if err := f.readChanged(ctx, ""); err != nil {
			return err
		}
	}
	if !slices.ContainsFunc(f.index.Names, func(name string) bool {
		return name == ".gitattributes" || strings.HasSuffix(name, "/.gitattributes")
	}) {
		return nil
	}
	out, err := git.AskGit(ctx, f.Resolved, []byte(strings.Join(f.index.Names, "\x00")+"\x00"), slices.Concat([]string{"check-attr", "-z", "--stdin"}, conversions)...)
	if err != nil {
		return fmt.Errorf("ask Git for attributes: %w", err)
	}
	fields := strings.Split(string(out), "\x00")
	for i := 0; i+2 < len(fields); i += 3 {
		if value := fields[i+2]; value != "unspecified" && value != "unset" {
			f.attributes[fields[i]] += " " + fields[i+1] + "=" + value
		}
	}
	return nil
}

// readChanged finds the files that differ from the index. Filters are the user's own, of
// the configuration of the machine, and may be programs on PATH.
func (f *Files) readChanged(ctx context.Context, prefix string) error {
	out, err := git.AskGit(ctx, f.Path(prefix), nil, "diff", "--no-ext-diff", "--no-textconv", "--ignore-submodules=all", "--no-renames", "--name-only", "-z", "--relative")
	if err != nil {
		return fmt.Errorf("ask Git which files have changed: %w", err)
	}
	for name := range strings.SplitSeq(string(out), "\x00") {
		f.changed[prefix+name] = true
	}
	for _, submodule := range f.index.Present {
		if prefix == "" {
			if err := f.readChanged(ctx, submodule+"/"); err != nil {
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
