package builtfiles

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// Watch is what was in a target's folders before it was planned.
type Watch struct {
	rules  Rules
	before map[string]fs.FileInfo
}

// Look notes which files that Git does not track are in a target's folders.
func Look(rules Rules) (*Watch, error) {
	w := &Watch{rules: rules.prepare(), before: map[string]fs.FileInfo{}}
	err := w.rules.walk(func(name string, info fs.FileInfo, _ bool) error {
		w.before[name] = info
		return nil
	})
	return w, err
}

// Leave makes Choose leave out files that belong to Terraform, whatever their names, such as a
// state file.
func (w *Watch) Leave(names ...string) { w.rules.Own = append(slices.Clip(w.rules.Own), names...) }

// Chosen are the files that travel.
type Chosen struct {
	Files []File // sorted by name
	// Unmatched are the patterns that no file matches.
	Unmatched []string
}

// Choose says which files travel to the apply. Files that Git tracks, and files that Terraform
// writes for itself, never do. Of the others, those travel that
//
//   - were made or changed since [Look];
//   - match a pattern;
//   - the configuration names.
//
// patterns are globs relative to the checkout's root, in which ** stands for any number of
// folders. A pattern that begins with ! excludes files that an earlier pattern includes. named
// reports whether the configuration names a file.
//
// The error has the code problem.PlanFiles if one of the files may not travel, or if they are
// too large together.
func (w *Watch) Choose(patterns []string, named func(name string) bool) (Chosen, error) {
	var c Chosen
	matched := make([]bool, len(patterns))
	var sum int64
	err := w.rules.walk(func(name string, info fs.FileInfo, other bool) error {
		before := w.before[name]
		travels := !other && (before == nil || !same(before, info))
		asked := false
		if !other && !travels {
			travels = named(name) && info.Mode().IsRegular() && w.rules.check(name) == nil
		}
		for i, pattern := range patterns {
			glob, out := strings.CutPrefix(pattern, "!")
			if !doublestar.MatchUnvalidated(glob, name) {
				continue
			}
			travels, asked, matched[i] = !out, !out, true
		}
		if !travels || !asked && w.rules.passes(name) {
			return nil
		}
		if err := w.rules.check(name); err != nil {
			return refuse(name, err)
		}
		if !info.Mode().IsRegular() {
			return refuse(name, errors.New("it is "+kind(info.Mode())))
		}
		if sum += info.Size(); sum > maxBytes {
			return tooMuch()
		}
		if len(c.Files) == maxFiles {
			return refused("more than %d files were made or changed while planning: leave some out by a pattern with ! in plan-files", maxFiles)
		}
		c.Files = append(c.Files, File{Name: name, Size: info.Size(), Executable: info.Mode()&0o100 != 0})
		return nil
	})
	if err != nil {
		return Chosen{}, err
	}
	slices.SortFunc(c.Files, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	if err := collide(c.Files); err != nil {
		return Chosen{}, err
	}
	for i, pattern := range patterns {
		if !matched[i] && !strings.HasPrefix(pattern, "!") {
			if err := w.rules.checkPattern(pattern); err != nil {
				return Chosen{}, err
			}
			c.Unmatched = append(c.Unmatched, pattern)
		}
	}
	return c, nil
}

// passes reports whether a file may stay behind, unless a pattern asks for it: the job that
// applies makes it again.
func (r Rules) passes(name string) bool {
	return r.generated(name) || r.isOwn(name) || r.Generated != nil && isConfiguration(name)
}

// isConfiguration reports whether a file is one of Terraform's configuration. Atmos generates
// some of these, and downloads others.
func isConfiguration(name string) bool {
	switch reserved(strings.ToLower(path.Base(name))) {
	case "it is a Terraform file", "it is a var file":
		return true
	}
	return false
}

// checkPattern refuses a pattern that matches only files which may not travel. walk has not met
// them, since they are outside of the target's folders, or belong to Git.
func (r Rules) checkPattern(pattern string) error {
	base, _ := doublestar.SplitPattern(pattern)
	if r.inFolders(base) || slices.ContainsFunc(r.Folders, func(folder string) bool { return isIn(folder, base) }) {
		return nil
	}
	found, err := doublestar.Glob(os.DirFS(r.Root), pattern, doublestar.WithFilesOnly(), doublestar.WithNoFollow())
	if err != nil {
		return refused("the pattern %q of plan-files: %w", pattern, err)
	}
	for _, name := range found {
		if _, tracked := slices.BinarySearch(r.Tracked, name); !tracked {
			return refuse(name, r.check(name))
		}
	}
	return nil
}

func refuse(name string, why error) error {
	return refused("the file %q can't travel with the plan: %w. Do not make it while planning, or leave it out by a pattern with ! in plan-files", name, why)
}

func same(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime()) && a.Mode() == b.Mode()
}

