package fingerprint

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/checkout"
	"github.com/terraform-gitops/gitops/shared/fingerprint/references"
	"github.com/terraform-gitops/gitops/shared/git"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// moduleFolder is the folder of a module.
type moduleFolder struct {
	name  string // without symbolic links
	root  bool   // it is the root module
	atmos bool   // Atmos generates files in it
	whole bool   // modules in it count, too: nobody can tell which of them are called
}

// moduleCall is the call of a local module.
type moduleCall struct {
	name   string
	folder moduleFolder
}

// folderFiles are the files that count in the folder of one module, and what they read.
type folderFiles struct {
	sums     map[string]sum
	lacks    lacking
	pointers map[string]bool
	calls    []moduleCall
	outward  []outwardPath // paths that lead out of the folder
	reads    []*references.Reads
	left     []string // files that no expression of the module is known to read
	all      string   // the expression that may read any file in the folder; empty if there is none
}

// folder reads the folder of a module, once for all modules that call it.
func (f *Files) folder(folder moduleFolder) (folderFiles, error) {
	if one, known := f.folders[folder]; known {
		return one, nil
	}
	m := f.count()
	one, err := m.readFolder(folder)
	if err != nil {
		return folderFiles{}, err
	}
	for _, linked := range m.queue {
		one.calls = append(one.calls, moduleCall{folder: linked})
	}
	one.sums, one.lacks, one.pointers = m.sums, m.lacks, m.pointers
	f.folders[folder] = one
	return one, nil
}

// readFolder adds the files in the folder of a module.
func (m *counted) readFolder(folder moduleFolder) (one folderFiles, err error) {
	names, err := m.list(folder.name)
	if err != nil {
		return one, err
	}
	if folder.atmos {
		names = slices.DeleteFunc(names, func(name string) bool { return IsGenerated(checkout.RelativeTo(folder.name, name)) })
	}
	own, reads := new(references.Reads), make(map[string]*references.Reads) // reads has the modules in the folder
	for _, name := range names {
		if path.Dir(name) != folder.name || !references.IsFile(name) {
			continue
		}
		all, err := m.readConfiguration(name, own)
		if err != nil {
			return one, err
		}
		folder.whole = folder.whole || !all
	}
	own.Finish()
	one.reads = append(one.reads, own)
	for _, name := range names {
		if dir := path.Dir(name); folder.whole && dir != folder.name && references.IsFile(name) {
			if reads[dir] == nil {
				reads[dir] = new(references.Reads)
			}
			if _, err := m.readConfiguration(name, reads[dir]); err != nil {
				return one, err
			}
		}
	}
	words := make(pathSet)
	one.outward, one.all = outwardPaths(own, folder.name, folder.name, words)
	for _, dir := range slices.Sorted(maps.Keys(reads)) {
		reads[dir].Finish()
		out, _ := outwardPaths(reads[dir], dir, folder.name, words)
		one.reads, one.outward = append(one.reads, reads[dir]), append(one.outward, out...)
	}
	if one.all == "" && len(own.Blind) > 0 {
		one.all = own.Blind[0]
	}
	if folder.whole && folder.root && one.all == "" {
		one.all = problem.Quote(folder.name) + ", where it can't be told which modules are called"
	}
	count, others := folder.split(names)
	for _, name := range others {
		if one.all != "" || words.holds(checkout.RelativeTo(folder.name, name)) {
			count = append(count, name)
		} else {
			one.left = append(one.left, name)
		}
	}
	for _, name := range count {
		if err := m.add(name, one.all != "" || words.holds(checkout.RelativeTo(folder.name, name))); err != nil {
			return one, err
		}
	}
	one.calls = m.calls
	return one, nil
}

