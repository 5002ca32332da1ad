package apply

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/terraform-gitops/gitops/shared/approvals"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/policy"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/pulls"
)

// required are the approvals that the policies, the settings and the code owners ask for.
func (w *Work) required(ctx context.Context) ([]approvals.Requirement, error) {
	settings := w.Workspace.Settings.Approvals
	var all []approvals.Requirement
	if v := w.rules.verdict; v != nil {
		all = append(all, v.Required...)
	}
	all = append(all, settings.Requirements(w.options.Repository.Source.Name)...)
	if !settings.CodeOwners {
		return all, nil
	}
	number := w.rules.pullRequest
	if number == 0 {
		return nil, w.Refuse(problem.With(problem.Approval, errors.New("code owners have to approve what changed, and no pull request of this merge says what that is")),
			"Merge a pull request that changes this target: its own commit's plan has reviews.")
	}
	owners, err := w.owners(ctx, number)
	if err != nil {
		return nil, fmt.Errorf("find the code owners of %s: %w", w.Workspace.Target, err)
	}
	return append(all, owners...), nil
}

func (w *Work) owners(ctx context.Context, number int) ([]approvals.Requirement, error) {
	files, err := w.options.Pulls.Files(ctx, number)
	if err != nil {
		return nil, err
	}
	pr, err := w.options.Pulls.Get(ctx, number)
	if err != nil {
		return nil, err
	}
	return w.options.Repository.Owners(ctx, w.options.Merge.Base, pr.BaseSHA, w.Workspace.Target, files)
}

// askedFor is what people were asked to approve.
func (w *Work) askedFor() pulls.Asked {
	record, run := w.stored.Record, w.Workspace.Run()
	shown := approvals.Plan{
		Commit: record.Commit, At: w.shownAt(record.CreatedAt, w.storedAt),
		// In a later attempt, who approved the first one was not shown this, whatever the record says.
		InRun: w.options.Merge.Shown && record.Run.ID == run.ID && record.Run.Attempt == 1 && run.Attempt == 1,
	}
	if w.waiting() { // it was planned just now, and nobody has seen that
		shown = approvals.Plan{Commit: record.Commit, At: w.options.Now()}
	}
	return pulls.Asked{
		PullRequest: w.rules.pullRequest, Author: w.rules.author, Starters: w.rules.starters, Plans: []approvals.Plan{shown},
		Environment: w.environment(), RunID: run.ID,
	}
}

// shownAt is from when on a plan could be approved. A record may say any time, but not when its
// planfile was stored.
func (w *Work) shownAt(createdAt, storedAt time.Time) time.Time {
	switch {
	case storedAt.IsZero():
		return w.options.Now()
	case storedAt.After(createdAt):
		return storedAt
	}
	return createdAt
}

// approved returns who has given the approvals, or refuses the plan. equal finds the plans before
// that say the same; it is called only if something is missing.
func (w *Work) approved(ctx context.Context, required []approvals.Requirement, asked pulls.Asked, equal func(context.Context) ([]approvals.Plan, error)) (approvals.Result, error) {
	result, err := w.options.Pulls.CheckApprovals(ctx, required, asked)
	if err == nil && len(result.Missing) > 0 {
		if asked, err = w.withEqual(ctx, asked, equal); err == nil && len(asked.Plans) > 1 {
			result, err = w.options.Pulls.CheckApprovals(ctx, required, asked)
		}
	}
	w.outcome.Required, w.outcome.Given, w.outcome.Missing = required, result.Given, result.Missing
	if err != nil {
		return result, fmt.Errorf("check the approvals of %s: %w", w.Workspace.Target, err)
	}
	if len(result.Missing) > 0 {
		return result, w.Refuse(problem.With(problem.Approval, errors.New("it needs approval by "+missing(result.Missing))), w.adviceOnApproval(asked))
	}
	return result, nil
}

