package plan

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/terraform-gitops/gitops/shared/fingerprint"
	"github.com/terraform-gitops/gitops/shared/memo"
	"github.com/terraform-gitops/gitops/shared/planstore"
)

// Before are the plans that a pull request had before this run, asked of each store once. The zero
// value is ready to use.
type Before struct {
	newest memo.Memo[string, map[string]planstore.PlanSummary] // by the store's address
}

func (b *Before) of(ctx context.Context, store *planstore.Store, r planstore.Record) (planstore.Record, bool, error) {
	newest, err := b.newest.Get(fmt.Sprintf("%p", store), func() (map[string]planstore.PlanSummary, error) {
		return store.NewestOfPullRequest(ctx, r.Repository, r.PullRequest)
	})
	if err != nil {
		return planstore.Record{}, false, err
	}
	last, is := newest[r.Key()]
	if !is || !last.CreatedAt.Before(r.CreatedAt) {
		return planstore.Record{}, false, nil
	}
	record, err := store.RecordOf(ctx, last)
	if errors.Is(err, planstore.ErrNotFound) || errors.Is(err, planstore.ErrAltered) {
		return planstore.Record{}, false, nil
	}
	return record, err == nil, err
}

// findEqual finds out whether the plan right before this one, of the same pull request, says the same.
// Then approvals of that one count for this one, too: an apply compares both again.
func (p *planner) findEqual(ctx context.Context) error {
	if p.store == nil || p.o.Before == nil || p.Record.ChangesDigest == "" {
		return nil
	}
	before, is, err := p.o.Before.of(ctx, p.store, p.Record)
	if err != nil || !is || before.ChangesDigest != p.Record.ChangesDigest {
		return err
	}
	now := p.Record
	if p.built.Archive != "" { // Put finds it out otherwise
		if now.BuiltDigest, err = digestOf(p.built.Archive); err != nil {
			return err
		}
	}
	if Differs(before, now, p.configuration) == "" {
		p.Record.EqualTo = append([]string{before.ID()}, before.EqualTo[:min(len(before.EqualTo), planstore.MaxEqualTo-1)]...)
	}
	return nil
}

// Differs says in what, beside its changes, an older plan is not what a newer one is; empty if it is
// the same. now is the configuration of the newer one.
func Differs(older, newer planstore.Record, now fingerprint.Configuration) string {
	switch {
	case older.Kind != planstore.KindChange || older.Outcome != planstore.OutcomeChanges || older.PullRequest != newer.PullRequest:
		return "it is of another pull request, or has no changes"
	case older.TerraformName != newer.TerraformName || older.TerraformVersion != newer.TerraformVersion:
		return "another version of Terraform made it"
	case older.Mode != newer.Mode || !slices.Equal(older.Targets, newer.Targets) || !slices.Equal(older.Replace, newer.Replace):
		return "it was made with other options"
	case older.ModulesDigest != newer.ModulesDigest:
		return "it used other files of modules from elsewhere"
	case older.BuiltDigest != newer.BuiltDigest:
		return "it used other built files"
	case now.Digest != older.ConfigurationDigest && (len(older.Files) == 0 || len(now.Unshown(older.Files)) > 0):
		return "files differ whose effect during an apply no plan shows"
	}
	return ""
}

func digestOf(path string) (digest string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	hash := sha256.New()
	_, err = io.Copy(hash, f)
	return hex.EncodeToString(hash.Sum(nil)), err
}
