package terraform

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// StateLineage is the lineage of the state in a file, by which Terraform tells one state
// from another. It is empty where the file does not tell.
func StateLineage(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	var p Planfile
	if p.readStateHead(jsontext.NewDecoder(io.LimitReader(f, maxStateHead))) != nil {
		return ""
	}
	return p.Lineage
}

// StatePosition runs `state pull` after Init, and returns the lineage and serial of the
// state as the backend has it; empty and 0 where there is none. Of the state no more is
// read. Its error is a *CommandError once Terraform has run.
func (c *CLI) StatePosition(ctx context.Context) (lineage string, serial uint64, err error) {
	var p Planfile
	err = c.output(ctx, []string{"state", "pull"}, func(r io.Reader) error {
		err := p.readStateHead(jsontext.NewDecoder(io.LimitReader(r, maxStateHead)))
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
	return p.Lineage, p.Serial, nil
}

// LocalState is the file that holds the state of the workspace when that is in a file, as
// Init has set it up: by a backend "local", or by no backend at all. It is absolute, and
// empty for every other backend.
func (c *CLI) LocalState() (string, error) {
	var file struct {
		Backend *struct {
			Type   string         `json:"type"`
			Config jsontext.Value `json:"config"`
		} `json:"backend"`
	}
	content, err := os.ReadFile(c.abs(filepath.Join(c.dataDir(), "terraform.tfstate")))
	if err == nil {
		err = json.Unmarshal(content, &file)
	} else if errors.Is(err, fs.ErrNotExist) {
		err = nil // no backend
	}
	var config struct {
		Path         string `json:"path"`
		WorkspaceDir string `json:"workspace_dir"`
	}
	if backend := file.Backend; err == nil && backend != nil {
		if backend.Type != "local" {
			return "", nil
		}
		err = json.Unmarshal(backend.Config, &config)
	}
	if err != nil {
		return "", fmt.Errorf("read what the backend is: %w", err)
	}
	words, err := CLIArgs(c.Env, "plan")
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
