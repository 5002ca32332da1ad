package planstore

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// ErrName is returned for a repository, component, stack, commit or run that can't be a part of
// a key, or is no valid name.
var ErrName = problem.With(problem.Config, errors.New("name can't be used in the plan store"))

const (
	// maxName limits a name as given, in bytes, so that a record stays far below DynamoDB's 400
	// KB for an item.
	maxName = 1000
	// maxPart limits an escaped part, in bytes. The longest object key has five parts, two of
	// them of fixed length, and must stay below S3's 1,024 bytes. A part is also a file name,
	// which has at most 255 bytes.
	maxPart = 120
	// shortPart is how much of a longer part is kept, before its hash, for people to recognize
	// it.
	shortPart = 50
)

const hexDigits = "0123456789ABCDEF"

// escape turns a name into one part of a key: a folder name of an object key, a field of a
// partition key, a file name on any disk.
//
// Different names give different parts, also on a disk that ignores case. An upper-case letter
// becomes ! and its lower-case form, as in Go's module cache
// (https://pkg.go.dev/golang.org/x/mod/module#hdr-Escaped_Paths). A byte other than a-z 0-9 _ -
// . becomes % and two upper-case hex digits, and so does a dot at either end, where file
// systems give it a meaning. A part longer than maxPart becomes its beginning, ~ and the name's
// SHA-256; no other part has a ~.
func escape(name string) string {
	var part strings.Builder
	for i := range len(name) {
		c := name[i]
		switch {
		case c == '.' && (i == 0 || i == len(name)-1):
			part.WriteString("%2E")
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '_', c == '-', c == '.':
			part.WriteByte(c)
		case 'A' <= c && c <= 'Z':
			part.WriteByte('!')
			part.WriteByte(c - 'A' + 'a')
		default:
			part.WriteByte('%')
			part.WriteByte(hexDigits[c>>4])
			part.WriteByte(hexDigits[c&15])
		}
	}
	if part.Len() <= maxPart {
		return part.String()
	}
	sum := sha256.Sum256([]byte(name))
	return part.String()[:shortPart] + "~" + hex.EncodeToString(sum[:])
}

// checkName refuses empty and very long names, and those that can't be printed in a message.
func checkName(what, name string) error {
	switch {
	case name == "":
		return fmt.Errorf("%w: the %s is empty", ErrName, what)
	case len(name) > maxName:
		return fmt.Errorf("%w: the %s is %d bytes long, and at most %d are allowed: %.40q…", ErrName, what, len(name), maxName, name)
	case !utf8.ValidString(name):
		return fmt.Errorf("%w: the %s is not UTF-8 text: %q", ErrName, what, name)
	case strings.ContainsFunc(name, unicode.IsControl):
		return fmt.Errorf("%w: the %s has a control character: %q", ErrName, what, name)
	}
	return nil
}

// printable is a name for a message. It is quoted and shortened if it could break the line.
func printable(name string) string {
	if len(name) > maxName || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return fmt.Sprintf("%.100q", name)
	}
	return name
}
