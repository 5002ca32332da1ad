package folder

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/terraform-gitops/gitops/shared/planstore/storage"
)

var (
	key  = storage.Key{Partition: "plan#a", Sort: "b"}
	item = storage.Item{"pk": "plan#a", "sk": "b"}
)

func TestFolderThatCannotBeAStoreIsNamed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	must(t, os.WriteFile(file, []byte("a file"), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, itemsFile), []byte("not a database"), 0o600))
	for _, path := range []string{file, filepath.Join(file, "below"), "/proc/self/none"} {
		_, err := Open(path)
		if err == nil || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", path, err)
		}
	}
	f, err := Open(dir)
	must(t, err)
	if _, err := f.Get(t.Context(), key); err == nil || !strings.Contains(err.Error(), itemsFile) {
		t.Errorf("get: %v", err)
	}
}

func TestFolderLockedByAnotherProcessSaysSo(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	f, err := Open(path)
	must(t, err)
	db, err := bbolt.Open(filepath.Join(path, itemsFile), 0o600, nil) // its lock is by open file: this is another process to f
	must(t, err)
	defer db.Close()
	if _, err := f.Get(impatient{t.Context()}, key); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("get: %v", err)
	}
}

// impatient is a context whose deadline is now, and which is never done: a lock is waited for as
// shortly as can be, however busy the machine is.
type impatient struct{ context.Context }

func (impatient) Deadline() (time.Time, bool) { return time.Now(), true }

func TestFolderKeepsNoDatabaseThatIsDeletedUnderIt(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	f, err := Open(path)
	must(t, err)
	must(t, os.Remove(filepath.Join(path, itemsFile)))
	if err := f.Put(t.Context(), item, nil); err == nil {
		t.Error("a store that was deleted came back empty, and with it plans that were applied")
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
