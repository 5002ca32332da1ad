package policy

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"
)

// File is a policy (.rego) or its data (.yaml, .yml, .json).
type File struct {
	Path    string // as people see it, relative to the checkout's root
	Content []byte
	// Root is the folder that was given as the policies' folder. Data in a folder below it is
	// under that folder's name, as with opa and conftest: with the root policies,
	// policies/aws/limits.yaml is in data.aws. Empty: the folder of the file.
	Root string
	// Spare says that it is no error if nothing uses this file: the settings of the target leave
	// policies out, and it may be for those.
	Spare bool
}

// RuleNames is a pattern of the names of the rules of package main that are evaluated: conftest's, and
// require_approval.
const RuleNames = `(deny|violation|warn|require_approval)(_[a-zA-Z0-9]+)*`

// Set are the policies that hold for a target, with their data, sorted by path. The empty set says
// that there are none, which is no verdict at all.
type Set []File

// IsTest reports whether a file has tests, as its name says, which `opa test` runs and nothing else.
// conftest evaluates the rules in it: here they deny.
func IsTest(path string) bool { return strings.HasSuffix(path, "_test.rego") }

// Evaluated are the files that are evaluated: all but tests, sorted by path.
func (s Set) Evaluated() Set {
	return slices.DeleteFunc(s.sorted(), func(f File) bool { return IsTest(f.Path) })
}

func (s Set) sorted() Set {
	return slices.SortedStableFunc(slices.Values(s), func(a, b File) int { return strings.Compare(a.Path, b.Path) })
}

// Digest is the hex SHA-256 of the files that are evaluated. It changes with their paths, their
// content, and where their data is.
func (s Set) Digest() string {
	hash := sha256.New()
	for _, file := range s.Evaluated() {
		for _, part := range [][]byte{[]byte(file.Path), []byte(file.Root), file.Content} {
			var length [8]byte
			binary.BigEndian.PutUint64(length[:], uint64(len(part)))
			hash.Write(length[:])
			hash.Write(part)
		}
	}
	return hex.EncodeToString(hash.Sum(nil))
}
