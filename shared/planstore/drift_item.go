package planstore

import (
	"errors"
	"time"

	"github.com/terraform-gitops/gitops/shared/changes"
)

// driftItem is a target's drift result. It is in the index by-run. The plan's
// expiry has another name than the TTL attribute: the item stays.
type driftItem struct {
	PK string `json:"pk"`
	SK string `json:"sk"`

	Repository    string         `json:"repository"`
	Component     string         `json:"component"`
	Stack         string         `json:"stack"`
	Run           string         `json:"run"`
	RunID         string         `json:"runId"`
	RunAttempt    int            `json:"runAttempt"`
	RunURL        string         `json:"runUrl,omitempty"`
	Commit        string         `json:"commit"`
	SeenAt        string         `json:"seenAt"`
	Outcome       DriftOutcome   `json:"outcome"`
	RefreshOnly   bool           `json:"refreshOnly,omitempty"`
	RecordID      string         `json:"recordId,omitempty"`
	PlanDigest    string         `json:"planDigest,omitempty"`
	PlanExpiresAt string         `json:"planExpiresAt,omitempty"`
	Base          string         `json:"base,omitempty"`
	Counts        changes.Counts `json:"counts"`
	Changes       string         `json:"changes,omitempty"`
	Report        string         `json:"report,omitempty"`
	Error         string         `json:"error,omitempty"`
}

func newDriftItem(r DriftResult) driftItem {
	return driftItem{
		PK: driftPrefix + r.key(), SK: resultKey,
		Repository: r.Repository, Component: r.Component, Stack: r.Stack,
		Run: r.Run.key(r.Target), RunID: r.Run.ID, RunAttempt: r.Run.Attempt, RunURL: r.Run.URL,
		Commit: r.Commit, SeenAt: formatTime(r.At), Outcome: r.Outcome, RefreshOnly: r.RefreshOnly,
		RecordID: r.RecordID, PlanDigest: r.PlanDigest, PlanExpiresAt: formatKnown(r.ExpiresAt.Truncate(time.Second)),
		Base: r.Base, Counts: r.Counts, Changes: r.Changes, Report: r.Report, Error: r.Error,
	}
}

// result is the drift result that the item holds, if its keys are that result's.
func (i driftItem) result() (DriftResult, error) {
	r := DriftResult{
		Target:  Target{Repository: i.Repository, Component: i.Component, Stack: i.Stack},
		Run:     Run{ID: i.RunID, Attempt: i.RunAttempt, URL: i.RunURL},
		Commit:  i.Commit,
		Outcome: i.Outcome, RefreshOnly: i.RefreshOnly,
		RecordID: i.RecordID, PlanDigest: i.PlanDigest,
		Base: i.Base, Counts: i.Counts, Changes: i.Changes, Report: i.Report, Error: i.Error,
	}
	err := parseTimes(map[*time.Time]string{&r.At: i.SeenAt, &r.ExpiresAt: i.PlanExpiresAt})
	if err == nil {
		err = r.check()
	}
	if again := newDriftItem(r); err == nil && (again.PK != i.PK || again.SK != i.SK || again.Run != i.Run) {
		err = errOtherKey
	}
	return r, err
}

// issueItem is a target's drift issue. It has no attribute run, nor expiresAt.
type issueItem struct {
	PK string `json:"pk"`
	SK string `json:"sk"`

	Repository    string       `json:"repository"`
	Component     string       `json:"component"`
	Stack         string       `json:"stack"`
	Number        int          `json:"number,omitempty"`
	Outcome       DriftOutcome `json:"outcome,omitempty"`
	RecordID      string       `json:"recordId,omitempty"`
	PlanDigest    string       `json:"planDigest,omitempty"`
	Changes       string       `json:"changes,omitempty"`
	Base          string       `json:"base,omitempty"`
	PlanExpiresAt string       `json:"planExpiresAt,omitempty"`
	ShownAt       string       `json:"shownAt,omitempty"`
	Shown         string       `json:"shown,omitempty"`
	Since         string       `json:"since,omitempty"`
	Discarded     string       `json:"discarded,omitempty"`
	DiscardedAt   string       `json:"discardedAt,omitempty"`
	Creator       string       `json:"creator,omitempty"`
	CreatingSince string       `json:"creatingSince,omitempty"`
	Revision      int          `json:"revision"`
	Token         string       `json:"token"`
}

func newIssueItem(h heldIssue) issueItem {
	return issueItem{
		PK: issuePrefix + h.key(), SK: issueKey,
		Repository: h.Repository, Component: h.Component, Stack: h.Stack, Number: h.Number,
		Outcome: h.Outcome, RecordID: h.RecordID, PlanDigest: h.PlanDigest, Changes: h.Changes, ShownAt: formatKnown(h.ShownAt),
		Base: h.Base, PlanExpiresAt: formatKnown(h.ExpiresAt.Truncate(time.Second)), Shown: h.Shown,
		Since: formatKnown(h.Since), Discarded: h.Discarded, DiscardedAt: formatKnown(h.DiscardedAt),
		Creator: h.Creator, CreatingSince: formatKnown(h.CreatingSince), Revision: h.Revision, Token: h.token,
	}
}

// issue is the drift issue that the item holds, if its keys are that issue's.
func (i issueItem) issue() (heldIssue, error) {
	h := heldIssue{
		DriftIssue: DriftIssue{
			Target: Target{Repository: i.Repository, Component: i.Component, Stack: i.Stack}, Number: i.Number,
			Outcome: i.Outcome, RecordID: i.RecordID, PlanDigest: i.PlanDigest, Changes: i.Changes, Base: i.Base, Shown: i.Shown,
			Discarded: i.Discarded, Creator: i.Creator, Revision: i.Revision,
		},
		token: i.Token,
	}
	err := parseTimes(map[*time.Time]string{
		&h.ExpiresAt: i.PlanExpiresAt, &h.ShownAt: i.ShownAt, &h.Since: i.Since, &h.DiscardedAt: i.DiscardedAt, &h.CreatingSince: i.CreatingSince,
	})
	if err == nil {
		err = h.check()
	}
	if again := newIssueItem(h); err == nil && (again.PK != i.PK || again.SK != i.SK) {
		err = errOtherKey
	}
	return h, err
}

var errOtherKey = errors.New("its key is not what its content says")

// formatKnown is a time as items hold it, empty when it is not known.
func formatKnown(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return formatTime(t)
}

// parseTimes is the inverse of formatKnown.
func parseTimes(texts map[*time.Time]string) (err error) {
	for to, text := range texts {
		if text == "" {
			continue
		}
		if *to, err = time.Parse(timeLayout, text); err != nil {
			return err
		}
	}
	return nil
}
