package repository

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"

	"github.com/terraform-gitops/gitops/shared/git"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// BaseOf returns the commit to compare a pull request's head with. If the workspace holds GitHub's
// merge of head, that is the merge's first parent. Otherwise it is the merge base of head and tip,
// the newest commit of the base branch.
func (rp *Repository) BaseOf(ctx context.Context, head, tip string) (string, error) {
	checkout, err := rp.Checkout(ctx)
	if err != nil {
		return "", err
	}
	if checkout.IsMergeOf(head) {
		return checkout.Parents[0], nil
	}
	base, err := git.MergeBase(ctx, rp.Context.Workspace, head, tip)
	if err != nil {
		return "", problem.With(problem.Checkout, fmt.Errorf("find where %s and %s parted: the workspace's history may be too short: check out with `fetch-depth: 0`: %w", git.Short(head), git.Short(tip), err))
	}
	return base, nil
}

// withBase checks a commit out into a folder of its own, calls do, and removes the folder. The
// workspace stays unchanged, except that the commit may be fetched into its history.
func (rp *Repository) withBase(ctx context.Context, commit string, do func(dir string) error) (err error) {
	if err := rp.fetchBase(ctx, commit); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(rp.Context.TempDir, "gitops-base-")
	if err != nil {
		return fmt.Errorf("make a folder for %s: %w", git.Short(commit), err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := git.CheckOut(ctx, rp.Context.Workspace, commit, dir); err != nil {
		return problem.With(problem.Checkout, fmt.Errorf("check out %s to compare with it: %w", git.Short(commit), err))
	}
	return do(dir)
}

// fetchBase fetches a commit if the workspace doesn't have it, as a shallow clone may not. It
// tries the credentials that actions/checkout has left first, and then the job's token.
func (rp *Repository) fetchBase(ctx context.Context, commit string) error {
	if has, err := git.Has(ctx, rp.Context.Workspace, commit); has || err != nil {
		return err
	}
	err := git.Fetch(ctx, rp.Context.Workspace, commit, rp.Environ)
	if err != nil && ctx.Err() == nil && rp.inputs.Token != "" {
		if git.Fetch(ctx, rp.Context.Workspace, commit, rp.withToken()) == nil {
			err = nil
		}
	}
	if err != nil {
		return problem.With(problem.Checkout, fmt.Errorf("the workspace does not have commit %s, which it is compared with, and it can't be fetched: check out with `fetch-depth: 0`, or with a `ref` that has it: %w", git.Short(commit), err))
	}
	return nil
}

// withToken returns the job's environment, in which Git sends the job's token to the GitHub
// server and to no other.
// https://docs.github.com/en/get-started/git-basics/about-remote-repositories#cloning-with-https-urls
func (rp *Repository) withToken() []string {
	basic := base64.StdEncoding.EncodeToString([]byte("x-access-token:" + rp.inputs.Token))
	rp.Runtime.Redact(basic)
	return git.WithHeader(rp.Environ, rp.Context.ServerURL, "AUTHORIZATION: basic "+basic)
}
