package pulls

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/terraform-gitops/gitops/shared/approvals"
	"github.com/terraform-gitops/gitops/shared/github"
	"github.com/terraform-gitops/gitops/shared/memo"
	"github.com/terraform-gitops/gitops/shared/policy"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// Asked is what people were asked to approve.
type Asked struct {
	PullRequest int // 0: none, and so no reviews
	// Author is who opened the pull request. If there is none, Starters are who started the run.
	// Neither counts: see [approvals.Evidence].
	Author   string
	Starters []string
	// Plans are the plan, and those before that say the same: see [approvals.Evidence].
	Plans []approvals.Plan
	// Environment is the one that this job waited for, and RunID its run. If it is empty, no
	// environment was approved.
	Environment, RunID string
}

// CheckApprovals says whether the requirements are met, by reviews or else by approvals of the job's
// environment. How much it asks GitHub depends on who approved, and not on how many targets are
// checked in a run: see [Requests].
//
// An environment whose approvals can't be read is a reason in [approvals.Missing], since reviews may
// be given instead. Who is in a team, and cannot be found out, is an error.
func (r *Requests) CheckApprovals(ctx context.Context, required []approvals.Requirement, asked Asked) (approvals.Result, error) {
	if len(required) == 0 {
		return approvals.Result{}, nil
	}
	e, err := r.reviewed(ctx, asked)
	if err != nil {
		return approvals.Result{}, err
	}
	result, err := approvals.Check(ctx, required, e, r)
	if err != nil || len(result.Missing) == 0 || asked.Environment == "" {
		return result, err
	}
	given, rejected, err := r.environmentApprovals(ctx, asked)
	if err != nil {
		if ctx.Err() != nil {
			return approvals.Result{}, err
		}
		for i := range result.Missing {
			result.Missing[i].Why = append(result.Missing[i].Why, err.Error())
		}
		return result, nil
	}
	e.Approvals, e.Withdrawn = append(slices.Clone(e.Approvals), given...), append(slices.Clone(e.Withdrawn), rejected...)
	return approvals.Check(ctx, required, e, r)
}

// Override returns the review that lets a denied plan through, or nil: see [approvals.Override].
func (r *Requests) Override(ctx context.Context, teams []string, asked Asked) (by *approvals.Approval, why []string, err error) {
	if len(teams) == 0 || asked.PullRequest == 0 {
		return nil, nil, nil
	}
	e, err := r.reviewed(ctx, asked)
	if err != nil {
		return nil, nil, err
	}
	e.Approvals, err = r.withEditors(ctx, asked.PullRequest, e.Approvals)
	if err != nil {
		return nil, nil, err
	}
	return approvals.Override(ctx, teams, e, r)
}

// Approvals returns the reviews of a pull request that approve, and those that don't or no longer do.
func (r *Requests) Approvals(ctx context.Context, number int) (standing []approvals.Approval, withdrawn []approvals.Withdrawn, err error) {
	listed, err := r.reviews(ctx, number)
	if err != nil {
		return nil, nil, err
	}
	var reviews []approvals.Review
	for _, l := range listed {
		reviews = append(reviews, approvals.Review{State: l.State, Approval: approvals.Approval{
			User: l.User, Bot: l.Bot, At: l.At, Commit: l.Commit, ReviewID: l.ID, Text: l.Body,
		}})
	}
	standing, withdrawn = approvals.Standing(reviews)
	return standing, withdrawn, nil
}

func (r *Requests) reviewed(ctx context.Context, asked Asked) (approvals.Evidence, error) {
	e := approvals.Evidence{Author: asked.Author, Starters: asked.Starters, Plans: asked.Plans}
	if asked.PullRequest == 0 {
		return e, nil
	}
	var err error
	e.Approvals, e.Withdrawn, err = r.Approvals(ctx, asked.PullRequest)
	return e, err
}

func (r *Requests) reviews(ctx context.Context, number int) ([]github.Review, error) {
	return once(ctx, r.client, &r.reviewsOf, number, func(c *github.Client) ([]github.Review, error) {
		return c.Reviews(ctx, r.repository, number)
	})
}

// withEditors says who changed the texts that have the word "override".
func (r *Requests) withEditors(ctx context.Context, number int, given []approvals.Approval) ([]approvals.Approval, error) {
	reviews, err := r.reviews(ctx, number)
	if err != nil {
		return nil, err
	}
	var nodes []string
	node := map[int64]string{}
	for _, review := range reviews {
		if approvals.SaysOverride(review.Body) {
			node[review.ID] = review.Node
			nodes = append(nodes, review.Node)
		}
	}
	if len(nodes) == 0 {
		return given, nil
	}
	editors, err := once(ctx, r.client, &r.editorsIn, number, func(c *github.Client) (map[string]string, error) {
		return c.ReviewEditors(ctx, nodes)
	})
	if err != nil {
		return nil, err
	}
	given = slices.Clone(given)
	for i := range given {
		given[i].Editor = editors[node[given[i].ReviewID]]
	}
	return given, nil
}

