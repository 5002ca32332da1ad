package job

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAFolderIsLockedForOneStep(t *testing.T) {
	t.Parallel()
	temp, folder := t.TempDir(), t.TempDir()
	first, err := lockFolder(t.Context(), temp, folder)
	if err != nil {
		t.Fatal(err)
	}
	other, err := lockFolder(t.Context(), temp, t.TempDir())
	if err != nil {
		t.Fatalf("another folder: %v", err)
	}
	cancelled := errors.New("the job was cancelled")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 2*lockInterval, cancelled)
	defer cancel()
	if _, err := lockFolder(ctx, temp, folder); !errors.Is(err, cancelled) {
		t.Fatalf("locked twice: %v", err)
	}
	if err := errors.Join(first.Close(), other.Close()); err != nil {
		t.Fatal(err)
	}
	again, err := lockFolder(t.Context(), temp, folder)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
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
	locked, err := lockFolder(t.Context(), temp, folder)
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

func TestAFolderThatAtmosBringsCanBeLocked(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "vendored")
	locked, err := lockFolder(t.Context(), t.TempDir(), folder)
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
