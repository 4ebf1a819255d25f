package badgerstore

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
)

// TestCache: readers and writers of keys that share two slots. No reader gets a value older than a write that had returned before, and
// none gets another key's.
func TestCache(t *testing.T) {
	type value struct {
		key     int
		version int64
	}
	const keys, rounds = 5, 20_000
	c := newCache[value](2)
	var stored, acknowledged [keys]atomic.Int64
	var kept atomic.Int64
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range rounds {
				key := rand.IntN(keys)
				name := fmt.Sprint(key)
				switch rand.IntN(4) {
				case 0:
					w := c.writing(name)
					version := stored[key].Add(1)
					w.end(value{key, version}, rand.IntN(4) > 0)
					for old := acknowledged[key].Load(); old < version && !acknowledged[key].CompareAndSwap(old, version); {
						old = acknowledged[key].Load()
					}
				default:
					least, read := acknowledged[key].Load(), false
					got, err := c.read(name, func() (value, error) {
						read = true
						return value{key, stored[key].Load()}, nil
					})
					if err != nil || got.key != key || got.version < least {
						t.Errorf("read %v of key %d, %v; version %d had been written", got, key, err, least)
						return
					}
					if !read {
						kept.Add(1)
					}
				}
			}
		})
	}
	all.Wait()
	if kept.Load() < rounds/10 {
		t.Errorf("%d reads only were from the cache", kept.Load())
	}
}

// TestCacheOrder: what is kept after reads and writes that overlap.
func TestCacheOrder(t *testing.T) {
	never := func() (int, error) { return 0, errors.New("the value was not kept") }
	is := func(value int) func() (int, error) { return func() (int, error) { return value, nil } }
	for name, c := range map[string]struct {
		do   func(c *cache[int])
		load func() (int, error) // of the next read
		want int
	}{
		"a read is kept":    {func(c *cache[int]) { c.read("a", is(1)) }, never, 1},
		"a write is kept":   {func(c *cache[int]) { c.writing("a").end(1, true) }, never, 1},
		"a failed read":     {func(c *cache[int]) { c.read("a", never) }, is(1), 1},
		"a failed write":    {func(c *cache[int]) { c.read("a", is(1)); c.writing("a").end(2, false) }, is(3), 3},
		"another key":       {func(c *cache[int]) { c.read("a", is(1)); c.writing("b").end(2, true) }, is(1), 1},
		"a write in a read": {func(c *cache[int]) { c.read("a", func() (int, error) { c.writing("a").end(2, true); return 1, nil }) }, never, 2},
		"a write of an unknown end in a read": {func(c *cache[int]) {
			c.read("a", func() (int, error) { c.writing("a").end(2, false); return 1, nil })
		}, is(2), 2},
		"a read in a write": {func(c *cache[int]) { w := c.writing("a"); c.read("a", is(1)); w.end(2, true) }, never, 2},
		"the first of two writes ends last": {func(c *cache[int]) {
			first, second := c.writing("a"), c.writing("a")
			second.end(3, true)
			first.end(2, true)
		}, is(3), 3},
	} {
		one := newCache[int](1)
		if _, err := one.read("", never); err == nil {
			t.Errorf("%s: an empty slot has the value of the empty key", name)
		}
		c.do(one)
		if got, err := one.read("a", c.load); got != c.want || err != nil {
			t.Errorf("%s: then %d, %v; want %d", name, got, err, c.want)
		}
	}
}
