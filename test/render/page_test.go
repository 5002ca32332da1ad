// Package render loads everything that the actions write for people in a headless Chromium, as GitHub
// shows it: nothing in it may be more than text. With -update it renders the documentation's pictures.
package render

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
)

// page is the HTML of one Markdown text.
type page struct {
	Raw  string `json:"raw"`  // HTML before the sanitiser
	Page string `json:"page"` // and after it
}

// pages converts each text to HTML. root is this repository's folder, in which `make tools` has
// installed the converter.
func pages(ctx context.Context, root string, markdown []string) ([]page, error) {
	given, err := json.Marshal(markdown)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "node", filepath.Join(root, "test/render/render.mjs"), filepath.Join(root, "test/npm"))
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(given), &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("render.mjs: %w (has `make tools` run?)\n%s", err, stderr.String())
	}
	var all []page
	if err := json.Unmarshal(out, &all); err != nil {
		return nil, fmt.Errorf("render.mjs: %w", err)
	}
	if len(all) != len(markdown) {
		return nil, fmt.Errorf("render.mjs made %d pages of %d texts", len(all), len(markdown))
	}
	return all, nil
}
