package changes

// keeper keeps as many items as fit into its limit, the most dangerous first. Sort all
// items by rank and then by arrival: it keeps the longest beginning of that list whose
// sizes add up to the limit at most, in whatever order the ranks arrive.
type keeper[T any] struct {
	limit int // bytes
	used  int // bytes
	ranks [ranks][]keptItem[T]
	// closed is the lowest rank of which an item was left out. Later items of
	// this rank or a higher one are left out, too.
	closed int
}

type keptItem[T any] struct {
	value T
	size  int
}

func newKeeper[T any](limit int) *keeper[T] {
	k := &keeper[T]{limit: max(limit, 0), closed: ranks}
	if limit <= 0 {
		k.closed = 0
	}
	return k
}

// wants reports whether an item of this rank would be kept if it is small enough. If
// not, the caller need not make it.
func (k *keeper[T]) wants(rank int) bool { return rank < k.closed }

// add keeps the item if it fits, leaving out less dangerous ones to make room.
func (k *keeper[T]) add(rank, size int, value T) {
	if !k.wants(rank) {
		return
	}
	k.ranks[rank] = append(k.ranks[rank], keptItem[T]{value, size})
	k.used += size
	for r := ranks - 1; k.used > k.limit; r-- {
		for n := len(k.ranks[r]); n > 0 && k.used > k.limit; n-- {
			k.used -= k.ranks[r][n-1].size
			k.ranks[r][n-1] = keptItem[T]{} // free its memory
			k.ranks[r] = k.ranks[r][:n-1]
			k.closed = r
		}
	}
}

// items lists what is kept, sorted by rank and then by arrival; nil if there is nothing.
func (k *keeper[T]) items() []T {
	var all []T
	for _, items := range k.ranks {
		for _, item := range items {
			all = append(all, item.value)
		}
	}
	return all
}
