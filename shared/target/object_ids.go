package target

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
)

// openCompared opens the files of a checkout to compare them with another commit's.
func openCompared(ctx context.Context, co checkout, given map[string]bool, base bool) (*files, error) {
	f, err := openFiles(ctx, co, &Tracked{Given: given})
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
func (f *files) compareObjects(ctx context.Context) error {
	if !f.index.git {
		return nil
	}
	f.changed, f.attributes = make(map[string]bool), make(map[string]string)
	if !f.base {
		if err := f.readChanged(ctx, ""); err != nil {
			return err
		}
	}
	if !slices.ContainsFunc(f.index.names, func(name string) bool {
		return name == ".gitattributes" || strings.HasSuffix(name, "/.gitattributes")
	}) {
		return nil
	}
	out, err := askGit(ctx, f.resolved, []byte(strings.Join(f.index.names, "\x00")+"\x00"), slices.Concat([]string{"check-attr", "-z", "--stdin"}, conversions)...)
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
func (f *files) readChanged(ctx context.Context, prefix string) error {
	out, err := askGit(ctx, f.path(prefix), nil, "diff", "--no-ext-diff", "--no-textconv", "--ignore-submodules=all", "--no-renames", "--name-only", "-z", "--relative")
	if err != nil {
		return fmt.Errorf("ask Git which files have changed: %w", err)
	}
	for name := range strings.SplitSeq(string(out), "\x00") {
		f.changed[prefix+name] = true
	}
	for _, submodule := range f.index.present {
		if prefix == "" {
			if err := f.readChanged(ctx, submodule+"/"); err != nil {
				return err
			}
		}
	}
	return nil
}

// objectID is what stands for a file's content where files are compared by IDs.
func (f *files) objectID(name string) (string, bool) {
	object, tracked := f.index.objects[name]
	if f.changed == nil || !tracked || f.changed[name] {
		return "", false
	}
	return object.id + f.attributes[name], true
}

// gitEnviron is what of the environment Git's filters need.
func gitEnviron() (environ []string) {
	for _, name := range []string{"PATH", "HOME", "XDG_CONFIG_HOME"} {
		if value, ok := os.LookupEnv(name); ok {
			environ = append(environ, name+"="+value)
		}
	}
	return environ
}
