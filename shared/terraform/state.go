package terraform

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/terraform-gitops/gitops/shared/terraform/planfile"
)

// StateLineage reads the lineage of the state in a file: the ID that Terraform gives each
// new state. It is empty if the file has none.
func StateLineage(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	lineage, _, err := planfile.ReadPosition(f)
	if err != nil {
		return ""
	}
	return lineage
}

// StatePosition runs `state pull` after Init, and returns the lineage and serial of the
// state in the backend; empty and 0 if there is none. Nothing else of the state is read.
// Its error is a *CommandError once Terraform has run.
func (c *CLI) StatePosition(ctx context.Context) (lineage string, serial uint64, err error) {
	err = c.output(ctx, []string{"state", "pull"}, func(r io.Reader) (err error) {
		lineage, serial, err = planfile.ReadPosition(r)
		if errors.Is(err, io.EOF) {
			return nil // no state
		}
		if err == nil {
			_, err = io.Copy(io.Discard, r)
		}
		return err
	})
	if err != nil {
		return "", 0, fmt.Errorf("read the position of the state: %w", err)
	}
	return lineage, serial, nil
}

// LocalState is the absolute path of the workspace's state file, if Init has set up the
// backend "local", or no backend at all. It is empty for every other backend.
func (c *CLI) LocalState() (string, error) {
	kind, settings, err := c.backend()
	if err != nil {
		return "", err
	}
	if kind != "local" {
		return "", nil
	}
	var config struct {
		Path         string `json:"path"`
		WorkspaceDir string `json:"workspace_dir"`
	}
	if len(settings) > 0 {
		if err := json.Unmarshal(settings, &config); err != nil {
			return "", fmt.Errorf("read what the backend is: %w", err)
		}
	}
	words, err := cliArgs(c.Env, "plan")
	if err != nil {
		return "", err
	}
	for _, word := range words {
		if name, file, _ := strings.Cut(word, "="); file != "" && (name == "-state" || name == "--state") {
			return c.abs(file), nil
		}
	}
	workspace, err := c.selectedWorkspace()
	if err != nil {
		return "", err
	}
	if workspace == "default" {
		return c.abs(cmp.Or(config.Path, "terraform.tfstate")), nil
	}
	return c.abs(filepath.Join(cmp.Or(config.WorkspaceDir, "terraform.tfstate.d"), workspace, "terraform.tfstate")), nil
}
