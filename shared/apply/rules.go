package apply

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/approvals"
	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/plan"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/policy"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/pulls"
)

// Merge is what the caller of an apply knows of the merge, for policies and approvals. The zero
// value says that there was none, and that no environment was approved: then no approval counts.
type Merge struct {
	// PullRequest returns the merged pull request in which a plan of a target was reviewed, and 0 if there is
	// none. The number in the record proves nothing, since whoever plans may write any. nil: there is
	// none.
	PullRequest func(context.Context, planstore.Record, inventory.Target) (int, error)
	// Base is the commit before the merge, which says who owns the code.
	Base string
	// Environment returns the GitHub environment in which a target is applied: that of this job or,
	// for a review, of the job that applies. Empty: there is none, or it is not known.
	Environment func(inventory.Name) string
	// Shown says that whoever approves the job's environment was shown the digest of what is applied.
	Shown         bool
	Event, Branch string
}

// rules are the policies and approvals of one target.
type rules struct {
	policies    policy.Set
	pullRequest int // 0: none
	facts       policy.Facts
	verdict     *policy.Verdict // nil: nothing is evaluated yet, or there are no policies
	author      string          // of the pull request
	head        string          // the pull request's last commit, which reviews are of after the merge
	starters    []string        // who started the run, if there is no pull request
	asked       bool            // facts, author and pullRequest are found
	equal       []approvals.Plan
	compared    bool // equal is found
}

// openRules finds the policies, and what they may know of the merge, before Terraform runs.
func (w *Work) openRules(ctx context.Context) (err error) {
	w.rules = rules{}
	w.rules.policies, err = w.options.Repository.Policies(ctx, w.Workspace.Target.Name(), w.Workspace.Settings.Policy)
	if err != nil {
		return fmt.Errorf("apply %s: %w", w.Workspace.Target, err)
	}
	if len(w.rules.policies) == 0 {
		return nil
	}
	return w.ask(ctx)
}

// governed reports whether there are policies or approvals to ask for.
func (w *Work) governed() bool {
	return len(w.rules.policies) > 0 || w.Workspace.Settings.Approvals.Any()
}

// ask finds the pull request in which the plan was reviewed and, if there are policies, what they may
// know of it.
func (w *Work) ask(ctx context.Context) (err error) {
	if w.rules.asked {
		return nil
	}
	record, merge := w.stored.Record, w.options.Merge
	if merge.PullRequest != nil && record.Kind != planstore.KindDrift {
		if w.rules.pullRequest, err = merge.PullRequest(ctx, record, w.Workspace.Target); err != nil {
			return fmt.Errorf("find the pull request in which the plan of %s was reviewed: %w", w.Workspace.Target, err)
		}
	}
	w.rules.starters = []string{w.Workspace.Context.Actor, w.Workspace.Context.TriggeringActor}
	if number := w.rules.pullRequest; number != 0 {
		pr, err := w.options.Pulls.Get(ctx, number)
		if err != nil {
			return err
		}
		w.rules.author, w.rules.head, w.rules.starters = pr.Author, pr.HeadSHA, nil
	}
	if len(w.rules.policies) > 0 {
		if w.rules.facts, err = w.readFacts(ctx); err != nil {
			return fmt.Errorf("read what the policies of %s may ask of the pull request: %w", w.Workspace.Target, err)
		}
	}
	w.rules.asked = true
	return nil
}

func (w *Work) readFacts(ctx context.Context) (policy.Facts, error) {
	actx, merge := w.Workspace.Context, w.options.Merge
	f := policy.Facts{
		Target:      policy.Target{Component: w.outcome.Target.Component, Stack: w.outcome.Target.Stack},
		Environment: w.environment(), Branch: merge.Branch, Actor: actx.Actor, Event: merge.Event, Phase: "apply",
		Drift: w.stored.Record.Kind == planstore.KindDrift,
	}
	number := w.rules.pullRequest
	if number == 0 {
		return f, nil
	}
	pr, err := w.options.Pulls.Get(ctx, number)
	if err != nil {
		return f, err
	}
	f.Branch, f.Base = pr.HeadRef, pr.BaseRef
	f.PullRequest = &policy.PullRequest{
		Number: number, Author: pr.Author, Title: pr.Title, Labels: pr.Labels,
	}
	err = w.options.Pulls.FillIn(ctx, &f)
	return f, err
}

// environment is the one that somebody may have approved for the apply.
func (w *Work) environment() string {
	named := ""
	if of := w.options.Merge.Environment; of != nil {
		named = of(w.outcome.Target)
	}
	return cmp.Or(named, w.Workspace.Settings.Environment)
}

