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

// Link is what is stored about a target's drift issue: its number, and what it shows.
type Link struct {
	planstore.Target
	Number int // 0: being created, by Creator

	// What the body shows.
	Outcome              Outcome   // empty before it showed any
	RecordID, PlanDigest string    // of the drift plan to apply; empty when there was none
	ChangesDigest        string    // see [Result.ChangesDigest]
	BaseDigest           string    // see [Result.BaseDigest]
	ExpiresAt            time.Time // of that plan
	ShownAt              time.Time // when the plan that it shows last changed
	SectionDigest        string    // hex SHA-256 of our section of the body

	Since time.Time // when this drift was first seen

	// The digest of the changes that a person discarded, and when; empty if nobody did.
	DiscardedDigest string
	DiscardedAt     time.Time

	// The run that is creating the issue, and since when.
	Creator       string
	CreatingSince time.Time

	// Revision counts the writes. 0: it is not stored.
	Revision int
}

// Links returns the links of targets, by target as given. A target without one is missing. It
// costs one request for each hundred targets.
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

// PutLink replaces a link by the next revision, and returns it as [Store.Links] will. If the
// stored link does not have this Revision (0: none), the error is a [storage.ErrConflict]: of
// several calls with the same revision, one wins. A write whose answer was lost is recognized:
// see [storage.PutRevision].
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

// maxCreator limits Link.Creator, in bytes.
const maxCreator = 200

// Check refuses a link that can't be stored.
func (l Link) Check() error {
	if err := cmp.Or(l.Target.Check(), checkPlan(l.RecordID, l.PlanDigest),
		checkDigest("changes", l.ChangesDigest), checkDigest("discarded changes", l.DiscardedDigest),
		checkDigest("base", l.BaseDigest), checkDigest("shown section", l.SectionDigest)); err != nil {
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

// linkItem is a link. It has neither run nor expiresAt.
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
		Outcome: l.Outcome, RecordID: l.RecordID, PlanDigest: l.PlanDigest, Changes: l.ChangesDigest, ShownAt: storage.FormatTime(l.ShownAt),
		Base: l.BaseDigest, PlanExpiresAt: storage.FormatTime(l.ExpiresAt.Truncate(time.Second)), Shown: l.SectionDigest,
		Since: storage.FormatTime(l.Since), Discarded: l.DiscardedDigest, DiscardedAt: storage.FormatTime(l.DiscardedAt),
		Creator: l.Creator, CreatingSince: storage.FormatTime(l.CreatingSince), Revision: l.Revision, Token: token,
	}
}

// openLink returns the link that an item holds, if the item's keys belong to it.
func openLink(item storage.Item) (Link, error) {
	var i linkItem
	err := item.Decode(&i)
	l := Link{
		Target: planstore.Target{Repository: i.Repository, Component: i.Component, Stack: i.Stack}, Number: i.Number,
		Outcome: i.Outcome, RecordID: i.RecordID, PlanDigest: i.PlanDigest, ChangesDigest: i.Changes, BaseDigest: i.Base, SectionDigest: i.Shown,
		DiscardedDigest: i.Discarded, Creator: i.Creator, Revision: i.Revision,
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
