package inventory

import (
	"context"

	"github.com/terraform-gitops/gitops/shared/checkout"
	"github.com/terraform-gitops/gitops/shared/git"
)

// Tracks reports whether Git tracks a file, by its path relative to the checkout. Without a
// Git repository it is false.
func (t Target) Tracks(ctx context.Context, name string) (bool, error) {
	read, err := t.index(ctx)
	return err == nil && read.Has(name), err
}

// TrackedFiles are the files that Git tracks in the checkout and its submodules, relative to
// the checkout, sorted. Without a Git repository there are none.
func (t Target) TrackedFiles(ctx context.Context) ([]string, error) {
	read, err := t.index(ctx)
	if err != nil {
		return nil, err
	}
	return read.Names, nil
}

func (t Target) index(ctx context.Context) (*git.Index, error) {
	co, err := checkout.Open(t.Root)
	if err != nil {
		return nil, err
	}
	return t.Tracked.Index(ctx, co.Resolved)
}
