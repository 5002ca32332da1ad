package drift

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/terraform-gitops/gitops/shared/github"
	"github.com/terraform-gitops/gitops/shared/planstore"
)

// Issues are the calls to GitHub that a reconciliation makes. *github.Client implements them.
type Issues interface {
	Issues(ctx context.Context, repo string, q github.IssueQuery) ([]github.Issue, error)
	Issue(ctx context.Context, repo string, number int) (github.Issue, error)
	CreateIssue(ctx context.Context, repo string, n github.NewIssue) (github.Issue, error)
	EditIssue(ctx context.Context, repo string, number int, e github.IssueEdit) (github.Issue, error)
	CommentOnIssue(ctx context.Context, repo string, number int, body string) error
}

// Reconciler updates the drift issues of a repository to what a run found.
type Reconciler struct {
	Repository string
	Run        planstore.Run
	GitHub     Issues
	Store      Store
	Now        func() time.Time
	Options    Options
	Labels     []string // of new issues, besides our own
	Assignees  []string // of new issues
	DryRun     bool     // decide, and write nothing
	// InGit lists the targets in Git; nil: do not check that.
	InGit func(context.Context) ([]Name, error)
}

// Done is a step and how it ended.
type Done struct {
	Step
	Issue github.Issue // as it is now; none where none was opened
	Err   error
}

// Reconciled is what a reconciliation did.
type Reconciled struct {
	Done    []Done
	Planned int // targets that this run planned
	Ignored Ignored
}

// Reconcile reads what is there, decides, and does it. If a step fails, its error is in the
// result, and the others go on. The error returned is what prevented the decision.
func (r Reconciler) Reconcile(ctx context.Context) (Reconciled, error) {
	found, err := r.find(ctx)
	if err != nil {
		return Reconciled{}, err
	}
	all := Reconciled{Planned: len(found.Results), Ignored: ignoredIn(found)}
	for _, step := range Decide(found, r.Options) {
		done := Done{Step: step, Issue: step.Issue}
		if !r.DryRun && ctx.Err() == nil {
			done.Issue, done.Err = r.do(ctx, step)
		}
		all.Done = append(all.Done, done)
	}
	return all, ctx.Err()
}

func (r Reconciler) target(n Name) planstore.Target {
	return planstore.Target{Repository: r.Repository, Component: n.Component, Stack: n.Stack}
}

// find reads this run's results, the open issues, the links of both, and linked issues that are
// no longer open.
func (r Reconciler) find(ctx context.Context) (Found, error) {
	f := Found{
		Now: r.Now(), Run: r.Run.ID,
		Results: map[Name]Result{}, Links: map[Name]Link{}, Closed: map[int]*github.Issue{},
	}
	results, err := r.Store.Results(ctx, r.Repository, r.Run.ID)
	if err != nil {
		return f, err
	}
	if f.Open, err = r.GitHub.Issues(ctx, r.Repository, github.IssueQuery{Labels: []string{Label}, State: "open"}); err != nil {
		return f, err
	}
	open := map[int]bool{}
	wanted := map[Name]bool{}
	for _, result := range results {
		f.Results[nameOf(result.Target)] = result
		wanted[nameOf(result.Target)] = true
	}
	for _, issue := range f.Open {
		open[issue.Number] = true
		if component, stack, ok := Named(issue.Body); ok {
			wanted[Name{component, stack}] = true
		}
	}
	var targets []planstore.Target
	for name := range wanted {
		targets = append(targets, r.target(name))
	}
	links, err := r.Store.Links(ctx, targets)
	if err != nil {
		return f, err
	}
	for target, link := range links {
		name := nameOf(target)
		f.Links[name] = link
		if link.Number == 0 || open[link.Number] || f.Results[name].Outcome == "" {
			continue
		}
		if link.DiscardedDigest != "" && link.DiscardedDigest == f.Results[name].ChangesDigest && f.Now.Sub(link.DiscardedAt) < r.Options.DiscardFor {
			continue // what became of it makes no difference
		}
		issue, err := r.GitHub.Issue(ctx, r.Repository, link.Number)
		switch {
		case errors.Is(err, github.ErrNoIssue):
			f.Closed[link.Number] = nil
		case err != nil:
			return f, err
		case issue.State == "open": // somebody took our label off
			f.Open = append(f.Open, issue)
		default:
			f.Closed[link.Number] = &issue
		}
	}
	if r.InGit != nil {
		names, err := r.InGit(ctx)
		if err != nil {
			return f, err
		}
		f.InGit = map[Name]bool{}
		for _, name := range names {
			f.InGit[name] = true
		}
	}
	return f, nil
}

