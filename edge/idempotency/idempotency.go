// Package idempotency lets a client send a write again without doing it again: [Guard.Do] runs a call once for each key,
// keeps its answer for a day and repeats it.
//
// The rules are the published contract's for X-Idempotency-Key. Only a success is kept; a failure frees the key. A key
// belongs to one credential and one path ([Key.Scope]), so a guessed key can never replay another tenant's answer.
//
// Caveats: which calls are running is known to this process only. Two processes that run the same key at once both do the
// call; what must not happen twice has guards of its own, deeper down. And a crash between a call and the keeping of its
// answer frees the key.
package idempotency

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/problem"
)

const (
	maxKey = 256
	keep   = 24 * time.Hour
)

var (
	malformed = &problem.Problem{Kind: problem.Invalid, Code: "idempotency-key-invalid",
		Message: "Invalid X-Idempotency-Key: expected at most 256 characters of A-Z, a-z, 0-9, _ and -"}
	reused = &problem.Problem{Kind: problem.Invalid, Code: "idempotency-key-reused",
		Message: "X-Idempotency-Key was used with a different request"}
	running = &problem.Problem{Kind: problem.Conflict, Code: "idempotency-key-in-use",
		Message: "A request with this X-Idempotency-Key is in progress"}
)

// Key is a client's key with whom it belongs to.
type Key struct {
	Environment checkout.Environment
	Scope       []string // who called, and which path
	Value       string
}

// ID names the key in a store: a hash, because a scope may hold a buyer's name at the merchant.
func (k *Key) ID() string {
	h := sha256.New()
	for _, part := range append(k.Scope, k.Value) {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Answer is the kept success of a call.
type Answer struct {
	Request [32]byte // SHA-256 of the body that it answers
	Body    []byte
}

// Store keeps answers. Each method is one atomic step.
type Store interface {
	// IdempotentAnswer reads a kept answer; [ErrNotFound] when there is none or its time is over.
	IdempotentAnswer(ctx context.Context, env checkout.Environment, id string) (*Answer, error)
	// KeepAnswer makes an answer durable before it returns.
	KeepAnswer(ctx context.Context, env checkout.Environment, id string, a *Answer, until time.Time) error
}

// ErrNotFound: nothing is kept under that key.
var ErrNotFound = errors.New("idempotency: not found")

// Guard runs calls once. It is safe for concurrent use.
type Guard struct {
	store   Store
	now     func() time.Time
	mu      sync.Mutex
	running map[string]bool
}

// NewGuard returns a guard on a store.
func NewGuard(store Store, now func() time.Time) *Guard {
	return &Guard{store: store, now: now, running: make(map[string]bool)}
}

// Do answers a request: with what is kept under the key, or else with what call answers, which is then kept. Refusals are
// a [problem.Problem]: a malformed key, a key that came with another body, a key whose first call is still running.
func (g *Guard) Do(ctx context.Context, k Key, request []byte, call func() ([]byte, error)) ([]byte, error) {
	if !wellFormed(k.Value) {
		return nil, malformed
	}
	id := k.ID()
	if !g.enter(id) {
		return nil, running
	}
	defer g.leave(id)
	digest := sha256.Sum256(request)
	kept, err := g.store.IdempotentAnswer(ctx, k.Environment, id)
	switch {
	case err == nil && kept.Request != digest:
		return nil, reused
	case err == nil:
		return kept.Body, nil
	case !errors.Is(err, ErrNotFound):
		return nil, err
	}
	body, err := call()
	if err != nil {
		return nil, err
	}
	return body, g.store.KeepAnswer(ctx, k.Environment, id, &Answer{digest, body}, g.now().Add(keep))
}

func (g *Guard) enter(id string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.running[id] {
		return false
	}
	g.running[id] = true
	return true
}

func (g *Guard) leave(id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.running, id)
}

func wellFormed(key string) bool {
	if key == "" || len(key) > maxKey {
		return false
	}
	for i := 0; i < len(key); i++ {
		c := key[i]
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == '-') {
			return false
		}
	}
	return true
}