// runApprovals is who approved the environments of a run, and when the run was created.
type runApprovals struct {
	created time.Time
	answers []github.RunApproval
}

// environmentApprovals returns who approved the environment in the run. GitHub doesn't say in which
// attempt, nor when: so who also rejected it there counts for nothing.
func (r *Requests) environmentApprovals(ctx context.Context, asked Asked) (given []approvals.Approval, rejected []approvals.Withdrawn, err error) {
	id, err := strconv.ParseInt(asked.RunID, 10, 64)
	if err != nil {
		return nil, nil, fmt.Errorf("find out who approved environment %s: %q is not a run's ID", asked.Environment, asked.RunID)
	}
	run, err := once(ctx, r.client, &r.runs, id, func(c *github.Client) (run runApprovals, err error) {
		run.answers, err = c.RunApprovals(ctx, r.repository, id)
		if err != nil || len(run.answers) == 0 {
			return run, err
		}
		run.created, err = c.RunCreated(ctx, r.repository, id)
		return run, err
	})
	if err != nil {
		return nil, nil, err
	}
	no := map[string]bool{}
	for _, a := range run.answers {
		// Case does not count in the names of environments.
		if !slices.ContainsFunc(a.Environments, func(name string) bool { return strings.EqualFold(name, asked.Environment) }) {
			continue
		}
		answer := approvals.Approval{User: a.User, Bot: a.Bot, At: run.created, Environment: asked.Environment, Text: a.Comment}
		switch who := strings.ToLower(a.User); {
		case a.State == "approved":
			given = append(given, answer)
		case a.State == "rejected" && !no[who]:
			no[who] = true
			rejected = append(rejected, approvals.Withdrawn{Approval: answer, Why: fmt.Sprintf("%s rejected environment %s in an attempt of this run: start a new run", a.User, asked.Environment)})
		}
	}
	return slices.DeleteFunc(given, func(a approvals.Approval) bool { return no[strings.ToLower(a.User)] }), rejected, nil
}

// Files returns the files that a pull request changes.
func (r *Requests) Files(ctx context.Context, number int) ([]github.ChangedFile, error) {
	return once(ctx, r.client, &r.filesOf, number, func(c *github.Client) ([]github.ChangedFile, error) {
		return c.PullRequestFiles(ctx, r.repository, number)
	})
}

// Members returns the logins of a team's members. The team is ORG/TEAM, or TEAM of the repository's
// owner.
func (r *Requests) Members(ctx context.Context, team string) ([]string, error) {
	return once(ctx, r.teams, &r.membersOf, strings.ToLower(team), func(c *github.Client) ([]string, error) {
		org, slug, ok := strings.Cut(team, "/")
		if !ok {
			org, _, _ = strings.Cut(r.repository, "/")
			slug = team
		}
		members, err := c.TeamMembers(ctx, org, slug)
		if problem.CodeOf(err) == problem.GitHubPermission {
			err = fmt.Errorf("%w, as `teams-token`", err)
		}
		return members, err
	})
}

// CanWrite reports whether somebody may write to the repository.
func (r *Requests) CanWrite(ctx context.Context, user string) (bool, error) {
	return once(ctx, r.client, &r.writers, strings.ToLower(user), func(c *github.Client) (bool, error) {
		permission, err := c.Permission(ctx, r.repository, user)
		return permission == "write" || permission == "maintain" || permission == "admin", err
	})
}

// found is an answer of GitHub, or the error.
type found[V any] struct {
	value V
	err   error
}

// once asks GitHub, and keeps the answer. It keeps an error, too: what GitHub refuses for one target
// it refuses for a thousand. It does not keep that the context has ended.
func once[K comparable, V any](ctx context.Context, open func() (*github.Client, error), known *memo.Memo[K, found[V]], key K, ask func(*github.Client) (V, error)) (V, error) {
	f, err := known.Get(key, func() (found[V], error) {
		client, err := open()
		if err != nil {
			return found[V]{}, err
		}
		v, err := ask(client)
		if err != nil && (ctx.Err() != nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
			return found[V]{}, err
		}
		return found[V]{v, err}, nil
	})
	if err != nil {
		return f.value, err
	}
	return f.value, f.err
}

// FillIn adds to the facts of a pull request which files it changes, with both names of a renamed one, and who
// has approved it so far.
func (r *Requests) FillIn(ctx context.Context, f *policy.Facts) error {
	files, err := r.Files(ctx, f.PullRequest.Number)
	if err != nil {
		return err
	}
	standing, _, err := r.Approvals(ctx, f.PullRequest.Number)
	if err != nil {
		return err
	}
	for _, file := range files {
		f.PullRequest.Files = append(f.PullRequest.Files, file.Path)
		if file.Status == "renamed" {
			f.PullRequest.Files = append(f.PullRequest.Files, file.Previous)
		}
	}
	for _, a := range standing {
		f.Approvals = append(f.Approvals, policy.Approval{User: a.User, Commit: a.Commit, At: a.At})
	}
	return nil
}
