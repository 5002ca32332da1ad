package planstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/terraform-gitops/gitops/shared/planstore/storage"
)

// PlanSummary is a part of a change plan's record, read without the rest. So its seal is not
// checked and nothing in it is proven. Use it to inform people; [Store.FindRecord] returns the
// record to act on.
type PlanSummary struct {
	Target
	RecordID    string
	PullRequest int
	Commit      string
	CreatedAt   time.Time
	Outcome     Outcome
	State       *StatePosition // that the plan was made on; nil when unknown
	Expired     bool
}

// SupersededBy reports whether the target's last apply (nil: none) superseded the plan. A plan
// that expired or failed is not superseded. Whether the plan itself was applied is not checked.
func (p PlanSummary) SupersededBy(last *LastApply) bool {
	return last != nil && !p.Expired && p.Outcome != OutcomeFailed && last.supersedes(Record{CreatedAt: p.CreatedAt, State: p.State})
}

// PullRequestPlan is the newest plan of a target for a pull request.
type PullRequestPlan struct {
	PlanSummary
	// Superseded: the plan's status is [StatusSuperseded]. It was not applied itself, and a
	// later plan of the target was.
	Superseded bool
}

// PullRequestPlans returns the newest plan of a target for each pull request, sorted by number.
// Plans that expired, drift plans, plans without a pull request and damaged records are left
// out.
//
// It costs two queries, each of one request for each 1 MB of records, and one read for each
// hundred pull requests. All are strongly consistent.
func (s *Store) PullRequestPlans(ctx context.Context, t Target) ([]PullRequestPlan, error) {
	plans, err := s.pullRequestPlans(ctx, t)
	if err != nil {
		return nil, fmt.Errorf("find the pull requests with a plan of %s: %w", t, err)
	}
	return plans, nil
}

func (s *Store) pullRequestPlans(ctx context.Context, t Target) (plans []PullRequestPlan, err error) {
	if err := t.Check(); err != nil {
		return nil, err
	}
	// Two queries, one on each side of the drift plans, which are not read: commits sort before
	// and after "drift#", and none begins with it.
	var items []shortItem
	for _, side := range []storage.Query{{To: driftRecord}, {From: "drift$"}} { // $ comes next after #
		side.Partition, side.Attributes = planPrefix+t.Key(), shortAttributes
		some, err := s.shortItems(ctx, side)
		if err != nil {
			return nil, err
		}
		items = append(items, some...)
	}
	newest := map[int]PlanSummary{}
	for _, p := range s.summaries(items) {
		if seen, ok := newest[p.PullRequest]; !p.Expired && (!ok || newestFirst(p, seen) < 0) {
			newest[p.PullRequest] = p
		}
	}
	if len(newest) == 0 {
		return nil, nil
	}
	var ids []string
	for _, p := range newest {
		ids = append(ids, p.RecordID)
	}
	became, err := s.readClaims(ctx, t, ids...)
	if err != nil {
		return nil, err
	}
	for _, number := range slices.Sorted(maps.Keys(newest)) {
		p := newest[number]
		plans = append(plans, PullRequestPlan{p, became.claim(p.RecordID) == nil && p.SupersededBy(became.last)})
	}
	return plans, nil
}

// PlansOfPullRequest returns all change plans of a pull request, of any of its commits, newest
// first. Damaged records are left out.
//
// In DynamoDB the index by-pull-request finds them. It may be some moments behind, so a plan
// that was stored just now may be missing. It costs one request for each 1 MB of records.
func (s *Store) PlansOfPullRequest(ctx context.Context, repository string, number int) ([]PlanSummary, error) {
	items, err := s.ofPullRequest(ctx, planPrefix, Target{Repository: repository}, number)
	if err != nil {
		return nil, fmt.Errorf("find the plans of pull request %d of %s: %w", number, printable(repository), err)
	}
	return s.summaries(items), nil
}

// NewestOfPullRequest returns the newest change plan of each target of a pull request, by the
// target's Key, whatever its outcome. It is [Store.PlansOfPullRequest]: one query for all targets.
// [Store.RecordOf] reads the whole record of one of them.
func (s *Store) NewestOfPullRequest(ctx context.Context, repository string, number int) (map[string]PlanSummary, error) {
	plans, err := s.PlansOfPullRequest(ctx, repository, number)
	if err != nil {
		return nil, err
	}
	newest := map[string]PlanSummary{}
	for _, p := range slices.Backward(plans) {
		newest[p.Key()] = p
	}
	return newest, nil
}

// RecordOf returns the record of which a plan of a pull request is a part. The error is an
// [ErrNotFound] if it is gone, and an [ErrAltered] if it is damaged.
//
// It is one query of the index by-pull-request, which finds this one record: a planner's role
// may read records through that index only.
func (s *Store) RecordOf(ctx context.Context, p PlanSummary) (Record, error) {
	r, err := s.recordOf(ctx, p)
	if err != nil {
		return Record{}, fmt.Errorf("read the plan of %s for commit %s: %w", p.Target, printable(p.Commit), err)
	}
	return r, nil
}

