// Package repository finds what all targets share: which targets there are, how Atmos or
// gitops.yaml configures them and which of them a commit affects; and it opens the checkout, the
// plan stores, GitHub and the executables. Each is looked up once and kept.
package repository

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/git"
	"github.com/terraform-gitops/gitops/shared/github"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/inventory/atmos"
	"github.com/terraform-gitops/gitops/shared/memo"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/terraform"
	"github.com/terraform-gitops/gitops/shared/terraform/plugincache"
)

// Repository gives access to what all targets share. Its methods may be called concurrently.
type Repository struct {
	Context gha.Context
	Runtime *gha.Runtime
	Environ []string // of the process, without the action's inputs
	Source  Source
	// Tracked is what Git tracks, for all targets of the checkout.
	Tracked git.Tracked
	Plugins *plugincache.Cache // nil if only one target is worked on

	inputs  Inputs
	targets targets
	atmos   *atmosTargets // the same as targets; nil for gitops.yaml

	checkout memo.Memo[string, git.Head]
	behind   memo.Memo[commitPair, bool]
	client   memo.Memo[string, *github.Client] // by token
	stores   memo.Memo[storeKey, *planstore.Store]
	policies memo.Memo[string, policyFiles]
	bases    memo.Memo[string, *baseRules]
	listed   memo.Memo[string, []inventory.Listed] // the targets of other commits
	programs memo.Memo[programKey, string]
	versions memo.Memo[string, terraform.Version]

	codeowners memo.Memo[string, codeowners] // by commit
}

// Open finds out whether Atmos or gitops.yaml configures the workspace's targets. If both exist,
// Atmos' configuration has precedence, unless an input names gitops.yaml.
func Open(ctx context.Context, r *gha.Runtime, environ []string, in Inputs) (*Repository, error) {
	actx := r.Context()
	if actx.Workspace == "" || actx.Repository == "" {
		return nil, problem.With(problem.Runner, errors.New("GITHUB_WORKSPACE or GITHUB_REPOSITORY is not set: run this as a step of a GitHub Actions workflow"))
	}
	if err := enter(&actx, in.Path); err != nil {
		return nil, err
	}
	rp := &Repository{Context: actx, inputs: in, Runtime: r, Environ: withoutInputs(environ)}
	rp.targets = &gitopsTargets{rp: rp}
	rp.Source.Name = in.Config
	if in.Config != "" {
		return rp, nil
	}
	rp.Source.Name = gitopsFile
	env, found, err := atmos.Find(actx.Workspace, in.AtmosConfig, environ)
	if err != nil {
		return nil, rp.orEmpty(err)
	}
	if found {
		if _, err := os.Stat(filepath.Join(actx.Workspace, gitopsFile)); err == nil {
			r.Notice(gha.Annotation{Message: "This repository has both atmos.yaml and gitops.yaml: Atmos' targets and settings are used. For the other, give the input `config`."})
		}
		project, from, err := rp.openAtmos(ctx, env)
		if err != nil {
			return nil, err
		}
		rp.atmos = &atmosTargets{rp: rp, project: project}
		rp.Source, rp.targets = from, rp.atmos
	}
	return rp, nil
}

// withoutInputs leaves out the action's inputs: some are secrets, and no program that the action
// starts needs them.
func withoutInputs(environ []string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(entry string) bool { return strings.HasPrefix(entry, "INPUT_") })
}

// enter makes the folder that holds the repository the workspace.
func enter(actx *gha.Context, folder string) error {
	if folder == "" {
		return nil
	}
	local := folder
	if filepath.IsAbs(folder) {
		var err error
		if local, err = filepath.Rel(actx.Workspace, folder); err != nil {
			local = folder
		}
	}
	if !filepath.IsLocal(local) {
		return problem.With(problem.Input, fmt.Errorf("input `path` is %q, which lies outside of the workspace: give the `path` of actions/checkout", folder))
	}
	at := filepath.Join(actx.Workspace, local)
	if info, err := os.Stat(at); err != nil || !info.IsDir() {
		return problem.With(problem.Checkout, fmt.Errorf("input `path` is %q, and there is no such folder in the workspace: give the `path` of actions/checkout, which comes before this step", folder))
	}
	actx.Workspace = at
	return nil
}

// orEmpty returns err, which says that something is missing, or the reason for that: the
// workspace is empty or can't be read.
func (rp *Repository) orEmpty(err error) error {
	entries, failed := os.ReadDir(rp.Context.Workspace)
	switch {
	case failed != nil:
		return problem.With(problem.Checkout, fmt.Errorf("read the workspace: %w", failed))
	case len(entries) == 0:
		return problem.With(problem.Checkout, errors.New("the workspace is empty: add an `actions/checkout` step before this one"))
	}
	if _, gone := os.Stat(filepath.Join(rp.Context.Workspace, ".git")); rp.inputs.Path == "" && gone != nil {
		if folder := checkedOutIn(rp.Context.Workspace); folder != "" {
			return problem.With(problem.Checkout, fmt.Errorf("the repository is checked out in the folder %s of the workspace, and not in the workspace itself: give the input `path: %[1]s`, or leave `path` of actions/checkout out", folder))
		}
	}
	return err
}

// checkedOutIn returns the only folder of the workspace that holds a checked-out repository. It is
// empty if there is none, or more than one.
func checkedOutIn(workspace string) string {
	found, _ := filepath.Glob(filepath.Join(workspace, "*", ".git"))
	if len(found) != 1 {
		return ""
	}
	return filepath.Base(filepath.Dir(found[0]))
}

// SharePlugins has the targets that are opened from now on share the providers that
// Terraform installs for them. Call done once all their jobs are closed.
func (rp *Repository) SharePlugins() (done func() error, err error) {
	if rp.Plugins, err = plugincache.New(rp.Context.TempDir); err != nil {
		return nil, err
	}
	return rp.Plugins.Close, nil
}

// Checkout returns which commit the workspace holds. Git is asked once.
func (rp *Repository) Checkout(ctx context.Context) (git.Head, error) {
	return rp.checkout.Get("", func() (git.Head, error) {
		checkout, err := git.ReadHead(ctx, rp.Context.Workspace)
		if err != nil {
			err = rp.orEmpty(err)
		}
		return checkout, err
	})
}

// GitHub opens GitHub's API with the job's token, once, so that all calls keep one
// pace. A wait for a rate limit is noticed in the log.
func (rp *Repository) GitHub() (*github.Client, error) { return rp.openGitHub(rp.inputs.Token) }

// GitHubForTeams is GitHub with the token that can list the members of teams.
func (rp *Repository) GitHubForTeams() (*github.Client, error) {
	return rp.openGitHub(cmp.Or(rp.inputs.TeamsToken, rp.inputs.Token))
}

func (rp *Repository) openGitHub(token string) (*github.Client, error) {
	return rp.client.Get(token, func() (*github.Client, error) {
		return github.New(rp.Context.APIURL, token, github.WithWaitNotice(func(line string) {
			rp.Runtime.Notice(gha.Annotation{Message: line})
		}))
	})
}
