package job

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/terraform-gitops/gitops/shared/target"
)

// lockInterval is how often a lock is asked for that another step holds.
const lockInterval = 100 * time.Millisecond

// lockedFolder is a root module's folder in which no other step works.
type lockedFolder struct {
	path   string
	lock   *os.File
	before map[string]bool // the names that were there
}

// lockFolder waits until no other step on this machine works in a root module's
// folder, where Atmos writes files that targets of one component share by name: the
// backend's, above all. It lasts until Close, or this process ends.
func lockFolder(ctx context.Context, tempDir, folder string) (*lockedFolder, error) {
	if tempDir == "" {
		tempDir = os.TempDir()
	}
	name := sha256.Sum256([]byte(folder))
	f, err := os.OpenFile(filepath.Join(tempDir, "gitops-"+hex.EncodeToString(name[:8])+".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the folder %s: %w", folder, err)
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) //nolint:gosec // a descriptor is a small number
		if err == nil {
			break
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.Join(fmt.Errorf("lock the folder %s: %w", folder, err), f.Close())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("wait for another step in the folder %s: %w", folder, context.Cause(ctx)), f.Close())
		case <-time.After(lockInterval):
		}
	}
	locked := &lockedFolder{path: folder, lock: f, before: map[string]bool{}}
	entries, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // Atmos may bring the folder
		return nil, errors.Join(fmt.Errorf("lock the folder: %w", err), f.Close())
	}
	for _, entry := range entries {
		locked.before[entry.Name()] = true
	}
	return locked, nil
}

// Close removes what Atmos has written to the folder, which holds the values of
// variables, and lets the next step in.
func (l *lockedFolder) Close() error {
	entries, err := os.ReadDir(l.path)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	for _, entry := range entries {
		if name := entry.Name(); target.IsGenerated(name) && !l.before[name] {
			err = errors.Join(err, os.Remove(filepath.Join(l.path, name)))
		}
	}
	return errors.Join(err, l.lock.Close())
}
