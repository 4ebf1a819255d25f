package badgerstore

import (
	"hash/maphash"
	"sync"
)

// cacheSlots is the number of slots of a cache. The requests of one buyer come within seconds, so that a slot need not hold its value for
// long.
const cacheSlots = 4096

// cache keeps decoded values by their keys, so that a value that was read or written lately costs neither a read of the database nor its
// decoding. Each key has one slot, which other keys may take: the size is fixed, and any key may be missing.
//
// A value is never older than the last write that has returned: a writer takes the slot before it commits ([cache.writing]), and what
// was read in the meantime is not kept. It holds because one process has the database. Values are shared and must not be changed.
type cache[T any] struct {
	seed  maphash.Seed
	slots []slot[T]
}

type slot[T any] struct {
	mutex  sync.Mutex
	writes uint64 // of all keys of the slot, to tell whether one ended since
	kept   bool
	key    string
	value  T
}

func newCache[T any](slots int) *cache[T] {
	return &cache[T]{maphash.MakeSeed(), make([]slot[T], slots)}
}

func (c *cache[T]) slot(key string) *slot[T] {
	return &c.slots[maphash.String(c.seed, key)%uint64(len(c.slots))]
}

// read returns the value of a key, from load if the cache does not have it.
func (c *cache[T]) read(key string, load func() (T, error)) (T, error) {
	s := c.slot(key)
	s.mutex.Lock()
	value, known, writes := s.value, s.kept && s.key == key, s.writes
	s.mutex.Unlock()
	if known {
		return value, nil
	}
	value, err := load()
	if err != nil {
		return value, err
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.writes == writes {
		s.kept, s.key, s.value = true, key, value
	}
	return value, nil
}

// writing is a write under way.
type writing[T any] struct {
	slot   *slot[T]
	key    string
	writes uint64
}

// writing is called before a value is committed. The write must be ended.
func (c *cache[T]) writing(key string) writing[T] {
	s := c.slot(key)
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return writing[T]{s, key, s.writes}
}

// end ends a write. The value is kept if it is known to be the one committed, and no other write has ended meanwhile: which of the two came
// last is unknown then.
func (w writing[T]) end(value T, known bool) {
	s := w.slot
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if known && s.writes == w.writes {
		s.kept, s.key, s.value = true, w.key, value
	} else if s.key == w.key {
		var none T
		s.kept, s.value = false, none
	}
	s.writes++
}
