package fingerprint

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
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

// moduleTree collects the files of a root module and of the local modules
// that it calls.
type moduleTree struct {
	*Files
	sums     map[string]sum
	lacks    lacking
	pointers map[string]bool // files of Git LFS without their content
	queue    []moduleFolder  // that are linked to
	calls    []moduleCall
}

func (f *Files) tree() *moduleTree {
	return &moduleTree{Files: f, sums: make(map[string]sum), lacks: make(lacking), pointers: make(map[string]bool)}
}

// moduleFolder is a folder of the checkout whose files count.
type moduleFolder struct {
	name  string // resolved
	root  bool   // the root module
	atmos bool   // which generates files there
	whole bool   // with the modules in it, since it can't be told which are called
}

// moduleCall is the call of a local module.
type moduleCall struct {
	name   string
	folder moduleFolder
}

// folderFiles are what one module's folder adds to a tree.
type folderFiles struct {
	sums     map[string]sum
	lacks    lacking
	pointers map[string]bool
	calls    []moduleCall
	outward  []outwardPath // out of the folder
	reads    []*references.Reads
	left     []string // that no expression of the module itself is known to read
	all      string   // the expression that may read all in the folder; empty: none
}

// rootFiles are what counts for all targets of one root module folder.
type rootFiles struct {
	sums  map[string]sum
	lacks lacking
	root  string
	// left are files of the root module's folder that are not known to be read, and
	// runs is set where a program is run, which may read what Terraform does not.
	left       []string
	runs       bool
	provisions bool
	wholes     map[string]string // folders that count as one, with the expression that reads them
	why        string            // the expression for which all in the root module's folder counts
	loaded     []string          // var files that Terraform loads by itself
	paths      []string          // named, sorted, those in the checkout
	named      map[string]bool   // every path that an expression has, whether there is something or not
	// modules are the folders of all modules, and whether all in one may be called.
	modules map[string]bool
}

// called tells whether a folder may be that of a module.
func (r *rootFiles) called(dir string) bool {
	if _, is := r.modules[dir]; is {
		return true
	}
	for folder, whole := range r.modules {
		if whole && checkout.IsIn(dir, folder) {
			return true
		}
	}
	return false
}

// read finds the files of a root module, in whose folder Atmos may generate some, and of
// what it calls.
func (f *Files) root(dir string, atmos bool) (*rootFiles, error) {
	key := moduleFolder{name: dir, root: true, atmos: atmos}
	if known, ok := f.roots[key]; ok {
		return known, nil
	}
	m := f.tree()
	name, info, err := m.Resolve(dir)
	if err == nil && !info.IsDir() {
		err = checkout.ErrNotAFolder
	}
	if checkout.IsMissing(err) {
		m.lackAt(dir)
		if len(m.lacks) > 0 && !f.base {
			return nil, &LackingError{m.lacks}
		}
	}
	if err != nil {
		return nil, fmt.Errorf("the root module folder %s: %w", problem.Quote(dir), err)
	}
	root := &rootFiles{sums: m.sums, lacks: m.lacks, root: name, wholes: make(map[string]string), named: make(map[string]bool), modules: make(map[string]bool)}
	var folders []moduleFolder
	seen := make(map[moduleFolder]bool)
	queue := []moduleFolder{{name: name, root: true, atmos: atmos}}
	for len(queue) > 0 {
		folder := queue[0]
		queue = queue[1:]
		if seen[folder] {
			continue
		}
		seen[folder] = true
		folders = append(folders, folder)
		one, err := f.folder(folder)
		if err != nil {
			return root, err
		}
		root.modules[folder.name] = root.modules[folder.name] || folder.whole
		maps.Copy(root.sums, one.sums)
		maps.Copy(root.lacks, one.lacks)
		for _, call := range one.calls {
			queue = append(queue, call.folder)
		}
		outward := one.outward
		for _, reads := range one.reads {
			root.runs, root.provisions = root.runs || reads.Runs, root.provisions || reads.Provisions
			for _, p := range reads.Paths {
				if p.OfRoot {
					root.named[path.Join(name, p.Path)] = true
					outward = append(slices.Clip(outward), outwardPath{name, p.Path, p.Where})
				} else {
					root.named[path.Join(folder.name, p.Path)] = true
				}
			}
		}
		for _, out := range outward {
			found, err := m.outside(folder.name, out, name, atmos)
			if err != nil {
				return root, err
			}
			maps.Copy(root.sums, found.sums)
			maps.Copy(root.lacks, found.lacks)
			if found.whole != "" && root.wholes[found.whole] == "" {
				root.wholes[found.whole] = out.where
			}
		}
	}
	if err := m.readOthers(root, folders); err != nil {
		return root, err
	}
	root.paths = slices.DeleteFunc(slices.Sorted(maps.Keys(root.named)), func(name string) bool { return name == ".." || strings.HasPrefix(name, "../") })
	for name := range root.sums {
		if path.Dir(name) == root.root && isAutoLoaded(path.Base(name)) {
			root.loaded = append(root.loaded, name)
		}
	}
	f.roots[key] = root
	return root, nil
}

