package changes

// keeper holds on to as many items as fit in its limit, the most dangerous
// first. What it ends up with does not depend on the order in which ranks
// arrive: it is always the longest run of items, sorted by rank and then by
// arrival, whose sizes add up to no more than the limit.
type keeper[T any] struct {
	limit int // bytes
	used  int // bytes
	ranks [ranks][]keptItem[T]
	// closed is the lowest rank that something was left out of. Whatever
	// arrives there or later sorts after what is already left out.
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

// wants reports whether an item of this rank, if small enough, would be kept.
// It lets callers save the work of making one.
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
			k.ranks[r][n-1] = keptItem[T]{} // let go of its memory
			k.ranks[r] = k.ranks[r][:n-1]
			k.closed = r
		}
	}
}

// items are those kept, sorted by rank and then by arrival; nil when there are none.
func (k *keeper[T]) items() []T {
	var all []T
	for _, items := range k.ranks {
		for _, item := range items {
			all = append(all, item.value)
		}
	}
	return all
}
