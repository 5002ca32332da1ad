package plan

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/terraform-gitops/gitops/shared/approvals"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/policy"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/pulls"
	"github.com/terraform-gitops/gitops/shared/repository"
)

// Rules is what the policies say of a plan, and who has to approve it.
type Rules struct {
	// Policy is the verdict; nil: there are no policies, or nothing to evaluate them on.
	Policy *policy.Verdict
	// Changes say how the pull request changes the rules themselves, and Base is what the policies of
	// the base say then; nil: there are none.
	Changes repository.RuleChanges
	Base    *policy.Verdict
	// Required are the approvals that an apply needs, Given those that count so far, and Missing what
	// is left.
	Required []approvals.Requirement
	Given    []approvals.Approval
	Missing  []approvals.Missing
	// Overriders are the teams whose members can let a denied plan through, and Override is the review
	// of one of them, of a plan right before this one that says the same; nil: there is none.
	Overriders []string
	Override   *approvals.Approval
}

// Denied reports whether the policies deny the plan, and nobody lets it through.
func (r Rules) Denied() bool {
	return r.Policy != nil && r.Policy.Result == policy.Denied && r.Override == nil
}

// openRules reads the policies that hold for the target, and compares them with those of the base.
func (p *planner) openRules(ctx context.Context) (err error) {
	t := p.workspace.Target
	if p.policies, err = p.o.Repository.Policies(ctx, t.Name(), t.Settings.Policy); err != nil {
		return fmt.Errorf("plan %s: %w", t, err)
	}
	if p.o.Pull.Number == 0 || p.Record.BaseCommit == "" {
		return nil
	}
	if p.Rules.Changes, err = p.o.Repository.RuleChanges(ctx, p.Record.BaseCommit, t); err != nil {
		if ctx.Err() != nil {
			return err
		}
		p.caution("Whether this pull request changes the policies or approvals is not known: %s.", problem.Text(err))
	}
	if len(p.policies) > 0 && len(p.Rules.Changes.Untracked) > 0 {
		p.unknown("Policies in %s are not in this repository: whether they have changed since the base is not known.", codes(p.Rules.Changes.Untracked))
	}
	return nil
}

func codes(names []string) string { return "`" + strings.Join(names, "`, `") + "`" }

// evaluations are what evaluates the policies of the workspace and, if the pull request changes them,
// those of the base.
type evaluations struct{ now, base *policy.Evaluation }

// evaluate starts the evaluation of the policies; there is none without policies.
func (p *planner) evaluate(ctx context.Context, made Made) (e evaluations, also io.Writer, err error) {
	before := p.Rules.Changes.Before
	if len(p.Rules.Changes.Policies) == 0 {
		before = nil // they say the same
	}
	if len(p.policies)+len(before) == 0 || p.o.Drift && !made.HasChanges {
		return e, nil, nil
	}
	facts, err := p.facts(ctx)
	if err != nil {
		return e, nil, fmt.Errorf("read what the policies of %s may ask of the pull request: %w", p.workspace.Target, err)
	}
	var writers []io.Writer
	for _, one := range []struct {
		policies policy.Set
		into     **policy.Evaluation
	}{{p.policies, &e.now}, {before, &e.base}} {
		if len(one.policies) == 0 {
			continue
		}
		if *one.into, err = policy.Start(ctx, policy.Options{Policies: one.policies, Facts: facts}); err != nil {
			e.cancel()
			return e, nil, err
		}
		writers = append(writers, *one.into)
	}
	return e, io.MultiWriter(writers...), nil
}

// cancel ends what has not ended.
func (e evaluations) cancel() {
	for _, one := range []*policy.Evaluation{e.now, e.base} {
		if one != nil {
			one.Cancel()
		}
	}
}

// judge asks for the verdicts, now that the plan was read. A drift plan that shows no drift has none.
func (p *planner) judge(ctx context.Context, e evaluations) error {
	if p.o.Drift && !p.Drifted() {
		return nil
	}
	for _, one := range []struct {
		evaluation *policy.Evaluation
		into       **policy.Verdict
	}{{e.now, &p.Rules.Policy}, {e.base, &p.Rules.Base}} {
		if one.evaluation != nil {
			verdict := one.evaluation.End(p.Changes.Counts)
			*one.into = &verdict
		}
	}
	if v := p.Rules.Policy; v != nil {
		p.Record.PolicyDigest, p.Record.PolicyResult = v.Digest, string(v.Result)
	}
	return ctx.Err() // the verdict of a cancelled run means nothing
}

