package git

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/terraform-gitops/gitops/shared/checkout"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// Tracked asks Git once for the index of one checkout, for all targets that read it. It may
// be used concurrently, and its zero value is ready to use.
type Tracked struct {
	mu    sync.Mutex
	known *Index
}

// Index reads the index of the checkout in folder, or returns what it read before. It asks
// again after a failure. A nil Tracked asks each time.
func (k *Tracked) Index(ctx context.Context, folder string) (*Index, error) {
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

// Index is what Git's index has of a checkout. It does not change once it is read.
type Index struct {
	Git     bool              // false: the folder is in no Git repository
	Names   []string          // of the files, with those of submodules, sorted
	Objects map[string]Object // by name
	Present []string          // submodules that are checked out
	Absent  []string          // submodules that are not checked out, sorted
}

// Object is what the index has of a file.
type Object struct {
	ID     string // of its content, as Git keeps it
	Sparse bool   // left out of the workspace by a sparse checkout
	Link   bool   // a symbolic link, whose content is the path that it leads to
}

// readIndex lists what Git tracks in a folder, submodules included, relative to it. It is
// empty where there is no Git repository, as in a checkout made from an archive.
func readIndex(ctx context.Context, folder string) (*Index, error) {
	x := &Index{Objects: make(map[string]Object)}
	if !inRepository(folder) {
		return x, nil
	}
	x.Git = true
	if err := x.read(ctx, folder, ""); err != nil {
		return nil, err
	}
	slices.Sort(x.Names) // Git sorts each submodule's on their own
	x.Names = slices.Compact(x.Names)
	slices.Sort(x.Absent)
	return x, nil
}

// read adds the files of a repository, or of a submodule at prefix.
func (x *Index) read(ctx context.Context, folder, prefix string) error {
	out, err := command{folder: filepath.Join(folder, filepath.FromSlash(prefix)), args: []string{"ls-files", "-z", "-t", "--cached", "--stage"}}.run(ctx)
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
			x.Names = append(x.Names, name)
			x.Objects[name] = Object{ID: fields[2], Sparse: fields[0] == "S", Link: fields[1] == "120000"}
			continue
		}
		if _, err := os.Lstat(filepath.Join(folder, filepath.FromSlash(name), ".git")); err != nil {
			x.Absent = append(x.Absent, name)
			continue
		}
		x.Present = append(x.Present, name)
		if err := x.read(ctx, folder, name+"/"); err != nil {
			return fmt.Errorf("%s: %w", problem.Quote(name), err)
		}
	}
	return nil
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

// Has reports whether Git tracks a file.
func (x *Index) Has(name string) bool {
	_, is := x.Objects[name]
	return is
}

// AbsentAt is the submodule in which a path lies if it is not checked out; else empty.
func (x *Index) AbsentAt(name string) string {
	for _, submodule := range x.Absent {
		if checkout.IsIn(name, submodule) {
			return submodule
		}
	}
	return ""
}

// Below are the names in a sorted list that lie in a folder.
func Below(sorted []string, folder string) []string {
	if folder == "." {
		return sorted
	}
	from, _ := slices.BinarySearch(sorted, folder+"/")
	to, _ := slices.BinarySearch(sorted, folder+"0") // "0" follows "/"
	return sorted[from:to]
}
