package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/terraform-gitops/gitops/shared/action"
	"github.com/terraform-gitops/gitops/shared/drift"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/report/markdown"
	"github.com/terraform-gitops/gitops/shared/workspace"
)

// discard records that a person closed the issue, so that the same drift doesn't open another one for
// a while. Drift detection would find that out by itself, but would not explain it to the person.
func (w *work) discard(ctx context.Context) (_ action.Result, err error) {
	closer := w.actx.TriggeringActor
	if e := w.event.Issue; e != nil {
		closer = e.Sender
	}
	number := w.issue.Number
	switch {
	case w.issue.State != "closed":
		return nothing(w.Runtime, fmt.Sprintf("issue #%d is open", number)), nil
	case !w.named():
		return nothing(w.Runtime, fmt.Sprintf("issue #%d is not a drift issue", number)), nil
	case strings.EqualFold(closer, w.issue.Author):
		return nothing(w.Runtime, fmt.Sprintf("issue #%d was closed by these actions", number)), nil
	case w.issue.HasLabel(drift.LabelRemediated), w.issue.HasLabel(drift.LabelRemoved), w.issue.HasLabel(drift.LabelDiscarded):
		return nothing(w.Runtime, fmt.Sprintf("issue #%d was handled before it was closed", number)), nil
	}
	if err := w.open(ctx); err != nil {
		return action.Result{}, err
	}
	j, err := workspace.Open(ctx, w.repository, w.target, w.Inputs.Inputs)
	if left := w.leftOut(err); left != nil {
		return nothing(w.Runtime, left.Error()), nil
	} else if err != nil {
		return action.Result{}, err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	if err := w.checkEnvironment(j.Settings); err != nil {
		return action.Result{}, err
	}
	store, err := w.openStore(ctx, j)
	if err != nil {
		return action.Result{}, err
	}
	link, err := readLink(ctx, store, j.Key())
	if err != nil {
		return action.Result{}, err
	}
	now, known := w.Now(), false
	if link.Number != number {
		return nothing(w.Runtime, fmt.Sprintf("issue #%d is no longer the drift issue of its target", number)), nil
	}
	written, err := writeLink(ctx, store, link, func(link *drift.Link) bool {
		if link.Outcome != drift.Drifted || link.ChangesDigest == "" {
			return false
		}
		if known = link.DiscardedDigest == link.ChangesDigest; known { // the run that wrote it stopped before it commented
			now = link.DiscardedAt
			return false
		}
		link.DiscardedDigest, link.DiscardedAt = link.ChangesDigest, now
		return true
	})
	if err != nil {
		return action.Result{}, err
	}
	if !written && !known {
		return nothing(w.Runtime, fmt.Sprintf("issue #%d shows no drift that could be discarded", number)), nil
	}
	text := fmt.Sprintf("## 🔕 Ignored\n\n%s%s closed this issue, so the same changes open no new issue for %d days, until %s. Other changes still do. Once a detection finds no drift, this no longer applies.\n",
		w.runLine(), markdown.Code(closer), int(w.DiscardFor.Hours())/24, now.Add(w.DiscardFor).UTC().Format("2 January 2006"))
	if err := w.tellDiscarded(ctx, text); err != nil {
		return action.Result{}, err
	}
	return action.Result{Summary: text, Outputs: map[string]string{"status": string(Discarded)}}, nil
}

// openStore opens the plan store of the issue's target.
func (w *work) openStore(ctx context.Context, j *workspace.Workspace) (*planstore.Store, error) {
	return w.repository.StoreOf(ctx, j.Settings, j.Settings.ApplyStorageRole, w.Now)
}

func (w *work) tellDiscarded(ctx context.Context, text string) error {
	err := w.comment(ctx, text)
	repo, number := w.actx.Repository, w.issue.Number
	if w.issue.HasLabel(drift.LabelApply) {
		err = errors.Join(err, w.github.RemoveLabel(ctx, repo, number, drift.LabelApply))
	}
	return errors.Join(err, w.github.AddLabels(ctx, repo, number, drift.LabelDiscarded))
}