// judge reads a plan and, if there are policies, has them evaluated on the same JSON.
func (w *Work) judge(ctx context.Context, judged bool, read func(also io.Writer) (*changes.Plan, error)) (*changes.Plan, error) {
	if !judged || len(w.rules.policies) == 0 {
		return read(nil)
	}
	facts := w.rules.facts
	facts.Time = w.options.Now().UTC() // it may be long since they were read: another target had the folder
	evaluation, err := policy.Start(ctx, policy.Options{
		Policies: w.rules.policies, Facts: facts, Time: w.options.PolicyTime, Memory: w.options.PolicyMemory,
	})
	if err != nil {
		return nil, fmt.Errorf("evaluate the policies of %s: %w", w.Workspace.Target, err)
	}
	defer evaluation.Cancel()
	shown, err := read(evaluation)
	if err != nil {
		return nil, err
	}
	verdict := evaluation.End(shown.Counts)
	w.rules.verdict, w.outcome.Policy = &verdict, &verdict
	return shown, ctx.Err()
}

// obey evaluates the policies on the planfile that is applied, unless that is done already, and
// checks the approvals. It refuses the plan, or returns why it is let through. A verdict or approvals
// in the record let nothing through.
func (w *Work) obey(ctx context.Context) (planstore.Audit, error) {
	audit := planstore.Audit{Environment: w.environment()}
	if !w.governed() {
		return audit, nil
	}
	if err := w.ask(ctx); err != nil {
		return audit, err
	}
	if len(w.rules.policies) > 0 && w.rules.verdict == nil {
		shown, err := w.judge(ctx, true, func(also io.Writer) (*changes.Plan, error) {
			d := detail()
			d.Also = also
			return plan.Show(ctx, w.tf, w.planfile, d)
		})
		if err != nil {
			return audit, fmt.Errorf("read the plan of %s for its policies: %w", w.Workspace.Target, err)
		}
		w.reviewed = shown
	}
	asked := w.askedFor()
	if v := w.rules.verdict; v != nil {
		w.logPolicies(v)
		audit.PolicyDigest, audit.PolicyResult = v.Digest, string(v.Result)
		if v.Result != policy.Passed && v.Result != policy.Warned {
			by, err := w.override(ctx, asked)
			if err != nil {
				return audit, err
			}
			audit.Override, w.outcome.Override = by, by
		}
	}
	required, err := w.required(ctx)
	if err != nil {
		return audit, err
	}
	given, err := w.approved(ctx, required, asked, w.equalPlans)
	if err != nil {
		return audit, err
	}
	// Other jobs show it, and do not know the secrets of this one.
	redact := w.options.Runtime.Redacted
	audit.Required, audit.Given = approvals.Redacted(required, redact), slices.Clone(given.Given)
	for i := range audit.Given {
		audit.Given[i].Text = redact(audit.Given[i].Text)
	}
	if by := audit.Override; by != nil {
		override := *by
		override.Text = redact(by.Text)
		audit.Override = &override
	}
	return audit, nil
}

func (w *Work) logPolicies(v *policy.Verdict) {
	for _, line := range v.Log {
		fmt.Fprintln(w.log, "policy: "+line) //nolint:errcheck // a log that can't be written stops no apply
	}
}

// override returns who lets the denied plan through, or refuses it.
func (w *Work) override(ctx context.Context, asked pulls.Asked) (*approvals.Approval, error) {
	teams := w.Workspace.Settings.Policy.Override
	by, why, err := w.options.Pulls.Override(ctx, teams, asked)
	if err == nil && by == nil && len(teams) > 0 {
		if asked, err = w.withEqual(ctx, asked, w.equalPlans); err == nil {
			by, why, err = w.options.Pulls.Override(ctx, teams, asked)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("find out whether somebody lets the denied plan of %s through: %w", w.Workspace.Target, err)
	}
	if by != nil {
		return by, nil
	}
	reason := "the policies deny the plan: " + w.rules.verdict.Reason()
	if len(why) > 0 {
		reason += " (nobody overrides that: " + strings.Join(why, "; ") + ")"
	}
	return nil, w.Refuse(problem.With(problem.Policy, errors.New(reason)), w.adviceOnPolicy(teams, asked))
}

// reviewable reports whether a review that somebody gives now can be of the planned commit.
func (w *Work) reviewable() bool {
	return w.rules.pullRequest != 0 && w.rules.head == w.stored.Record.Commit
}

func (w *Work) adviceOnPolicy(teams []string, asked pulls.Asked) string {
	again := "If that merge plans nothing, such as one that only changes a policy: p" + PlanMerged[1:]
	if w.stored.Record.Kind == planstore.KindDrift {
		again = DetectAgain
	}
	text := "Change what the policies deny, or the policy, and merge that. " + again
	if len(teams) > 0 && w.reviewable() {
		text += fmt.Sprintf(" Or a member of %s overrides the policies: by an approving review of #%d whose text has the word override (GitHub takes reviews after a merge, too). Then run this job again.", strings.Join(teams, " or "), asked.PullRequest)
	}
	return text
}
