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
	where string // the expression
}

// outsideKey is a path in the module whose folder is own.
type outsideKey struct {
	own, from, path string
	atmos           bool
}

// outsideFiles are the files that a path leads to.
type outsideFiles struct {
	sums  map[string]sum
	lacks lacking
	whole string // the folder above the module that counts as a whole; empty if there is none
}

// outside finds the files that a path in a module leads to, outside of the module's own folder:
// a file, or all files in a folder. A folder that the module itself is in counts as a whole,
// under its name with a slash, since it may be the whole repository, for many targets.
// Files that are not in Git, or not in the checkout, do not count.
func (f *Files) outside(own string, out outwardPath, root string, atmos bool) (outsideFiles, error) {
	key := outsideKey{own, out.from, out.path, atmos}
	if found, known := f.others[key]; known {
		return found, nil
	}
	m := f.count()
	whole := ""
	name, end, info, err := m.follow(out)
	switch {
	case checkout.IsMissing(err):
		err = nil
		m.lackAt(path.Join(out.from, out.path))
	case err != nil:
	case checkout.IsIn(end, own) || end == root: // its files count as the module's
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

// lackAt notes what Git has at a path where the workspace has nothing. If Git has nothing
// there, Terraform will say so, in case it reads the path.
func (m *counted) lackAt(name string) {
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

// lack notes a tracked file if the workspace lacks it.
func (m *counted) lack(name string) {
	if _, err := os.Lstat(m.Path(name)); !checkout.IsMissing(err) {
		return
	}
	m.lacks[name] = lackDeleted
	if m.index.Objects[name].Sparse {
		m.lacks[name] = lackSparse
	}
}

// follow walks a path as the file system does, so that .. after a link leads out of the folder
// that the link leads to. name is the end of the path, and end is where that leads to if it
// is a link. The error is fs.ErrNotExist if nothing is there, or if the path leaves the
// checkout.
func (m *counted) follow(out outwardPath) (name, end string, info fs.FileInfo, err error) {
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
			return "", "", nil, fs.ErrNotExist // or no file can have such a name
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
	if info == nil { // the path has no segments
		if info, err = os.Lstat(m.Path(name)); err != nil {
			return "", "", nil, fs.ErrNotExist
		}
	}
	return name, end, info, nil
}

// isTracked tells whether Git tracks a file. Without Git it is true for all.
func (f *Files) isTracked(name string) bool { return !f.index.Git || f.index.Has(name) }

// addOutside counts a file outside of the module's folder: under the name of the link to it, if
// Git tracks that.
func (m *counted) addOutside(name, end string, atmos bool) error {
	if !m.isTracked(name) {
		name = end
	}
	if !m.isTracked(name) || isWritten(name) || atmos && IsGenerated(path.Base(name)) {
		return nil
	}
	return m.add(name, true)
}

// wholeFolder are all files in a folder.
type wholeFolder struct {
	sums     map[string]sum
	together sum
	lacks    lacking
}

// whole reads all files in a folder, and in folders that links in it lead to.
func (f *Files) whole(folder string, atmos bool) (wholeFolder, error) {
	key := moduleFolder{name: folder, atmos: atmos}
	if all, known := f.wholes[key]; known {
		return all, nil
	}
	m := f.count()
	folders := []string{folder}
	for i := 0; i < len(folders); i++ { // the list grows meanwhile
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

// together is the sum of many sums.
func together(sums map[string]sum) sum {
	text := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		fmt.Fprintf(text, "file %q %x\n", name, sums[name])
	}
	return sum(text.Sum(nil))
}

// addFolder counts all files in a folder. A link that can't be followed counts with its text:
// the module may not read it.
func (m *counted) addFolder(folder string, atmos bool) error {
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
