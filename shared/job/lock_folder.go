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

	"github.com/terraform-gitops/gitops/shared/fingerprint"
)

// lockInterval is how often a lock is asked for that another step holds.
const lockInterval = 100 * time.Millisecond

// lockedFolder is a root module's folder in which no other step works.
type lockedFolder struct {
	path   string
	lock   *os.File
	before map[string]bool // the names that were there; nil: what is written stays
}

// lockFolder waits until no other step on this machine works in a root module's folder.
// It lasts until Close, or this process ends. waits is called once where it has to wait.
//
// Atmos writes files there that targets of one component share by name: the backend's,
// above all. With clean, Close removes those. Terraform itself writes an errored.tfstate
// there, of whichever target.
func lockFolder(ctx context.Context, tempDir, folder string, clean bool, waits func()) (_ *lockedFolder, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("lock the folder %s: %w", folder, err)
		}
	}()
	if tempDir == "" {
		tempDir = os.TempDir()
	}
	name := sha256.Sum256([]byte(realPath(folder)))
	path := filepath.Join(tempDir, "gitops-"+hex.EncodeToString(name[:8])+".lock")
	var lock *os.File
	for {
		if lock, err = tryLock(path); lock != nil || err != nil {
			break
		}
		if waits != nil {
			waits()
			waits = nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for another step in it: %w", context.Cause(ctx))
		case <-time.After(lockInterval):
		}
	}
	if err != nil {
		return nil, err
	}
	locked := &lockedFolder{path: folder, lock: lock}
	if !clean {
		return locked, nil
	}
	locked.before = map[string]bool{}
	entries, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Join(err, locked.unlock())
	}
	for _, entry := range entries {
		locked.before[entry.Name()] = true
	}
	return locked, nil
}

// tryLock locks the file at path; nil when another has it.
func tryLock(path string) (*os.File, error) {
	for {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return nil, err
		}
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) //nolint:gosec // a descriptor is a small number
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, f.Close()
		}
		var mine, there fs.FileInfo
		if err == nil {
			mine, err = f.Stat()
		}
		if err == nil {
			there, err = os.Stat(path)
		}
		if err == nil && os.SameFile(mine, there) {
			return f, nil
		}
		// Whoever had it before has removed it since it was opened here.
		if closed := f.Close(); closed != nil || err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, errors.Join(err, closed)
		}
	}
}

// Close removes what Atmos has written to the folder, which holds the values of
// variables, and lets the next step in.
func (l *lockedFolder) Close() error {
	if l.before == nil {
		return l.unlock()
	}
	entries, err := os.ReadDir(l.path)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	for _, entry := range entries {
		if name := entry.Name(); fingerprint.IsGenerated(name) && !l.before[name] {
			err = errors.Join(err, os.Remove(filepath.Join(l.path, name)))
		}
	}
	return errors.Join(err, l.unlock())
}

// unlock removes the lock's file while it is still locked: then it is nobody else's.
func (l *lockedFolder) unlock() error {
	err := os.Remove(l.lock.Name())
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, l.lock.Close())
}