// outwardPaths are the paths of a module in the folder dir that lead out of the folder own,
// each once. It adds those that stay inside to words. all is the expression that may read
// any file in own.
func outwardPaths(r *references.Reads, dir, own string, words pathSet) (list []outwardPath, all string) {
	seen := make(map[string]bool)
	for _, p := range r.Paths {
		if p.OfRoot {
			continue // readOthers looks at these
		}
		rel, inside := within(own, dir, p.Path)
		switch {
		case inside && rel == ".":
			all = p.Where
		case inside:
			words[rel] = true
		}
		// A link may lead out of a path that looks as if it stays inside.
		if strings.Contains(p.Path, "..") && !seen[p.Path] {
			seen[p.Path] = true
			list = append(list, outwardPath{dir, p.Path, p.Where})
		}
	}
	slices.SortFunc(list, func(a, b outwardPath) int { return strings.Compare(a.path, b.path) })
	return list, all
}

// within is where a path from a folder leads to, relative to the folder own, if it is in that.
func within(own, from, name string) (rel string, inside bool) {
	at := path.Join(from, name)
	if !checkout.IsIn(at, own) || at == ".." || strings.HasPrefix(at, "../") {
		return "", false
	}
	if at == own {
		return ".", true
	}
	return checkout.RelativeTo(own, at), true
}

// list are the files of a folder and its subfolders: those that Git tracks, or, if it tracks
// none, those on disk. Files that runs of Terraform write are left out. A submodule that is
// not checked out is in the list with its own path.
func (m *counted) list(folder string) ([]string, error) {
	if submodule := m.index.AbsentAt(folder); submodule != "" {
		return []string{submodule}, nil
	}
	tracked, absent := git.Below(m.index.Names, folder), git.Below(m.index.Absent, folder)
	if len(tracked)+len(absent) > 0 {
		names := slices.Concat(tracked, absent)
		slices.Sort(names)
		return slices.DeleteFunc(names, func(name string) bool { return isProduct(checkout.RelativeTo(folder, name)) }), nil
	}
	var names []string
	err := fs.WalkDir(os.DirFS(m.Path(folder)), ".", func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w", problem.Quote(path.Join(folder, name)), checkout.Cause(err))
		case e.IsDir() && (e.Name() == ".git" || e.Name() == DataFolder):
			return fs.SkipDir
		case !e.IsDir() && e.Name() != lockFile && !isProduct(name):
			names = append(names, path.Join(folder, name))
		}
		return nil
	})
	return names, err
}

// readConfiguration reads a Terraform file, and adds what its expressions read and the
// modules that it calls. all is false if it may call more. A file that is missing (deleted
// but not yet in Git, or a link to nothing) counts as empty.
func (m *counted) readConfiguration(name string, reads *references.Reads) (all bool, err error) {
	end := name
	info, err := os.Lstat(m.Path(name))
	if err == nil && info.Mode()&fs.ModeSymlink != 0 {
		end, info, err = m.Resolve(name)
	}
	switch {
	case checkout.IsMissing(err):
		return true, nil
	case err != nil:
		return false, fmt.Errorf("%s: %w", problem.Quote(name), checkout.Cause(err))
	case !info.Mode().IsRegular():
		return true, nil
	}
	content, err := os.ReadFile(m.Path(end))
	if err != nil {
		return false, fmt.Errorf("%s: %w", problem.Quote(name), checkout.Cause(err))
	}
	file := &references.File{Name: name, Content: content}
	calls, all := file.Calls()
	reads.Add(file)
	for _, call := range calls {
		source := path.Join(path.Dir(name), call.Source)
		called, info, err := m.Resolve(source)
		switch {
		case checkout.IsMissing(err): // if Git does not have it, terraform init will say so
			m.lackAt(source)
		case err != nil:
			return false, fmt.Errorf("%s calls the module %s: %w", problem.Quote(name), problem.Quote(call.Source), err)
		case info.IsDir():
			m.calls = append(m.calls, moduleCall{call.Name, moduleFolder{name: called, whole: call.Prefix}})
		}
	}
	return all, nil
}
