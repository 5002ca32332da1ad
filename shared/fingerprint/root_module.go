package fingerprint

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/checkout"
	"github.com/terraform-gitops/gitops/shared/fingerprint/references"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// rootFiles are the files that count for all targets with the same root module folder.
type rootFiles struct {
	sums       map[string]sum
	lacks      lacking
	root       string            // the folder
	left       []string          // files in the folder that nothing is known to read
	runs       bool              // a program is run, which may read what Terraform does not
	provisions bool              // there are provisioners
	wholes     map[string]string // folders that count as a whole, with the expression that reads them
	why        string            // the expression that may read any file in the folder
	loaded     []string          // var files that Terraform loads by itself
	named      map[string]bool   // all paths in expressions, whether or not there is something
	paths      []string          // those of named that are in the checkout, sorted
	modules    map[string]bool   // the folders of all modules, and whether any module in one may be called
}

// called tells whether a folder may be the folder of a module.
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

// root finds the files of a root module and of the modules that it calls. atmos says that
// Atmos generates files in its folder.
func (f *Files) root(dir string, atmos bool) (*rootFiles, error) {
	key := moduleFolder{name: dir, root: true, atmos: atmos}
	if known, ok := f.roots[key]; ok {
		return known, nil
	}
	m := f.count()
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

// readOthers adds the files of the root module's folder that any of the modules reads, by a
// path relative to that folder. It also finds the expression that may read any file there.
func (m *counted) readOthers(root *rootFiles, folders []moduleFolder) error {
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
	for _, linked := range m.queue { // folders that links lead to
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

// blindVariable is an expression that reads a file whose path is in a variable, if the module
// call that gives the variable its value has no constant path either; empty if there is none.
func (m *counted) blindVariable(folders []moduleFolder) string {
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
	for i := 0; i < len(queue); i++ { // the queue grows meanwhile
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
