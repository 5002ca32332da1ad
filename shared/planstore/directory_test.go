package planstore

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"
)

func TestFolderThatCannotBeAStoreIsNamed(t *testing.T) {
	t.Parallel()
	file := writeFile(t, "a file")
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "items.db"), []byte("not a database"), 0o600))
	for _, path := range []string{file, filepath.Join(file, "below"), "/proc/self/none"} {
		_, err := OpenDirectory(path, time.Now)
		if err == nil || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", path, err)
		}
	}
	s, err := OpenDirectory(dir, time.Now)
	must(t, err)
	if _, err := s.Find(t.Context(), network, commitA); err == nil || !strings.Contains(err.Error(), "items.db") {
		t.Errorf("find: %v", err)
	}
}

func TestStoreLockedByAnotherProcessSaysSo(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	b := newDirectoryBackend(t, folder)
	db, err := bbolt.Open(filepath.Join(folder, "items.db"), 0o600, nil) // its lock is by open file: this is another process to b
	must(t, err)
	defer db.Close()
	if _, err := b.Find(impatient{t.Context()}, network, commitA); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("find: %v", err)
	}
}

// impatient is a context whose deadline is now, and which is never done: a lock is waited for as
// shortly as can be, however busy the machine is.
type impatient struct{ context.Context }

func (impatient) Deadline() (time.Time, bool) { return time.Now(), true }

func TestFolderKeepsNoDatabaseThatIsDeletedUnderIt(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	b := newDirectoryBackend(t, folder)
	must(t, os.Remove(filepath.Join(folder, "items.db")))
	if _, err := b.Put(t.Context(), b.newRecord(nil), writeFile(t, "plan")); err == nil {
		t.Error("a store that was deleted came back empty, and with it plans that were applied")
	}
}