// do does one step. It writes the link first, on the condition that nobody else wrote it since
// it was read, then the issue.
func (r Reconciler) do(ctx context.Context, s Step) (github.Issue, error) {
	link := s.Link
	link.Target = r.target(s.Name)
	switch s.Kind {
	case Open:
		return r.open(ctx, s, link)
	case Update:
		return r.update(ctx, s, link)
	case Adopt:
		link.Number, link.Creator, link.CreatingSince = s.Issue.Number, "", time.Time{}
		_, err := r.Store.PutLink(ctx, link)
		return s.Issue, err
	case Quiet:
		if !s.Discarded {
			return s.Issue, nil
		}
		_, err := r.Store.PutLink(ctx, forgotten(link))
		return s.Issue, err
	case Forget: // no drift: nothing is discarded any more
		link.DiscardedDigest, link.DiscardedAt = "", time.Time{}
		_, err := r.Store.PutLink(ctx, forgotten(link))
		return s.Issue, err
	case Fixed:
		return r.close(ctx, s, &link, "completed", "", fmt.Sprintf("[This run](%s) found no drift any more.", r.Run.URL))
	case Removed:
		return r.close(ctx, s, &link, "not_planned", LabelRemoved, fmt.Sprintf("[This run](%s) found that this target is no longer in Git.", r.Run.URL))
	case Duplicate:
		return r.close(ctx, s, nil, "duplicate", "", fmt.Sprintf("[Issue %d](%s) already reports the drift of this target.", s.Of.Number, s.Of.URL))
	}
	return s.Issue, nil
}

// forgotten returns a link without its issue and what that showed.
func forgotten(link Link) Link {
	return Link{Target: link.Target, DiscardedDigest: link.DiscardedDigest, DiscardedAt: link.DiscardedAt, Revision: link.Revision}
}

// showing returns the link of an issue that will show this result.
func showing(link Link, result Result, section string) Link {
	link.Since = since(link, result)
	link.Outcome, link.RecordID, link.PlanDigest, link.ChangesDigest = result.Outcome, result.RecordID, result.PlanDigest, result.ChangesDigest
	link.BaseDigest, link.ExpiresAt, link.SectionDigest = result.BaseDigest, result.ExpiresAt, digestOf(section)
	link.DiscardedDigest, link.DiscardedAt = "", time.Time{}
	link.Creator, link.CreatingSince = "", time.Time{}
	return link
}

// since is when the drift was first seen. A failed plan says nothing about it.
func since(link Link, result Result) time.Time {
	if link.Since.IsZero() || link.ChangesDigest != result.ChangesDigest && result.Outcome != PlanFailed {
		return result.At
	}
	return link.Since
}

func labels(result Result) []string {
	if result.Outcome == PlanFailed {
		return []string{Label, LabelError}
	}
	return []string{Label}
}

