package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/terraform-gitops/gitops/shared/gha/ghatest"
)

// pullRequest is an open or merged pull request of the demo's repository.
type pullRequest struct {
	number             int
	branch, base, head string
	merged             string // the merge commit; empty while open
}

// openPullRequest makes a branch with one edit.
func (d *demo) openPullRequest(ctx context.Context, branch, file, from, to string) (*pullRequest, error) {
	d.pulls++
	base, err := d.head(ctx)
	if err != nil {
		return nil, err
	}
	if err := d.git(ctx, "checkout", "--quiet", "-b", branch); err != nil {
		return nil, err
	}
	if err := d.replace(file, from, to); err != nil {
		return nil, err
	}
	head, err := d.commit(ctx, strings.ReplaceAll(branch, "-", " "))
	return &pullRequest{number: 40 + d.pulls, branch: branch, base: base, head: head}, err
}

// merge merges the pull request into main and leaves main checked out.
func (d *demo) merge(ctx context.Context, pr *pullRequest) (err error) {
	if err := d.git(ctx, "checkout", "--quiet", "main"); err != nil {
		return err
	}
	if err := d.git(ctx, "merge", "--quiet", "--no-ff", "--no-edit", pr.branch); err != nil {
		return err
	}
	pr.merged, err = d.head(ctx)
	return err
}

// event tells the runner of the pull request's latest event.
func (d *demo) event(pr *pullRequest) (err error) {
	action, sha, ref := "opened", pr.head, fmt.Sprintf("refs/pull/%d/merge", pr.number)
	if pr.merged != "" {
		action, sha, ref = "closed", pr.merged, "refs/heads/main"
	}
	repository := d.runner.Repository
	d.runner.Event, d.runner.SHA, d.runner.Ref = "pull_request", sha, ref
	d.runner.Payload, err = ghatest.Edit(payload, map[string]any{
		"action": action, "number": pr.number, "repository.full_name": repository, "repository.default_branch": "main",
		"pull_request.number": pr.number, "pull_request.merged": pr.merged != "", "pull_request.merge_commit_sha": pr.merged,
		"pull_request.head.sha": pr.head, "pull_request.head.ref": pr.branch, "pull_request.head.repo.full_name": repository,
		"pull_request.base.sha": pr.base, "pull_request.base.ref": "main", "pull_request.base.repo.full_name": repository,
	})
	return err
}

func (d *demo) commit(ctx context.Context, message string) (string, error) {
	if err := d.git(ctx, "add", "--all"); err != nil {
		return "", err
	}
	if err := d.git(ctx, "commit", "--quiet", "--message", message); err != nil {
		return "", err
	}
	return d.head(ctx)
}

func (d *demo) head(ctx context.Context) (string, error) {
	cmd := exec.CommandContext(ctx, "git", "rev-parse", "HEAD")
	cmd.Dir = d.runner.Workspace()
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), err
}

func (d *demo) git(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "git", append([]string{
		"-c", "user.name=Mona", "-c", "user.email=mona@example.com", "-c", "commit.gpgsign=false", "-c", "core.hooksPath=/dev/null",
	}, args...)...)
	cmd.Dir = d.runner.Workspace()
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("git %s: %w\n%s", args[0], err, log.String())
	}
	return nil
}

func (d *demo) replace(file, from, to string) error {
	path := filepath.Join(d.runner.Workspace(), filepath.FromSlash(file))
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !bytes.Contains(content, []byte(from)) {
		return fmt.Errorf("%s does not contain %q", file, from)
	}
	return os.WriteFile(path, bytes.ReplaceAll(content, []byte(from), []byte(to)), 0o644)
}
