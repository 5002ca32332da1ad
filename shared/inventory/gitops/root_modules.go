package gitops

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/terraform-gitops/gitops/shared/checkout"
	"github.com/terraform-gitops/gitops/shared/fingerprint"
	"github.com/terraform-gitops/gitops/shared/fingerprint/references"
	"github.com/terraform-gitops/gitops/shared/git"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// rootModules looks for the root modules of a checkout: in what Git tracks, also outside of a
// sparse checkout, or, if it tracks nothing, on disk.
type rootModules struct {
	checkout.Tree
	index   *git.Index
	folders map[string][]*references.File // with Terraform files; those that can't be read have no content
	unread  map[string]string             // a file that can't be read, by folder
	signs   map[string]references.Signs
	callers map[string][]*references.File // that may call a module, by its folder; a folder with a slash: any module in it
}

// findRootModules reads all Terraform files of a checkout.
func findRootModules(ctx context.Context, co checkout.Tree, tracked *git.Tracked) (*rootModules, error) {
	index, err := tracked.Index(ctx, co.Resolved)
	if err != nil {
		return nil, err
	}
	m := &rootModules{Tree: co, index: index, folders: make(map[string][]*references.File), unread: make(map[string]string)}
	names := index.Names
	if len(names) == 0 {
		if names, err = onDisk(co); err != nil {
			return nil, err
		}
	}
	for _, name := range names {
		if references.IsFile(name) && !strings.Contains("/"+name, "/"+fingerprint.DataFolder+"/") {
			m.folders[path.Dir(name)] = append(m.folders[path.Dir(name)], &references.File{Name: name})
		}
	}
	if err := m.readAll(ctx); err != nil {
		return nil, problem.With(problem.Checkout, fmt.Errorf("look for root modules: %w", err))
	}
	return m, nil
}

// onDisk are the files of a checkout in which Git tracks nothing.
func onDisk(co checkout.Tree) (names []string, err error) {
	err = fs.WalkDir(os.DirFS(co.Resolved), ".", func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && (e.Name() == ".git" || e.Name() == fingerprint.DataFolder):
			return fs.SkipDir
		case !e.IsDir():
			names = append(names, name)
		}
		return nil
	})
	return names, err
}

// each calls do for each folder, several at a time.
func (m *rootModules) each(do func(folder string, files []*references.File)) {
	folders := slices.Sorted(maps.Keys(m.folders))
	var all errgroup.Group
	for part := range slices.Chunk(folders, len(folders)/runtime.GOMAXPROCS(0)+1) {
		all.Go(func() error {
			for _, folder := range part {
				do(folder, m.folders[folder])
			}
			return nil
		})
	}
	_ = all.Wait() // none of them fails
}

// readAll reads the files, and looks in them for signs of root modules and for calls.
func (m *rootModules) readAll(ctx context.Context) error {
	m.each(func(folder string, files []*references.File) {
		_, info, err := m.Resolve(folder)
		for _, f := range files {
			if end, failed := os.Lstat(m.Path(f.Name)); err == nil && failed == nil && info.IsDir() && end.Mode().IsRegular() {
				f.Content, _ = os.ReadFile(m.Path(f.Name)) // see below
			} else {
				f.Content, _ = m.ReadFile(f.Name, maxTerraformFile)
			}
		}
	})
	if err := m.readFromGit(ctx); err != nil {
		return err
	}
	type facts struct {
		references.Signs
		calls map[string][]*references.File
	}
	found := make(map[string]*facts, len(m.folders))
	for folder, files := range m.folders {
		found[folder] = &facts{calls: make(map[string][]*references.File)}
		for _, f := range files {
			if f.Content == nil {
				m.unread[folder] = f.Name
			}
		}
	}
	m.each(func(folder string, files []*references.File) {
		of := found[folder]
		for _, f := range files {
			s := f.Signs()
			of.Backend, of.Provider = of.Backend || s.Backend, of.Provider || s.Provider
			for _, source := range f.MayCall() {
				of.calls[path.Join(folder, source)] = append(of.calls[path.Join(folder, source)], f)
			}
		}
	})
	m.signs, m.callers = make(map[string]references.Signs, len(found)), make(map[string][]*references.File)
	for folder, of := range found {
		m.signs[folder] = of.Signs
		for to, files := range of.calls {
			m.callers[to] = append(m.callers[to], files...)
		}
	}
	for to, files := range m.callers { // by way of a symbolic link
		if end, _, err := m.Resolve(to); err == nil && end != to {
			m.callers[end] = append(m.callers[end], files...)
		}
	}
	return ctx.Err()
}

// maxLinks is how many symbolic links are followed one after the other.
const maxLinks = 8

// readFromGit reads the files that a sparse checkout leaves out: they belong to targets all the
// same. Git follows no symbolic link, and one that is there may lead to a file that is not.
func (m *rootModules) readFromGit(ctx context.Context) error {
	missing := make(map[*references.File]string) // with its name, or where links lead
	for _, files := range m.folders {
		for _, f := range files {
			if f.Content == nil && m.index.Has(f.Name) {
				missing[f] = f.Name
			}
		}
	}
	for range maxLinks {
		var ids []string
		for _, name := range missing {
			ids = append(ids, m.index.Objects[name].ID)
		}
		contents, err := git.Contents(ctx, m.Resolved, ids)
		if err != nil {
			return err
		}
		next := make(map[*references.File]string)
		for f, name := range missing {
			content := contents[m.index.Objects[name].ID]
			if content == nil || !m.index.Objects[name].Link {
				f.Content = content
				continue
			}
			to := path.Join(path.Dir(name), string(content))
			if f.Content, err = m.ReadFile(to, maxTerraformFile); err == nil {
				continue
			}
			switch {
			case m.index.Has(to):
				next[f] = to
			case !m.isBelowLink(to):
				f.Content = []byte{} // it leads nowhere, and Terraform will say so
			}
		}
		missing = next
	}
	return nil
}

// isBelowLink tells that a folder of a path is a symbolic link in Git.
func (m *rootModules) isBelowLink(name string) bool {
	for at := path.Dir(name); at != "." && at != "/"; at = path.Dir(at) {
		if m.index.Has(at) {
			return true
		}
	}
	return false
}

// maxTerraformFile limits the size of a file in which signs are looked for, in bytes.
const maxTerraformFile = 16 << 20

// is tells that a folder holds a root module: with a backend or cloud block, or with a provider
// that no other module of the repository calls.
func (m *rootModules) is(folder string) bool {
	s := m.signs[folder]
	return s.Backend || s.Provider && !m.isCalled(folder)
}

// isCalled tells that a module of the repository calls the one in a folder.
func (m *rootModules) isCalled(folder string) bool {
	if m.hasCaller(folder, false) {
		return true
	}
	for at := folder; at != "."; { // a source that is not constant may be any module in a folder
		at = path.Dir(at)
		if m.hasCaller(at, true) {
			return true
		}
	}
	return false
}

// hasCaller tells that a file calls the module in a folder, or any module in there.
func (m *rootModules) hasCaller(folder string, any bool) bool {
	for _, f := range m.callers[folder] {
		calls, _ := f.Calls()
		for _, c := range calls {
			to := path.Join(path.Dir(f.Name), c.Source)
			if end, _, err := m.Resolve(to); err == nil {
				to = end
			}
			if to == folder && (c.Prefix || !any) {
				return true
			}
		}
	}
	return false
}
