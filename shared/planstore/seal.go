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

// ErrAltered is returned by [Store.Find] for a plan record that was changed after it was
// written, and by [Store.Put] if such a record has the new record's key. IAM can't allow to add
// items without allowing to replace them, so whoever holds the plan storage role may have
// written over the record. It must never be applied.
var ErrAltered = problem.With(problem.AlteredRecord, errors.New("the plan record was changed after it was written: plan again, and find out who holds the plan storage role"))

// ErrNewerVersion is returned by [Store.Find] for a plan record that is not damaged, but has a
// version that this code does not know.
var ErrNewerVersion = problem.With(problem.NewerRecord, errors.New("the plan record was written by a newer version of these actions: use that version here, too, or plan again with this one"))

// recordVersion is the newest version of plan records. It changes whenever an attribute does:
// an attribute that a reader does not know may be one that it must not ignore. Version 2 added
// dependencies. Version 3 added the files of modules, built files, mode, targets and
// replacements, and the outcome "waiting". Version 4 added the number of actions to invoke.
// Version 5 added the digest of the changes, what policies said, and which plans say the same.
const recordVersion = 5

// version is the oldest version that has all attributes of the record, so that older code can
// read what it understands.
func (r Record) version() int {
	switch {
	case r.ChangesDigest != "" || r.PolicyDigest != "" || r.PolicyResult != "" || len(r.Required)+len(r.EqualTo) > 0:
		return 5
	case r.Counts.Invoke > 0:
		return 4
	case r.Outcome == OutcomeWaiting:
		return 3
	case r.ModulesDigest != "" || len(r.ModuleFiles) > 0, r.Mode != "" || len(r.Targets)+len(r.Replace) > 0, r.BuiltDigest != "":
		return 3
	case len(r.Dependencies) > 0:
		return 2
	}
	return 1
}

// seal is the hex SHA-256 of all attributes of an item but the sort key, which ends in it. They
// are bencoded (https://www.bittorrent.org/beps/bep_0003.html), since each value has exactly
// one such encoding.
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

// wholeNumber matches numbers as bencoding and both stores write them.
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

// openRecord returns the record that an item holds, if [Store.Put] wrote it under this key.
func openRecord(item storage.Item) (Record, error) {
	key := item.Key()
	altered := func(why error) (Record, error) {
		return Record{}, fmt.Errorf("%w (%s %s: %w)", ErrAltered, key.Partition, printable(key.Sort), why)
	}
	sum, err := seal(item)
	if err != nil {
		return altered(err)
	}
	if !strings.HasSuffix(key.Sort, "#"+sum) {
		return altered(errors.New("its content is not what the seal in its key says"))
	}
	if version, _ := strconv.Atoi(fmt.Sprint(item["version"])); version > recordVersion {
		return Record{}, fmt.Errorf("%w (%s %s: version %d)", ErrNewerVersion, key.Partition, printable(key.Sort), version)
	}
	var i recordItem
	if err := item.Decode(&i); err != nil {
		return altered(err)
	}
	r, err := i.record()
	if err != nil {
		return altered(err)
	}
	// Making the item again from the record gives the same keys only if the item holds nothing
	// else, in exactly the form that Put gives it, and was stored under them.
	if again := newRecordItem(r); again.PK != key.Partition || again.SK != key.Sort {
		return altered(errors.New("its key is not what its content says"))
	}
	return r, nil
}
