// Package idempotency lets a client send a write again without doing it again: [Guard.Do] runs a call once for each key,
// keeps its answer for a day and repeats it.
//
// The rules are the published contract's for X-Idempotency-Key. Only a success is kept; a failure frees the key. A key
// belongs to one environment, credential and path ([Key]), so a guessed key can never replay another caller's answer.
//
// Caveats: which calls are running is known to this process only. Two processes that run the same key at once both do the
// call; what must not happen twice has guards of its own, deeper down. And nobody waits for an answer to be kept: it is
// repeated from memory until it is on the disk, and a crash before that frees the key.
package idempotency

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
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
	malformed = problem.New(problem.Invalid, "idempotency-key-invalid", "",
		"Invalid X-Idempotency-Key: expected at most 256 characters of A-Z, a-z, 0-9, _ and -")
	reused = problem.New(problem.Invalid, "idempotency-key-reused", "",
		"X-Idempotency-Key was used with a different request")
	// ErrRunning refuses a key whose first call is still at work; the same request may come again.
	ErrRunning = problem.New(problem.Conflict, "idempotency-key-in-use", "",
		"A request with this X-Idempotency-Key is in progress")
)

// Key is a client's key with whom it belongs to.
type Key struct {
	Environment checkout.Environment
	Credential  []string // who called: everything that tells two callers apart
	Path        string
	Value       string
}

// ID names a key, in memory and in a store. It is all of the key, the environment included.
type ID struct {
	Environment checkout.Environment
	Hash        string // a hash, because a credential may hold a buyer's name at the merchant
}

// ID names the key.
func (k *Key) ID() ID {
	h := sha256.New()
	for _, part := range slices.Concat(k.Credential, []string{k.Path, k.Value}) {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return ID{k.Environment, hex.EncodeToString(h.Sum(nil))}
}

// Answer is the kept success of a call.
type Answer struct {
	// Request is the SHA-256 of the request that it answers. Zero is an answer kept by a version that hashed the bytes of the
	// body; it counts as none.
	Request [32]byte `json:"digest"`
	Body    []byte
}

// Store keeps answers. Each method is one atomic step.
type Store interface {
	// IdempotentAnswer reads a kept answer; [ErrNotFound] when there is none or its time is over.
	IdempotentAnswer(ctx context.Context, id ID) (*Answer, error)
	// KeepAnswer makes an answer durable before it returns, and readable.
	KeepAnswer(ctx context.Context, id ID, a *Answer, until time.Time) error
}

// ErrNotFound: nothing is kept under that key.
var ErrNotFound = errors.New("idempotency: not found")

// Guard runs calls once. It is safe for concurrent use.
type Guard struct {
	store Store
	now   func() time.Time
	log   *slog.Logger
	mu    sync.Mutex
	// busy holds the keys whose call is running, and, with its answer, those whose answer is on its way to the store.
	busy map[ID]*Answer
}

// NewGuard returns a guard on a store. The log is for answers that could not be kept.
func NewGuard(store Store, now func() time.Time, log *slog.Logger) *Guard {
	return &Guard{store: store, now: now, log: log, busy: make(map[ID]*Answer)}
}

// Do answers a request: with what is kept under the key, or else with what call answers, which is then kept. Two requests are
// the same if their bytes here are: the caller passes what it has understood, in one spelling. Refusals are a
// [problem.Problem]: a malformed key, a key that came with another request, [ErrRunning].
func (g *Guard) Do(ctx context.Context, k Key, request []byte, call func() ([]byte, error)) ([]byte, error) {
	if !wellFormed(k.Value) {
		return nil, malformed
	}
	id, digest := k.ID(), sha256.Sum256(request)
	if kept, free := g.enter(id); !free {
		return kept.repeat(digest)
	}
	var fresh *Answer
	defer func() { g.settle(id, fresh) }() // also after a panic
	kept, err := g.store.IdempotentAnswer(ctx, id)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, err
	}
	if err == nil && kept.Request != [32]byte{} {
		return kept.repeat(digest)
	}
	body, err := call()
	if err != nil {
		return nil, err
	}
	fresh = &Answer{digest, body}
	return body, nil
}

// repeat answers a request with what another one got. A nil answer is not there yet.
func (a *Answer) repeat(digest [32]byte) ([]byte, error) {
	switch {
	case a == nil:
		return nil, ErrRunning
	case a.Request != digest:
		return nil, reused
	}
	return a.Body, nil
}

// enter takes a key for a call, or tells what stands in the way: a call, or its answer.
func (g *Guard) enter(id ID) (kept *Answer, free bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	kept, taken := g.busy[id]
	if !taken {
		g.busy[id] = nil
	}
	return kept, !taken
}

// settle frees a key, at once or, where there is a new answer, when that is kept.
func (g *Guard) settle(id ID, fresh *Answer) {
	if fresh == nil {
		g.leave(id)
		return
	}
	g.mu.Lock()
	g.busy[id] = fresh
	g.mu.Unlock()
	go func() {
		defer g.leave(id)
		if err := g.store.KeepAnswer(context.Background(), id, fresh, g.now().Add(keep)); err != nil {
			g.log.Warn("an answer was not kept under its idempotency key", "error", err)
		}
	}()
}

func (g *Guard) leave(id ID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.busy, id)
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
