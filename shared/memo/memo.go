// Package memo keeps values that are expensive to look up.
package memo

import (
	"fmt"
	"sync"

	"golang.org/x/sync/singleflight"
)

// Memo keeps a value for each key. The zero Memo is empty and ready to use. Its methods may be
// called concurrently. Two callers for the same key cause one look-up; callers for different keys
// don't wait for each other.
type Memo[K comparable, V any] struct {
	asking singleflight.Group
	mu     sync.RWMutex
	found  map[K]V
}

// Get returns the value that is kept for a key, or calls find and keeps its value. It doesn't keep
// an error, and returns only that of its own find: another caller's may have failed because that
// caller was cancelled, so Get then looks again.
func (m *Memo[K, V]) Get(key K, find func() (V, error)) (V, error) {
	for {
		if v, ok := m.kept(key); ok {
			return v, nil
		}
		own := false
		v, err, _ := m.asking.Do(fmt.Sprintf("%#v", key), func() (any, error) {
			own = true
			if v, ok := m.kept(key); ok { // another call has found it in the meantime
				return v, nil
			}
			v, err := find()
			if err == nil {
				m.Put(key, v)
			}
			return v, err
		})
		if err == nil || own {
			return v.(V), err //nolint:forcetypeassert // it is what find returns
		}
	}
}

// Put keeps a value that was found in another way.
func (m *Memo[K, V]) Put(key K, v V) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.found == nil {
		m.found = map[K]V{}
	}
	m.found[key] = v
}

// Has reports whether a value is kept for a key.
func (m *Memo[K, V]) Has(key K) bool {
	_, ok := m.kept(key)
	return ok
}

func (m *Memo[K, V]) kept(key K) (v V, ok bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	v, ok = m.found[key]
	return v, ok
}
