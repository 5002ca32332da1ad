package planstore

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"go.etcd.io/bbolt"
)

func (d *database) putDriftResult(ctx context.Context, item driftItem, now string) error {
	return d.update(ctx, func(b *bbolt.Bucket) error {
		var present driftItem
		found, err := getItem(b, item.PK, item.SK, &present)
		// What has no time, or one that is yet to come, is spoiled.
		if err == nil && found && present.SeenAt > item.SeenAt && present.SeenAt <= now {
			return nil
		}
		return putItem(b, item.PK, item.SK, item)
	})
}

// driftResults looks at all results of the repository: a folder has no index.
func (d *database) driftResults(ctx context.Context, prefix, run string) (results []driftItem, err error) {
	err = d.view(ctx, func(b *bbolt.Bucket) error {
		c := b.Cursor()
		for name, value := c.Seek([]byte(prefix)); strings.HasPrefix(string(name), prefix); name, value = c.Next() {
			var item driftItem
			if err := json.Unmarshal(value, &item); err != nil {
				return fmt.Errorf("the item %s is damaged: %w", shown(string(name)), err)
			}
			if item.Run == run {
				results = append(results, item)
			}
		}
		return nil
	})
	return results, err
}

func (d *database) driftIssues(ctx context.Context, pks []string) ([]issueItem, error) {
	return getEach[issueItem](ctx, d, pks, issueKey)
}

func (d *database) putDriftIssue(ctx context.Context, item issueItem) error {
	return d.putRevision(ctx, item.PK, item.SK, item.Revision, item)
}
