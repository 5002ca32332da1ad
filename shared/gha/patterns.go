package gha

import (
	"slices"
	"sort"
)

// patterns finds which of many texts begin at a place. It keeps the texts sorted and searches
// them by bisection, since secrets can be many and long: a trie of their encodings takes a
// hundred times their size.
type patterns struct {
	sorted []string
	// starts[b] and starts[b+1] enclose those that begin with byte b.
	starts [257]int
}

// newPatterns makes patterns of texts, of which none is empty.
func newPatterns(texts map[string]bool) *patterns {
	p := &patterns{sorted: make([]string, 0, len(texts))}
	for text := range texts {
		p.sorted = append(p.sorted, text)
	}
	slices.Sort(p.sorted)
	for b := range p.starts {
		p.starts[b] = sort.Search(len(p.sorted), func(i int) bool { return int(p.sorted[i][0]) >= b })
	}
	return p
}

// longest returns the length of the longest text that b begins with, or 0. more says that b
// is the beginning of a longer text, so that the bytes after b could change the answer. b
// must not be empty.
func (p *patterns) longest(b []byte) (length int, more bool) {
	low, high := p.starts[b[0]], p.starts[int(b[0])+1]
	for depth := 1; low < high; depth++ {
		// sorted[low:high] share their first depth bytes with b. One that ends here
		// comes before the others.
		if len(p.sorted[low]) == depth {
			length = depth
			low++
		}
		if low == high {
			break
		}
		if depth == len(b) {
			return length, true
		}
		next := b[depth]
		within := p.sorted[low:high]
		from := sort.Search(len(within), func(i int) bool { return within[i][depth] >= next })
		to := sort.Search(len(within), func(i int) bool { return within[i][depth] > next })
		low, high = low+from, low+to
	}
	return length, false
}

// redaction replaces secrets in a text that comes in pieces, wherever it is split. It holds
// back only what may be the beginning of a secret: nothing for most text, and never more
// than the longest secret.
type redaction struct {
	held []byte
	// covered is how many bytes at the start of held belong to a secret that was
	// replaced by *** before.
	covered int
}

func (s *redaction) write(text []byte) { s.held = append(s.held, text...) }

// read appends to out all text that cannot be a part of a secret any more; at the end, all of
// it. Secrets that overlap become one ***.
func (s *redaction) read(p *patterns, end bool, out []byte) []byte {
	at, covered := 0, s.covered
	for at < len(s.held) {
		length, more := p.longest(s.held[at:])
		if more && !end {
			break
		}
		if length > 0 && at+length > covered {
			if at >= covered {
				out = append(out, "***"...)
			}
			covered = at + length
		}
		if at >= covered {
			out = append(out, s.held[at])
		}
		at++
	}
	s.held = append(s.held[:0], s.held[at:]...)
	s.covered = max(0, covered-at)
	return out
}
