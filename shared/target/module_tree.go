package target

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"syscall"
)

// moduleTree collects the files of a root module and of the local modules
// that it calls.
type moduleTree struct {
	*files
	sums    map[string]sum
	queue   []moduleFolder
	outward []outwardPath
}

// moduleFolder is a folder of the checkout whose files count.
type moduleFolder struct {
	name  string // resolved
	root  bool   // the root module
	atmos bool   // which generates files there
	whole bool   // with the modules in it, since it can't be told which are called
}

// read adds the files of the root module, in which Atmos may generate some, and of
// what it calls.
func (m *moduleTree) read(dir string, atmos bool) error {
	name, info, err := m.resolve(dir)
	if err == nil && !info.IsDir() {
		err = errNotAFolder
	}
	if err != nil {
		return fmt.Errorf("the root module folder %s: %w", quote(dir), err)
	}
	root := name
	m.queue = append(m.queue, moduleFolder{name: root, root: true, atmos: atmos})
	seen := make(map[moduleFolder]bool)
	for len(m.queue) > 0 {
		folder := m.queue[0]
		m.queue = m.queue[1:]
		if seen[folder] {
			continue
		}
		seen[folder] = true
		one, known := m.folders[folder]
		if !known {
			alone := moduleTree{files: m.files, sums: make(map[string]sum)}
			if err := alone.readFolder(folder); err != nil {
				return err
			}
			one = folderFiles{alone.sums, alone.queue, alone.outward}
			m.folders[folder] = one
		}
		maps.Copy(m.sums, one.sums)
		m.queue = append(m.queue, one.calls...)
		for _, out := range one.outward {
			outside, err := m.outside(folder.name, out, root, atmos)
			if err != nil {
				return err
			}
			maps.Copy(m.sums, outside)
		}
	}
	return nil
}

// readFolder adds the files of one module, and queues what it calls.
func (m *moduleTree) readFolder(folder moduleFolder) error {
	names, err := m.list(folder.name)
	if err != nil {
		return err
	}
	if folder.atmos {
		names = slices.DeleteFunc(names, func(name string) bool { return IsGenerated(relativeTo(folder.name, name)) })
	}
	var configuration []byte // all of the module's own Terraform files
	var paths modulePaths
	for _, name := range names {
		if path.Dir(name) != folder.name || !isConfiguration(name) {
			continue
		}
		content, all, err := m.readConfiguration(name, &paths)
		if err != nil {
			return err
		}
		folder.whole = folder.whole || !all
		configuration = append(append(configuration, content...), '\n')
	}
	m.outward = paths.outward(folder.name, folder.root)
	others := make(map[string]*modulePaths) // of the modules in it
	for _, name := range names {
		if dir := path.Dir(name); folder.whole && dir != folder.name && isConfiguration(name) {
			if others[dir] == nil {
				others[dir] = new(modulePaths)
			}
			if _, _, err := m.readConfiguration(name, others[dir]); err != nil {
				return err
			}
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(others)) {
		m.outward = append(m.outward, others[dir].outward(dir, false)...)
	}
	for _, name := range counted(folder, names, configuration) {
		if err := m.add(name); err != nil {
			return err
		}
	}
	return nil
}

// list are the files of a folder and its subfolders, without what is written
// there by runs: what Git tracks, or what is on disk where Git tracks nothing.
func (m *moduleTree) list(folder string) ([]string, error) {
	if tracked := below(m.tracked, folder); len(tracked) > 0 {
		return slices.DeleteFunc(slices.Clone(tracked), func(name string) bool { return isProduct(relativeTo(folder, name)) }), nil
	}
	var names []string
	err := fs.WalkDir(os.DirFS(m.path(folder)), ".", func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w", quote(path.Join(folder, name)), cause(err))
		case e.IsDir() && (e.Name() == ".git" || e.Name() == dataFolder):
			return fs.SkipDir
		case !e.IsDir() && e.Name() != lockFile && !isProduct(name):
			names = append(names, path.Join(folder, name))
		}
		return nil
	})
	return names, err
}

// readConfiguration reads a Terraform file, adds the paths in it, and queues the
// modules that it calls; all is false when more may be called. A file that is not
// there (deleted but not yet so in Git, or a link to nowhere) is empty.
func (m *moduleTree) readConfiguration(name string, paths *modulePaths) (content []byte, all bool, err error) {
	end := name
	info, err := os.Lstat(m.path(name))
	if err == nil && info.Mode()&fs.ModeSymlink != 0 {
		end, info, err = m.resolve(name)
	}
	switch {
	case isMissing(err):
		return nil, true, nil
	case err != nil:
		return nil, false, fmt.Errorf("%s: %w", quote(name), cause(err))
	case !info.Mode().IsRegular():
		return nil, true, nil
	}
	if content, err = os.ReadFile(m.path(end)); err != nil {
		return nil, false, fmt.Errorf("%s: %w", quote(name), cause(err))
	}
	if end == name {
		m.sums[name] = sha256.Sum256(content)
	}
	file := &terraformFile{name: name, content: content}
	calls, all := file.localCalls()
	paths.read(file)
	file.lexed = nil // a module may have many
	for _, call := range calls {
		called, info, err := m.resolve(path.Join(path.Dir(name), call.source))
		switch {
		case isMissing(err): // terraform init will say so
		case err != nil:
			return nil, false, fmt.Errorf("%s calls the module %s: %w", quote(name), quote(call.source), err)
		case info.IsDir():
			m.queue = append(m.queue, moduleFolder{name: called, whole: call.prefix})
		}
	}
	return content, all, nil
}

// isMissing also knows a path whose folder has become a file.
func isMissing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// add counts one file, or what a symbolic link leads to.
func (m *moduleTree) add(name string) error {
	if _, done := m.sums[name]; done {
		return nil
	}
	fail := func(err error) error { return fmt.Errorf("%s: %w", quote(name), cause(err)) }
	info, err := os.Lstat(m.path(name))
	if isMissing(err) {
		return nil // tracked, but deleted: Terraform won't see it either
	}
	if err != nil {
		return fail(err)
	}
	hash := sha256.New()
	end := name
	if info.Mode()&fs.ModeSymlink != 0 {
		text, err := os.Readlink(m.path(name))
		if err != nil {
			return fail(err)
		}
		fmt.Fprintf(hash, "link %q\n", text)
		end, info, err = m.resolve(name)
		if isMissing(err) {
			m.sums[name] = sum(hash.Sum(nil))
			return nil
		}
		if err != nil {
			return fail(err)
		}
	}
	switch {
	case info.Mode().IsRegular():
		if s, known := m.hashed[name]; known {
			m.sums[name] = s
			return nil
		}
		f, err := os.Open(m.path(end))
		if err != nil {
			return fail(err)
		}
		defer f.Close()
		// Not io.Copy, which makes a buffer for each file.
		if _, err := io.CopyBuffer(hash, struct{ io.Reader }{f}, m.buffer); err != nil {
			return fail(err)
		}
	case info.IsDir() && end != name:
		m.queue = append(m.queue, moduleFolder{name: end, whole: true})
	default:
		return nil // a submodule that is not checked out; a pipe or socket
	}
	m.sums[name] = sum(hash.Sum(nil))
	if info.Mode().IsRegular() {
		m.hashed[name] = m.sums[name]
	}
	return nil
}

// addNamed counts a file that the target names, which must be there.
func (m *moduleTree) addNamed(name string) error {
	end, info, err := m.resolve(name)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errNotAFile
	}
	if end != name {
		if err := m.add(end); err != nil { // through a linked folder
			return err
		}
	}
	return m.add(name)
}
