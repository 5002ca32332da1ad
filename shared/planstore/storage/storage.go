// Package storage is what a plan store needs of the place that it is kept in.
//
// That place has objects, which are files under a key, and items, which are attributes under
// two keys, as in DynamoDB. Package dynamo keeps them in S3 and DynamoDB, package folder in a
// folder. Neither knows what they mean: package planstore knows plans, claims and locks,
// package drift knows drift results and the links to drift issues.
package storage

import (
	"context"
	"errors"
	"io"
	"iter"
	"os"
	"time"
)

// Backend keeps objects and items. Several goroutines may use it, and several processes may use
// the same one.
type Backend interface {
	Objects
	Items
}

// Objects are files under keys. None is ever replaced.
type Objects interface {
	// PutObject stores a file. It reads the file from its start, and the file must have this
	// content. If the object exists already, it stays as it is, which is no error. The version
	// is empty if there is none or if it is not known.
	PutObject(ctx context.Context, key string, f *os.File, content Content) (version string, err error)
	// GetObject opens an object, in this version if one is given, and says when it was stored.
	// The error is an [ErrGone] if the object does not exist.
	GetObject(ctx context.Context, key, version string) (object io.ReadCloser, storedAt time.Time, err error)
	// ObjectLocation is where people find an object: an address or a path.
	ObjectLocation(key string) string
}

// Items are attributes under keys. Each method but Query is atomic.
type Items interface {
	// Put stores an item in place of the one under its key, if that one meets the condition
	// (nil: always). Otherwise the error is a [*ConditionError].
	Put(ctx context.Context, item Item, condition Condition) error
	// Transact does all the writes or, like Put, none. Each write has another key. If a call
	// with a token arrives twice, it is done once; a call without a token gets one.
	Transact(ctx context.Context, token string, writes ...Write) error
	// Get reads the items with these keys, each given once, in any order. Items that do not
	// exist are left out. Reads are strongly consistent.
	Get(ctx context.Context, keys ...Key) ([]Item, error)
	// Query reads items one by one, and only as many pages of them as the caller asks for. The
	// first error ends it.
	Query(ctx context.Context, q Query) iter.Seq2[Item, error]
}

// Key is the key of an item. Items with the same partition key are sorted by the bytes of their
// sort keys.
type Key struct {
	Partition string // attribute pk
	Sort      string // attribute sk
}

// Write is one write of a transaction. It stores Put, or changes the attributes in Set, or,
// without both, only checks If.
type Write struct {
	Key Key
	Put Item      // stored in the place of what is there
	Set Item      // attributes to change of what is there
	If  Condition // nil: always
}

// Query asks for the items of one partition, or for those with one value of an index.
type Query struct {
	// Partition, and the first and last sort key; empty: no limit. The read is strongly
	// consistent.
	Partition, From, To string

	// Index, the value to look for, and how partition keys must begin. From and To are then of
	// createdAt, and only for ByPullRequest. An index may be some moments behind.
	Index         Index
	Value, Prefix string

	Descending bool     // the last sort key first; not of an index
	Expected   int      // how many items are enough, as a rule; 0: all
	Attributes []string // that are needed; nil: all
}

// Index finds items by an attribute that only some of them have. It has the name of that
// attribute.
type Index string

// The indexes.
const (
	ByRun         Index = "run"
	ByPullRequest Index = "pullRequest"
)

// ErrGone is returned by [Objects.GetObject] if the object does not exist.
var ErrGone = errors.New("there is no such object")

// ConditionError says that nothing was written, since what is stored does not meet a condition.
type ConditionError struct {
	Write  int  // which one of a transaction
	Stored Item // what is there, when it was a Put; nil for nothing
}

func (e *ConditionError) Error() string { return "the store changed in between" }
