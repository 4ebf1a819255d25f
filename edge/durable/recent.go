package durable

import "time"

// recentSize bounds each half of the values in memory, in bytes of keys and values.
const recentSize = 2 << 20

// recent holds what was written lately. The writer reads that from memory: an order's second commit compares with what its first one has
// written, and counters are read by each commit that changes them. The values are in two halves, of which the older one is dropped when
// the other is full. Only the writer uses it.
type recent struct {
	young, old map[string]written
	size       int // of young
}

// written is a value and when it expires, in Unix seconds; 0 is never. The value nil is a deletion.
type written struct {
	value   []byte
	expires uint64
}

func (w written) there() bool {
	return w.value != nil && (w.expires == 0 || w.expires > uint64(time.Now().Unix()))
}

// put remembers a value. The caller does not change it.
func (r *recent) put(key []byte, w written) {
	if r.young == nil || r.size > recentSize {
		r.young, r.old, r.size = make(map[string]written), r.young, 0
	}
	r.young[string(key)] = w
	r.size += len(key) + len(w.value)
}

// get returns what was written last under a key; ok is false if that is not known.
func (r *recent) get(key string) (w written, ok bool) {
	if w, ok = r.young[key]; !ok {
		w, ok = r.old[key]
	}
	return w, ok
}

// clear forgets all, after writes that were discarded.
func (r *recent) clear() { *r = recent{} }
