// Package checkout reads files of a repository's working copy. Neither a path nor a symbolic
// link leads out of it: both may be what somebody wrote in a pull request.
package checkout

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// Tree is a repository's working copy in a folder.
type Tree struct {
	Root     string // absolute, as given
	Resolved string // the same folder without symbolic links
}

// Open finds the working copy in the folder root.
func Open(root string) (Tree, error) {
	abs, err := filepath.Abs(root)
	if err != nil {
		return Tree{}, fmt.Errorf("open the checkout %s: %w", problem.Quote(root), err)
	}
	resolved, err := filepath.EvalSymlinks(abs)
	if err != nil {
		return Tree{}, fmt.Errorf("open the checkout %s: %w", problem.Quote(root), Cause(err))
	}
	return Tree{Root: abs, Resolved: resolved}, nil
}

// Name makes a path that a person gave relative to the checkout, with slashes.
func (c Tree) Name(path string) (string, error) {
	if filepath.IsAbs(path) {
		for _, root := range []string{c.Root, c.Resolved} {
			if rel, err := filepath.Rel(root, path); err == nil && filepath.IsLocal(rel) {
				return filepath.ToSlash(rel), nil
			}
		}
		return "", errOutside
	}
	if !filepath.IsLocal(path) {
		return "", errOutside
	}
	return filepath.ToSlash(filepath.Clean(path)), nil
}

var errOutside = errors.New("it lies outside the checkout")

// Resolve follows the symbolic links of a path and returns where it ends. Both are relative
// to the checkout, with slashes. A path that ends outside of it is an error, and one that
// does not exist wraps [fs.ErrNotExist].
func (c Tree) Resolve(name string) (string, fs.FileInfo, error) {
	local := filepath.FromSlash(name)
	if !filepath.IsLocal(local) {
		return "", nil, errOutside
	}
	end, err := filepath.EvalSymlinks(filepath.Join(c.Resolved, local))
	if err != nil {
		return "", nil, Cause(err)
	}
	rel, err := filepath.Rel(c.Resolved, end)
	if err != nil || !filepath.IsLocal(rel) {
		return "", nil, errOutside
	}
	info, err := os.Lstat(end)
	if err != nil {
		return "", nil, Cause(err)
	}
	return filepath.ToSlash(rel), info, nil
}

// Path is the absolute path of a name that [Tree.Resolve] returned.
func (c Tree) Path(name string) string {
	return filepath.Join(c.Resolved, filepath.FromSlash(name))
}

// Errors of a path that leads to something else than what is wanted.
var (
	ErrNotAFile   = errors.New("it is not a regular file")
	ErrNotAFolder = errors.New("it is not a folder")
)

// ReadFile reads a regular file of at most limit bytes.
func (c Tree) ReadFile(name string, limit int64) ([]byte, error) {
	name, info, err := c.Resolve(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, ErrNotAFile
	}
	f, err := os.Open(c.Path(name))
	if err != nil {
		return nil, Cause(err)
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, Cause(err)
	}
	if int64(len(content)) > limit {
		return nil, fmt.Errorf("it is larger than %d bytes", limit)
	}
	return content, nil
}

// Cause removes the absolute path from an error of the file system: the message around it
// names the path as the user knows it.
func Cause(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// IsMissing tells that there is nothing at a path, which is also so if its folder is a file.
func IsMissing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// IsIn tells whether a path is the folder, or lies in it.
func IsIn(name, folder string) bool {
	return folder == "." || name == folder || strings.HasPrefix(name, folder+"/")
}

// RelativeTo is a path in a folder, relative to that folder.
func RelativeTo(folder, name string) string {
	if folder == "." {
		return name
	}
	return strings.TrimPrefix(name, folder+"/")
}
