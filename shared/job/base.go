package job

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// BaseOf is the commit that a pull request's head is compared with: the first parent
// where the workspace holds GitHub's merge of head, else the commit where head left
// the branch whose tip is given.
func (rp *Repository) BaseOf(ctx context.Context, head, tip string) (string, error) {
	checkout, err := rp.Checkout(ctx)
	if err != nil {
		return "", err
	}
	if checkout.IsMergeOf(head) {
		return checkout.Parents[0], nil
	}
	return MergeBase(ctx, rp.Context.Workspace, head, tip)
}

// MergeBase is the newest commit that a and b have in common. The workspace must hold
// the history from there to both.
func MergeBase(ctx context.Context, workspace, a, b string) (string, error) {
	out, err := runGit(ctx, nil, workspace, "merge-base", a, b)
	if err != nil {
		return "", problem.With(problem.Checkout, fmt.Errorf("find where %s and %s parted: the workspace's history may be too short: check out with `fetch-depth: 0`: %w", Short(a), Short(b), err))
	}
	return strings.TrimSpace(string(out)), nil
}

// withBase checks a commit out into a folder of its own, which is gone when do has
// returned. The workspace stays as it is, but for the commit that may be added to its
// history.
func (rp *Repository) withBase(ctx context.Context, commit string, do func(dir string) error) (err error) {
	if err := rp.fetchBase(ctx, commit); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(rp.Context.TempDir, "gitops-base-")
	if err != nil {
		return fmt.Errorf("make a folder for %s: %w", Short(commit), err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	for _, args := range [][]string{
		{"init", "--quiet", "--template="},
		{
			"fetch", "--quiet", "--depth=1", "--no-tags",
			// It runs with a configuration of its own; the workspace may be another user's.
			"--upload-pack=git -c safe.directory='*' -c uploadpack.allowAnySHA1InWant=true upload-pack",
			rp.Context.Workspace, commit,
		},
		{"checkout", "--quiet", "--detach", commit},
	} {
		if _, err := runGit(ctx, nil, dir, args...); err != nil {
			return problem.With(problem.Checkout, fmt.Errorf("check out %s to compare with it: %w", Short(commit), err))
		}
	}
	return do(dir)
}

// fetchBase sees that the workspace has a commit: a shallow clone may not. It is then
// fetched: with what actions/checkout left there to do so, or else with the job's token.
func (rp *Repository) fetchBase(ctx context.Context, commit string) error {
	if _, err := runGit(ctx, nil, rp.Context.Workspace, "cat-file", "-e", commit+"^{commit}"); err == nil || ctx.Err() != nil {
		return err
	}
	fetch := []string{"fetch", "--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "origin", commit}
	_, err := runGit(ctx, rp.environ, rp.Context.Workspace, fetch...)
	if err != nil && ctx.Err() == nil && rp.inputs.Token != "" {
		if _, withToken := runGit(ctx, append(slices.Clone(rp.environ), rp.authorization()...), rp.Context.Workspace, fetch...); withToken == nil {
			err = nil
		}
	}
	if err != nil {
		return problem.With(problem.Checkout, fmt.Errorf("the workspace does not have commit %s, which it is compared with, and it can't be fetched: check out with `fetch-depth: 0`, or with a `ref` that has it: %w", Short(commit), err))
	}
	return nil
}

// authorization is what has Git show the job's token to the GitHub server, and to no
// other. It goes through the environment: arguments are for all to see.
// https://docs.github.com/en/get-started/git-basics/about-remote-repositories#cloning-with-https-urls
func (rp *Repository) authorization() []string {
	basic := base64.StdEncoding.EncodeToString([]byte("x-access-token:" + rp.inputs.Token))
	rp.runtime.Redact(basic)
	return []string{
		"GIT_CONFIG_COUNT=1",
		"GIT_CONFIG_KEY_0=http." + strings.TrimSuffix(rp.Context.ServerURL, "/") + "/.extraheader",
		"GIT_CONFIG_VALUE_0=AUTHORIZATION: basic " + basic,
	}
}

// runGit runs Git in a folder, without hooks and without questions. With no environment
// given it also reads no configuration but the folder's own.
func runGit(ctx context.Context, environ []string, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-C", dir, "-c", "safe.directory=*", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false"}, args...)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null"}
	if environ != nil {
		cmd.Env = nil
		for _, entry := range environ {
			if !strings.HasPrefix(entry, "GIT_") || strings.HasPrefix(entry, "GIT_CONFIG_") { // such as the GIT_DIR of something else
				cmd.Env = append(cmd.Env, entry)
			}
		}
	}
	cmd.Env = append(cmd.Env, "GIT_TERMINAL_PROMPT=0", "LC_ALL=C", "GIT_NO_REPLACE_OBJECTS=1")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		said := strings.Join(strings.Fields(stderr.String()), " ")
		return nil, fmt.Errorf("git %s: %w: %s", args[0], err, said)
	}
	return out, nil
}
