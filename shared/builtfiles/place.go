package builtfiles

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
)

// Placed is a plan's files in a checkout, where they stay until Close.
type Placed struct {
	Files []File // all of the plan's files
	// Replaced lists the files that took the place of another one, which Close puts back.
	Replaced []string

	archive string
	spare   string // the folder for files that were replaced
	root    *os.Root
	sums    map[string]sum
	made    []string // files and folders, in the order in which they were made
	saved   map[string]saved
}

// saved is a file that was replaced.
type saved struct {
	path string
	info fs.FileInfo
}

// Place puts the files of an archive into the checkout, with mode 0600, or 0700 if executable,
// in folders of mode 0700. It replaces files that Git does not track, and keeps these in the
// folder spare until Close.
//
// If one of the names breaks the rules, or the archive is too large, it is refused as a whole,
// with an error of the code problem.PlanFiles, and nothing has been written. After an error,
// nothing is left to close.
func Place(archive, spare string, rules Rules) (_ *Placed, err error) {
	files, sums, err := list(archive, rules.prepare())
	if err != nil {
		return nil, err
	}
	p := &Placed{Files: files, archive: archive, spare: spare, sums: sums, saved: map[string]saved{}}
	if p.root, err = os.OpenRoot(rules.Root); err != nil {
		return nil, err
	}
	if err := p.place(); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// place writes the files that are missing or different, and then checks all of them.
func (p *Placed) place() error {
	err := each(p.archive, func(f File, content io.Reader) error {
		if err := p.put(f, content); err != nil {
			return fmt.Errorf("put %q of the plan in place: %w", f.Name, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	changed, err := p.changed()
	if err == nil && len(changed) > 0 {
		err = refused("the file %q of the plan is not what it was made a moment ago: another process writes it", changed[0])
	}
	return err
}

func (p *Placed) put(f File, content io.Reader) error {
	if err := p.makeFolders(path.Dir(f.Name)); err != nil {
		return err
	}
	there, err := p.root.Lstat(f.Name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case !there.Mode().IsRegular():
		return refused("there is %s of this name, which an earlier step of this job has made: remove it before the apply", kind(there.Mode()))
	default:
		same, err := p.isSame(f)
		if err != nil || same && (there.Mode()&0o100 != 0) == f.Executable {
			return err
		}
		if !slices.Contains(p.made, f.Name) {
			if err := p.save(f.Name, there); err != nil {
				return err
			}
			p.Replaced = append(p.Replaced, f.Name)
		}
		if err := p.root.Remove(f.Name); err != nil {
			return err
		}
	}
	mode := fs.FileMode(0o600)
	if f.Executable {
		mode = 0o700
	}
	// The umask may remove permissions, but never adds any.
	to, err := p.root.OpenFile(f.Name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	if !slices.Contains(p.made, f.Name) {
		p.made = append(p.made, f.Name)
	}
	_, err = io.Copy(to, content)
	return errors.Join(err, to.Close())
}

// makeFolders makes a folder and those above it. None of them may be a link, which could lead to
// files that Git tracks.
func (p *Placed) makeFolders(dir string) error {
	if dir == "." {
		return nil
	}
	if err := p.makeFolders(path.Dir(dir)); err != nil {
		return err
	}
	there, err := p.root.Lstat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		p.made = append(p.made, dir)
		return p.root.Mkdir(dir, 0o700)
	case err != nil:
		return err
	case !there.IsDir():
		return refused("%q is %s, and should be a folder: remove it before the apply", dir, kind(there.Mode()))
	}
	return nil
}

// save copies the file that will be replaced.
func (p *Placed) save(name string, info fs.FileInfo) error {
	from, err := p.root.Open(name)
	if err != nil {
		return err
	}
	defer from.Close()
	keep := saved{filepath.Join(p.spare, "replaced-"+strconv.Itoa(len(p.saved))), info}
	to, err := os.OpenFile(keep.path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	if err = errors.Join(err, to.Close()); err == nil {
		p.saved[name] = keep
	}
	return err
}

// changed lists the files that differ from the plan's now, sorted.
func (p *Placed) changed() (names []string, err error) {
	for _, f := range p.Files {
		same, err := p.isSame(f)
		if err != nil {
			return nil, err
		}
		if !same {
			names = append(names, f.Name)
		}
	}
	return names, nil
}

func (p *Placed) isSame(f File) (bool, error) {
	there, err := p.root.Lstat(f.Name)
	if err != nil || !there.Mode().IsRegular() || there.Size() != f.Size {
		return false, ignoreGone(err)
	}
	file, err := p.root.Open(f.Name)
	if err != nil {
		return false, err
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return false, err
	}
	return p.sums[f.Name] == sum(hash.Sum(nil)), nil
}

// Again restores files that were changed after Place, such as by another plan, and lists them.
func (p *Placed) Again() (changed []string, err error) {
	if changed, err = p.changed(); err != nil || len(changed) == 0 {
		return changed, err
	}
	return changed, p.place()
}

// Close removes the files and folders that Place made, and puts back the files that it replaced.
// A folder in which there is something else stays.
func (p *Placed) Close() error {
	var all error
	for _, name := range slices.Backward(p.made) {
		if err := p.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) && !p.isFolder(name) {
			all = errors.Join(all, fmt.Errorf("remove the plan's file %q: %w", name, err))
		}
	}
	for name, kept := range p.saved {
		if err := p.putBack(name, kept); err != nil {
			all = errors.Join(all, fmt.Errorf("put back the file %q: %w", name, err))
		}
	}
	p.made, p.saved = nil, nil
	return errors.Join(all, p.root.Close())
}

func (p *Placed) isFolder(name string) bool {
	info, err := p.root.Lstat(name)
	return err == nil && info.IsDir()
}

func (p *Placed) putBack(name string, kept saved) error {
	from, err := os.Open(kept.path)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := p.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, kept.info.Mode().Perm())
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	if err = errors.Join(err, to.Close()); err != nil {
		return err
	}
	return errors.Join(p.root.Chtimes(name, kept.info.ModTime(), kept.info.ModTime()), os.Remove(kept.path))
}
