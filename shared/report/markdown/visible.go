package markdown

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Form is the place for which text is written.
type Form uint8

// The forms of text.
const (
	Inline Form = iota // one line
	Block              // newlines and tabs stay
	Quoted             // within double quotes, as HCL writes a string
)

const hexDigits = "0123456789abcdef"

// AppendVisible appends s to dst, and writes out what a reader could not see.
func AppendVisible(dst []byte, s string, f Form) []byte {
	dst = slices.Grow(dst, len(s))
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			switch {
			case r == utf8.RuneError && n == 1:
				dst = append(dst, '\\', 'x', hexDigits[c>>4], hexDigits[c&15])
			case visible(r):
				dst = append(dst, s[i:i+n]...)
			case r > 0xffff:
				dst = fmt.Appendf(dst, `\U%08x`, r)
			default:
				dst = fmt.Appendf(dst, `\u%04x`, r)
			}
			i += n
			continue
		}
		i++
		switch {
		case f == Block && (c == '\n' || c == '\t'):
			dst = append(dst, c)
		case f == Quoted && (c == '"' || c == '\\'):
			dst = append(dst, '\\', c)
		case c == '\n':
			dst = append(dst, '\\', 'n')
		case c == '\r':
			dst = append(dst, '\\', 'r')
		case c == '\t':
			dst = append(dst, '\\', 't')
		case c < ' ' || c == 0x7f:
			dst = append(dst, '\\', 'x', hexDigits[c>>4], hexDigits[c&15])
		case c == '!' && strings.HasPrefix(s[i:], "--") && len(dst) > 0 && dst[len(dst)-1] == '<':
			dst = append(dst, `\x21`...)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// visible reports whether a reader can see r: letters, marks, numbers, punctuation and symbols,
// except those that Unicode says to show as nothing.
func visible(r rune) bool {
	return unicode.IsPrint(r) && !unicode.In(r, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}
