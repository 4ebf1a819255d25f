package orders

import (
	"sync"
	"time"
)

// keyedLock lets one holder at a time work on a key. The zero value is ready.
type keyedLock struct {
	mu   sync.Mutex
	held map[string]*heldLock
}

// heldLock is a key somebody holds or waits for; it goes when the last of them is done.
type heldLock struct {
	token   chan struct{} // holds one element while the key is free
	waiters int           // holder included
}

// lock waits up to patience for the key. It returns the function that gives the key back, or false.
func (l *keyedLock) lock(key string, patience time.Duration) (unlock func(), ok bool) {
	h := l.join(key)
	unlock = func() { h.token <- struct{}{}; l.leave(key, h) }
	select {
	case <-h.token:
		return unlock, true
	default:
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-h.token:
		return unlock, true
	case <-timer.C:
		l.leave(key, h)
		return nil, false
	}
}

func (l *keyedLock) join(key string) *heldLock {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.held[key]
	if h == nil {
		h = &heldLock{token: make(chan struct{}, 1)}
		h.token <- struct{}{}
		if l.held == nil {
			l.held = make(map[string]*heldLock)
		}
		l.held[key] = h
	}
	h.waiters++
	return h
}

func (l *keyedLock) leave(key string, h *heldLock) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if h.waiters--; h.waiters == 0 {
		delete(l.held, key)
	}
}
