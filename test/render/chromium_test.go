package render

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
)

// Only one browser runs at a time, since each consists of a dozen processes.
var browsing sync.Mutex

// browse loads a page in Chromium, and returns what it prints. Chromium makes no connections by itself.
func browse(ctx context.Context, html string, flags ...string) ([]byte, error) {
	browsing.Lock()
	defer browsing.Unlock()
	program, err := chromium()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "gitops-render-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "page.html")
	if err := os.WriteFile(file, []byte(html), 0o600); err != nil {
		return nil, err
	}
	flags = append(flags, "--headless", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic",
		"--user-data-dir="+filepath.Join(dir, "profile"))
	if os.Getuid() == 0 {
		// Chromium refuses to run its sandbox as root, as jobs in containers do.
		flags = append(flags, "--no-sandbox")
	}
	cmd := exec.CommandContext(ctx, program, append(flags, "file://"+file)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", program, err, stderr.String())
	}
	return out, nil
}

// chromium finds the browser under one of its names.
func chromium() (string, error) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("chromium is not on PATH: install Chromium")
}
