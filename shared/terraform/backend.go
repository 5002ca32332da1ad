package terraform

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/terraform-gitops/gitops/shared/envlist"
	"github.com/terraform-gitops/gitops/shared/terraform/planfile"
)

// CompareBackend names what of the backend in a planfile differs from the one that init has
// set up: never values, which may be secret.
func (c *CLI) CompareBackend(plan *planfile.File) ([]string, error) {
	kind, config, err := c.backend()
	if err != nil {
		return nil, err
	}
	return plan.CompareBackend(kind, config)
}

// backend is the type of the backend that init has noted in the data directory, and its
// settings in JSON. Without a note it is the local one.
func (c *CLI) backend() (kind string, config json.RawMessage, err error) {
	name := c.abs(filepath.Join(c.dataDir(), "terraform.tfstate"))
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return "local", nil, nil
	}
	if err != nil {
		return "", nil, fmt.Errorf("the backend that init has set up: %w", err)
	}
	var noted struct {
		Backend *struct {
			Type   string          `json:"type"`
			Config json.RawMessage `json:"config"`
		} `json:"backend"`
	}
	if err := json.Unmarshal(text, &noted); err != nil {
		return "", nil, fmt.Errorf("the backend that init has set up: %s can't be read", name)
	}
	if noted.Backend == nil || noted.Backend.Type == "" {
		return "local", nil, nil
	}
	return noted.Backend.Type, noted.Backend.Config, nil
}

// dataDir is the data folder that a command runs with.
func (c *CLI) dataDir() string {
	return cmp.Or(envlist.Value(c.environ(""), "TF_DATA_DIR"), ".terraform")
}
