// Package modules reads the modules of a configuration as they lie on disk: which files of a
// folder are configuration ([ConfigFiles]), where init has put the modules that do not come
// from the checkout ([ReadManifest]), and what their packages hold ([ReadFiles]).
package modules

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// Manifest is the list of all modules that init has found: those that it has installed, and
// the local ones in the checkout.
type Manifest struct {
	DataDir string          // slash-separated, as it was given
	Calls   map[string]Call // by key
	written time.Time       // zero when there is no manifest
}

// Call is one module call, as DATADIR/modules/modules.json and planfiles list it.
type Call struct {
	Key     string `json:"Key"` // names of module calls joined by dots; empty for the root module
	Source  string `json:"Source"`
	Version string `json:"Version"`
	Dir     string `json:"Dir"` // relative to the root module's directory, or absolute
}

// ReadManifest reads DATADIR/modules/modules.json of the root module in dir. There is none
// when no module is called. An empty dataDir is .terraform.
func ReadManifest(dir, dataDir string) (Manifest, error) {
	dataDir = cmp.Or(dataDir, ".terraform")
	list := Manifest{DataDir: filepath.ToSlash(filepath.Clean(dataDir)), Calls: map[string]Call{}}
	name := under(dir, filepath.Join(dataDir, "modules", "modules.json"))
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
	var file struct{ Modules []Call }
	if err := json.Unmarshal(data, &file); err != nil {
		return list, fmt.Errorf("installed modules: %s: %w", name, err)
	}
	for _, m := range file.Modules {
		list.Calls[m.Key] = m
	}
	return list, nil
}

// under resolves a path as Terraform does, which runs in dir.
func under(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// Local reports whether the source is a path in the checkout, by Terraform's own test. Init
// copies modules with any other source into the data directory.
func (c Call) Local() bool {
	return strings.HasPrefix(c.Source, "./") || strings.HasPrefix(c.Source, "../") ||
		c.Source == "." || c.Source == ".."
}

// String names the call with its source and version, for messages.
func (c Call) String() string {
	name := strings.TrimSpace(c.address() + " (" + c.Source + " " + c.Version)
	return strings.TrimSpace(name) + ")"
}

func (c Call) address() string { return "module." + strings.ReplaceAll(c.Key, ".", ".module.") }
