// Package idempotency implements idempotency keys: [Guard.Do] runs a call once for each key, stores its answer for a day and
// replays it.
//
// The rules are those of the published contract for X-Idempotency-Key. Only a success is stored; a failure frees the key. A key
// belongs to one environment, credential and path ([Key]), so a guessed key cannot replay the answer of another caller.
//
// A call reserves its key in the store first, so that of several servers one runs it. A call that has one effect however many servers run
// it ([Key].Concurrent) does without.
//
// Caveats: an answer is returned before it is durable, and replayed from memory until then. A crash before that frees the key, at the end
// of its claim. A server that was suspended for longer than a claim runs its call although another server may have run it meanwhile.
package idempotency

import (
	"context"
	"crypto/rand"
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

	// claimLife is longer than any call takes. For as long a crashed server's calls cannot be repeated.
	claimLife = 20 * time.Second
)

var (
	malformed = problem.New(problem.Invalid, "idempotency-key-invalid", "",
		"Invalid X-Idempotency-Key: expected at most 256 characters of A-Z, a-z, 0-9, _ and -")
	reused = problem.New(problem.Invalid, "idempotency-key-reused", "",
		"X-Idempotency-Key was used with a different request")
	// ErrRunning is the error for a key whose first call is still running. The same request can be retried.
	ErrRunning = problem.New(problem.Conflict, "idempotency-key-in-use", "",
		"A request with this X-Idempotency-Key is in progress")
)

// Key is a client's key and the scope in which it is unique.
type Key struct {
	Environment checkout.Environment
	Credential  []string // what distinguishes two callers
	Path        string
	Value       string

	Concurrent bool // several servers may run the call at the same time: together they have one effect and one answer
}

// ID identifies a key, in memory and in a store.
type ID struct {
	Environment checkout.Environment
	Hash        string // of all the rest of the key: a credential may contain the merchant's name of the buyer
}

// ID returns the identifier of the key.
func (k *Key) ID() ID {
	h := sha256.New()
	for _, part := range slices.Concat(k.Credential, []string{k.Path, k.Value}) {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return ID{k.Environment, hex.EncodeToString(h.Sum(nil))}
}

// Request names a request under a key: repetitions have the same name, and another request has another one. A call that cannot be
// undone gives what it creates an id made of it, and so has its effect once even if its answer was lost.
func (k *Key) Request(request []byte) string {
	id, digest := k.ID(), sha256.Sum256(request)
	return string(id.Environment) + "/" + id.Hash + "/" + hex.EncodeToString(digest[:])
}

// Answer is the stored answer of a successful call.
type Answer struct {
	// Request is the SHA-256 of the request. Zero is an answer of an older version that hashed the bytes of the body; it counts
	// as none.
	Request [32]byte `json:"digest"`
	Body    []byte
}

// Store stores answers. Each method is atomic.
type Store interface {
	// IdempotentAnswer returns a stored answer. It returns [ErrNotFound] if there is none or it has expired.
	IdempotentAnswer(ctx context.Context, id ID) (*Answer, error)
	// ClaimKey reserves a key for a call for some time, and returns nil. If the key has an answer, it returns that and reserves nothing. The
	// error is [ErrRunning] while another claim of the key lasts. claim is the call's own text.
	ClaimKey(ctx context.Context, id ID, claim string, life time.Duration) (*Answer, error)
	// FreeKey ends a claim early. It changes nothing if the key has an answer or another claim.
	FreeKey(ctx context.Context, id ID, claim string) error
	// KeepAnswer stores an answer until a time, in place of a claim. The answer is durable when KeepAnswer returns.
	KeepAnswer(ctx context.Context, id ID, a *Answer, until time.Time) error
}

// ErrNotFound is the error of reading an answer that does not exist.
var ErrNotFound = errors.New("idempotency: not found")

// Guard runs one call for each key. It is safe for concurrent use.
type Guard struct {
	store Store
	now   func() time.Time
	log   *slog.Logger
	mu    sync.Mutex
	// busy holds the keys whose call is running, with nil, and those whose answer is being stored, with the answer.
	busy map[ID]*Answer
}

// NewGuard returns a guard on a store. It logs answers that could not be stored.
func NewGuard(store Store, now func() time.Time, log *slog.Logger) *Guard {
	return &Guard{store: store, now: now, log: log, busy: make(map[ID]*Answer)}
}

// Do returns the stored answer for a key, or else the answer of call, which it then stores. Two requests are the same if their
// bytes are equal: the caller passes the decoded request in a canonical encoding. Refusals are a
// [problem.Problem]: a malformed key, a key that came with another request, [ErrRunning].
func (g *Guard) Do(ctx context.Context, k Key, request []byte, call func() ([]byte, error)) ([]byte, error) {
	if !wellFormed(k.Value) {
		return nil, malformed
	}
	id, digest := k.ID(), sha256.Sum256(request)
	if kept, free := g.enter(id); !free {
		return kept.replay(digest)
	}
	var fresh *Answer
	claim := ""
	defer func() { g.settle(ctx, id, claim, fresh) }() // also after a panic
	kept, err := g.kept(ctx, &k, id, &claim)
	if err != nil {
		return nil, err
	}
	if kept != nil && kept.Request != [32]byte{} {
		return kept.replay(digest)
	}
	body, err := call()
	if err != nil {
		return nil, err
	}
	fresh = &Answer{digest, body}
	return body, nil
}

// kept returns the stored answer for a key. If there is none it returns nil, and has claimed the key if the call must run once.
func (g *Guard) kept(ctx context.Context, k *Key, id ID, claim *string) (*Answer, error) {
	if k.Concurrent {
		kept, err := g.store.IdempotentAnswer(ctx, id)
		if errors.Is(err, ErrNotFound) {
			return nil, nil
		}
		return kept, err
	}
	own := rand.Text()
	kept, err := g.store.ClaimKey(ctx, id, own, claimLife)
	if kept == nil && err == nil {
		*claim = own
	}
	return kept, err
}

// replay returns the body for a request of the same digest. A nil answer means that the call is running.
func (a *Answer) replay(digest [32]byte) ([]byte, error) {
	switch {
	case a == nil:
		return nil, ErrRunning
	case a.Request != digest:
		return nil, reused
	}
	return a.Body, nil
}

// enter reserves a key for a call. If the key is busy, it returns free false, and the answer that is being stored, if any.
func (g *Guard) enter(id ID) (kept *Answer, free bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	kept, taken := g.busy[id]
	if !taken {
		g.busy[id] = nil
	}
	return kept, !taken
}

// settle frees a key, at once or, if there is a new answer, when that is stored.
func (g *Guard) settle(ctx context.Context, id ID, claim string, fresh *Answer) {
	if fresh == nil {
		g.free(ctx, id, claim)
		g.leave(id)
		return
	}
	g.mu.Lock()
	g.busy[id] = fresh
	g.mu.Unlock()
	go func() {
		defer g.leave(id)
		if err := g.store.KeepAnswer(context.Background(), id, fresh, g.now().Add(keep)); err != nil {
			g.log.WarnContext(ctx, "cannot store the answer for an idempotency key", "error", err)
			g.free(ctx, id, claim)
		}
	}()
}

// free ends a claim in the store; "" is none.
func (g *Guard) free(ctx context.Context, id ID, claim string) {
	if claim == "" {
		return
	}
	if err := g.store.FreeKey(context.Background(), id, claim); err != nil {
		g.log.WarnContext(ctx, "cannot free an idempotency key; its claim ends by itself", "error", err)
	}
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
