package planstore

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/terraform-gitops/gitops/shared/planstore/storage"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// lockItem is a target's lock. While it is held it has the attribute pullRequest, and so is in
// the index by-pull-request. It has neither run nor expiresAt.
type lockItem struct {
	PK string `json:"pk"`
	SK string `json:"sk"`

	Repository        string `json:"repository"`
	Component         string `json:"component"`
	Stack             string `json:"stack"`
	PullRequest       string `json:"pullRequest,omitempty"`
	PullRequestNumber int    `json:"pullRequestNumber"`
	Branch            string `json:"branch,omitempty"`
	Actor             string `json:"actor,omitempty"`
	RunID             string `json:"runId"`
	RunAttempt        int    `json:"runAttempt"`
	RunURL            string `json:"runUrl,omitempty"`
	CreatedAt         string `json:"createdAt"`
	ReleasedAt        string `json:"releasedAt,omitempty"`
	Revision          int    `json:"revision"`
	Token             string `json:"token"`
}

func newLockItem(l Lock, token string) lockItem {
	i := lockItem{
		PK: lockPrefix + l.Key(), SK: lockKey,
		Repository: l.Repository, Component: l.Component, Stack: l.Stack, PullRequestNumber: l.PullRequest,
		// Neither store can hold text that is not UTF-8, which a branch may be.
		Branch: strings.ToValidUTF8(l.Branch, "\uFFFD"), Actor: strings.ToValidUTF8(l.Actor, "\uFFFD"),
		RunID: l.Run.ID, RunAttempt: l.Run.Attempt, RunURL: l.Run.URL,
		CreatedAt: storage.FormatTime(l.Since), ReleasedAt: storage.FormatTime(l.Released), Revision: l.Revision, Token: token,
	}
	if l.Released.IsZero() {
		i.PullRequest = l.pullRequest(l.PullRequest)
	}
	return i
}

// openLock returns the lock of a target that an item holds. Its target is named as given.
func openLock(item storage.Item, of Target) (Lock, error) {
	var i lockItem
	err := item.Decode(&i)
	l := Lock{
		Target:      Target{Repository: i.Repository, Component: i.Component, Stack: i.Stack},
		PullRequest: i.PullRequestNumber, Branch: i.Branch, Actor: i.Actor,
		Run: Run{ID: i.RunID, Attempt: i.RunAttempt, URL: i.RunURL}, Revision: i.Revision,
	}
	if err == nil {
		err = storage.ParseTimes(map[*time.Time]string{&l.Since: i.CreatedAt, &l.Released: i.ReleasedAt})
	}
	if err == nil {
		err = l.Check()
	}
	if again := newLockItem(l, i.Token); err == nil && again != i {
		err = errors.New("its key is not what its content says")
	}
	if err != nil {
		return Lock{}, damagedLock(of, err)
	}
	l.Target = of
	return l, nil
}

// openHeldLock is openLock, but nil for a lock that was released.
func openHeldLock(item storage.Item, of Target) (*Lock, error) {
	l, err := openLock(item, of)
	if err != nil || !l.Released.IsZero() {
		return nil, err
	}
	return &l, nil
}

func damagedLock(of Target, why error) error {
	return problem.With(problem.Storage, fmt.Errorf("the lock of %s is damaged: %w: delete its item (%s%s %s)", of, why, lockPrefix, of.Key(), lockKey))
}
