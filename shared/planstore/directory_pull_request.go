package planstore

import (
	"context"
	"encoding/json"
	"strings"

	"go.etcd.io/bbolt"
)

func (d *database) changePlans(ctx context.Context, pk string) ([]shortItem, error) {
	return d.shortItems(ctx, string(itemKey(pk, "")), func(i shortItem) bool {
		return !strings.HasPrefix(i.SK, driftRecord)
	})
}

// ofPullRequest looks at all items of the repository: a folder has no index.
func (d *database) ofPullRequest(ctx context.Context, prefix, pullRequest string) ([]shortItem, error) {
	return d.shortItems(ctx, prefix, func(i shortItem) bool { return i.PullRequest == pullRequest })
}

// shortItems are those of the items under keys of this prefix that are wanted.
func (d *database) shortItems(ctx context.Context, prefix string, wanted func(shortItem) bool) (items []shortItem, err error) {
	err = d.view(ctx, func(b *bbolt.Bucket) error {
		c := b.Cursor()
		for name, value := c.Seek([]byte(prefix)); strings.HasPrefix(string(name), prefix); name, value = c.Next() {
			var item shortItem
			// One that is damaged is left out: see shortItem.
			if json.Unmarshal(value, &item) == nil && wanted(item) {
				items = append(items, item)
			}
		}
		return nil
	})
	return items, err
}
