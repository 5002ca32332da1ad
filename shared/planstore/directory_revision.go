package planstore

import (
	"context"
	"encoding/json"

	"go.etcd.io/bbolt"
)

// getEach reads the items that are there in these partitions under one sort key.
func getEach[T any](ctx context.Context, d *database, pks []string, sk string) (items []T, err error) {
	err = d.view(ctx, func(b *bbolt.Bucket) error {
		for _, pk := range pks {
			var item T
			found, err := getItem(b, pk, sk, &item)
			if err != nil {
				// It is not whole, which is seen when it is read: by its keys it is found.
				item, found = *new(T), true
				keys, _ := json.Marshal(map[string]string{"pk": pk, "sk": sk}) // text always encodes
				if err := json.Unmarshal(keys, &item); err != nil {
					return err
				}
			}
			if found {
				items = append(items, item)
			}
		}
		return nil
	})
	return items, err
}

// putRevision puts an item in the place of the revision before it.
func (d *database) putRevision(ctx context.Context, pk, sk string, revision int, item any) error {
	return d.update(ctx, func(b *bbolt.Bucket) error {
		var present struct { // of revision 0, when there is none
			Revision int `json:"revision"`
		}
		if _, err := getItem(b, pk, sk, &present); err != nil {
			return err
		}
		if present.Revision != revision-1 {
			return errCondition
		}
		return putItem(b, pk, sk, item)
	})
}

func (d *database) lastApplies(ctx context.Context, pks []string) ([]lastItem, error) {
	return getEach[lastItem](ctx, d, pks, lastKey)
}

func (d *database) locks(ctx context.Context, pks []string) ([]lockItem, error) {
	return getEach[lockItem](ctx, d, pks, lockKey)
}

func (d *database) putLock(ctx context.Context, item lockItem) error {
	return d.putRevision(ctx, item.PK, item.SK, item.Revision, item)
}
