package planstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// DriftOutcome is what a drift plan found.
type DriftOutcome string

// The outcomes of a drift plan.
const (
	DriftDrifted    DriftOutcome = "drifted"
	DriftNotDrifted DriftOutcome = "not-drifted"
	DriftError      DriftOutcome = "error" // the planning failed: nothing is known
)

func (o DriftOutcome) known() bool {
	return o == DriftDrifted || o == DriftNotDrifted || o == DriftError
}

// DriftResult is what the newest drift plan of a target found. It never expires.
//
// Whoever may plan may write one: nothing in it is proven. [Store.FindRecord]
// proves the record it names.
type DriftResult struct {
	Target
	Run     Run
	Commit  string    // that was planned: its full id
	At      time.Time // when the planning began
	Outcome DriftOutcome
	// RefreshOnly says that what runs was compared with what Terraform last
	// applied, and not with Git. There is nothing to apply then.
	RefreshOnly bool

	// The drift plan that would take the drift back, and when it expires, in
	// whole seconds; empty when there is none to apply.
	RecordID   string
	PlanDigest string // hex SHA-256 of the planfile
	ExpiresAt  time.Time

	// Base is a hex SHA-256 of what the plan was made from: the configuration and the
	// state. While it is the same, an older plan of the same changes is as good.
	Base string

	Counts changes.Counts
	// Changes is a hex SHA-256 of what drifted, without sensitive values: two
	// runs that see the same drift have the same. See [changes.Plan.Visible].
	Changes string
	// Report is Markdown of what drifted, or of why the planning failed: masked
	// and escaped by its writer, at most [MaxDriftReport] bytes.
	Report string
	Error  string // why the planning failed, in one line
}

// MaxDriftReport bounds DriftResult.Report, in bytes. An issue's body has room
// for it, and an item, which has at most 400 KB, for eight.
const MaxDriftReport = 50_000

// PutDriftResult stores what a drift plan found as its target's result, in place
// of an older one. Where a newer one is stored, by its time At, that one stays,
// which is not an error: a slow run was overtaken.
func (s *Store) PutDriftResult(ctx context.Context, r DriftResult) error {
	if err := r.check(); err != nil {
		return fmt.Errorf("store the drift result of %s: %w", r.Target, err)
	}
	if err := s.items.putDriftResult(ctx, newDriftItem(r), formatTime(s.now().Add(clockSkew))); err != nil {
		return fmt.Errorf("store the drift result of %s: %w", r.Target, err)
	}
	return nil
}

// DriftResults returns the results of a workflow run, of all its attempts,
// sorted by component and stack. A target whose result another run has replaced
// since is not among them.
//
// In DynamoDB they are found by the index by-run, which may be some moments
// behind: ask when the jobs that write them have ended.
func (s *Store) DriftResults(ctx context.Context, repository, runID string) ([]DriftResult, error) {
	results, err := s.driftResults(ctx, Target{Repository: repository}, Run{ID: runID, Attempt: 1})
	if err != nil {
		return nil, fmt.Errorf("find the drift results of run %s of %s: %w", shown(runID), shown(repository), err)
	}
	return results, nil
}

func (s *Store) driftResults(ctx context.Context, of Target, run Run) ([]DriftResult, error) {
	if err := cmp.Or(of.checkRepository(), run.check()); err != nil {
		return nil, err
	}
	items, err := s.items.driftResults(ctx, driftPrefix+of.repository()+"#", run.key(of))
	if err != nil {
		return nil, err
	}
	var results []DriftResult
	for _, item := range items {
		r, err := item.result()
		if err != nil {
			return nil, problem.With(problem.Storage, fmt.Errorf("the drift result %s is damaged: %w: plan its target again", shown(item.PK), err))
		}
		results = append(results, r)
	}
	slices.SortFunc(results, func(a, b DriftResult) int {
		return cmp.Or(strings.Compare(a.Component, b.Component), strings.Compare(a.Stack, b.Stack))
	})
	return results, nil
}

// check refuses what no drift plan finds.
func (r DriftResult) check() error {
	if err := cmp.Or(r.Target.check(), r.Run.check(), checkCommit(r.Commit), checkPlan(r.RecordID, r.PlanDigest), checkDigest("changes", r.Changes), checkDigest("base", r.Base)); err != nil {
		return err
	}
	switch {
	case !r.Outcome.known():
		return fmt.Errorf("unknown outcome of a drift plan %.80q", r.Outcome)
	case r.At.Year() < 1970 || r.At.Year() > 9999:
		return errors.New("a drift result needs the time of its plan")
	case (r.Outcome == DriftError) != (r.Error != ""):
		return fmt.Errorf("a drift result has an error exactly when its outcome is %q, and its outcome is %q", DriftError, r.Outcome)
	case strings.ContainsAny(r.Error, "\r\n") || len(r.Error) > maxReason:
		return fmt.Errorf("the error of a drift result is one line of at most %d bytes", maxReason)
	case len(r.Report) > MaxDriftReport:
		return fmt.Errorf("the report has %d bytes, and at most %d can be stored", len(r.Report), MaxDriftReport)
	case r.RecordID != "" && r.ExpiresAt.IsZero():
		return errors.New("a drift plan that can be applied expires")
	}
	return nil
}

// checkPlan refuses what can't be the ID and digest of one plan record; both are
// empty when there is none.
func checkPlan(recordID, digest string) error {
	if recordID == "" && digest == "" {
		return nil
	}
	if digest == "" {
		return errors.New("a drift plan that can be applied has a planfile, and so a digest")
	}
	return cmp.Or(checkRecordID(recordID), checkDigest("planfile", digest))
}

func checkDigest(of, digest string) error {
	if digest != "" && !digestID.MatchString(digest) {
		return fmt.Errorf("the digest of the %s must be 64 lower-case hex digits, and is %.80q", of, digest)
	}
	return nil
}
