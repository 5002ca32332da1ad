// Package folder keeps a plan store in a folder: objects as files, items in an embedded
// database. It is for trials, for self-hosted runners with a disk of their own, and for tests.
package folder

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// Folder is a [github.com/terraform-gitops/gitops/shared/planstore/storage.Backend] in a
// folder.
type Folder struct {
	objects
	items
}

// What is in the folder: complete objects, files that are being written, and the items.
const (
	objectsFolder = "objects"
	newFolder     = "new"
	itemsFile     = "items.db"
)

// Open opens the store in a folder, and creates it if it does not exist. Several processes may
// use it at once, if the file system has flock, hard links and shared memory maps, as local
// disks do.
//
// The folder holds secrets: only its owner can read its files. Nothing is ever deleted from it.
func Open(path string) (*Folder, error) {
	root, err := filepath.Abs(path)
	if err != nil {
		return nil, explain(path, err)
	}
	for _, folder := range []string{root, filepath.Join(root, objectsFolder), filepath.Join(root, newFolder)} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return nil, explain(path, err)
		}
	}
	f := &Folder{objects{root}, items{path: filepath.Join(root, itemsFile), turn: make(chan struct{}, 1)}}
	if err := f.create(filepath.Join(root, newFolder)); err != nil {
		return nil, explain(path, err)
	}
	return f, nil
}

func explain(path string, err error) error {
	return problem.With(problem.Storage, fmt.Errorf("open the plan store in folder %s: %w: choose a folder that this user may write to", path, err))
}

// publish gives a complete file its name, unless a file with that name exists.
func publish(temporary, path string) error {
	if err := os.Link(temporary, path); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// syncFolder makes new names in a folder survive a crash of the machine.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" { // which has no such call for folders
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
