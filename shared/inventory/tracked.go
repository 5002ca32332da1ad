package inventory

import (
	"context"

	"github.com/terraform-gitops/gitops/shared/checkout"
	"github.com/terraform-gitops/gitops/shared/git"
)

// Tracks reports whether Git tracks a file of the checkout, by its slash-separated path from
// the checkout's root. Where there is no Git, nothing is tracked.
func (t Target) Tracks(ctx context.Context, name string) (bool, error) {
	read, err := t.index(ctx)
	return err == nil && read.Has(name), err
}

// TrackedFiles are what Git tracks in the checkout, submodules included, sorted, relative to
// the checkout's root; none where there is no Git.
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
