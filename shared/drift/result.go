package drift

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/changes/ignore"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/planstore/storage"
)

// Outcome is what a drift plan found.
type Outcome string

// The outcomes of a drift plan.
const (
	Drifted    Outcome = "drifted"
	NotDrifted Outcome = "not-drifted"
	PlanFailed Outcome = "error" // the planning failed: nothing is known
)

func (o Outcome) known() bool {
	return o == Drifted || o == NotDrifted || o == PlanFailed
}

// Result is what the newest drift plan of a target found. It never expires.
//
// Whoever may plan may write one, so nothing in it is proven. [planstore.Store.FindRecord]
// proves the record that it names.
type Result struct {
	planstore.Target
	Run     planstore.Run
	Commit  string    // that was planned: its full id
	At      time.Time // when the planning began
	Outcome Outcome
	// RefreshOnly: real resources were compared with what Terraform last applied, not with Git.
	// Then there is nothing to apply.
	RefreshOnly bool

	// The plan that would revert the drift, and when it expires, in whole seconds; empty if
	// nothing can be applied.
	RecordID   string
	PlanDigest string // hex SHA-256 of the planfile
	ExpiresAt  time.Time

	// Denied is what the policies denied in this plan, in one line; empty if nothing. The apply
	// evaluates them again.
	Denied string

	// BaseDigest is a hex SHA-256 of what the plan was made from, the configuration and the
	// state, and of Denied. While it stays the same, an older plan with the same changes is as good as a newer
	// one.
	BaseDigest string

	Counts changes.Counts // without what is ignored
	// Ignored is what became of each rule of drift.ignore; none in results of older versions.
	Ignored []ignore.Use
	// ChangesDigest is a hex SHA-256 of what drifted, without sensitive values. Two runs that
	// see the same drift have the same digest: see [changes.Plan.Visible].
	ChangesDigest string
	// Report is Markdown about what drifted, or why the planning failed. Whoever writes it
	// masks and escapes it; it has at most [MaxReport] bytes.
	Report string
	Error  string // why the planning failed, in one line
}

// ignored is how many differences are ignored.
func (r Result) ignored() (n int) {
	for _, u := range r.Ignored {
		n += u.Differences
	}
	return n
}

// MaxReport limits Result.Report, in bytes. An issue's body has room for it.
const MaxReport = 50_000

// maxError limits Result.Error and Result.Denied, in bytes.
const maxError = 4000

// PutResult stores what a drift plan found, in place of the target's older result. If a newer
// one is stored, by its time At, that one stays, which is no error: the run was slow.
func (s Store) PutResult(ctx context.Context, r Result) error {
	if err := s.putResult(ctx, r); err != nil {
		return fmt.Errorf("store the drift result of %s: %w", r.Target, err)
	}
	return nil
}

func (s Store) putResult(ctx context.Context, r Result) error {
	if err := r.Check(); err != nil {
		return err
	}
	item, err := storage.Encode(newResultItem(r))
	if err != nil {
		return err
	}
	latest := storage.FormatTime(s.plans.Now().Add(planstore.ClockSkew))
	err = s.items.Put(ctx, item, storage.Any{
		storage.Absent{},
		storage.Not{Condition: storage.Text{Path: "seenAt"}},                                 // a damaged one
		storage.Compare{Path: "seenAt", Is: storage.AtMost, Value: storage.FormatTime(r.At)}, // this very one, too, when the answer was lost
		storage.Compare{Path: "seenAt", Is: storage.After, Value: latest},                    // from the future
	})
	if _, newer := errors.AsType[*storage.ConditionError](err); newer {
		return nil
	}
	return err
}

// Results returns the results of a workflow run, of all its attempts, sorted by component and
// stack. A target whose result another run has replaced is missing.
//
// In DynamoDB the index by-run finds them. It may be some moments behind: ask after the jobs
// that write them have ended.
func (s Store) Results(ctx context.Context, repository, runID string) ([]Result, error) {
	results, err := s.results(ctx, planstore.Target{Repository: repository}, planstore.Run{ID: runID, Attempt: 1})
	if err != nil {
		return nil, fmt.Errorf("find the drift results of run %.100q of %.200q: %w", runID, repository, err)
	}
	return results, nil
}

func (s Store) results(ctx context.Context, of planstore.Target, run planstore.Run) (results []Result, err error) {
	if err := cmp.Or(of.CheckRepository(), run.Check()); err != nil {
		return nil, err
	}
	q := storage.Query{Index: storage.ByRun, Value: run.Key(of), Prefix: resultPrefix + of.RepositoryKey() + "#"}
	for item, err := range s.items.Query(ctx, q) {
		if err != nil {
			return nil, err
		}
		r, err := openResult(item)
		if err != nil {
			return nil, damaged("the drift result", item, err, "plan its target again")
		}
		results = append(results, r)
	}
	slices.SortFunc(results, func(a, b Result) int {
		return cmp.Or(strings.Compare(a.Component, b.Component), strings.Compare(a.Stack, b.Stack))
	})
	return results, nil
}

