package markdown

import (
	"unicode/utf8"
)

// Clip cuts s after at most n bytes, and then ends it with "…".
func Clip(s string, n int) string {
	if start := Prefix(s, n); len(start) < len(s) {
		return start + "…"
	}
	return s
}

// Prefix is the first n bytes of s, or a few less, so that it ends between two runes.
func Prefix(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// MaxName is how many bytes of a name are shown.
const MaxName = 300

// MaxValue is how many bytes of a value, or of a line of prose, are shown.
const MaxValue = 2 << 10