// missing says which approvals are missing, and why those that were given don't count.
func missing(all []approvals.Missing) string {
	var lines []string
	for _, m := range all {
		line := m.Who()
		var about []string
		for _, text := range []string{m.Reason, m.Source} {
			if text != "" {
				about = append(about, text)
			}
		}
		if len(about) > 0 {
			line += " (" + strings.Join(about, ", ") + ")"
		}
		if m.Have > 0 {
			line += fmt.Sprintf(", and has %d", m.Have)
		}
		if len(m.Why) > 0 {
			line += ": " + strings.Join(m.Why, "; ")
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, ". And by ")
}

func (w *Work) adviceOnApproval(asked pulls.Asked) string {
	if w.waiting() {
		return "Nobody could approve this plan, since it was made just now. " + PlanMerged
	}
	var ways []string
	if w.reviewable() {
		ways = append(ways, fmt.Sprintf("approve #%d in a review, as GitHub allows after a merge, too, and run this job again", asked.PullRequest))
	}
	if asked.Environment != "" {
		ways = append(ways, fmt.Sprintf("approve environment %s of a new run", asked.Environment))
	}
	again := PlanMerged
	if w.stored.Record.Kind == planstore.KindDrift {
		again = DetectAgain
	}
	if len(ways) == 0 {
		return "Give the job an environment, and have one of them approve it. " + again
	}
	return "One of them can " + strings.Join(ways, ", or ") + ". " + again
}

// reviewRules checks before anybody is asked to approve a plan whether approvals are missing that only a
// review gives. What the policies say is what the record says: nothing is evaluated here, and the
// apply decides.
func (w *Work) reviewRules(ctx context.Context) error {
	record, settings := w.stored.Record, w.Workspace.Settings
	policies, err := w.options.Repository.Policies(ctx, w.Workspace.Target.Name(), settings.Policy)
	if err != nil {
		return fmt.Errorf("apply %s: %w", w.Workspace.Target, err)
	}
	needed := record.Required
	switch {
	case len(policies) == 0:
		needed = nil
	case record.PolicyDigest == "":
		w.caution("When the plan was made, no policies were evaluated. They are when it is applied.")
		needed = nil
	case policies.Digest() != record.PolicyDigest:
		w.caution("The policies are not those of the plan any more. What they say of it is known when it is applied.")
		needed = nil
	case record.PolicyResult == string(policy.Denied):
		text := "When the plan was made, the policies denied it. The apply evaluates them again, and is refused if they still do"
		if len(settings.Policy.Override) > 0 {
			text += ", unless a member of " + strings.Join(settings.Policy.Override, " or ") + " overrides them"
		}
		w.caution(text + ".")
		fallthrough
	default:
		w.outcome.Stored = policy.Result(record.PolicyResult)
	}
	if len(needed) == 0 && !settings.Approvals.Any() {
		return nil
	}
	if err := w.ask(ctx); err != nil {
		return err
	}
	required, err := w.required(ctx)
	if err != nil {
		return err
	}
	for _, r := range needed {
		if !slices.ContainsFunc(required, func(other approvals.Requirement) bool { return sameRequirement(r, other) }) {
			required = append(required, r)
		}
	}
	asked := w.askedFor()
	asked.Environment = "" // it is asked for after this
	if !w.waiting() {      // else the apply makes a plan that nobody can have approved
		asked.Plans[0].At = record.CreatedAt
	}
	_, err = w.approved(ctx, required, asked, w.recordedEqualPlans)
	var refusal *Refusal
	if environment := w.environment(); environment != "" && !w.waiting() && errors.As(err, &refusal) && problem.CodeOf(err) == problem.Approval {
		text := fmt.Sprintf("It still needs approval by %s. One of them approves environment %s", missing(w.outcome.Missing), environment)
		if w.reviewable() {
			text += ", or the pull request in a review"
		}
		w.caution(text + ".")
		return nil
	}
	return err
}

func (w *Work) caution(text string) { w.outcome.Cautions = append(w.outcome.Cautions, text) }

// sameRequirement reports whether two requirements ask the same people.
func sameRequirement(a, b approvals.Requirement) bool {
	a.Reason, a.Source, b.Reason, b.Source = "", "", "", ""
	a.Count, b.Count = max(a.Count, 1), max(b.Count, 1)
	return reflect.DeepEqual(a, b)
}
