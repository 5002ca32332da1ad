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

// PlanSummary is what is to know of a change plan's record without reading all
// of it. So its seal was not looked at, and nothing in it is proven: it is for
// telling people, and [Store.FindRecord] gives the record to act on.
type PlanSummary struct {
	Target
	RecordID    string
	PullRequest int
	Commit      string
	CreatedAt   time.Time
	Outcome     Outcome
	State       *StatePosition // that the plan was made on; nil when unknown
	Digest      string         // hex SHA-256 of the planfile; empty when there is none
	Expired     bool
}

// SupersededBy reports whether the target's last apply (nil: there was none) has
// made the plan out of date, and it has not been of no use before: expired, or
// its planning failed. Whether the plan was itself applied is not looked at.
func (p PlanSummary) SupersededBy(last *LastApply) bool {
	return last != nil && !p.Expired && p.Outcome != OutcomeFailed && last.supersedes(Record{CreatedAt: p.CreatedAt, State: p.State})
}

// PullRequestPlan is the newest plan of a target for a pull request.
type PullRequestPlan struct {
	PlanSummary
	// Superseded says that the plan's status is [StatusSuperseded]: it was not
	// applied itself, and a later plan of the target was.
	Superseded bool
}

// PullRequestPlans returns the newest plan of a target for each pull request that
// has one which has not expired, by the pull requests' numbers. Drift plans and
// plans without a pull request are not among them, nor are records that are not
// whole.
//
// It takes two queries, each of a request for each 1 MB of records, and a read
// for each hundred pull requests. All are strongly consistent.
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
	// On both sides of the drift plans, which are not read: commits sort before and after
	// "drift#", and none begins with it.
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

// PlansOfPullRequest returns all change plans of a pull request, of any of its
// commits, the newest first. Records that are not whole are not among them.
//
// In DynamoDB they are found by the index by-pull-request, which may be some
// moments behind: a plan that was stored just now may be missing. It takes one
// request for each 1 MB of records.
func (s *Store) PlansOfPullRequest(ctx context.Context, repository string, number int) ([]PlanSummary, error) {
	items, err := s.ofPullRequest(ctx, planPrefix, Target{Repository: repository}, number)
	if err != nil {
		return nil, fmt.Errorf("find the plans of pull request %d of %s: %w", number, shown(repository), err)
	}
	return s.summaries(items), nil
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

// shortItems are the items that a query finds. One that is damaged is left out: see shortItem.
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

// summaries are those of the items that are whole, the newest first.
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

// newestFirst orders by time, and plans of one time by name.
func newestFirst(a, b PlanSummary) int {
	return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), strings.Compare(a.Component, b.Component), strings.Compare(a.Stack, b.Stack), strings.Compare(b.RecordID, a.RecordID))
}

// shortItem is what a list needs of a plan record, and of a lock its target. An
// item whose attributes have other types is left out of a list: whoever may plan
// may write one, and it must not keep everybody from their lists. Who reads it
// by its key is told.
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
	Digest            string        `json:"digest"`
	ExpiresAt         int64         `json:"expiresAt"`
}

// shortAttributes are those of shortItem.
var shortAttributes = []string{
	"pk", "sk", "repository", "component", "stack", "pullRequest", "pullRequestNumber",
	"kind", "commit", "createdAt", "outcome", "statePosition", "digest", "expiresAt",
}

func (i shortItem) target() Target {
	return Target{Repository: i.Repository, Component: i.Component, Stack: i.Stack}
}

// summary is the change plan of a pull request that the item is; false when it
// is none, or its keys are not that plan's.
func (i shortItem) summary(now time.Time) (PlanSummary, bool) {
	var createdAt time.Time
	err := storage.ParseTimes(map[*time.Time]string{&createdAt: i.CreatedAt})
	p := PlanSummary{
		Target: i.target(), RecordID: i.SK, PullRequest: i.PullRequestNumber, Commit: i.Commit, CreatedAt: createdAt,
		Outcome: i.Outcome, State: i.State.position(), Digest: i.Digest,
		Expired: time.Unix(i.ExpiresAt, 0).After(createdAt.Add(MaxRetention+ClockSkew)) || Record{ExpiresAt: time.Unix(i.ExpiresAt, 0)}.expired(now),
	}
	whole := !createdAt.After(now.Add(ClockSkew)) && cmp.Or(err, p.Check(), CheckRecordID(i.SK)) == nil && i.Kind == KindChange &&
		i.PK == planPrefix+p.Key() && strings.HasPrefix(i.SK, i.Commit+"#"+i.CreatedAt+"#") &&
		p.PullRequest > 0 && i.PullRequest == p.pullRequest(p.PullRequest)
	return p, whole
}
