package planstore

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/terraform-gitops/gitops/shared/planstore/storage"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// ErrAltered is returned by [Store.Find] for a plan record that is not the one
// that its key names, and by [Store.Put] when such a one has the new record's
// key. IAM can allow to add items only together with replacing them, so whoever
// holds the plan storage role may have written over a record. It must never be
// applied.
var ErrAltered = problem.With(problem.AlteredRecord, errors.New("the plan record was changed after it was written: plan again, and find out who holds the plan storage role"))

// ErrNewerVersion is returned by [Store.Find] for a whole plan record of a
// version that this code does not know.
var ErrNewerVersion = problem.With(problem.NewerRecord, errors.New("the plan record was written by a newer version of these actions: use that version here, too, or plan again with this one"))

// recordVersion is the newest version of plan records. It changes whenever an
// attribute does: what a reader does not know could be what it must not ignore.
// Version 2 has dependencies, version 3 the files of modules from elsewhere, built files, a
// plan's mode, targets and replacements, and the outcome "waiting".
const recordVersion = 3

// version is the first version that has all that the record has: a record
// without dependencies is still one for readers of version 1.
func (r Record) version() int {
	switch {
	case r.Outcome == OutcomeWaiting:
		return 3
	case r.ModulesDigest != "" || len(r.ModuleFiles) > 0, r.Mode != "" || len(r.Targets)+len(r.Replace) > 0, r.BuiltDigest != "":
		return 3
	case len(r.Dependencies) > 0:
		return 2
	}
	return 1
}

// seal is the hex SHA-256 of all that an item holds, its partition key
// included, bencoded (https://www.bittorrent.org/beps/bep_0003.html): an
// encoding that each value has exactly one of. The sort key ends in it.
func seal(content storage.Item) (string, error) {
	sealed := maps.Clone(content)
	delete(sealed, "sk")
	text, err := appendBencoded(nil, map[string]any(sealed))
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// wholeNumber is a number as bencoding and both stores write it.
var wholeNumber = regexp.MustCompile(`^(0|-?[1-9][0-9]*)$`)

func appendBencoded(to []byte, value any) (_ []byte, err error) {
	switch value := value.(type) {
	case string:
		to = strconv.AppendInt(to, int64(len(value)), 10)
		return append(append(to, ':'), value...), nil
	case json.Number:
		number := value.String()
		if !wholeNumber.MatchString(number) {
			return nil, fmt.Errorf("no record has the number %.40q", number)
		}
		return append(append(append(to, 'i'), number...), 'e'), nil
	case map[string]any:
		to = append(to, 'd')
		for _, name := range slices.Sorted(maps.Keys(value)) {
			if to, err = appendBencoded(to, name); err != nil {
				return nil, err
			}
			if to, err = appendBencoded(to, value[name]); err != nil {
				return nil, fmt.Errorf("%.100q: %w", name, err)
			}
		}
		return append(to, 'e'), nil
	}
	return nil, fmt.Errorf("no record has a value of type %T", value)
}

// openRecord is the record that an item holds, if it is one that [Store.Put] wrote under its
// keys.
func openRecord(item storage.Item) (Record, error) {
	key := item.Key()
	altered := func(why error) (Record, error) {
		return Record{}, fmt.Errorf("%w (%s %s: %w)", ErrAltered, key.Partition, shown(key.Sort), why)
	}
	sum, err := seal(item)
	if err != nil {
		return altered(err)
	}
	if !strings.HasSuffix(key.Sort, "#"+sum) {
		return altered(errors.New("its content is not what the seal in its key says"))
	}
	if version, _ := strconv.Atoi(fmt.Sprint(item["version"])); version > recordVersion {
		return Record{}, fmt.Errorf("%w (%s %s: version %d)", ErrNewerVersion, key.Partition, shown(key.Sort), version)
	}
	var i recordItem
	if err := item.Decode(&i); err != nil {
		return altered(err)
	}
	r, err := i.record()
	if err != nil {
		return altered(err)
	}
	// Sealed anew, the record has these keys only if it is all that the item
	// holds, in the very form that Put gives it, and was put under them.
	if again := newRecordItem(r); again.PK != key.Partition || again.SK != key.Sort {
		return altered(errors.New("its key is not what its content says"))
	}
	return r, nil
}
