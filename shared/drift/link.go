package drift

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/planstore/storage"
)

// Link is what is stored of the issue about a target's drift: its number, and what it
// showed last.
type Link struct {
	planstore.Target
	Number int // 0: being created, by Creator

	// What the body showed last.
	Outcome              Outcome   // empty before it showed any
	RecordID, PlanDigest string    // of the drift plan to apply; empty when there was none
	Changes              string    // see [Result.Changes]
	Base                 string    // see [Result.Base]
	ExpiresAt            time.Time // of that plan
	ShownAt              time.Time // when the plan that it shows last changed
	Shown                string    // hex SHA-256 of our section of the body

	Since time.Time // when this drift was first seen

	// The changes that a person discarded, and when; empty when nobody did.
	Discarded   string
	DiscardedAt time.Time

	// The run that is creating the issue, and since when.
	Creator       string
	CreatingSince time.Time

	// Revision counts the item's writes. 0: it is not stored.
	Revision int
}

// Links returns what is stored of the targets' drift issues, by target as given; of a target
// without one there is nothing. A hundred targets take one request.
func (s Store) Links(ctx context.Context, targets []planstore.Target) (map[planstore.Target]Link, error) {
	links, err := s.links(ctx, targets)
	if err != nil {
		return nil, fmt.Errorf("read the links to the drift issues: %w", err)
	}
	return links, nil
}

func (s Store) links(ctx context.Context, targets []planstore.Target) (map[planstore.Target]Link, error) {
	read, err := planstore.ReadEach(ctx, s.items, linkPrefix, linkKey, targets)
	if err != nil {
		return nil, err
	}
	links := make(map[planstore.Target]Link, len(read))
	for t, item := range read {
		l, err := openLink(item)
		if err != nil {
			return nil, damaged("the link", item, err, "delete it, and the next drift detection writes it again from the issue")
		}
		l.Target = t
		links[t] = l
	}
	return links, nil
}

// PutLink stores a link if the stored one still has its Revision (0: if none is stored), and
// returns it as [Store.Links] will, with the next one. Else the error is a
// [storage.ErrConflict]: of several calls with the same revision one wins. A write whose answer
// was lost is recognized: see [storage.PutRevision].
func (s Store) PutLink(ctx context.Context, l Link) (Link, error) {
	stored, err := s.putLink(ctx, l)
	if err != nil {
		return Link{}, fmt.Errorf("store the link of %s to its drift issue: %w", l.Target, err)
	}
	return stored, nil
}

func (s Store) putLink(ctx context.Context, l Link) (Link, error) {
	if err := l.Check(); err != nil {
		return Link{}, err
	}
	l.Revision++
	item, err := storage.Encode(newLinkItem(l, rand.Text()))
	if err != nil {
		return Link{}, err
	}
	mine, err := openLink(item)
	if err != nil {
		return Link{}, err
	}
	return mine, storage.PutRevision(ctx, s.items, item)
}

// maxCreator bounds Link.Creator, in bytes.
const maxCreator = 200

// Check refuses what can't be stored.
func (l Link) Check() error {
	if err := cmp.Or(l.Target.Check(), checkPlan(l.RecordID, l.PlanDigest),
		checkDigest("changes", l.Changes), checkDigest("discarded changes", l.Discarded),
		checkDigest("base", l.Base), checkDigest("shown section", l.Shown)); err != nil {
		return err
	}
	switch {
	case l.Number < 0 || l.Revision < 0:
		return fmt.Errorf("issue %d of revision %d can't be", l.Number, l.Revision)
	case l.Outcome != "" && !l.Outcome.known():
		return fmt.Errorf("unknown outcome of a drift plan %.80q", l.Outcome)
	case len(l.Creator) > maxCreator:
		return fmt.Errorf("the run that creates the issue has a name of %d bytes, and at most %d can be stored", len(l.Creator), maxCreator)
	}
	return nil
}

// linkItem is a target's drift issue. It has no attribute run, nor expiresAt.
type linkItem struct {
	PK string `json:"pk"`
	SK string `json:"sk"`

	Repository    string  `json:"repository"`
	Component     string  `json:"component"`
	Stack         string  `json:"stack"`
	Number        int     `json:"number,omitempty"`
	Outcome       Outcome `json:"outcome,omitempty"`
	RecordID      string  `json:"recordId,omitempty"`
	PlanDigest    string  `json:"planDigest,omitempty"`
	Changes       string  `json:"changes,omitempty"`
	Base          string  `json:"base,omitempty"`
	PlanExpiresAt string  `json:"planExpiresAt,omitempty"`
	ShownAt       string  `json:"shownAt,omitempty"`
	Shown         string  `json:"shown,omitempty"`
	Since         string  `json:"since,omitempty"`
	Discarded     string  `json:"discarded,omitempty"`
	DiscardedAt   string  `json:"discardedAt,omitempty"`
	Creator       string  `json:"creator,omitempty"`
	CreatingSince string  `json:"creatingSince,omitempty"`
	Revision      int     `json:"revision"`
	Token         string  `json:"token"`
}

func newLinkItem(l Link, token string) linkItem {
	return linkItem{
		PK: linkPrefix + l.Key(), SK: linkKey,
		Repository: l.Repository, Component: l.Component, Stack: l.Stack, Number: l.Number,
		Outcome: l.Outcome, RecordID: l.RecordID, PlanDigest: l.PlanDigest, Changes: l.Changes, ShownAt: storage.FormatTime(l.ShownAt),
		Base: l.Base, PlanExpiresAt: storage.FormatTime(l.ExpiresAt.Truncate(time.Second)), Shown: l.Shown,
		Since: storage.FormatTime(l.Since), Discarded: l.Discarded, DiscardedAt: storage.FormatTime(l.DiscardedAt),
		Creator: l.Creator, CreatingSince: storage.FormatTime(l.CreatingSince), Revision: l.Revision, Token: token,
	}
}

// openLink is the link that an item holds, if its keys are that link's.
func openLink(item storage.Item) (Link, error) {
	var i linkItem
	err := item.Decode(&i)
	l := Link{
		Target: planstore.Target{Repository: i.Repository, Component: i.Component, Stack: i.Stack}, Number: i.Number,
		Outcome: i.Outcome, RecordID: i.RecordID, PlanDigest: i.PlanDigest, Changes: i.Changes, Base: i.Base, Shown: i.Shown,
		Discarded: i.Discarded, Creator: i.Creator, Revision: i.Revision,
	}
	err = cmp.Or(err, storage.ParseTimes(map[*time.Time]string{
		&l.ExpiresAt: i.PlanExpiresAt, &l.ShownAt: i.ShownAt, &l.Since: i.Since, &l.DiscardedAt: i.DiscardedAt, &l.CreatingSince: i.CreatingSince,
	}))
	if err == nil {
		err = l.Check()
	}
	if again := newLinkItem(l, i.Token); err == nil && (again.PK != i.PK || again.SK != i.SK) {
		err = errOtherKey
	}
	return l, err
}
