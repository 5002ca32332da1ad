package planstore

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// OpenDirectory opens the store in a folder, and makes it when it is not there:
// planfiles below objects/, everything else in items.db. Several processes may
// use it at once, where the file system has flock, hard links and a shared
// memory map: local disks do.
//
// The folder holds secrets: only its owner can read what is put there. Nothing
// is ever removed from it.
func OpenDirectory(path string, now func() time.Time) (*Store, error) {
	explain := func(err error) error {
		return problem.With(problem.Storage, fmt.Errorf("open the plan store in folder %s: %w: choose a folder that this user may write to", path, err))
	}
	root, err := filepath.Abs(path)
	if err != nil {
		return nil, explain(err)
	}
	for _, folder := range []string{root, filepath.Join(root, objectsFolder), filepath.Join(root, newFolder)} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return nil, explain(err)
		}
	}
	db := &database{path: filepath.Join(root, "items.db"), turn: make(chan struct{}, 1)}
	if err := db.create(filepath.Join(root, newFolder)); err != nil {
		return nil, explain(err)
	}
	return &Store{objects: folder{root: root}, items: db, now: now}, nil
}

// database holds items in a bbolt file, as JSON under pk NUL sk, which sort as
// in DynamoDB. bbolt locks the file for as long as it is open, so it is opened
// for each operation. It has no TTL: expired records stay, with that status.
type database struct {
	path string
	turn chan struct{} // holds one value while this process has the file open
}

// lockTimeout bounds the wait for other processes: each takes milliseconds.
const lockTimeout = 30 * time.Second

var itemsBucket = []byte("items")

