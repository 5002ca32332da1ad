package fingerprint

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"

	"github.com/terraform-gitops/gitops/shared/checkout"
	"github.com/terraform-gitops/gitops/shared/fingerprint/references"
	"github.com/terraform-gitops/gitops/shared/git"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// Files reads the files of a checkout that shape plans. It reads once what several targets
// share, and keeps the answers: the checkout must not change.
type Files struct {
	checkout.Tree
	index      *git.Index
	base       bool              // a commit to compare with; it is checked out without submodules
	changed    map[string]bool   // files that differ from the index; nil: files are compared by content, not by object ID
	attributes map[string]string // the attributes of each file that convert it, for comparing by object ID
	hashed     map[string]contentSum
	roots      map[moduleFolder]*rootFiles
	folders    map[moduleFolder]folderFiles
	others     map[outsideKey]outsideFiles
	wholes     map[moduleFolder]wholeFolder
	buffer     []byte // for reading
}

// OpenFiles opens a checkout. known may have asked Git what it tracks there; nil asks Git.
func OpenFiles(ctx context.Context, co checkout.Tree, known *git.Tracked) (*Files, error) {
	read, err := known.Index(ctx, co.Resolved)
	if err != nil {
		return nil, err
	}
	return &Files{
		Tree: co, index: read,
		hashed: make(map[string]contentSum), roots: make(map[moduleFolder]*rootFiles), folders: make(map[moduleFolder]folderFiles),
		others: make(map[outsideKey]outsideFiles), wholes: make(map[moduleFolder]wholeFolder),
		buffer: make([]byte, 64<<10),
	}, nil
}

// targetFiles are the files that count for a target. Except for sums, the fields are those of
// [Configuration].
type targetFiles struct {
	sums       map[string]sum
	broad      []Broad
	named      []string
	provisions bool
}

// of finds the files that count for a target. With an error it returns what it could read.
func (f *Files) of(t inventory.Target) (targetFiles, error) {
	root, err := f.root(t.Dir, t.Atmos != nil)
	if root == nil {
		root = &rootFiles{root: t.Dir}
	}
	m := f.count()
	maps.Copy(m.sums, root.sums)
	maps.Copy(m.lacks, root.lacks)
	for _, name := range t.Files() {
		if failed := m.addNamed(name); failed != nil && err == nil {
			err = fmt.Errorf("%s: %w", problem.Quote(name), failed)
		}
	}
	if failed := m.addOptional(t, root); failed != nil && err == nil {
		err = failed
	}
	m.ignore(t, root)
	if failed := committedData(m.index.Names, t.Dir); failed != nil {
		for _, name := range git.Below(m.index.Names, t.Dir) {
			if isData(checkout.RelativeTo(t.Dir, name)) {
				m.sums[name] = sum{} // so that it differs from a checkout without this file
			}
		}
		if err == nil && !f.base {
			err = failed
		}
	}
	if len(m.lacks) > 0 && !f.base && err == nil {
		err = &LackingError{m.lacks}
	}
	found := targetFiles{sums: m.sums, provisions: root.provisions, named: root.paths}
	if root.why != "" && root.root == "." {
		found.broad = append(found.broad, Broad{Folder: ".", Why: root.why})
	}
	for _, folder := range slices.Sorted(maps.Keys(root.wholes)) {
		found.broad = append(found.broad, Broad{Folder: folder, Why: root.wholes[folder]})
	}
	return found, err
}

// addOptional adds files of the root module's folder that may count for this target alone:
// those that its variables or environment name, and, if a program runs there, those that
// are not var files of other targets.
func (m *counted) addOptional(t inventory.Target, root *rootFiles) error {
	words, err := m.addStrings(t, root)
	if err != nil {
		return err
	}
	for _, name := range root.left {
		free := root.runs && root.root != "." && isOptional(path.Base(name)) && !t.Given[name]
		if free || words.holds(checkout.RelativeTo(root.root, name)) {
			if err := m.add(name, true); err != nil {
				return err
			}
		}
	}
	return nil
}

// ignore removes what the target ignores. What Terraform itself reads stays.
func (m *counted) ignore(t inventory.Target, root *rootFiles) {
	if len(t.Ignore) == 0 {
		return
	}
	keep := make(map[string]bool)
	for _, name := range t.Files() {
		keep[name] = true
	}
	ignored := func(name string) bool {
		if keep[name] || references.IsFile(name) && root.called(path.Dir(name)) || isAutoLoaded(checkout.RelativeTo(root.root, name)) {
			return false
		}
		return t.Ignores(root.root, name)
	}
	maps.DeleteFunc(m.sums, func(name string, _ sum) bool { return ignored(name) })
	maps.DeleteFunc(m.lacks, func(name string, _ lack) bool { return ignored(name) })
	for folder := range root.wholes {
		all, err := m.whole(folder, t.Atmos != nil)
		if err != nil {
			continue // it was read before
		}
		rest := maps.Clone(all.sums)
		maps.DeleteFunc(rest, func(name string, _ sum) bool { return t.Ignores(root.root, name) })
		m.sums[folder+"/"] = together(rest)
	}
}