// facts are what policies know beside the plan. GitHub is asked once for all targets.
func (p *planner) facts(ctx context.Context) (policy.Facts, error) {
	f := p.o.Facts
	f.Target = policy.Target{Component: p.Name.Component, Stack: p.Name.Stack}
	f.Environment, f.Drift, f.Phase, f.Time = p.Environment, p.o.Drift, "plan", p.o.Now().UTC()
	if f.PullRequest == nil {
		return f, nil
	}
	pull := *f.PullRequest
	if pull.Author == "" { // the event has only its number
		pr, err := p.o.Pulls.Get(ctx, pull.Number)
		if err != nil {
			return f, err
		}
		pull.Author, pull.Title, pull.Labels = pr.Author, pr.Title, pr.Labels
		f.Branch, f.Base = pr.HeadRef, pr.BaseRef
	}
	f.PullRequest = &pull
	err := p.o.Pulls.FillIn(ctx, &f)
	return f, err
}

// approvals finds which approvals an apply of the plan needs, and which are there. That informs
// people: an apply finds out by itself. So it is no error if it can't be found out.
func (p *planner) approvals(ctx context.Context) error {
	if p.o.Drift && !p.Drifted() || !p.o.Drift && !p.HasChanges() {
		return nil
	}
	settings := p.workspace.Settings.Approvals
	required := settings.Requirements(p.o.Repository.Source.Name)
	if v := p.Rules.Policy; v != nil {
		required = append(v.Required[:len(v.Required):len(v.Required)], required...)
	}
	pull := p.o.Facts.PullRequest
	if settings.CodeOwners && pull != nil {
		owners, err := p.owners(ctx, pull.Number)
		if err != nil {
			p.unknown("Code owners have to approve this, and who they are is not known: %s.", problem.Text(err))
		}
		required = append(required, owners...)
	}
	p.Rules.Required, p.Record.Required = required, approvals.Redacted(required, p.o.Runtime.Redacted)
	p.Rules.Overriders = p.workspace.Settings.Policy.Override
	override := p.Rules.Denied() && len(p.Rules.Overriders) > 0
	if pull == nil || len(required) == 0 && !override {
		return ctx.Err()
	}
	if err := p.findEqual(ctx); err != nil {
		p.unknown("Whether the plan before this one says the same is not known, so its approvals may not count: %s.", problem.Text(err))
	}
	asked, err := p.asked(ctx, *pull)
	if err != nil {
		p.unknown("Who has approved this so far is not known: %s.", problem.Text(err))
		return ctx.Err()
	}
	if override {
		if p.Rules.Override, _, err = p.o.Pulls.Override(ctx, p.Rules.Overriders, asked); err != nil {
			p.unknown("Whether somebody overrides the policies is not known: %s.", problem.Text(err))
		}
	}
	if len(required) == 0 {
		return ctx.Err()
	}
	result, err := p.o.Pulls.CheckApprovals(ctx, required, asked)
	if err != nil {
		p.unknown("Who has approved this so far is not known: %s.", problem.Text(err))
	}
	p.Rules.Given, p.Rules.Missing = result.Given, result.Missing
	return ctx.Err()
}

// asked are the plans whose approvals count: this one, and those right before it that say the same.
func (p *planner) asked(ctx context.Context, pull policy.PullRequest) (pulls.Asked, error) {
	asked := pulls.Asked{PullRequest: pull.Number, Author: pull.Author, Plans: []approvals.Plan{{Commit: p.Record.Commit, At: p.Record.CreatedAt}}}
	if asked.Author == "" { // the event has only its number
		pr, err := p.o.Pulls.Get(ctx, pull.Number)
		if err != nil {
			return asked, err
		}
		asked.Author = pr.Author
	}
	for _, id := range p.Record.EqualTo {
		commit, at, err := planstore.PlanOf(id)
		if err != nil {
			return asked, err
		}
		asked.Plans = append(asked.Plans, approvals.Plan{Commit: commit, At: at})
	}
	return asked, nil
}

func (p *planner) owners(ctx context.Context, number int) ([]approvals.Requirement, error) {
	files, err := p.o.Pulls.Files(ctx, number)
	if err != nil {
		return nil, err
	}
	return p.o.Repository.Owners(ctx, p.Record.BaseCommit, "", p.workspace.Target, files)
}
