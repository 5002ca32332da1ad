// Package storage is what a plan store needs of the place that it is in.
//
// That place keeps objects, which are files under a key, and items, which are attributes
// under two keys, as in DynamoDB. Package dynamo keeps them in S3 and DynamoDB, package
// folder in a folder. What they mean is not known here: package planstore knows plans,
// claims and locks, package drift the results and links of drift detection.
package storage

import (
	"context"
	"errors"
	"io"
	"iter"
	"os"
)

// Backend keeps objects and items. It is safe for use by several goroutines, and several
// processes may use the same one.
type Backend interface {
	Objects
	Items
}

// Objects keeps files under their keys. It never replaces one.
type Objects interface {
	// PutObject stores a file, which is read from its start and must have this content. An
	// object that is there already stays, and is not an error. The version is empty when
	// there is none, or when it is not known.
	PutObject(ctx context.Context, key string, f *os.File, content Content) (version string, err error)
	// GetObject opens an object; any version when none is given. The error is an [ErrGone]
	// when it is not there.
	GetObject(ctx context.Context, key, version string) (io.ReadCloser, error)
	// ObjectLocation is where people find an object: an address or a path.
	ObjectLocation(key string) string
}

// Items keeps items. Each method but Query is done at one moment.
type Items interface {
	// Put stores an item in the place of what is under its key, if that meets the condition;
	// nil is always met. The error is a [*ConditionError] when it is not met.
	Put(ctx context.Context, item Item, condition Condition) error
	// Transact does all the writes or none, as Put does. Each is of another key. The same call
	// that arrives twice under one token is done once; without a token one is made up.
	Transact(ctx context.Context, token string, writes ...Write) error
	// Get reads the items with these keys, of which no two may be the same, in any order.
	// Those that are not there are left out. What it reads is the newest.
	Get(ctx context.Context, keys ...Key) ([]Item, error)
	// Query reads items one by one, and no more pages of them than are asked for. It ends
	// after the first error.
	Query(ctx context.Context, q Query) iter.Seq2[Item, error]
}

// Key names an item. Items with one partition key are together, ordered by the bytes of
// their sort keys.
type Key struct {
	Partition string // attribute pk
	Sort      string // attribute sk
}

// Write is one write of a transaction: it puts, or sets, or only checks.
type Write struct {
	Key Key
	Put Item      // stored in the place of what is there
	Set Item      // attributes to change of what is there
	If  Condition // nil: always
}

// Query asks for items of one partition, or for those with one value of an index.
type Query struct {
	// Partition, and the first and last sort key, which are included; empty: no bound. What
	// is read is the newest.
	Partition, From, To string

	// Index, its value, and what partition keys begin with. An index may be some moments
	// behind.
	Index         Index
	Value, Prefix string

	Descending bool     // the last sort key first
	Expected   int      // how many items are enough, as a rule; 0: all
	Attributes []string // that are needed; nil: all
}

// Index finds items by an attribute that some of them have, and is named after it.
type Index string

// The indexes.
const (
	ByRun         Index = "run"
	ByPullRequest Index = "pullRequest"
)

// ErrGone is returned by [Objects.GetObject] when there is no such object.
var ErrGone = errors.New("there is no such object")

// ConditionError says that nothing was written, since what is stored does not meet a
// condition.
type ConditionError struct {
	Write  int  // which one of a transaction
	Stored Item // what is there, when it was a Put; nil for nothing
}

func (e *ConditionError) Error() string { return "the store has changed meanwhile" }
