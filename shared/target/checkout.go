package target

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// checkout is a repository's working copy. Everything that is read goes
// through it, so that neither a path nor a symbolic link leads out.
type checkout struct {
	root     string // absolute, as given
	resolved string // the same folder without symbolic links
}

func openCheckout(root string) (checkout, error) {
	abs, err := filepath.Abs(root)
	if err != nil {
		return checkout{}, fmt.Errorf("open the checkout %s: %w", quote(root), err)
	}
	resolved, err := filepath.EvalSymlinks(abs)
	if err != nil {
		return checkout{}, fmt.Errorf("open the checkout %s: %w", quote(root), cause(err))
	}
	return checkout{root: abs, resolved: resolved}, nil
}

// name makes a path given by a person relative to the checkout and
// slash-separated.
func (c checkout) name(path string) (string, error) {
	if filepath.IsAbs(path) {
		for _, root := range []string{c.root, c.resolved} {
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

// resolve follows the symbolic links of a slash path relative to the checkout
// and returns where it ends, again relative and slash-separated. It fails
// with errOutside when that is outside, and with fs.ErrNotExist.
func (c checkout) resolve(name string) (string, fs.FileInfo, error) {
	local := filepath.FromSlash(name)
	if !filepath.IsLocal(local) {
		return "", nil, errOutside
	}
	end, err := filepath.EvalSymlinks(filepath.Join(c.resolved, local))
	if err != nil {
		return "", nil, cause(err)
	}
	rel, err := filepath.Rel(c.resolved, end)
	if err != nil || !filepath.IsLocal(rel) {
		return "", nil, errOutside
	}
	info, err := os.Lstat(end)
	if err != nil {
		return "", nil, cause(err)
	}
	return filepath.ToSlash(rel), info, nil
}

// path is the absolute path of a resolved name.
func (c checkout) path(name string) string {
	return filepath.Join(c.resolved, filepath.FromSlash(name))
}

var (
	errNotAFile   = errors.New("it is not a regular file")
	errNotAFolder = errors.New("it is not a folder")
)

// readFile reads a regular file of at most limit bytes.
func (c checkout) readFile(name string, limit int64) ([]byte, error) {
	name, info, err := c.resolve(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errNotAFile
	}
	f, err := os.Open(c.path(name))
	if err != nil {
		return nil, cause(err)
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, cause(err)
	}
	if int64(len(content)) > limit {
		return nil, fmt.Errorf("it is larger than %d bytes", limit)
	}
	return content, nil
}

// cause takes the absolute path out of an error of the file system, since the
// message around it names the path as the user knows it.
func cause(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}
