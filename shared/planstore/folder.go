package planstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// Folders of a store: objects that are whole, and files being written.
const (
	objectsFolder = "objects"
	newFolder     = "new"
)

// folder holds objects as files. They are written under another name and then
// linked to theirs, so that a file under an object's key is always whole; a
// process that is killed leaves at most a file below new/. It keeps no versions.
type folder struct{ root string }

func (d folder) path(key string) string {
	return filepath.Join(d.root, objectsFolder, filepath.FromSlash(key))
}

func (d folder) put(ctx context.Context, key string, f *os.File, sum fingerprint) (version string, err error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	path := d.path(key)
	if err := d.makeFolders(filepath.Dir(path)); err != nil {
		return "", err
	}
	temporary, err := os.CreateTemp(filepath.Join(d.root, newFolder), "object-*") // mode 0600
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.Remove(temporary.Name())) }()
	err = copyMeasured(temporary, f, sum.size, sum.digest())
	if errors.Is(err, ErrDigestMismatch) {
		err = fmt.Errorf("%s was changed while it was being stored", f.Name())
	}
	if err == nil {
		err = temporary.Sync()
	}
	if err := errors.Join(err, temporary.Close()); err != nil {
		return "", err
	}
	return "", publish(temporary.Name(), path)
}

func (d folder) get(ctx context.Context, key, _ string) (io.ReadCloser, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f, err := os.Open(d.path(key))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w (%w)", ErrPlanfileGone, err)
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (d folder) location(key string) string { return d.path(key) }

// makeFolders makes a folder and those above it, down from the root, lasting.
func (d folder) makeFolders(path string) error {
	if len(path) <= len(d.root) {
		return nil
	}
	if err := d.makeFolders(filepath.Dir(path)); err != nil {
		return err
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return nil
		}
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// publish gives a whole file its name, unless there is a file of that name.
func publish(temporary, path string) error {
	if err := os.Link(temporary, path); err != nil && !errors.Is(err, fs.ErrExist) {
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
