package gha

import (
	"slices"
	"sort"
)

// patterns finds which of many texts begins at a place. It holds nothing but
// the texts in byte order and walks them by bisection, since secrets can be
// many and long (a trie of their encodings takes a hundred times their size).
type patterns struct {
	sorted []string
	// starts[b] and starts[b+1] enclose those that begin with byte b.
	starts [257]int
}

// newPatterns takes texts that are not empty.
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

// longest returns the length of the longest of the texts with which b begins,
// 0 if there is none. More tells that b is the beginning of a longer one, so
// that what follows b could change the answer. b is not empty.
func (p *patterns) longest(b []byte) (length int, more bool) {
	low, high := p.starts[b[0]], p.starts[int(b[0])+1]
	for depth := 1; low < high; depth++ {
		// sorted[low:high] are those that share the first depth bytes with b;
		// one that ends here sorts before the others.
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

// redaction replaces secrets in a text that comes in pieces, wherever it is
// cut. It gives back what can be decided, and holds back only what may be the
// beginning of a secret: for most text nothing, and never more than the longest
// secret.
type redaction struct {
	held []byte
	// covered is how many bytes at the start of held belong to a secret whose
	// *** is already given back.
	covered int
}

func (s *redaction) write(text []byte) { s.held = append(s.held, text...) }

// read appends to out what is decided; at the end of the text that is all of
// it. Secrets that overlap are one ***.
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