func kind(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeSymlink != 0:
		return "a link"
	case mode.IsDir():
		return "a folder"
	case mode&fs.ModeDevice != 0:
		return "a device"
	case mode&fs.ModeNamedPipe != 0:
		return "a pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	}
	return "no regular file"
}

// walk calls each for everything in the target's folders that is not a folder, and that Git
// does not track. other says that it lies in a folder with Terraform files that is not a module
// of this target.
func (r Rules) walk(each func(name string, info fs.FileInfo, other bool) error) error {
	met := map[string]bool{}
	for _, folder := range slices.Sorted(slices.Values(r.Folders)) {
		if err := r.walkFolder(folder, met, each); err != nil {
			return err
		}
	}
	return nil
}

func (r Rules) walkFolder(folder string, met map[string]bool, each func(string, fs.FileInfo, bool) error) error {
	if slices.ContainsFunc(strings.Split(folder, "/"), isWritten) {
		return nil // Terraform's own, though an expression may name it
	}
	others := map[string]bool{}
	err := filepath.WalkDir(filepath.Join(r.Root, filepath.FromSlash(folder)), func(file string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // it was just removed, or is not made yet
		}
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(r.Root, file)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(relative)
		if isWritten(e.Name()) {
			if e.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if e.IsDir() {
			if name != folder && !slices.Contains(r.Folders, name) && (others[path.Dir(name)] || hasConfiguration(file)) {
				others[name] = true
			}
			return nil
		}
		if _, tracked := slices.BinarySearch(r.Tracked, name); tracked || met[name] {
			return nil
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		other := others[path.Dir(name)]
		met[name] = !other // if other, it may belong to another one of the folders
		return each(name, info, other)
	})
	if err != nil && problem.CodeOf(err) == "" {
		return fmt.Errorf("look at the files in %s: %w", folder, err)
	}
	return err
}

// hasConfiguration reports whether a folder has Terraform files.
func hasConfiguration(folder string) bool {
	entries, _ := os.ReadDir(folder) // the walk reports the error
	return slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		return !e.IsDir() && reserved(strings.ToLower(e.Name())) == "it is a Terraform file"
	})
}

// collide refuses names that differ only in case, which is the same file on some disks, and a
// name that is also the folder of another file. The files must be sorted.
func collide(files []File) error {
	lower := map[string]string{} // names and folders, by their lower case
	isFile := map[string]bool{}
	for _, f := range files {
		for name := f.Name; name != "."; name = path.Dir(name) {
			key := strings.ToLower(name)
			if other, ok := lower[key]; ok && other != name {
				return refused("the files of the plan have the names %q and %q, which are the same where case does not matter", other, name)
			}
			lower[key] = name
			if name != f.Name && isFile[name] || name == f.Name && isFile[name] {
				return refused("the files of the plan have the name %q twice", name)
			}
		}
		isFile[f.Name] = true
	}
	for _, f := range files {
		for dir := path.Dir(f.Name); dir != "."; dir = path.Dir(dir) {
			if isFile[dir] {
				return refused("the files of the plan have the name %q twice, once as a folder", dir)
			}
		}
	}
	return nil
}
