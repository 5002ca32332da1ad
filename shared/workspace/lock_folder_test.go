package workspace

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAFolderIsLockedForOneStep(t *testing.T) {
	t.Parallel()
	temp, folder := t.TempDir(), t.TempDir()
	first, err := lockFolder(t.Context(), temp, folder, entry{}, func() { t.Error("it waits for nobody") })
	if err != nil {
		t.Fatal(err)
	}
	other, err := lockFolder(t.Context(), temp, t.TempDir(), entry{}, func() { t.Error("it waits for another folder") })
	if err != nil {
		t.Fatalf("another folder: %v", err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(folder, link); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{folder, link} {
		synctest.Test(t, func(t *testing.T) { // its clock goes on only while the lock is waited for
			cancelled := errors.New("the job was cancelled")
			ctx, cancel := context.WithTimeoutCause(t.Context(), 3*lockInterval, cancelled)
			defer cancel()
			told := 0
			if _, err := lockFolder(ctx, temp, name, entry{}, func() { told++ }); !errors.Is(err, cancelled) {
				t.Fatalf("locked twice: %v", err)
			}
			if told != 1 {
				t.Errorf("%d times told that it waits", told)
			}
		})
	}
	if err := errors.Join(first.Close(), other.Close()); err != nil {
		t.Fatal(err)
	}
	again, err := lockFolder(t.Context(), temp, folder, entry{clean: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// Each step removes the lock file when it leaves, when others may already have opened it.
func TestAFolderIsLockedForOneOfMany(t *testing.T) {
	t.Parallel()
	temp, folder := t.TempDir(), t.TempDir()
	var inside atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 5 {
				locked, err := lockFolder(t.Context(), temp, folder, entry{}, nil)
				if err != nil {
					t.Error(err)
					return
				}
				if n := inside.Add(1); n != 1 {
					t.Errorf("%d are in the folder", n)
				}
				inside.Add(-1)
				if err := locked.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}

// Atmos leaves the values of variables in the folder, secret ones included.
func TestWhatAtmosWroteIsGoneWithTheLock(t *testing.T) {
	t.Parallel()
	temp, folder := t.TempDir(), t.TempDir()
	write := func(names ...string) {
		for _, name := range names {
			if err := os.WriteFile(filepath.Join(folder, name), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	write("main.tf", "a.terraform.tfvars.json", "providers_override.tf.json")
	locked, err := lockFolder(t.Context(), temp, folder, entry{clean: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	write("a.terraform.tfvars.json", "b.terraform.tfvars.json", "backend.tf.json", "b.planfile", "errored.tfstate", ".terraform.lock.hcl")
	if err := locked.Close(); err != nil {
		t.Fatal(err)
	}
	var names []string
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	want := []string{"main.tf", "a.terraform.tfvars.json", "providers_override.tf.json", "errored.tfstate", ".terraform.lock.hcl"}
	slices.Sort(want)
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
}

// Without Atmos a file of such a name is somebody's own: an apply may make one.
func TestWhatAtmosDidNotWriteStays(t *testing.T) {
	t.Parallel()
	temp, folder := t.TempDir(), t.TempDir()
	locked, err := lockFolder(t.Context(), temp, folder, entry{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(folder, "backend.tf.json")
	if err := errors.Join(os.WriteFile(file, nil, 0o600), locked.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
}

func TestAFolderThatAtmosBringsCanBeLocked(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "vendored")
	locked, err := lockFolder(t.Context(), t.TempDir(), folder, entry{clean: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := locked.Close(); err != nil {
		t.Fatal(err)
	}
}

// Steps with the same key are in a folder at once, and no step with another key is. What was
// prepared stays as long as any of them is there, and is removed with the last one.
func TestAFolderIsSharedByThoseWithTheSameKey(t *testing.T) {
	t.Parallel()
	temp, folder := t.TempDir(), t.TempDir()
	backend := filepath.Join(folder, "backend.tf.json")
	var mu sync.Mutex
	inside, most := map[string]int{}, 0
	enter := func(key string, by int) {
		mu.Lock()
		defer mu.Unlock()
		inside[key] += by
		most = max(most, inside[key])
		for other, n := range inside {
			if n < 0 || n > 0 && inside[key] > 0 && other != key || key == "" && n > 1 {
				t.Errorf("inside are %v", inside)
			}
		}
	}
	var all sync.WaitGroup
	for i := range 24 {
		key := []string{"a", "b", "a", ""}[i%4]
		all.Go(func() {
			for range 4 {
				prepare := func() bool { return os.WriteFile(backend, []byte(key), 0o600) == nil }
				locked, err := lockFolder(t.Context(), temp, folder, entry{clean: true, share: key, prepare: prepare}, nil)
				if err != nil {
					t.Error(err)
					return
				}
				enter(key, 1)
				time.Sleep(time.Millisecond)
				if content, err := os.ReadFile(backend); key != "" && (err != nil || string(content) != key) {
					t.Errorf("prepared for %q: %q, %v", key, content, err)
				}
				enter(key, -1)
				if err := locked.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if most < 2 {
		t.Error("nobody has shared it")
	}
	if left, err := filepath.Glob(filepath.Join(folder, "*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("locks left behind: %v, %v", left, err)
	}
}

// If the folder can't be prepared, only one step may be in it.
func TestAFolderThatCantBePreparedIsNotShared(t *testing.T) {
	t.Parallel()
	temp, folder := t.TempDir(), t.TempDir()
	e := entry{clean: true, share: "a", prepare: func() bool { return false }}
	first, err := lockFolder(t.Context(), temp, folder, e, nil)
	if err != nil || first.shared {
		t.Fatal(first, err)
	}
	if second, err := tryEnter(first.lock.Name(), folder, e); second != nil || err != nil {
		t.Errorf("entered: %v, %v", second, err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
}
