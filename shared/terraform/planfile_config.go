package terraform

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
	"time"

	"github.com/go-json-experiment/json"
)

// CompareConfig compares the configuration in the planfile, which is what
// Terraform will apply, with the one checked out in dir, and returns what
// differs, sorted: files by their path from dir, followed by whether the checkout
// has changed, added or removed them. Empty means that they are the same. Files
// count that the program of the given name ([Terraform], [OpenTofu]) loads:
// .tf and .tf.json, and OpenTofu's .tofu and .tofu.json.
//
// Modules with a local source are looked up in the checkout. The others are where
// init has put them, which has to have run in dataDir ([CLI.DataDir]; empty for
// .terraform); one that is not there counts as different. The planfile's own word
// on where a module lies is not trusted but checked, since Terraform finds files
// by it.
//
// Files that the configuration reads, such as templates, are not in a planfile,
// and Terraform reads them again when it applies: their sameness is the
// configuration digest's task.
func (p *Planfile) CompareConfig(dir, dataDir, program string) ([]string, error) {
	installed, err := readManifest(dir, dataDir)
	if err != nil {
		return nil, err
	}
	c := configComparison{
		dir:       dir,
		program:   program,
		installed: installed,
		modules:   make(map[string]*planModule, len(p.modules)),
		dirs:      map[string]string{},
	}
	for i := range p.modules {
		c.modules[p.modules[i].Key] = &p.modules[i]
	}
	if c.modules[""] == nil {
		return nil, errors.New("the planfile holds no root module")
	}
	for _, m := range p.modules {
		if err := c.module(m); err != nil {
			return nil, err
		}
	}
	slices.Sort(c.differences)
	return slices.Compact(c.differences), nil
}

// manifest is what init has installed, by key of the module call.
type manifest struct {
	dataDir string
	written time.Time // zero when there is none
	modules map[string]planModule
}

// readManifest reads DATADIR/modules/modules.json; there is none when no module
// is called.
func readManifest(dir, dataDir string) (manifest, error) {
	if dataDir == "" {
		dataDir = ".terraform"
	}
	list := manifest{dataDir: filepath.ToSlash(filepath.Clean(dataDir)), modules: map[string]planModule{}}
	name := filepath.Join(dataDir, "modules", "modules.json")
	if !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	data, err := os.ReadFile(name)
	if os.IsNotExist(err) {
		return list, nil
	}
	if err != nil {
		return list, fmt.Errorf("installed modules: %w", err)
	}
	if info, err := os.Stat(name); err == nil {
		list.written = info.ModTime()
	}
	var file struct{ Modules []planModule }
	if err := json.Unmarshal(data, &file); err != nil {
		return list, fmt.Errorf("installed modules: %s: %w", name, err)
	}
	for _, m := range file.Modules {
		list.modules[m.Key] = m
	}
	return list, nil
}

type configComparison struct {
	dir         string
	program     string
	installed   manifest
	modules     map[string]*planModule
	dirs        map[string]string // Dir of modules in the planfile -> in the checkout
	differences []string
}

func (c *configComparison) differ(format string, args ...any) {
	c.differences = append(c.differences, fmt.Sprintf(format, args...))
}

func (c *configComparison) module(m planModule) error {
	planned := path.Clean(m.Dir)
	actual, problem := c.locate(m.Key, 0)
	if problem != "" {
		c.differ("%s", problem)
		return nil
	}
	// Terraform finds the files of a module by its directory in the planfile. Were
	// two modules given one there, either could be taken for the other.
	if other, ok := c.dirs[planned]; ok && other != actual {
		c.differ("%s: its directory in the planfile, %q, is also that of %s", moduleName(m), planned, other)
		return nil
	}
	c.dirs[planned] = actual
	return c.files(m, actual)
}

// locate finds the directory of a module in the checkout, slash-separated and
// relative to the root module unless it is elsewhere, and checks that the
// planfile's is the same. Else it says what the problem is.
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
	case localSource(m.Source):
		if actual, problem = c.locate(parent, depth+1); problem != "" {
			return "", problem
		}
		actual = path.Join(actual, m.Source)
		planned = path.Join(path.Clean(c.modules[parent].Dir), m.Source)
	default:
		have, ok := c.installed.modules[key]
		if !ok {
			return "", fmt.Sprintf("%s is not installed", moduleName(*m))
		}
		if have.Source != m.Source || have.Version != m.Version {
			return "", fmt.Sprintf("%s: installed is %s", moduleName(*m), moduleName(have))
		}
		actual = path.Clean(filepath.ToSlash(have.Dir))
		// Data directories may differ, but not where in them a module lies.
		inside, ok := strings.CutPrefix(actual, c.installed.dataDir+"/modules/"+key)
		if planned = path.Clean(m.Dir); !ok || !strings.HasSuffix("/"+planned, "/modules/"+key+inside) {
			planned = actual
		}
	}
	if path.Clean(m.Dir) != planned {
		return "", fmt.Sprintf("%s lies in %q in the planfile, and in %q here", moduleName(*m), m.Dir, actual)
	}
	return actual, ""
}

// localSource is Terraform's own test: all other sources are copied into the data
// directory.
func localSource(source string) bool {
	return strings.HasPrefix(source, "./") || strings.HasPrefix(source, "../") ||
		source == "." || source == ".."
}

func moduleName(m planModule) string {
	name := strings.TrimSpace("module." + strings.ReplaceAll(m.Key, ".", ".module.") + " (" + m.Source + " " + m.Version)
	return strings.TrimSpace(name) + ")"
}

func (c *configComparison) files(m planModule, actual string) error {
	dir := filepath.FromSlash(actual)
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(c.dir, dir)
	}
	names, err := configFiles(dir, c.program)
	if err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("configuration of %s: %w", moduleName(m), err)
	}
	for _, name := range names {
		digest, ok := m.files[name]
		if !ok {
			c.differ("%s (added)", path.Join(actual, name))
			continue
		}
		same, err := hasDigest(filepath.Join(dir, name), digest)
		if err != nil {
			return fmt.Errorf("configuration of %s: %w", moduleName(m), err)
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

// configFiles lists the files of a directory that a program loads as
// configuration, tests left out, by Terraform's and OpenTofu's rules
// (configs.Parser.dirFiles in both).
func configFiles(dir, program string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	tofu := map[string]bool{}
	for _, entry := range entries {
		name := entry.Name()
		if entry.IsDir() || ignored(name) {
			continue
		}
		switch {
		case strings.HasSuffix(name, ".tf"), strings.HasSuffix(name, ".tf.json"):
			names = append(names, name)
		case program == OpenTofu && (strings.HasSuffix(name, ".tofu") || strings.HasSuffix(name, ".tofu.json")):
			names = append(names, name)
			tofu[name] = true
		}
	}
	// OpenTofu reads x.tofu instead of x.tf.
	return slices.DeleteFunc(names, func(name string) bool {
		base, jsonFile := strings.CutSuffix(name, ".json")
		base, tf := strings.CutSuffix(base, ".tf")
		if jsonFile {
			return tf && tofu[base+".tofu.json"]
		}
		return tf && tofu[base+".tofu"]
	}), nil
}

// ignored names are those of hidden files and of editors' copies.
func ignored(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasSuffix(name, "~") ||
		strings.HasPrefix(name, "#") && strings.HasSuffix(name, "#")
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
