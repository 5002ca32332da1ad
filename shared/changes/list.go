package changes

import (
	"iter"
	"slices"
)

// Limits on the work of finding out which elements of two lists belong together. Larger
// lists are compared element by element, by index.
const (
	maxAlignedBytes = 1 << 20 // of JSON text
	maxAlignedPairs = 1 << 16 // elements before × elements after
)

// walkElements compares the elements of two lists. Plan JSON does not tell
// lists from sets, so elements that are the same on both sides are matched
// first, whatever their places, and only what is left over is a change.
//
// Elements with null in place of an empty value are matched, too. Otherwise a
// security group's rule that changes would be compared with one that does not: in
// every rule of a group that changes, the provider plans null for what it read as
// empty. That difference is shown if the list has no other.
func (d *differ) walkElements(before, after, unknown int32, m *mask, inBoth bool) {
	olds, news, unknowns := d.list(before), d.list(after), d.list(unknown)
	for len(news) < len(unknowns) {
		news = append(news, absent)
	}
	for len(unknowns) < len(news) {
		unknowns = append(unknowns, absent)
	}
	for _, p := range d.pairs(olds, news, unknowns) {
		b, a, u, place := absent, absent, absent, p.before
		if p.before >= 0 {
			b = olds[p.before]
		}
		if p.after >= 0 {
			a, u, place = news[p.after], unknowns[p.after], p.after
		}
		d.at = append(d.at, step{isIndex: true, index: place})
		alone := d.deciding != nil && d.deciding.alone == 0 && (p.before < 0 || p.after < 0)
		if alone {
			d.deciding.alone = len(d.at)
		}
		d.walk(b, a, u, m.elements(), inBoth)
		if alone {
			d.deciding.alone = 0
		}
		d.at = d.at[:len(d.at)-1]
	}
}

// list is the elements of node i; none if it is not a list.
func (t *tree) list(i int32) []int32 {
	if t.kind(i) != '[' {
		return nil
	}
	elements := make([]int32, 0, t.size(i))
	for c := range t.children(i) {
		elements = append(elements, c)
	}
	return elements
}

// pairs pairs the elements that differ.
func (d *differ) pairs(olds, news, unknowns []int32) []pair {
	before, after := d.identify(olds, news, unknowns)
	rest := align(before, after)
	var alike []pair // but not the same
	for i, j := range others(rest, len(olds), len(news)) {
		if !d.same(olds[i], news[j]) {
			alike = append(alike, pair{i, j})
		}
	}
	switch {
	case len(d.replacePaths) > 0:
		return append(rest, alike...)
	case d.nullIsEmpty:
		slices.Sort(before)
		slices.Sort(after)
		if slices.Equal(before, after) && !d.sameElements(olds, news) {
			return nil
		}
	case len(rest) == 0:
		return alike
	}
	return rest
}

// others are the elements in no pair: they are alike, in the same order.
func others(pairs []pair, before, after int) iter.Seq2[int, int] {
	paired := [2][]bool{make([]bool, before+1), make([]bool, after+1)}
	for _, p := range pairs {
		paired[0][p.before+1], paired[1][p.after+1] = true, true
	}
	return func(yield func(int, int) bool) {
		j := 0
		for i := range before {
			if paired[0][i+1] {
				continue
			}
			for paired[1][j+1] {
				j++
			}
			if !yield(i, j) {
				return
			}
			j++
		}
	}
}

// sameElements reports whether two lists have the same elements, in any order. Terraform sorts the
// elements of a set by their values. So if these are the same, another order is that of a list.
func (d *differ) sameElements(olds, news []int32) bool {
	texts := func(list []int32) (all []string) {
		for _, i := range list {
			all = append(all, string(d.appendCanonical(nil, i)))
		}
		slices.Sort(all)
		return all
	}
	return slices.Equal(texts(olds), texts(news))
}

// identify numbers the elements: values that are alike get the same number. A value that is not
// completely known, and every value of a list that is too large, gets a number of its own.
func (d *differ) identify(olds, news, unknowns []int32) (before, after []int) {
	size := 0
	for _, list := range [][]int32{olds, news} {
		for _, i := range list {
			if i != absent {
				size += len(d.text(i))
			}
		}
	}
	numbers := map[string]int{}
	own := 0
	number := func(i, unknown int32) int {
		if i == absent || d.anyUnknown(unknown) || size > maxAlignedBytes {
			own--
			return own
		}
		text := string(d.appendAlike(nil, i))
		n, ok := numbers[text]
		if !ok {
			n = len(numbers)
			numbers[text] = n
		}
		return n
	}
	for _, i := range olds {
		before = append(before, number(i, absent))
	}
	for k, i := range news {
		after = append(after, number(i, unknowns[k]))
	}
	return before, after
}

// pair is the index of an element before and after the change; -1 if there is none.
type pair struct{ before, after int }

// align pairs the elements of two lists that differ. Elements between two unchanged ones
// are paired in order; what remains was added or removed. Unchanged elements are left out.
func align(before, after []int) []pair {
	start := 0
	for start < len(before) && start < len(after) && before[start] == after[start] {
		start++
	}
	b, a := before[start:], after[start:]
	for len(b) > 0 && len(a) > 0 && b[len(b)-1] == a[len(a)-1] {
		b, a = b[:len(b)-1], a[:len(a)-1]
	}
	var pairs []pair
	i, j := 0, 0
	gap := func(toI, toJ int) {
		for i < toI || j < toJ {
			p := pair{-1, -1}
			if i < toI {
				p.before = start + i
				i++
			}
			if j < toJ {
				p.after = start + j
				j++
			}
			pairs = append(pairs, p)
		}
	}
	for _, same := range longestCommon(b, a) {
		gap(same.before, same.after)
		i, j = same.before+1, same.after+1
	}
	gap(len(b), len(a))
	return pairs
}

// longestCommon is the longest common subsequence of two lists, as pairs of indexes; nil
// if it would be too much work.
func longestCommon(b, a []int) []pair {
	if len(b)*len(a) > maxAlignedPairs {
		return nil
	}
	width := len(a) + 1
	length := make([]int, (len(b)+1)*width) // [i*width+j]: of b[i:] and a[j:]
	for i := len(b) - 1; i >= 0; i-- {
		for j := len(a) - 1; j >= 0; j-- {
			if b[i] == a[j] {
				length[i*width+j] = length[(i+1)*width+j+1] + 1
			} else {
				length[i*width+j] = max(length[(i+1)*width+j], length[i*width+j+1])
			}
		}
	}
	var common []pair
	for i, j := 0, 0; i < len(b) && j < len(a); {
		switch {
		case b[i] == a[j]:
			common = append(common, pair{i, j})
			i, j = i+1, j+1
		case length[(i+1)*width+j] >= length[i*width+j+1]:
			i++
		default:
			j++
		}
	}
	return common
}
