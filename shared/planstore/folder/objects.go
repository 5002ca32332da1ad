package folder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/terraform-gitops/gitops/shared/planstore/storage"
)

// objects are files. Each is written under a temporary name and then linked to its own, so that
// a file under an object's key is always complete. A process that is killed leaves at most a
// file below new/. There are no versions.
type objects struct{ root string }

// ObjectLocation is the file's path.
func (o objects) ObjectLocation(key string) string {
	return filepath.Join(o.root, objectsFolder, filepath.FromSlash(key))
}

// PutObject implements storage.Objects.
func (o objects) PutObject(ctx context.Context, key string, f *os.File, content storage.Content) (version string, err error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	path := o.ObjectLocation(key)
	if err := o.makeFolders(filepath.Dir(path)); err != nil {
		return "", err
	}
	temporary, err := os.CreateTemp(filepath.Join(o.root, newFolder), "object-*") // mode 0600
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.Remove(temporary.Name())) }()
	err = content.Copy(temporary, f)
	if errors.Is(err, storage.ErrContent) {
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

// GetObject implements storage.Objects.
func (o objects) GetObject(ctx context.Context, key, _ string) (io.ReadCloser, time.Time, error) {
	if err := ctx.Err(); err != nil {
		return nil, time.Time{}, err
	}
	f, err := os.Open(o.ObjectLocation(key))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, time.Time{}, fmt.Errorf("%w: %w", storage.ErrGone, err)
	}
	if err != nil {
		return nil, time.Time{}, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, time.Time{}, errors.Join(err, f.Close())
	}
	return f, info.ModTime(), nil
}

// makeFolders creates a folder and those above it, so that they survive a crash of the machine.
func (o objects) makeFolders(path string) error {
	if len(path) <= len(o.root) {
		return nil
	}
	if err := o.makeFolders(filepath.Dir(path)); err != nil {
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
