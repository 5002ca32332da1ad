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

// lockInterval is how often a lock is asked for that another step holds.
const lockInterval = 100 * time.Millisecond

// sharingPatience is how often it is asked for before a log says so, by those that share it:
// the first one may be preparing it.
const sharingPatience = 50

// lockedFolder is a root module's folder in which no other step works, or only such that
// share it.
type lockedFolder struct {
	path   string
	lock   *os.File
	shared bool
	clean  bool
}

// entry says how a folder is entered.
type entry struct {
	// Clean has what Atmos writes there removed when the last one leaves.
	clean bool
	// Share lets in others that give the same; empty: nobody.
	share string
	// Prepare makes the folder ready for those that share it; when it can't, it is not shared.
	prepare func() bool
}

// visit is what the lock's file says while somebody is in a folder that is to be cleaned. If
// that one is killed, the next one reads it.
type visit struct {
	Share  string   `json:"share"`  // empty: nobody else may come in
	Before []string `json:"before"` // names that Atmos gives to files, and that were there
}

// lockFolder waits until no other step on this machine works in a root module's folder, but
// for those that share it. It lasts until Close, or this process ends. waits is called once
// where it has to wait.
//
// Atmos writes files there that targets of one component share by name: the backend's,
// above all. Terraform itself writes an errored.tfstate there, of whichever target.
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

// tryEnter enters a folder; nil when others are in it that don't share it.
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
	// Whoever was killed here has left its files.
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
	// Another one may have it for a moment between the two, see flock(2); Linux lets nobody in.
	shared, err := relock(path, lock, syscall.LOCK_SH)
	if shared == nil {
		if errors.Is(err, errGone) {
			err = nil
		}
		return nil, err
	}
	return join(shared, folder, e.share)
}

// tryJoin enters a folder in which others are that share it; nil when there are none.
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

// readVisit is nil where there is none, or only a part of one, whose writer was killed.
func readVisit(lock *os.File) (*visit, error) {
	text, err := io.ReadAll(io.NewSectionReader(lock, 0, 1<<20))
	var v visit
	if err != nil || json.Unmarshal(text, &v) != nil {
		return nil, err
	}
	return &v, nil
}

// tryLock locks the file at path, exclusively or shared; nil when another's lock is in the way.
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

// errGone says that whoever had a lock before has removed its file since it was opened.
var errGone = errors.New("the lock's file is gone")

// relock locks a file, which may be locked in another way. When it can't, f is closed.
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

// Close removes what Atmos has written to the folder, which holds the values of
// variables, and lets the next step in. Of those that share it the last one does.
func (l *lockedFolder) Close() error {
	if l.shared {
		// Whether it works or not, the lock that was there is gone.
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

// removeGenerated removes what Atmos has written since the visit that the lock's file tells
// of, and the visit.
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

// unlock removes the lock's file while it is still locked: then it is nobody else's.
func (l *lockedFolder) unlock() error {
	err := os.Remove(l.lock.Name())
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, l.lock.Close())
}
