// Package memo keeps what is found once, for whoever asks next.
package memo

import (
	"fmt"
	"sync"

	"golang.org/x/sync/singleflight"
)

// Memo keeps a value for each key. The zero Memo is empty. Its methods may be called side
// by side: who asks for a key that is being looked for waits for that, and who asks for
// another key does not.
type Memo[K comparable, V any] struct {
	asking singleflight.Group
	mu     sync.RWMutex
	found  map[K]V
}

// Get returns what is kept for a key, or what find returns. An error is not kept: the next
// one who asks looks again.
func (m *Memo[K, V]) Get(key K, find func() (V, error)) (V, error) {
	if v, ok := m.kept(key); ok {
		return v, nil
	}
	v, err, _ := m.asking.Do(fmt.Sprintf("%#v", key), func() (any, error) {
		if v, ok := m.kept(key); ok { // since it was looked for here
			return v, nil
		}
		v, err := find()
		if err == nil {
			m.Put(key, v)
		}
		return v, err
	})
	return v.(V), err //nolint:forcetypeassert // it is what find returns
}

// Put keeps a value that was found otherwise.
func (m *Memo[K, V]) Put(key K, v V) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.found == nil {
		m.found = map[K]V{}
	}
	m.found[key] = v
}

func (m *Memo[K, V]) kept(key K) (v V, ok bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	v, ok = m.found[key]
	return v, ok
}
