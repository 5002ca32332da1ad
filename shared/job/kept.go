package job

import "sync"

// kept holds what was found once, for whoever asks next. Those who ask meanwhile wait.
// A failure is not kept.
type kept[K comparable, V any] struct {
	mu    sync.Mutex
	found map[K]V
}

func (k *kept[K, V]) get(key K, find func() (V, error)) (V, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if v, ok := k.found[key]; ok {
		return v, nil
	}
	v, err := find()
	if err != nil {
		return v, err
	}
	if k.found == nil {
		k.found = map[K]V{}
	}
	k.found[key] = v
	return v, nil
}
