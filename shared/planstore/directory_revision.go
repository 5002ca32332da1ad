package planstore

import (
	"context"

	"go.etcd.io/bbolt"
)

// getEach reads the items that are there in these partitions under one sort key.
func getEach[T any](ctx context.Context, d *database, pks []string, sk string) (items []T, err error) {
	err = d.view(ctx, func(b *bbolt.Bucket) error {
		for _, pk := range pks {
			var item T
			if found, err := getItem(b, pk, sk, &item); err != nil {
				return err
			} else if found {
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
