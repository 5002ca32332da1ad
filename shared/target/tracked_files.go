package target

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// Tracked is what Git tracks in one checkout, for targets to share: Git is asked once.
// It may be used side by side; its zero value is ready.
type Tracked struct {
	mu    sync.Mutex
	known bool
	names []string
}

// files is trackedFiles. A failure is not kept.
func (k *Tracked) files(ctx context.Context, folder string) ([]string, error) {
	if k == nil {
		return trackedFiles(ctx, folder)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.known {
		return k.names, nil
	}
	names, err := trackedFiles(ctx, folder)
	if err == nil {
		k.known, k.names = true, names
	}
	return names, err
}

// Tracks reports whether Git tracks a file of the checkout, by its slash-separated path from
// the checkout's root. Where there is no Git, nothing is tracked.
func (t Target) Tracks(ctx context.Context, name string) (bool, error) {
	co, err := openCheckout(t.Root)
	if err != nil {
		return false, err
	}
	names, err := t.Tracked.files(ctx, co.resolved)
	_, tracked := slices.BinarySearch(names, name)
	return tracked, err
}

// trackedFiles lists what Git tracks in a folder, submodules included, sorted
// and relative to it. It is nil where there is no Git repository, as in a
// checkout made from an archive.
func trackedFiles(ctx context.Context, folder string) ([]string, error) {
	if !inRepository(folder) {
		return nil, nil
	}
	// In a container job the checkout belongs to another user than the one who
	// runs, which Git refuses by default; and listing must not start programs
	// that a repository's configuration names.
	cmd := exec.CommandContext(ctx, "git", "-c", "safe.directory=*", "-c", "core.fsmonitor=false",
		"ls-files", "-z", "--cached", "--recurse-submodules")
	cmd.Dir = folder
	cmd.Env = []string{"LC_ALL=C"} // no GIT_DIR of somebody else's
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			if words := oneLine(string(exit.Stderr)); words != "" {
				err = errors.New(words)
			}
		}
		return nil, fmt.Errorf("list the files that Git tracks: %w", err)
	}
	names := strings.FieldsFunc(string(out), func(r rune) bool { return r == 0 })
	slices.Sort(names) // a submodule's are not where they sort
	return slices.Compact(names), nil
}

// inRepository looks for .git, a folder or a worktree's file, as Git does.
func inRepository(folder string) bool {
	for {
		_, err := os.Lstat(filepath.Join(folder, ".git"))
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return true
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			return false
		}
		folder = parent
	}
}

// below are the names of a sorted list that lie in a folder.
func below(sorted []string, folder string) []string {
	if folder == "." {
		return sorted
	}
	from, _ := slices.BinarySearch(sorted, folder+"/")
	to, _ := slices.BinarySearch(sorted, folder+"0") // "0" follows "/"
	return sorted[from:to]
}
