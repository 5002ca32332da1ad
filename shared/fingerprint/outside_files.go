package fingerprint

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/checkout"
	"github.com/terraform-gitops/gitops/shared/git"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// outwardPath is a path that may lead out of a module's folder.
type outwardPath struct {
	from  string // the folder that it is relative to
	path  string
	where string // the expression that has it
}

// outsideKey is what the module in the folder own has a path to.
type outsideKey struct {
	own, from, path string
	atmos           bool
}

// outsideFiles are what a path leads to.
type outsideFiles struct {
	sums  map[string]sum
	lacks lacking
	whole string // the folder, above the module, that counts as one; empty: none does
}

// outside are the files that a module's path leads to, outside of its own folder: the
// file that it names, or all in the folder. A folder that the module itself is in
// counts as one, under its name with a slash: it may be the whole repository, and many
// targets may read it. What is not in Git, or not in the repository, does not count.
func (f *Files) outside(own string, out outwardPath, root string, atmos bool) (outsideFiles, error) {
	key := outsideKey{own, out.from, out.path, atmos}
	if found, known := f.others[key]; known {
		return found, nil
	}
	m := f.tree()
	whole := ""
	name, end, info, err := m.follow(out)
	switch {
	case checkout.IsMissing(err):
		err = nil
		m.lackAt(path.Join(out.from, out.path))
	case err != nil:
	case checkout.IsIn(end, own) || end == root: // counted as modules
	case info.IsDir():
		var all wholeFolder
		all, err = f.whole(end, atmos)
		if checkout.IsIn(own, end) || checkout.IsIn(out.from, end) {
			whole = end
			m.sums[end+"/"] = all.together
		} else {
			m.sums = all.sums
		}
		maps.Copy(m.lacks, all.lacks)
	default:
		err = m.addOutside(name, end, atmos)
	}
	if err != nil {
		return outsideFiles{}, fmt.Errorf("%s reads %s: %w", problem.Quote(own), problem.Quote(path.Join(out.from, out.path)), err)
	}
	found := outsideFiles{m.sums, m.lacks, whole}
	f.others[key] = found
	return found, nil
}

// lackAt notes what Git has at a path where the workspace has nothing. Else Terraform
// will say it, if it reads it.
func (m *moduleTree) lackAt(name string) {
	if submodule := m.index.AbsentAt(name); submodule != "" {
		m.lacks[submodule] = lackSubmodule
		return
	}
	if m.index.Has(name) {
		m.lack(name)
	}
	for _, lost := range git.Below(m.index.Names, name) {
		m.lack(lost)
	}
}

// lack notes a tracked file if it is not in the workspace.
func (m *moduleTree) lack(name string) {
	if _, err := os.Lstat(m.Path(name)); !checkout.IsMissing(err) {
		return
	}
	m.lacks[name] = lackDeleted
	if m.index.Objects[name].Sparse {
		m.lacks[name] = lackSparse
	}
}

// follow walks a path as the file system does: .. leads out of where a link leads to.
// name is where it ends but for the last link, end where that leads. It fails with
// fs.ErrNotExist, also where the path leaves the checkout.
func (m *moduleTree) follow(out outwardPath) (name, end string, info fs.FileInfo, err error) {
	name, end = out.from, out.from
	segments := strings.Split(out.path, "/")
	for i, segment := range segments {
		switch segment {
		case "", ".":
			continue
		case "..":
			if end == "." {
				return "", "", nil, fs.ErrNotExist
			}
			name = path.Dir(end)
		default:
			name = path.Join(end, segment)
		}
		end = name
		if info, err = os.Lstat(m.Path(name)); err != nil {
			return "", "", nil, fs.ErrNotExist // or no name that a file can have
		}
		if info.Mode()&fs.ModeSymlink != 0 {
			link := info
			end, info, err = m.Resolve(name)
			switch {
			case err != nil && !m.isTracked(name):
				return "", "", nil, fs.ErrNotExist
			case checkout.IsMissing(err):
				return name, name, link, nil // its text counts
			case err != nil:
				return "", "", nil, err
			}
		}
		if i < len(segments)-1 && !info.IsDir() {
			return "", "", nil, fs.ErrNotExist
		}
	}
	if info == nil { // from here to here
		if info, err = os.Lstat(m.Path(name)); err != nil {
			return "", "", nil, fs.ErrNotExist
		}
	}
	return name, end, info, nil
}

// isTracked is true for all where there is no Git.
func (f *Files) isTracked(name string) bool { return !f.index.Git || f.index.Has(name) }

// addOutside counts a file, by the link to it if it is one in Git.
func (m *moduleTree) addOutside(name, end string, atmos bool) error {
	if !m.isTracked(name) {
		name = end
	}
	if !m.isTracked(name) || isWritten(name) || atmos && IsGenerated(path.Base(name)) {
		return nil
	}
	return m.add(name, true)
}

// wholeFolder is all in a folder.
type wholeFolder struct {
	sums     map[string]sum
	together sum
	lacks    lacking
}

// whole reads all in a folder, and in those that are linked there.
func (f *Files) whole(folder string, atmos bool) (wholeFolder, error) {
	key := moduleFolder{name: folder, atmos: atmos}
	if all, known := f.wholes[key]; known {
		return all, nil
	}
	m := f.tree()
	folders := []string{folder}
	for i := 0; i < len(folders); i++ { // it grows
		if err := m.addFolder(folders[i], atmos); err != nil {
			return wholeFolder{}, err
		}
		for _, linked := range m.queue {
			if !slices.ContainsFunc(folders, func(folder string) bool { return checkout.IsIn(linked.name, folder) }) {
				folders = append(folders, linked.name)
			}
		}
		m.queue = nil
	}
	all := wholeFolder{m.sums, together(m.sums), m.lacks}
	f.wholes[key] = all
	return all, nil
}

// together is one sum of many files.
func together(sums map[string]sum) sum {
	text := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		fmt.Fprintf(text, "file %q %x\n", name, sums[name])
	}
	return sum(text.Sum(nil))
}

// addFolder counts all in a folder. A link that can't be followed counts with its
// text: it may be none that the module reads.
func (m *moduleTree) addFolder(folder string, atmos bool) error {
	if m.index.Git && m.index.AbsentAt(folder) == "" && len(git.Below(m.index.Names, folder))+len(git.Below(m.index.Absent, folder)) == 0 {
		return nil
	}
	names, err := m.list(folder)
	if err != nil {
		return err
	}
	for _, name := range names {
		if atmos && IsGenerated(path.Base(name)) {
			continue
		}
		if err := m.add(name, true); err != nil {
			text, notALink := os.Readlink(m.Path(name))
			if notALink != nil {
				return err
			}
			m.sums[name] = sha256.Sum256(fmt.Appendf(nil, "link %q\n", text))
		}
	}
	return nil
}
