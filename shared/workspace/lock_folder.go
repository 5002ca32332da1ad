package workspace

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/terraform-gitops/gitops/shared/fingerprint"
)

// lockInterval is the pause between two tries to take a lock that another step holds.
const lockInterval = 100 * time.Millisecond

// sharingPatience is the number of tries after which a step that can share the folder logs that
// it waits. The first step holds an exclusive lock only until it has prepared the folder.
const sharingPatience = 50

// lockedFolder is a root module's folder that this step has locked, alone or together with
// steps that have the same sharing key.
type lockedFolder struct {
	path   string
	lock   *os.File
	shared bool
	clean  bool
}

// entry says how a folder is entered.
type entry struct {
	// clean removes the files that Atmos wrote when the last step leaves.
	clean bool
	// share is the sharing key: steps with the same key may be in the folder at once. If it is
	// empty, the folder is not shared.
	share string
	// prepare makes the folder ready for sharing. If it returns false, the folder is not shared.
	prepare func() bool
}

// visit is the content of the lock file while a step is in a folder that has to be cleaned. If
// that step is killed, the next one reads it and cleans up.
type visit struct {
	Share  string   `json:"share"`  // sharing key; empty: the folder is not shared
	Before []string `json:"before"` // files with names that Atmos uses, which existed before
}

// lockFolder waits until no other step on this machine works in a root module's folder, except
// steps with the same sharing key. The lock is held until Close, or until this process ends.
// lockFolder calls waits once if it has to wait.
//
// Atmos writes files there whose names targets of one component share, above all the backend's.
// Terraform writes an errored.tfstate there, under the same name for every target.
func lockFolder(ctx context.Context, tempDir, folder string, e entry, waits func()) (_ *lockedFolder, err error) {
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
	patience := 0
	if e.share != "" {
		patience = sharingPatience
	}
	for try := 0; ; try++ {
		locked, err := tryEnter(path, folder, e)
		if locked != nil || err != nil {
			return locked, err
		}
		if waits != nil && try == patience {
			waits()
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for another step in it: %w", context.Cause(ctx))
		case <-time.After(lockInterval):
		}
	}
}

// tryEnter enters a folder. It returns nil if a step is there that doesn't share it.
func tryEnter(path, folder string, e entry) (_ *lockedFolder, err error) {
	lock, err := tryLock(path, syscall.LOCK_EX)
	if err != nil {
		return nil, err
	}
	if lock == nil && e.share != "" {
		return tryJoin(path, folder, e.share)
	}
	if lock == nil {
		return nil, nil
	}
	locked := &lockedFolder{path: folder, lock: lock, clean: e.clean}
	defer func() {
		if err != nil {
			err = errors.Join(err, lock.Close())
		}
	}()
	// A step that was killed here has left its files.
	if err := locked.removeGenerated(); err != nil {
		return nil, err
	}
	if !e.clean {
		return locked, nil
	}
	v := visit{Before: []string{}}
	entries, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, entry := range entries {
		if fingerprint.IsGenerated(entry.Name()) {
			v.Before = append(v.Before, entry.Name())
		}
	}
	if err := v.write(lock); err != nil {
		return nil, err
	}
	if e.share == "" || !e.prepare() {
		return locked, nil
	}
	v.Share = e.share
	if err := v.write(lock); err != nil {
		return nil, err
	}
	// flock(2) may drop the exclusive lock before it takes the shared one, so that another step
	// may get the lock in between. Linux doesn't do that.
	shared, err := relock(path, lock, syscall.LOCK_SH)
	if shared == nil {
		if errors.Is(err, errGone) {
			err = nil
		}
		return nil, err
	}
	return join(shared, folder, e.share)
}

// tryJoin enters a folder that is shared with the same key. It returns nil if there is none.
func tryJoin(path, folder, share string) (*lockedFolder, error) {
	lock, err := tryLock(path, syscall.LOCK_SH)
	if lock == nil || err != nil {
		return nil, err
	}
	return join(lock, folder, share)
}

func join(lock *os.File, folder, share string) (*lockedFolder, error) {
	v, err := readVisit(lock)
	if err != nil || v == nil || v.Share != share {
		return nil, errors.Join(err, lock.Close())
	}
	return &lockedFolder{path: folder, lock: lock, shared: true, clean: true}, nil
}

func (v visit) write(lock *os.File) error {
	text, err := json.Marshal(v)
	if err == nil {
		err = lock.Truncate(0)
	}
	if err == nil {
		_, err = lock.WriteAt(text, 0)
	}
	return err
}

// readVisit returns nil if the file holds no visit, or only a part of one: its writer was killed.
func readVisit(lock *os.File) (*visit, error) {
	text, err := io.ReadAll(io.NewSectionReader(lock, 0, 1<<20))
	var v visit
	if err != nil || json.Unmarshal(text, &v) != nil {
		return nil, err
	}
	return &v, nil
}

// tryLock locks the file at path, exclusively or shared. It returns nil if another lock prevents it.
func tryLock(path string, how int) (*os.File, error) {
	for {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return nil, err
		}
		locked, err := relock(path, f, how)
		if locked != nil || !errors.Is(err, errGone) {
			return locked, err
		}
	}
}

// errGone says that the lock file was removed after it was opened, by the step that held the lock.
var errGone = errors.New("the lock's file is gone")

// relock locks an open file, or changes the kind of its lock. If it can't, it closes f.
func relock(path string, f *os.File, how int) (*os.File, error) {
	err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB) //nolint:gosec // a descriptor is a small number
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
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		err = errGone
	}
	return nil, errors.Join(err, f.Close())
}

// Close removes the files that Atmos wrote to the folder, since they hold the values of variables.
// Then it releases the lock. In a shared folder, the last step that leaves removes them.
func (l *lockedFolder) Close() error {
	if l.shared {
		// flock drops the shared lock even if it can't get the exclusive one.
		err := syscall.Flock(int(l.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) //nolint:gosec // a descriptor is a small number
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return l.lock.Close()
		}
		if err != nil {
			return errors.Join(err, l.lock.Close())
		}
	}
	var err error
	if l.clean {
		err = l.removeGenerated()
	}
	return errors.Join(err, l.unlock())
}

// removeGenerated removes the files that Atmos has written since the visit in the lock file
// began, and then the visit.
func (l *lockedFolder) removeGenerated() error {
	v, err := readVisit(l.lock)
	if err != nil || v == nil {
		return err
	}
	entries, err := os.ReadDir(l.path)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	for _, entry := range entries {
		if name := entry.Name(); fingerprint.IsGenerated(name) && !slices.Contains(v.Before, name) {
			err = errors.Join(err, os.Remove(filepath.Join(l.path, name)))
		}
	}
	return errors.Join(err, l.lock.Truncate(0))
}

// unlock removes the lock file while it still holds the lock: no other step can hold it then.
func (l *lockedFolder) unlock() error {
	err := os.Remove(l.lock.Name())
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, l.lock.Close())
}