// create makes the file, whole, unless it is there.
func (d *database) create(newFolder string) (err error) {
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

func (d *database) update(ctx context.Context, change func(*bbolt.Bucket) error) error {
	return d.open(ctx, false, func(db *bbolt.DB) error {
		return db.Update(func(tx *bbolt.Tx) error { return change(tx.Bucket(itemsBucket)) })
	})
}

func (d *database) view(ctx context.Context, read func(*bbolt.Bucket) error) error {
	return d.open(ctx, true, func(db *bbolt.DB) error {
		return db.View(func(tx *bbolt.Tx) error { return read(tx.Bucket(itemsBucket)) })
	})
}

func (d *database) open(ctx context.Context, readOnly bool, use func(*bbolt.DB) error) (err error) {
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

// openExisting keeps bbolt from making a database in place, which would be
// visible half-made: create makes them whole.
func openExisting(path string, flag int, mode os.FileMode) (*os.File, error) {
	return os.OpenFile(path, flag&^os.O_CREATE, mode)
}

func itemKey(pk, sk string) []byte { return []byte(pk + "\x00" + sk) }

func putItem(b *bbolt.Bucket, pk, sk string, item any) error {
	value, err := json.Marshal(item)
	if err != nil {
		return err
	}
	return b.Put(itemKey(pk, sk), value)
}

// getItem reads an item; false when there is none.
func getItem(b *bbolt.Bucket, pk, sk string, item any) (bool, error) {
	value := b.Get(itemKey(pk, sk))
	if value == nil {
		return false, nil
	}
	if err := json.Unmarshal(value, item); err != nil {
		return false, problem.With(problem.Storage, fmt.Errorf("the item %s %s is damaged: %w", pk, sk, err))
	}
	return true, nil
}

func (d *database) putRecord(ctx context.Context, r Record) error {
	item := newRecordItem(r)
	value, err := json.Marshal(item)
	if err != nil {
		return err
	}
	return d.update(ctx, func(b *bbolt.Bucket) error {
		key := itemKey(item.PK, item.SK)
		if present := b.Get(key); present != nil && !bytes.Equal(present, value) {
			return fmt.Errorf("%w (%s %s)", ErrAltered, item.PK, item.SK)
		}
		return b.Put(key, value)
	})
}

func (d *database) eachRecord(ctx context.Context, t Target, commit, end string, enough func(string, Record, error) bool) error {
	pk := planPrefix + t.key()
	return d.view(ctx, func(b *bbolt.Bucket) error {
		prefix := string(itemKey(pk, commit+"#"))
		c := b.Cursor()
		var value []byte
		name, _ := c.Seek(itemKey(pk, end))
		if name == nil {
			name, value = c.Last()
		} else {
			name, value = c.Prev()
		}
		for ; strings.HasPrefix(string(name), prefix); name, value = c.Prev() {
			sk := string(name[len(pk)+1:])
			if r, err := readStored(pk, sk, value); enough(sk, r, err) {
				return nil
			}
		}
		return nil
	})
}

func (d *database) record(ctx context.Context, t Target, recordID string) (r Record, err error) {
	pk := planPrefix + t.key()
	err = d.view(ctx, func(b *bbolt.Bucket) error {
		value := b.Get(itemKey(pk, recordID))
		if value == nil {
			return ErrNotFound
		}
		r, err = readStored(pk, recordID, value)
		return err
	})
	return r, err
}

func readStored(pk, sk string, value []byte) (Record, error) {
	content, err := readJSON(value)
	if err != nil {
		return Record{}, fmt.Errorf("%w (%s %s: %w)", ErrAltered, pk, shown(sk), err)
	}
	return openRecord(pk, sk, content, func(item *recordItem) error { return json.Unmarshal(value, item) })
}

func (d *database) readClaims(ctx context.Context, t Target, recordIDs ...string) (claims, error) {
	read := claims{of: map[string]*heldClaim{}}
	err := d.view(ctx, func(b *bbolt.Bucket) error {
		for _, id := range recordIDs {
			pk, sk := claimKeys(t, id)
			var item claimItem
			found, err := getItem(b, pk, sk, &item)
			if found && err == nil {
				read.of[id], err = item.claim()
			}
			if err != nil {
				return err
			}
		}
		var err error
		if read.last, err = getLast(b, applyPrefix+t.key()); err != nil {
			return err
		}
		var lock lockItem
		found, err := getItem(b, lockPrefix+t.key(), lockKey, &lock)
		if found && err == nil {
			read.lock, err = lock.held(t)
		}
		return err
	})
	if err != nil {
		return claims{}, err
	}
	return read, nil
}

func getLast(b *bbolt.Bucket, pk string) (*LastApply, error) {
	var item lastItem
	if found, err := getItem(b, pk, lastKey, &item); !found || err != nil {
		return nil, err
	}
	return item.lastApply()
}

func (d *database) putClaim(ctx context.Context, r Record, c heldClaim) error {
	item := newClaimItem(r, c)
	return d.update(ctx, func(b *bbolt.Bucket) error {
		last, err := getLast(b, item.PK)
		if err != nil {
			return err
		}
		var present claimItem
		found, err := getItem(b, item.PK, item.SK, &present)
		if err != nil {
			return err
		}
		if found && present.Status != statusReleased || last != nil && last.supersedes(r) {
			return errCondition
		}
		return putItem(b, item.PK, item.SK, item)
	})
}

func (d *database) finishClaim(ctx context.Context, r Record, run Run, result Result, at time.Time, last *LastApply) error {
	pk, sk := claimKeys(r.Target, r.ID())
	return d.update(ctx, func(b *bbolt.Bucket) error {
		var item claimItem
		if found, err := getItem(b, pk, sk, &item); err != nil {
			return err
		} else if !found || !item.heldBy(run) {
			return errCondition
		}
		item.finish(result, at)
		if err := putItem(b, pk, sk, item); err != nil || last == nil {
			return err
		}
		present, err := getLast(b, pk)
		if err != nil || present != nil && present.outdates(*last) {
			return err
		}
		return putItem(b, pk, lastKey, newLastItem(r.Target, *last))
	})
}
