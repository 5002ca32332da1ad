package job

import (
	"context"
	"errors"
	"os/exec"
	"strings"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// commitPair are two commits to compare.
type commitPair struct{ commit, other string }

// Behind reports whether a commit comes before another one in the repository's history:
// whether it is one of its ancestors. The workspace tells, or, where its history is too
// short, GitHub in one request; each pair is asked for once.
//
// What neither can tell is false: of a commit that is no more, say, without a token, or
// with one that may not read contents.
func (rp *Repository) Behind(ctx context.Context, commit, other string) (bool, error) {
	if commit == other || !IsCommit(commit) || !IsCommit(other) {
		return false, nil
	}
	return rp.behind.get(commitPair{commit, other}, func() (bool, error) {
		if behind, known, err := rp.behindInWorkspace(ctx, commit, other); known || err != nil {
			return behind, err
		}
		if rp.inputs.Token == "" {
			return false, nil
		}
		client, err := rp.GitHub()
		if err != nil {
			return false, err
		}
		behind, err := client.Behind(ctx, rp.Context.Repository, commit, other)
		if problem.CodeOf(err) == problem.GitHubPermission {
			return false, nil
		}
		return behind, err
	})
}

// behindInWorkspace is what the workspace's history says, if it can.
func (rp *Repository) behindInWorkspace(ctx context.Context, commit, other string) (behind, known bool, err error) {
	_, err = runGit(ctx, nil, rp.Context.Workspace, "merge-base", "--is-ancestor", commit, other)
	var exit *exec.ExitError
	switch {
	case err == nil:
		return true, true, nil
	case ctx.Err() != nil:
		return false, false, err
	case !errors.As(err, &exit) || exit.ExitCode() != 1: // one of them is not there
		return false, false, nil
	}
	// The way from one to the other may be among what was cut off.
	shallow, err := runGit(ctx, nil, rp.Context.Workspace, "rev-parse", "--is-shallow-repository")
	return false, err == nil && strings.TrimSpace(string(shallow)) == "false", err
}