// open creates an issue. First the link says which run does so, so that two runs do not create
// two. If the run dies before it stores the number, the next run finds the issue by its name.
func (r Reconciler) open(ctx context.Context, s Step, link Link) (github.Issue, error) {
	link = forgotten(link)
	link.Creator, link.CreatingSince = r.Run.ID, r.Now()
	link, err := r.Store.PutLink(ctx, link)
	if err != nil {
		return s.Issue, err
	}
	body, section := bodyThatFits(s.Result, s.Result.At, r.Options.DiscardFor, func(section string) string {
		return newBody(s.Name.Component, s.Name.Stack, section)
	})
	issue, err := r.GitHub.CreateIssue(ctx, r.Repository, github.NewIssue{
		Title: title(s.Result), Body: body, Labels: slices.Concat(labels(s.Result), r.Labels), Assignees: r.Assignees,
	})
	if err != nil {
		return s.Issue, err
	}
	link = showing(link, s.Result, section)
	link.Number, link.ShownAt = issue.Number, issue.UpdatedAt // by GitHub's clock, as when it is labelled
	_, err = r.Store.PutLink(ctx, link)
	return issue, err
}

// notShown is how far in the future ShownAt is while a plan is being written into an issue. If
// the run dies then, a label counts again after that time.
const notShown = time.Hour

func (r Reconciler) update(ctx context.Context, s Step, link Link) (github.Issue, error) {
	body, section := bodyThatFits(s.Result, since(link, s.Result), r.Options.DiscardFor, func(section string) string {
		return withSection(s.Issue.Body, s.Name.Component, s.Name.Stack, section)
	})
	otherPlan := link.RecordID != s.Result.RecordID
	link = showing(link, s.Result, section)
	link.Number = s.Issue.Number
	if otherPlan { // nobody can have seen it before the edit, which may have to wait
		link.ShownAt = r.Now().Add(notShown)
	}
	link, err := r.Store.PutLink(ctx, link)
	if err != nil {
		return s.Issue, err
	}
	edit := github.IssueEdit{}
	if body != canonical(s.Issue.Body) {
		edit.Body = &body
	}
	if wanted := ourLabels(s.Issue.Labels, s.Result); !slices.Equal(wanted, s.Issue.Labels) {
		edit.Labels = wanted
	}
	if edit.Body == nil && edit.Labels == nil {
		return s.Issue, nil
	}
	issue, err := r.GitHub.EditIssue(ctx, r.Repository, s.Issue.Number, edit)
	if err != nil || !otherPlan {
		return issue, err
	}
	link.ShownAt = issue.UpdatedAt
	_, err = r.Store.PutLink(ctx, link)
	return issue, err
}

// ourLabels returns an issue's labels, with ours as the result needs them. All others stay as
// people set them.
func ourLabels(has []string, result Result) []string {
	wanted := labels(result)
	all := slices.DeleteFunc(slices.Clone(has), func(l string) bool {
		return l == LabelError && !slices.Contains(wanted, l)
	})
	for _, l := range wanted {
		if !slices.Contains(all, l) {
			all = append(all, l)
		}
	}
	return all
}

// close comments why, and closes the issue. Before that, the link forgets it, if there is one.
func (r Reconciler) close(ctx context.Context, s Step, link *Link, reason, label, why string) (github.Issue, error) {
	if link != nil && !s.Issue.HasLabel(Label) {
		// Nothing but the link finds this issue, and the link goes first: so label it.
		issue, err := r.GitHub.EditIssue(ctx, r.Repository, s.Issue.Number, github.IssueEdit{Labels: append(slices.Clone(s.Issue.Labels), Label)})
		if err != nil {
			return s.Issue, err
		}
		s.Issue = issue
	}
	if link != nil && link.Revision > 0 {
		link.DiscardedDigest, link.DiscardedAt = "", time.Time{}
		if _, err := r.Store.PutLink(ctx, forgotten(*link)); err != nil {
			return s.Issue, err
		}
	}
	if err := r.GitHub.CommentOnIssue(ctx, r.Repository, s.Issue.Number, why); err != nil && !errors.Is(err, github.ErrLocked) {
		return s.Issue, err
	}
	edit := github.IssueEdit{State: "closed", StateReason: reason}
	if label != "" && !s.Issue.HasLabel(label) {
		edit.Labels = append(slices.Clone(s.Issue.Labels), label)
	}
	return r.GitHub.EditIssue(ctx, r.Repository, s.Issue.Number, edit)
}
