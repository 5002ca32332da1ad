package main

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/test/kit/fakerunner"
)

// opened is a pull_request event as GitHub sends it: see payload_test.go.
//
//go:embed pull_request.json
var opened []byte

// environ returns the environment of a process without variables that could change the story: the
// user's settings of Terraform and Git, credentials and, in CI, the runner's variables. folder comes
// first on PATH.
func environ(process []string, folder string) []string {
	var env []string
	path := ""
	for _, entry := range process {
		name, value, _ := strings.Cut(entry, "=")
		prefix, _, _ := strings.Cut(name, "_")
		switch {
		case slices.Contains([]string{"TF", "AWS", "ARM", "GOOGLE", "GIT", "GITHUB", "ACTIONS", "RUNNER", "INPUT", "STATE", "ATMOS"}, prefix):
		case name == "PATH":
			path = value
		default:
			env = append(env, entry)
		}
	}
	return append(env,
		"PATH="+strings.TrimSuffix(folder+string(filepath.ListSeparator)+path, string(filepath.ListSeparator)),
		"TF_CLI_CONFIG_FILE="+os.DevNull, "CHECKPOINT_DISABLE=1",
		"GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1")
}

// begin creates the team's repository, and deploys it.
func (d *demo) begin(ctx context.Context, sample string) error {
	if err := os.CopyFS(d.runner.Workspace(), os.DirFS(sample)); err != nil {
		return err
	}
	if err := d.git(ctx, "init", "--quiet", "--initial-branch=main"); err != nil {
		return err
	}
	if _, err := d.commit(ctx, "Describe our infrastructure"); err != nil {
		return err
	}
	for _, stack := range []string{"acme-ue2-dev", "acme-ue2-prod"} {
		for _, component := range []string{"network", "service"} {
			if err := d.deployByHand(ctx, component, stack); err != nil {
				return err
			}
		}
	}
	return nil
}

// deployByHand applies a component as the team did before.
func (d *demo) deployByHand(ctx context.Context, component, stack string) error {
	data, err := os.MkdirTemp(d.dir, "by-hand-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(data)
	for _, args := range [][]string{
		{"init", "-input=false", fmt.Sprintf("-backend-config=path=../../../state/%s/%s.tfstate", stack, component)},
		{"apply", "-input=false", "-auto-approve", "-var-file=" + stack + ".tfvars"},
	} {
		cmd := exec.CommandContext(ctx, d.terraform, args...)
		cmd.Dir = filepath.Join(d.runner.Workspace(), "components", component)
		cmd.Env = append(slices.Clone(d.environ), "TF_DATA_DIR="+data)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("terraform %s for %s in %s: %w\n%s", args[0], component, stack, err, out)
		}
	}
	return nil
}

// pullRequest is an open or merged pull request of the demo's repository.
type pullRequest struct {
	number             int
	branch, base, head string
	merged             string // the merge commit; empty while open
}

// openPullRequest creates a branch with one edit.
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

// event gives the runner the pull request's latest event.
func (d *demo) event(pr *pullRequest) (err error) {
	action, sha, ref := "opened", pr.head, fmt.Sprintf("refs/pull/%d/merge", pr.number)
	if pr.merged != "" {
		action, sha, ref = "closed", pr.merged, "refs/heads/main"
	}
	repository := d.runner.Repository
	d.runner.Event, d.runner.SHA, d.runner.Ref = "pull_request", sha, ref
	d.runner.Payload, err = fakerunner.Edit(opened, map[string]any{
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
	cmd.Dir, cmd.Env = d.runner.Workspace(), d.environ
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), err
}

func (d *demo) git(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "git", append([]string{
		"-c", "user.name=Mona", "-c", "user.email=mona@example.com", "-c", "commit.gpgsign=false", "-c", "core.hooksPath=/dev/null",
	}, args...)...)
	cmd.Dir, cmd.Env = d.runner.Workspace(), d.environ
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("git %s: %w\n%s", args[0], err, out)
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
