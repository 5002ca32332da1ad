package folder

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"os"
	"strings"
	"time"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"

	"github.com/terraform-gitops/gitops/shared/planstore/storage"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// items are JSON in a bbolt file, under pk NUL sk, which sorts as in DynamoDB. bbolt locks the
// file while it is open, so each operation opens it. There is no TTL: expired records stay.
type items struct {
	path string
	turn chan struct{} // holds one value while this process has the file open
}

// lockTimeout limits the wait for other processes. Each takes milliseconds.
const lockTimeout = 30 * time.Second

var itemsBucket = []byte("items")

// create creates the file, unless it exists. Other processes see it only when it is complete.
func (d *items) create(newFolder string) (err error) {
	if _, err := os.Lstat(d.path); err == nil {
		return nil
	}
	f, err := os.CreateTemp(newFolder, "items-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	if err := f.Close(); err != nil {
		return err
	}
	db, err := bbolt.Open(f.Name(), 0o600, &bbolt.Options{Timeout: lockTimeout})
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucket(itemsBucket)
		return err
	})
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	return publish(f.Name(), d.path)
}

func (d *items) update(ctx context.Context, change func(*bbolt.Bucket) error) error {
	return d.open(ctx, false, func(db *bbolt.DB) error {
		return db.Update(func(tx *bbolt.Tx) error { return change(tx.Bucket(itemsBucket)) })
	})
}

func (d *items) view(ctx context.Context, read func(*bbolt.Bucket) error) error {
	return d.open(ctx, true, func(db *bbolt.DB) error {
		return db.View(func(tx *bbolt.Tx) error { return read(tx.Bucket(itemsBucket)) })
	})
}

func (d *items) open(ctx context.Context, readOnly bool, use func(*bbolt.DB) error) (err error) {
	select {
	case d.turn <- struct{}{}:
		defer func() { <-d.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	wait := lockTimeout
	if deadline, ok := ctx.Deadline(); ok {
		wait = min(wait, max(time.Until(deadline), time.Millisecond))
	}
	db, err := bbolt.Open(d.path, 0o600, &bbolt.Options{Timeout: wait, ReadOnly: readOnly, OpenFile: openExisting})
	if errors.Is(err, bbolterrors.ErrTimeout) {
		return problem.With(problem.Storage, fmt.Errorf("%s has been locked by another process for %v", d.path, wait.Round(time.Millisecond)))
	}
	if err != nil {
		return problem.With(problem.Storage, fmt.Errorf("open %s: %w", d.path, err))
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return use(db)
}

// openExisting prevents bbolt from creating a database, which other processes would see while
// it is incomplete: create does that.
func openExisting(path string, flag int, mode os.FileMode) (*os.File, error) {
	return os.OpenFile(path, flag&^os.O_CREATE, mode)
}

func nameOf(k storage.Key) []byte { return []byte(k.Partition + "\x00" + k.Sort) }

// read returns the item that is stored under a name. If it is damaged, or lies under another
// name than its own, it has only its keys.
func read(name, value []byte) (item storage.Item, damaged bool) {
	pk, sk, _ := strings.Cut(string(name), "\x00")
	item, err := storage.Parse(value)
	if err != nil || item.Key() != (storage.Key{Partition: pk, Sort: sk}) {
		return storage.Item{"pk": pk, "sk": sk}, true
	}
	return item, false
}

// write does one write, if its condition is met.
func write(b *bbolt.Bucket, w storage.Write) error {
	name := nameOf(w.Key)
	var stored storage.Item
	if value := b.Get(name); value != nil {
		stored, _ = read(name, value)
	}
	if w.If != nil && !w.If.Holds(stored) {
		return &storage.ConditionError{Stored: stored}
	}
	item := w.Put
	if w.Set != nil {
		item = storage.Item{"pk": w.Key.Partition, "sk": w.Key.Sort}
		maps.Copy(item, stored)
		maps.Copy(item, w.Set)
	}
	if item == nil {
		return nil
	}
	value, err := json.Marshal(item)
	if err != nil {
		return err
	}
	return b.Put(name, value)
}

// Put implements storage.Items.
func (d *items) Put(ctx context.Context, item storage.Item, condition storage.Condition) error {
	return d.Transact(ctx, "", storage.Write{Key: item.Key(), Put: item, If: condition})
}

// Transact implements storage.Items. It needs no token, since no answer can be lost.
func (d *items) Transact(ctx context.Context, _ string, writes ...storage.Write) error {
	return d.update(ctx, func(b *bbolt.Bucket) error {
		for i, w := range writes {
			err := write(b, w)
			if refused, ok := errors.AsType[*storage.ConditionError](err); ok {
				refused.Write = i
			}
			if err != nil {
				return err // which undoes what was written before
			}
		}
		return nil
	})
}

// Get implements storage.Items.
func (d *items) Get(ctx context.Context, keys ...storage.Key) (found []storage.Item, err error) {
	if len(keys) == 0 {
		return nil, nil
	}
	err = d.view(ctx, func(b *bbolt.Bucket) error {
		for _, k := range keys {
			if value := b.Get(nameOf(k)); value != nil {
				item, _ := read(nameOf(k), value)
				found = append(found, item)
			}
		}
		return nil
	})
	return found, err
}

// Query implements storage.Items. There are no indexes: it looks at all items with the prefix.
// It reads them before it yields the first, so that the file is not open while the caller
// works.
func (d *items) Query(ctx context.Context, q storage.Query) iter.Seq2[storage.Item, error] {
	return func(yield func(storage.Item, error) bool) {
		found, err := d.query(ctx, q)
		for _, item := range found {
			if !yield(item, nil) {
				return
			}
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

func (d *items) query(ctx context.Context, q storage.Query) (found []storage.Item, err error) {
	err = d.view(ctx, func(b *bbolt.Bucket) error {
		c := b.Cursor()
		prefix, next := q.Prefix, c.Next
		if q.Index == "" {
			prefix = string(nameOf(storage.Key{Partition: q.Partition}))
		}
		if q.Descending {
			next = c.Prev
		}
		for name, value := first(c, prefix, q); bytes.HasPrefix(name, []byte(prefix)); name, value = next() {
			item, damaged := read(name, value)
			switch sk := item.Key().Sort; {
			case q.Index == "" && (sk < q.From || q.To != "" && sk > q.To):
				return nil
			case q.Index != "" && item[string(q.Index)] != q.Value && !damaged: // a damaged one may be one of them
				continue
			case q.Index != "" && q.From != "" && !damaged:
				if at, _ := item["createdAt"].(string); at < q.From || at > q.To {
					continue
				}
			}
			found = append(found, item)
		}
		return nil
	})
	return found, err
}

// first is the first item of a query.
func first(c *bbolt.Cursor, prefix string, q storage.Query) (name, value []byte) {
	switch {
	case q.Index != "": // From and To are of another attribute
		return c.Seek([]byte(prefix))
	case !q.Descending:
		return c.Seek([]byte(prefix + q.From))
	}
	end := prefix + q.To
	if q.To == "" {
		end = q.Partition + "\x01" // what comes next after the partition
	}
	switch name, value = c.Seek([]byte(end)); {
	case name == nil:
		return c.Last()
	case string(name) != end:
		return c.Prev()
	}
	return name, value
}