// folder reads one module's folder, once for all that call it.
func (f *Files) folder(folder moduleFolder) (folderFiles, error) {
	if one, known := f.folders[folder]; known {
		return one, nil
	}
	m := f.tree()
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

// readOthers adds the files of the root module's folder that any of the modules reads by
// a path that is relative to it, and finds out for which expression all of it counts.
func (m *moduleTree) readOthers(root *rootFiles, folders []moduleFolder) error {
	first := m.folders[folders[0]]
	words, all := make(pathSet), first.all
	for _, folder := range folders {
		for _, reads := range m.folders[folder].reads {
			for _, p := range reads.Paths {
				rel, inside := within(root.root, root.root, p.Path)
				switch {
				case !p.OfRoot || !inside:
				case rel == ".":
					all = p.Where
				default:
					words[rel] = true
				}
			}
			if all == "" && len(reads.Blind) > 0 {
				all = reads.Blind[0]
			}
			maps.Copy(words, reads.Words)
		}
	}
	if all == "" {
		all = m.blindVariable(folders)
	}
	for folder, where := range root.wholes {
		if all == "" && checkout.IsIn(root.root, folder) {
			all = where
		}
	}
	root.why = all
	for _, name := range first.left {
		if all == "" && !words.holds(checkout.RelativeTo(root.root, name)) {
			root.left = append(root.left, name)
			continue
		}
		if err := m.add(name, true); err != nil {
			return err
		}
	}
	for _, linked := range m.queue { // by a link that is read
		whole, err := m.whole(linked.name, false)
		if err != nil {
			return err
		}
		maps.Copy(root.sums, whole.sums)
		maps.Copy(root.lacks, whole.lacks)
	}
	m.queue = nil
	for name := range first.pointers {
		if all != "" || words.holds(checkout.RelativeTo(root.root, name)) {
			root.lacks[name] = lackContent
		}
	}
	return nil
}

// within is where a path leads from a folder, if that is in the folder own, relative to
// that.
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

// blindVariable is the expression that reads a file whose path is in a variable, where
// the one who gives the variable its value does not say either; empty when there is none.
func (m *moduleTree) blindVariable(folders []moduleFolder) string {
	type variable struct {
		folder moduleFolder
		name   string
	}
	wanted := make(map[variable]string)
	var queue []variable
	want := func(v variable, where string) {
		if _, known := wanted[v]; !known {
			wanted[v] = where
			queue = append(queue, v)
		}
	}
	for _, folder := range folders {
		for _, reads := range m.folders[folder].reads {
			for _, name := range slices.Sorted(maps.Keys(reads.Variables)) {
				want(variable{folder, name}, reads.Variables[name])
			}
		}
	}
	for i := 0; i < len(queue); i++ { // it grows
		v := queue[i]
		if v.name == references.NotConstant || v.folder.root {
			return wanted[v]
		}
		for _, caller := range folders {
			for _, call := range m.folders[caller].calls {
				if call.folder != v.folder {
					continue
				}
				for _, reads := range m.folders[caller].reads {
					if from := reads.Arguments[call.name][v.name]; from != "" {
						want(variable{caller, from}, wanted[v])
					}
				}
			}
		}
	}
	return ""
}

// readFolder adds the files of one module.
func (m *moduleTree) readFolder(folder moduleFolder) (one folderFiles, err error) {
	names, err := m.list(folder.name)
	if err != nil {
		return one, err
	}
	if folder.atmos {
		names = slices.DeleteFunc(names, func(name string) bool { return IsGenerated(checkout.RelativeTo(folder.name, name)) })
	}
	own, reads := new(references.Reads), make(map[string]*references.Reads) // of the modules in it
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

// outwardPaths are the paths that lead out of the folder own, of a module that lies in dir,
// each once. Those that stay inside are put into words; where holds the expression that
// may read all in own.
func outwardPaths(r *references.Reads, dir, own string, words pathSet) (list []outwardPath, all string) {
	seen := make(map[string]bool)
	for _, p := range r.Paths {
		if p.OfRoot {
			continue // see files.root
		}
		rel, inside := within(own, dir, p.Path)
		switch {
		case inside && rel == ".":
			all = p.Where
		case inside:
			words[rel] = true
		}
		// Also where a link in it may lead out.
		if strings.Contains(p.Path, "..") && !seen[p.Path] {
			seen[p.Path] = true
			list = append(list, outwardPath{dir, p.Path, p.Where})
		}
	}
	slices.SortFunc(list, func(a, b outwardPath) int { return strings.Compare(a.path, b.path) })
	return list, all
}

// list are the files of a folder and its subfolders, without what is written
// there by runs: what Git tracks, or what is on disk where Git tracks nothing. A
// submodule that is not checked out is among them by its own path.
func (m *moduleTree) list(folder string) ([]string, error) {
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

// readConfiguration reads a Terraform file, adds what its expressions read, and the
// modules that it calls; all is false when more may be called. A file that is not
// there (deleted but not yet so in Git, or a link to nowhere) is empty.
func (m *moduleTree) readConfiguration(name string, reads *references.Reads) (all bool, err error) {
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
		case checkout.IsMissing(err): // else terraform init will say so
			m.lackAt(source)
		case err != nil:
			return false, fmt.Errorf("%s calls the module %s: %w", problem.Quote(name), problem.Quote(call.Source), err)
		case info.IsDir():
			m.calls = append(m.calls, moduleCall{call.Name, moduleFolder{name: called, whole: call.Prefix}})
		}
	}
	return all, nil
}

// add counts one file, or what a symbolic link leads to. isRead is set where an
// expression has a path to it.
func (m *moduleTree) add(name string, isRead bool) error {
	if _, done := m.sums[name]; done {
		return nil
	}
	fail := func(err error) error { return fmt.Errorf("%s: %w", problem.Quote(name), checkout.Cause(err)) }
	if m.index.AbsentAt(name) == name {
		m.lacks[name] = lackSubmodule
		return nil
	}
	info, err := os.Lstat(m.Path(name))
	if checkout.IsMissing(err) {
		if m.index.Has(name) {
			m.lack(name)
		}
		return nil
	}
	if err != nil {
		return fail(err)
	}
	hash := sha256.New()
	end := name
	if info.Mode()&fs.ModeSymlink != 0 {
		text, err := os.Readlink(m.Path(name))
		if err != nil {
			return fail(err)
		}
		fmt.Fprintf(hash, "link %q\n", text)
		end, info, err = m.Resolve(name)
		if checkout.IsMissing(err) {
			if at := path.Join(path.Dir(name), text); !path.IsAbs(text) {
				m.lackAt(at)
			}
			m.sums[name] = sum(hash.Sum(nil))
			return nil
		}
		if err != nil {
			return fail(err)
		}
	}
	switch {
	case info.Mode().IsRegular():
		s, known := m.hashed[name]
		if !known {
			if s, err = m.content(hash, end); err != nil {
				return fail(err)
			}
			m.hashed[name] = s
		}
		m.sums[name] = s.sum
		if s.pointer {
			m.pointers[name] = true
			if isRead {
				m.lacks[name] = lackContent
			}
		}
	case info.IsDir() && end != name:
		m.queue = append(m.queue, moduleFolder{name: end, whole: true})
		m.sums[name] = sum(hash.Sum(nil))
	default: // a pipe or socket
	}
	return nil
}

// contentSum is a file's sum, and whether it is a pointer of Git LFS.
type contentSum struct {
	sum     sum
	pointer bool
}

// content hashes a file that ends at end, after what a link says: by Git's own object ID
// where files are compared by those, and the file is what the index has.
func (m *moduleTree) content(hash hash.Hash, end string) (contentSum, error) {
	if id, ok := m.objectID(end); ok {
		fmt.Fprintf(hash, "git %s\n", id)
		return contentSum{sum: sum(hash.Sum(nil))}, nil
	}
	f, err := os.Open(m.Path(end))
	if err != nil {
		return contentSum{}, err
	}
	defer f.Close()
	// Not io.Copy, which makes a buffer for each file.
	n, err := io.ReadFull(f, m.buffer)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return contentSum{}, err
	}
	hash.Write(m.buffer[:n])
	pointer := n < 1024 && isPointer(m.buffer[:n])
	if n == len(m.buffer) {
		if _, err := io.CopyBuffer(hash, struct{ io.Reader }{f}, m.buffer); err != nil {
			return contentSum{}, err
		}
	}
	return contentSum{sum(hash.Sum(nil)), pointer}, nil
}

// addNamed counts a file that the target names, which must be there.
func (m *moduleTree) addNamed(name string) error {
	end, info, err := m.Resolve(name)
	if checkout.IsMissing(err) {
		before := len(m.lacks)
		m.lackAt(name)
		if len(m.lacks) > before {
			return nil
		}
	}
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return checkout.ErrNotAFile
	}
	if end != name {
		if err := m.add(end, true); err != nil { // through a linked folder
			return err
		}
	}
	return m.add(name, true)
}
