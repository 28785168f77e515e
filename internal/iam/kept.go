package iam

import "sync"

// kept keeps results that follow from their key alone, as many as it is allowed
// and no errors. When it is full, the half that was asked for least recently
// goes.
type kept[K comparable, V any] struct {
	half int

	mu         sync.Mutex
	young, old map[K]V
}

func newKept[K comparable, V any](most int) *kept[K, V] {
	return &kept[K, V]{half: most / 2, young: make(map[K]V)}
}

// get returns the result for key, which make makes if it is not kept.
func (c *kept[K, V]) get(key K, make func() (V, error)) (V, error) {
	if v, ok := c.find(key); ok {
		return v, nil
	}
	v, err := make()
	if err == nil {
		c.keep(key, v)
	}
	return v, err
}

func (c *kept[K, V]) find(key K) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v, ok := c.young[key]
	if ok {
		return v, true
	}
	if v, ok = c.old[key]; ok {
		c.put(key, v)
	}
	return v, ok
}

func (c *kept[K, V]) keep(key K, v V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.put(key, v)
}

// put makes room and adds; c.mu is held.
func (c *kept[K, V]) put(key K, v V) {
	if len(c.young) >= c.half {
		c.old, c.young = c.young, make(map[K]V)
	}
	c.young[key] = v
}
