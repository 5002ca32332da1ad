package target

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// ErrUnknownTarget is returned for a component or stack that gitops.yaml does
// not have, or that it does not have together.
var ErrUnknownTarget = errors.New("unknown target")

// Config is the gitops.yaml of a checkout. It does not change after Load.
type Config struct {
	checkout checkout
	file     string
	doc      document
}

// Load reads and checks file, the gitops.yaml of the checkout in the folder
// root. file is relative to root, or absolute and inside it; its links must
// not lead out of root. It may have 1 MiB.
//
// What Load checks is the file itself, for all targets; the folders and files
// that it names are looked at when a target is asked for, so that one that is
// missing does not stop the others. A fault in the file is a [*ConfigError]. A file that
// does not exist gives an error that wraps [fs.ErrNotExist].
func Load(root, file string) (*Config, error) {
	co, err := openCheckout(root)
	if err != nil {
		return nil, err
	}
	name, err := co.name(file)
	if err != nil {
		return nil, fmt.Errorf("read the configuration %s: %w", quote(file), err)
	}
	content, err := co.readFile(name, maxFileBytes)
	if err != nil {
		return nil, fmt.Errorf("read the configuration %s: %w", quote(file), err)
	}
	return parse(co, name, content)
}

func parse(co checkout, file string, content []byte) (*Config, error) {
	doc, err := decode(file, content)
	if err != nil {
		return nil, err
	}
	c := &Config{checkout: co, file: file, doc: doc}
	if err := c.check(); err != nil {
		return nil, err
	}
	return c, nil
}

// fault is a ConfigError about the value or key at a place.
func (c *Config) fault(at place, cause error, format string, args ...any) error {
	return &ConfigError{File: c.file, Line: at.line, Column: at.column, Key: at.key(), Message: fmt.Sprintf(format, args...), Err: cause}
}

func (c *Config) componentNames() []string { return slices.Sorted(maps.Keys(c.doc.Components)) }

func (c *Config) stackNames() []string { return slices.Sorted(maps.Keys(c.doc.Stacks)) }

// stacksOf are the stacks that a component is in: every one, unless it says
// which.
func (c *Config) stacksOf(comp component) []string {
	if comp.Stacks == nil {
		return c.stackNames()
	}
	var names []string
	for _, s := range comp.Stacks {
		names = append(names, s.value)
	}
	return names
}

func (comp component) isIn(stack string) bool {
	return comp.Stacks == nil || slices.ContainsFunc(comp.Stacks, func(s text) bool { return s.value == stack })
}

// checkout is a repository's working copy. Everything that is read goes
// through it, so that neither a path nor a symbolic link leads out.
type checkout struct {
	root string // absolute, as given
	real string // the same folder without symbolic links
}

func openCheckout(root string) (checkout, error) {
	abs, err := filepath.Abs(root)
	if err != nil {
		return checkout{}, fmt.Errorf("open the checkout %s: %w", quote(root), err)
	}
	real, err := filepath.EvalSymlinks(abs)
	if err != nil {
		return checkout{}, fmt.Errorf("open the checkout %s: %w", quote(root), cause(err))
	}
	return checkout{root: abs, real: real}, nil
}

// name makes a path given by a person relative to the checkout and
// slash-separated.
func (c checkout) name(path string) (string, error) {
	if filepath.IsAbs(path) {
		for _, root := range []string{c.root, c.real} {
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
	end, err := filepath.EvalSymlinks(filepath.Join(c.real, local))
	if err != nil {
		return "", nil, cause(err)
	}
	rel, err := filepath.Rel(c.real, end)
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
	return filepath.Join(c.real, filepath.FromSlash(name))
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