// Check refuses a result that can't be stored.
func (r Result) Check() error {
	if err := cmp.Or(r.Target.Check(), r.Run.Check(), planstore.CheckCommit(r.Commit), checkPlan(r.RecordID, r.PlanDigest), checkDigest("changes", r.ChangesDigest), checkDigest("base", r.BaseDigest)); err != nil {
		return err
	}
	switch {
	case !r.Outcome.known():
		return fmt.Errorf("unknown outcome of a drift plan %.80q", r.Outcome)
	case r.At.Year() < 1970 || r.At.Year() > 9999:
		return errors.New("a drift result needs the time of its plan")
	case (r.Outcome == PlanFailed) != (r.Error != ""):
		return fmt.Errorf("a drift result has an error exactly when its outcome is %q, and its outcome is %q", PlanFailed, r.Outcome)
	case strings.ContainsAny(r.Error, "\r\n") || len(r.Error) > maxError:
		return fmt.Errorf("the error of a drift result is one line of at most %d bytes", maxError)
	case strings.ContainsAny(r.Denied, "\r\n") || len(r.Denied) > maxError:
		return fmt.Errorf("what policies deny in a drift plan is one line of at most %d bytes", maxError)
	case len(r.Report) > MaxReport:
		return fmt.Errorf("the report has %d bytes, and at most %d can be stored", len(r.Report), MaxReport)
	case len(r.Ignored) > ignore.MaxRules:
		return fmt.Errorf("a drift result has at most %d rules of drift.ignore, and this one has %d", ignore.MaxRules, len(r.Ignored))
	case slices.ContainsFunc(r.Ignored, func(u ignore.Use) bool { return u.Check() != nil }):
		return errors.New("a drift result has a rule of drift.ignore that can't be")
	case r.RecordID != "" && r.ExpiresAt.IsZero():
		return errors.New("a drift plan that can be applied needs a time when it expires")
	}
	return nil
}

// checkPlan refuses what can't be the ID and digest of one plan record. Both are empty if there
// is none.
func checkPlan(recordID, digest string) error {
	if recordID == "" && digest == "" {
		return nil
	}
	if digest == "" {
		return errors.New("a drift plan that can be applied needs the digest of its planfile")
	}
	return cmp.Or(planstore.CheckRecordID(recordID), checkDigest("planfile", digest))
}

// resultItem is a target's drift result. It is in the index by-run. It stays, so the plan's
// expiry must not have the name of the TTL attribute.
type resultItem struct {
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
	Outcome       Outcome        `json:"outcome"`
	RefreshOnly   bool           `json:"refreshOnly,omitempty"`
	RecordID      string         `json:"recordId,omitempty"`
	PlanDigest    string         `json:"planDigest,omitempty"`
	PlanExpiresAt string         `json:"planExpiresAt,omitempty"`
	Denied        string         `json:"denied,omitempty"`
	Base          string         `json:"base,omitempty"`
	Counts        changes.Counts `json:"counts"`
	Ignored       []ignore.Use   `json:"ignored,omitempty"`
	Changes       string         `json:"changes,omitempty"`
	Report        string         `json:"report,omitempty"`
	Error         string         `json:"error,omitempty"`
}

func newResultItem(r Result) resultItem {
	return resultItem{
		PK: resultPrefix + r.Key(), SK: resultKey,
		Repository: r.Repository, Component: r.Component, Stack: r.Stack,
		Run: r.Run.Key(r.Target), RunID: r.Run.ID, RunAttempt: r.Run.Attempt, RunURL: r.Run.URL,
		Commit: r.Commit, SeenAt: storage.FormatTime(r.At), Outcome: r.Outcome, RefreshOnly: r.RefreshOnly,
		RecordID: r.RecordID, PlanDigest: r.PlanDigest, PlanExpiresAt: storage.FormatTime(r.ExpiresAt.Truncate(time.Second)),
		Denied: r.Denied, Base: r.BaseDigest, Counts: r.Counts, Ignored: r.Ignored, Changes: r.ChangesDigest, Report: r.Report, Error: r.Error,
	}
}

// openResult returns the drift result that an item holds, if the item's keys belong to it.
func openResult(item storage.Item) (Result, error) {
	var i resultItem
	err := item.Decode(&i)
	r := Result{
		Target:  planstore.Target{Repository: i.Repository, Component: i.Component, Stack: i.Stack},
		Run:     planstore.Run{ID: i.RunID, Attempt: i.RunAttempt, URL: i.RunURL},
		Commit:  i.Commit,
		Outcome: i.Outcome, RefreshOnly: i.RefreshOnly,
		RecordID: i.RecordID, PlanDigest: i.PlanDigest,
		Denied: i.Denied, BaseDigest: i.Base, Counts: i.Counts, Ignored: i.Ignored, ChangesDigest: i.Changes, Report: i.Report, Error: i.Error,
	}
	err = cmp.Or(err, storage.ParseTimes(map[*time.Time]string{&r.At: i.SeenAt, &r.ExpiresAt: i.PlanExpiresAt}))
	if err == nil {
		err = r.Check()
	}
	if again := newResultItem(r); err == nil && (again.PK != i.PK || again.SK != i.SK || again.Run != i.Run) {
		err = errOtherKey
	}
	return r, err
}
