package planfile

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/terraform/modules"
)

// CompareConfig compares the configuration in the planfile, which is what
// Terraform will apply, with the one checked out in dir, and returns what
// differs, sorted: files by their path from dir, followed by whether the checkout
// has changed, added or removed them. Empty means that they are the same. Files
// count that the program that made the plan loads: .tf and .tf.json, and OpenTofu's
// .tofu and .tofu.json.
//
// Modules with a local source are looked up in the checkout. The others are where
// init has put them, which has to have run in dataDir (empty for .terraform); one
// that is not there counts as different. The planfile's own word on where a module
// lies is not trusted but checked, since Terraform finds files by it.
//
// Files that the configuration reads, such as templates, are not in a planfile,
// and Terraform reads them again when it applies. The configuration digest covers them.
func (p *File) CompareConfig(dir, dataDir, madeBy string) ([]string, error) {
	installed, err := modules.ReadManifest(dir, dataDir)
	if err != nil {
		return nil, err
	}
	c := configComparison{
		dir:       dir,
		madeBy:    madeBy,
		installed: installed,
		modules:   make(map[string]*module, len(p.modules)),
		dirs:      map[string]string{},
	}
	for i := range p.modules {
		c.modules[p.modules[i].Key] = &p.modules[i]
	}
	if c.modules[""] == nil {
		return nil, errors.New("the planfile holds no root module")
	}
	for _, m := range p.modules {
		if err := c.compare(m); err != nil {
			return nil, err
		}
	}
	slices.Sort(c.differences)
	return slices.Compact(c.differences), nil
}

type configComparison struct {
	dir         string
	madeBy      string
	installed   modules.Manifest
	modules     map[string]*module
	dirs        map[string]string // a module's folder in the planfile -> in the checkout
	differences []string
}

func (c *configComparison) differ(format string, args ...any) {
	c.differences = append(c.differences, fmt.Sprintf(format, args...))
}

func (c *configComparison) compare(m module) error {
	planned := path.Clean(m.Dir)
	actual, problem := c.locate(m.Key, 0)
	if problem != "" {
		c.differ("%s", problem)
		return nil
	}
	// Terraform finds the files of a module by its directory in the planfile. If two modules
	// had the same one there, Terraform could take either for the other.
	if other, ok := c.dirs[planned]; ok && other != actual {
		c.differ("%s: its directory in the planfile, %q, is also the directory of %s", m, planned, other)
		return nil
	}
	c.dirs[planned] = actual
	return c.files(m, actual)
}

// locate finds the directory of a module in the checkout, slash-separated and
// relative to the root module if it lies below it, and checks that the planfile has the
// same one. If not, it returns the problem.
func (c *configComparison) locate(key string, depth int) (actual, problem string) {
	m := c.modules[key]
	parent := ""
	if i := strings.LastIndexByte(key, '.'); i >= 0 {
		parent = key[:i]
	}
	var planned string
	switch {
	case m == nil || depth > 100:
		return "", fmt.Sprintf("module.%s is not in the planfile, but a module in it is", key)
	case key == "":
		actual, planned = ".", "."
	case m.Local():
		if actual, problem = c.locate(parent, depth+1); problem != "" {
			return "", problem
		}
		actual = path.Join(actual, m.Source)
		planned = path.Join(path.Clean(c.modules[parent].Dir), m.Source)
	default:
		have, ok := c.installed.Calls[key]
		if !ok {
			return "", fmt.Sprintf("%s is not installed", m)
		}
		if have.Source != m.Source || have.Version != m.Version {
			return "", fmt.Sprintf("%s: installed is %s", m, have)
		}
		actual = path.Clean(filepath.ToSlash(have.Dir))
		// The two data directories may differ, but not the module's path in them.
		inside, ok := strings.CutPrefix(actual, c.installed.DataDir+"/modules/"+key)
		if planned = path.Clean(m.Dir); !ok || !strings.HasSuffix("/"+planned, "/modules/"+key+inside) {
			planned = actual
		}
	}
	if path.Clean(m.Dir) != planned {
		return "", fmt.Sprintf("%s lies in %q in the planfile, and in %q here", m, m.Dir, actual)
	}
	return actual, ""
}

func (c *configComparison) files(m module, actual string) error {
	dir := filepath.FromSlash(actual)
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(c.dir, dir)
	}
	names, err := modules.ConfigFiles(dir, c.madeBy)
	if err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("configuration of %s: %w", m, err)
	}
	for _, name := range names {
		digest, ok := m.files[name]
		if !ok {
			c.differ("%s (added)", path.Join(actual, name))
			continue
		}
		same, err := hasDigest(filepath.Join(dir, name), digest)
		if err != nil {
			return fmt.Errorf("configuration of %s: %w", m, err)
		}
		if !same {
			c.differ("%s (changed)", path.Join(actual, name))
		}
	}
	for name := range m.files {
		if !slices.Contains(names, name) {
			c.differ("%s (removed)", path.Join(actual, name))
		}
	}
	return nil
}

func hasDigest(name string, digest [sha256.Size]byte) (bool, error) {
	f, err := os.Open(name)
	if err != nil {
		return false, err
	}
	defer func() { _ = f.Close() }()
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return false, err
	}
	return [sha256.Size]byte(hash.Sum(nil)) == digest, nil
}
