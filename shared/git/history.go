package git

import (
	"context"
	"strconv"
	"strings"
)

// MergeBase is the newest commit that a and b have in common. The repository must hold the
// history from there to both.
func MergeBase(ctx context.Context, folder, a, b string) (string, error) {
	out, err := command{folder: folder, args: []string{"merge-base", a, b}}.run(ctx)
	return strings.TrimSpace(string(out)), err
}

// IsAncestor tells whether a commit comes before another one in the history. It is not
// known when the repository lacks one of them, or the history between them.
func IsAncestor(ctx context.Context, folder, commit, other string) (is, known bool, err error) {
	_, err = command{folder: folder, args: []string{"merge-base", "--is-ancestor", commit, other}}.run(ctx)
	switch {
	case err == nil:
		return true, true, nil
	case ctx.Err() != nil:
		return false, false, err
	case !exitedWith(err, 1): // one of them is not there
		return false, false, nil
	}
	// The way from one to the other may be among what was cut off.
	shallow, err := command{folder: folder, args: []string{"rev-parse", "--is-shallow-repository"}}.run(ctx)
	return false, err == nil && strings.TrimSpace(string(shallow)) == "false", err
}

// FirstParents are at most a number of commits from after back to before, without before,
// the newest first: of merges those on the branch itself, and not what they brought.
func FirstParents(ctx context.Context, folder, before, after string, most int) ([]string, error) {
	out, err := command{folder: folder, args: []string{"rev-list", "--first-parent", "--max-count=" + strconv.Itoa(most), before + ".." + after}}.run(ctx)
	return strings.Fields(string(out)), err
}

// Changed are the files that differ between a commit and the one that is checked out,
// without those that are gone, relative to the repository's root.
func Changed(ctx context.Context, folder, since string) ([]string, error) {
	out, err := command{folder: folder, args: []string{"diff", "--no-ext-diff", "--name-only", "--no-renames", "--diff-filter=d", "-z", since, "HEAD", "--"}}.run(ctx)
	return names(out), err
}

// Differing are the files that differ between a commit and the one that is checked out, also those
// that only one of them has, relative to the repository's root.
func Differing(ctx context.Context, folder, since string) ([]string, error) {
	out, err := command{folder: folder, args: []string{"diff", "--no-ext-diff", "--name-only", "--no-renames", "-z", since, "HEAD", "--"}}.run(ctx)
	return names(out), err
}

// Has tells whether the repository has a commit.
func Has(ctx context.Context, folder, commit string) (bool, error) {
	_, err := command{folder: folder, args: []string{"cat-file", "-e", commit + "^{commit}"}}.run(ctx)
	if err != nil && ctx.Err() == nil {
		return false, nil
	}
	return err == nil, err
}
