package target

import (
	"bytes"
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
	// Given are the files that targets give to Terraform by themselves: see
	// [Config.Given]. Set it before use.
	Given map[string]bool

	mu    sync.Mutex
	known *index
}

// index is readIndex. A failure is not kept.
func (k *Tracked) index(ctx context.Context, folder string) (*index, error) {
	if k == nil {
		return readIndex(ctx, folder)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.known != nil {
		return k.known, nil
	}
	read, err := readIndex(ctx, folder)
	if err == nil {
		k.known = read
	}
	return read, err
}

// Tracks reports whether Git tracks a file of the checkout, by its slash-separated path from
// the checkout's root. Where there is no Git, nothing is tracked.
func (t Target) Tracks(ctx context.Context, name string) (bool, error) {
	read, err := t.index(ctx)
	return err == nil && read.has(name), err
}

// TrackedFiles are what Git tracks in the checkout, submodules included, sorted, relative to
// the checkout's root; none where there is no Git.
func (t Target) TrackedFiles(ctx context.Context) ([]string, error) {
	read, err := t.index(ctx)
	if err != nil {
		return nil, err
	}
	return read.names, nil
}

func (t Target) index(ctx context.Context) (*index, error) {
	co, err := openCheckout(t.Root)
	if err != nil {
		return nil, err
	}
	return t.Tracked.index(ctx, co.resolved)
}

// index is what Git's index says of a checkout. It does not change.
type index struct {
	git     bool     // false: there is no Git repository
	names   []string // of files, submodules' included, sorted
	objects map[string]object
	present []string // submodules that are checked out
	absent  []string // and those that are not, sorted
}

// object is what the index has of a file.
type object struct {
	id     string // of its content, as Git keeps it
	sparse bool   // left out of the workspace by a sparse checkout
}

// readIndex lists what Git tracks in a folder, submodules included, relative to it. It is
// empty where there is no Git repository, as in a checkout made from an archive.
func readIndex(ctx context.Context, folder string) (*index, error) {
	x := &index{objects: make(map[string]object)}
	if !inRepository(folder) {
		return x, nil
	}
	x.git = true
	if err := x.read(ctx, folder, ""); err != nil {
		return nil, err
	}
	slices.Sort(x.names) // a submodule's are not where they sort
	x.names = slices.Compact(x.names)
	slices.Sort(x.absent)
	return x, nil
}

// read adds the files of a repository, or of a submodule at prefix.
func (x *index) read(ctx context.Context, folder, prefix string) error {
	out, err := askGit(ctx, filepath.Join(folder, filepath.FromSlash(prefix)), nil, "ls-files", "-z", "-t", "--cached", "--stage")
	if err != nil {
		return fmt.Errorf("list the files that Git tracks: %w", err)
	}
	// TAG MODE ID STAGE<tab>NAME, https://git-scm.com/docs/git-ls-files#_output
	for line := range strings.SplitSeq(string(out), "\x00") {
		head, name, ok := strings.Cut(line, "\t")
		fields := strings.Fields(head)
		if !ok || len(fields) != 4 {
			continue
		}
		name = prefix + name
		if fields[1] != "160000" {
			x.names = append(x.names, name)
			x.objects[name] = object{id: fields[2], sparse: fields[0] == "S"}
			continue
		}
		if _, err := os.Lstat(filepath.Join(folder, filepath.FromSlash(name), ".git")); err != nil {
			x.absent = append(x.absent, name)
			continue
		}
		x.present = append(x.present, name)
		if err := x.read(ctx, folder, name+"/"); err != nil {
			return fmt.Errorf("%s: %w", quote(name), err)
		}
	}
	return nil
}

// askGit runs Git in a folder. In a container job the checkout belongs to another user
// than the one who runs, which Git refuses by default; and listing must not start
// programs that a repository's configuration names.
func askGit(ctx context.Context, folder string, input []byte, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-c", "safe.directory=*", "-c", "core.fsmonitor=false"}, args...)...)
	cmd.Dir = folder
	cmd.Env = append([]string{"LC_ALL=C", "GIT_OPTIONAL_LOCKS=0"}, gitEnviron()...) // no GIT_DIR of somebody else's
	cmd.Stdin = bytes.NewReader(input)
	out, err := cmd.Output()
	if err == nil {
		return out, nil
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if words := oneLine(string(exit.Stderr)); words != "" {
			err = errors.New(words)
		}
	}
	return nil, err
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

// has tells whether Git tracks a file.
func (x *index) has(name string) bool {
	_, is := x.objects[name]
	return is
}

// absentAt is the submodule that is not checked out in which a path lies; empty when
// there is none.
func (x *index) absentAt(name string) string {
	for _, submodule := range x.absent {
		if isIn(name, submodule) {
			return submodule
		}
	}
	return ""
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