func (s *Store) recordOf(ctx context.Context, p PlanSummary) (Record, error) {
	if err := cmp.Or(p.Check(), CheckRecordID(p.RecordID)); err != nil {
		return Record{}, err
	}
	at := storage.FormatTime(p.CreatedAt)
	key := storage.Key{Partition: planPrefix + p.Key(), Sort: p.RecordID}
	q := storage.Query{Index: storage.ByPullRequest, Value: p.pullRequest(p.PullRequest), Prefix: key.Partition, From: at, To: at}
	for item, err := range s.items.Query(ctx, q) {
		if err != nil {
			return Record{}, err
		}
		if item.Key() == key { // the prefix may be that of another target, too
			r, err := openRecord(item)
			return r, cmp.Or(err, s.checkTimes(r))
		}
	}
	return Record{}, ErrNotFound
}

func (s *Store) ofPullRequest(ctx context.Context, prefix string, of Target, number int) ([]shortItem, error) {
	if err := of.CheckRepository(); err != nil {
		return nil, err
	}
	if number < 1 {
		return nil, errors.New("pull requests are numbered from 1")
	}
	return s.shortItems(ctx, storage.Query{
		Index: storage.ByPullRequest, Value: of.pullRequest(number), Prefix: prefix + of.RepositoryKey() + "#",
		Attributes: shortAttributes,
	})
}

// shortItems reads the items that a query finds. It leaves out damaged ones: see shortItem.
func (s *Store) shortItems(ctx context.Context, q storage.Query) (items []shortItem, err error) {
	for found, err := range s.items.Query(ctx, q) {
		if err != nil {
			return nil, err
		}
		var item shortItem
		if found.Decode(&item) == nil {
			items = append(items, item)
		}
	}
	return items, nil
}

// summaries returns the plans that are not damaged, newest first.
func (s *Store) summaries(items []shortItem) (plans []PlanSummary) {
	now := s.now()
	for _, item := range items {
		if p, ok := item.summary(now); ok {
			plans = append(plans, p)
		}
	}
	slices.SortFunc(plans, newestFirst)
	return plans
}

// newestFirst orders by time, and plans of the same time by name.
func newestFirst(a, b PlanSummary) int {
	return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), strings.Compare(a.Component, b.Component), strings.Compare(a.Stack, b.Stack), strings.Compare(b.RecordID, a.RecordID))
}

// shortItem is what a list needs of a plan record, and of a lock its target. A list leaves out
// an item whose attributes have other types: whoever may plan may write one, and it must not
// make a list fail. Reading such an item by its key is an error.
type shortItem struct {
	PK string `json:"pk"`
	SK string `json:"sk"`

	Repository        string        `json:"repository"`
	Component         string        `json:"component"`
	Stack             string        `json:"stack"`
	PullRequest       string        `json:"pullRequest"`
	PullRequestNumber int           `json:"pullRequestNumber"`
	Kind              Kind          `json:"kind"`
	Commit            string        `json:"commit"`
	CreatedAt         string        `json:"createdAt"`
	Outcome           Outcome       `json:"outcome"`
	State             *positionItem `json:"statePosition"`
	ExpiresAt         int64         `json:"expiresAt"`
}

// shortAttributes are the attributes of shortItem.
var shortAttributes = []string{
	"pk", "sk", "repository", "component", "stack", "pullRequest", "pullRequestNumber",
	"kind", "commit", "createdAt", "outcome", "statePosition", "expiresAt",
}

func (i shortItem) target() Target {
	return Target{Repository: i.Repository, Component: i.Component, Stack: i.Stack}
}

// summary returns the change plan of a pull request that the item holds; false if it is none,
// or if its keys are not those of that plan.
func (i shortItem) summary(now time.Time) (PlanSummary, bool) {
	var createdAt time.Time
	err := storage.ParseTimes(map[*time.Time]string{&createdAt: i.CreatedAt})
	p := PlanSummary{
		Target: i.target(), RecordID: i.SK, PullRequest: i.PullRequestNumber, Commit: i.Commit, CreatedAt: createdAt,
		Outcome: i.Outcome, State: i.State.position(),
		Expired: time.Unix(i.ExpiresAt, 0).After(createdAt.Add(MaxRetention+ClockSkew)) || Record{ExpiresAt: time.Unix(i.ExpiresAt, 0)}.expired(now),
	}
	ok := !createdAt.After(now.Add(ClockSkew)) && cmp.Or(err, p.Check(), CheckRecordID(i.SK)) == nil && i.Kind == KindChange &&
		i.PK == planPrefix+p.Key() && strings.HasPrefix(i.SK, i.Commit+"#"+i.CreatedAt+"#") &&
		p.PullRequest > 0 && i.PullRequest == p.pullRequest(p.PullRequest)
	return p, ok
}
