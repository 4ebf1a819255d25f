// Package erasure carries out a buyer's request to be forgotten (GDPR, Art. 17): [Service.Erase] reads all records, removes the buyer's
// data from those that no law keeps, and reports what it keeps, why and until when.
//
// A buyer is an e-mail address in the form of core/email, which is compared as a whole: addresses that only reach the same mailbox are
// other buyers. What is removed is decided by one record and what belongs to it, in any order, so that a request that was interrupted
// is completed by the same request.
//
// Sales and their documents are kept for [Request].KeepYears after the end of the year in which money moved last, in the prod environment. No
// law keeps those of the test environment. An order that can still be paid, a refund on its way and a webhook that is still to be sent
// are left alone and reported as waiting.
//
// Each finished request is stored as an [Entry], with a keyed hash in place of the address.
package erasure

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/email"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/idempotency"
	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/shortid"
	"github.com/crepe-checkout/crepe/edge/vies"
)

// Store reads what may hold data of buyers, and keeps the entries. What it returns belongs to the caller.
type Store interface {
	// Personal returns a page of the records that may hold data of buyers and have not expired: *sessions.Session, *orders.Order,
	// *invoices.Document, *invoices.Mail, *notify.Delivery and *idempotency.Answer. after is "" for the first page, then next of the page before,
	// which is "" for the last one. limit bounds what is read, so that a page may be empty. A record that is written meanwhile may be
	// missing.
	Personal(ctx context.Context, after string, limit int) (records []Record, next string, err error)

	// ReplaceDocument writes a document in place of the one with the same number.
	ReplaceDocument(ctx context.Context, d *invoices.Document) error

	// AddErasure stores an entry, and Erasures lists them, the oldest first, with the pages of invoices.Store.
	AddErasure(ctx context.Context, e *Entry) error
	Erasures(ctx context.Context, after string, limit int) (psp.Page[Entry], error)

	// ErasureKey returns the key of the hashes. If there is none, it stores and returns the result of fallback.
	ErasureKey(ctx context.Context, fallback func() ([]byte, error)) ([]byte, error)
}

// Record is a record with the key by which its kind is written; of an answer it is its [idempotency.ID].
type Record struct {
	Answer idempotency.ID
	Value  any
}

// Database is all that a request reads and writes.
type Database interface {
	Store
	orders.Store
	notify.Store
	invoices.Store
	vies.Store
	idempotency.Store
}

// Service erases buyers. It is safe for concurrent use.
type Service struct {
	Store Database
	Now   func() time.Time
	Rand  io.Reader // for ids and the key; crypto/rand in production
}

// Request names a buyer, and how far an earlier call of [Service.Erase] with it got.
type Request struct {
	Buyer       string               // an e-mail address as typed
	Environment checkout.Environment // "" for both
	StoreID     string               // "" for all; with one, answers of idempotency keys are left out, which live for a day
	KeepYears   int                  // how long sales are kept after the end of their year
	DryRun      bool                 // writes nothing

	After  string  // Next of the step before
	Counts []Count // of the step before
}

// Step is what one call of [Service.Erase] has done.
type Step struct {
	Items   []Item
	Counts  []Count // of all steps
	Scanned int     // records read in this step
	Next    string  // "" when the request is done
	Entry   *Entry  // of a request that is done and no dry run
}

// Item is what became of one record.
type Item struct {
	Kind        string // "order", "receipt", …
	Environment checkout.Environment
	StoreID     string
	ID          string
	Outcome     Outcome
	Why         string // why it is kept or waits
	Until       int64  // when that ends, Unix milliseconds; 0 if that is not known
}

// Outcome is what became of a record.
type Outcome string

const (
	Erased Outcome = "erased" // or would be, in a dry run
	Kept   Outcome = "kept"   // for the law; what the law does not ask for was erased
	Waits  Outcome = "waits"  // untouched: the request must be repeated
)

// Count counts the items of one kind and outcome.
type Count struct {
	Kind    string
	Outcome Outcome
	N       int
	Until   int64 // the latest of the items
}

// Entry is the record of a request that was carried out.
type Entry struct {
	ID          string // "ERA_…", sorts by time
	At          int64  // Unix milliseconds
	Buyer       string // HMAC-SHA-256 of the normalised address under the store's key, hexadecimal
	Environment checkout.Environment
	StoreID     string
	Counts      []Count
}

const (
	// stepTime is how long a step goes on reading.
	stepTime = 2 * time.Second
	// pageSize bounds what is read at once.
	pageSize = 500

	entryPrefix = "ERA"
)

// codeNoAddress is a code of the operator's commands, not of the published API.
const codeNoAddress = "buyer-invalid"

// ErrNoAddress refuses what is no e-mail address.
var ErrNoAddress = problem.New(problem.Invalid, codeNoAddress, "", "the buyer is not a valid e-mail address; expected something like ann@example.com")

// Erase does a part of a request, for about two seconds. The caller calls it again with After and Counts of the step until Next is "".
func (s *Service) Erase(ctx context.Context, r Request) (*Step, error) {
	address, valid := email.Parse(r.Buyer)
	if !valid {
		return nil, ErrNoAddress
	}
	run := &run{Service: s, ctx: ctx, request: r, address: address, now: s.Now().UnixMilli()}
	step := &Step{Counts: r.Counts, Next: r.After}
	for end := s.Now().Add(stepTime); ; {
		records, next, err := s.Store.Personal(ctx, step.Next, pageSize)
		if err != nil {
			return nil, err
		}
		for i := range records {
			item, err := run.erase(&records[i])
			if err != nil {
				return nil, err
			}
			step.add(item)
		}
		step.Scanned += len(records)
		if step.Next = next; next == "" {
			return step, run.finish(step)
		}
		if !s.Now().Before(end) {
			return step, nil
		}
	}
}

func (s *Step) add(item *Item) {
	if item == nil {
		return
	}
	s.Items = append(s.Items, *item)
	for i := range s.Counts {
		if c := &s.Counts[i]; c.Kind == item.Kind && c.Outcome == item.Outcome {
			c.N, c.Until = c.N+1, max(c.Until, item.Until)
			return
		}
	}
	s.Counts = append(s.Counts, Count{item.Kind, item.Outcome, 1, item.Until})
}

// finish stores the entry of a request that is done.
func (r *run) finish(step *Step) error {
	if r.request.DryRun {
		return nil
	}
	hash, err := r.Hash(r.ctx, r.address)
	if err != nil {
		return err
	}
	step.Entry = &Entry{ID: shortid.Format(entryPrefix, shortid.NewV7(r.Now(), r.Rand)), At: r.now, Buyer: hash,
		Environment: r.request.Environment, StoreID: r.request.StoreID, Counts: step.Counts}
	return r.Store.AddErasure(r.ctx, step.Entry)
}

// Hash returns what the entries of a buyer have in place of the address.
func (s *Service) Hash(ctx context.Context, buyer string) (string, error) {
	address, valid := email.Parse(buyer)
	if !valid {
		return "", ErrNoAddress
	}
	key, err := s.Store.ErasureKey(ctx, func() ([]byte, error) {
		key := make([]byte, 32)
		_, err := io.ReadFull(s.Rand, key)
		return key, err
	})
	if err != nil {
		return "", err
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(address))
	return hex.EncodeToString(mac.Sum(nil)), nil
}

// stale reports whether a record was written since it was read.
func stale(err error) bool {
	return errors.Is(err, orders.ErrStale) || errors.Is(err, notify.ErrStale) || errors.Is(err, invoices.ErrStale) || errors.Is(err, vies.ErrStale)
}
