package badgerstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/auth"
	"github.com/crepe-checkout/crepe/edge/durable"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/record"
	"github.com/crepe-checkout/crepe/edge/sessions"
)

// eventRetention is how long an applied event is kept: longer than any provider retries one.
const eventRetention = 35 * 24 * time.Hour

// errLost is the error of a record that is missing although its locator exists.
var errLost = fmt.Errorf("%w: a record is missing that its locator refers to", durable.ErrDamaged)

// locator is the key whose value is the prefix of a record's key. With the kind in it, an id of one kind never finds a record of
// another one.
func locator(kind, id string) string { return "all/-/at/" + kind + "/" + id }

// The kinds of records that are found by their id alone.
const (
	kindSession = "cs"
	kindOrder   = "or"
	kindProduct = "pr"
	kindPayment = "py" // its locator holds the key of the order
	kindTicket  = "tk" // its locator holds the key of the order
)

func recordKey(prefix, kind, id string) string { return prefix + "/" + kind + "/" + id }

func keyPrefix(env checkout.Environment, storeID string) string { return string(env) + "/" + storeID }

// WriteSession implements sessions.Store.
func (db *DB) WriteSession(ctx context.Context, session *sessions.Session) error {
	return db.Commit(ctx, orders.Change{Session: session})
}

// Session implements sessions.Store and orders.Store.
func (db *DB) Session(_ context.Context, id string) (*sessions.Session, error) {
	s, err := db.sessions.read(id, func() (*sessions.Session, error) { return located[sessions.Session](db, kindSession, id) })
	switch {
	case err != nil:
		return nil, err
	case db.expired(s):
		return nil, orders.ErrNotFound
	}
	return s.Clone(), nil
}

// expired reports whether the record of a session that was read before has expired from the database since.
func (db *DB) expired(s *sessions.Session) bool {
	until := db.keptUntil(s)
	return until != 0 && time.Now().UnixMilli() > until
}

// Order implements orders.Store.
func (db *DB) Order(_ context.Context, env checkout.Environment, id string) (*orders.Order, error) {
	o, err := db.orders.read(id, func() (*orders.Order, error) { return located[orders.Order](db, kindOrder, id) })
	switch {
	case err != nil:
		return nil, err
	case o.Environment != env:
		return nil, orders.ErrNotFound
	}
	return o.Clone(), nil
}

// located reads a record by its id alone.
func located[T any](db *DB, kind, id string) (record *T, err error) {
	err = db.View(func(get func(string) ([]byte, error)) error {
		prefix, err := get(locator(kind, id))
		if errors.Is(err, durable.ErrNotFound) {
			return orders.ErrNotFound
		}
		if err == nil {
			record, err = load[T](get, recordKey(string(prefix), kind, id), errLost)
		}
		return err
	})
	return record, err
}

// Commit implements orders.Store.
func (db *DB) Commit(_ context.Context, c orders.Change) error {
	c = next(c)
	end := db.caching(c)
	err := db.commit(c)
	end(err == nil)
	return err
}

// next returns the change with copies of its records as they are to be stored.
func next(c orders.Change) orders.Change {
	if c.Session != nil {
		c.Session = c.Session.Clone()
		c.Session.Version++
	}
	if c.Order != nil {
		c.Order = c.Order.Clone()
		c.Order.Version++
	}
	return c
}

// caching begins to write a change in the caches. The function that it returns ends that, with whether the change was committed.
func (db *DB) caching(c orders.Change) (end func(committed bool)) {
	var ends []func(bool)
	if c.Session != nil {
		w := db.sessions.writing(c.Session.ID)
		ends = append(ends, func(committed bool) { w.end(c.Session, committed) })
	}
	if c.Order != nil {
		w := db.orders.writing(c.Order.ID)
		ends = append(ends, func(committed bool) { w.end(c.Order, committed) })
	}
	if c.Spend != nil {
		w := db.tokens.writing(tokenKey(c.Spend.Environment, c.Spend.ID))
		ends = append(ends, func(bool) { w.end(auth.TokenState{}, false) }) // the next reader reads its state
	}
	return func(committed bool) {
		for _, end := range ends {
			end(committed)
		}
	}
}

func (db *DB) commit(c orders.Change) error {
	records, err := db.recordsOf(c)
	if err != nil {
		return err
	}
	write := db.Update
	if urgent(c) {
		write = db.UpdateUrgent
	}
	return write(func(tx *durable.Tx) error {
		err := errors.Join(commitEvent(tx, c), commitSpent(tx, c), addFacts(tx, c.Facts))
		for _, r := range records {
			err = errors.Join(err, r.replace(tx))
		}
		return err
	})
}

// urgent reports whether a change, whose records have their new versions, is a provider's event or the outcome of an attempt. A new session, order or attempt can be
// refused while the disk is nearly full; these must be recorded.
func urgent(c orders.Change) bool {
	o := c.Order
	return c.Event != nil || o != nil && o.Version > 1 && len(o.Attempts) > 0 && o.Current().State != orders.Sent
}

// versioned is a session or an order to be written, encoded before it gets to the writer.
type versioned struct {
	prefix, kind, id string
	env              checkout.Environment
	read             uint64       // the version at which it was read; 0 is new
	when             int64        // when an order is due, or a session expires from the database, in Unix milliseconds; 0 is never
	text             []byte       // the record
	tokens           tokens       // of an order: what the indexes are to hold of it, all but the external id of one that exists
	refund           *refundEntry // for an order with a refund due, else nil
	created          int64        // of a session, Unix milliseconds
	withSession      bool         // of an order: the change holds its session, so that the external id is known
}

// recordsOf encodes the records of a change, which have their new versions.
func (db *DB) recordsOf(c orders.Change) ([]versioned, error) {
	var records []versioned
	add := func(r versioned, v any) (err error) {
		r.text, err = record.Marshal(v)
		records = append(records, r)
		return err
	}
	var err error
	if session := c.Session; session != nil {
		err = add(versioned{prefix: keyPrefix(session.Environment, session.StoreID), kind: kindSession, id: session.ID, env: session.Environment,
			read: session.Version - 1, when: db.keptUntil(session), created: session.CreatedAt}, session)
	}
	if o := c.Order; o != nil && err == nil {
		err = add(versioned{prefix: keyPrefix(o.Environment, o.StoreID), kind: kindOrder, id: o.ID, env: o.Environment,
			read: o.Version - 1, when: o.DueAt(), tokens: tokensOf(o, c.Session), refund: refundOf(o), withSession: c.Session != nil}, o)
	}
	return records, err
}

// keptUntil returns when a session expires from the database, in Unix milliseconds; 0 is never, for sessions with an order.
func (db *DB) keptUntil(session *sessions.Session) int64 {
	if session.OrderID != "" || db.keepSessions == 0 {
		return 0
	}
	return session.ExpiresAt + db.keepSessions.Milliseconds()
}

// locatorMargin is how much longer a record is kept than its locator. A locator without a record would be damage.
const locatorMargin = time.Minute

// replace compares the stored version with the one that was read, and writes the record with its locator and index entries. It
// returns [orders.ErrStale] if the versions differ.
func (r *versioned) replace(tx *durable.Tx) error {
	before, err := stampAt(tx, recordKey(r.prefix, r.kind, r.id))
	if err != nil {
		return err
	}
	if before.version != r.read {
		return orders.ErrStale
	}
	return r.write(tx, before)
}

// write writes the record with its locator and index entries. before is the stamp of the stored record.
func (r *versioned) write(tx *durable.Tx, before stamp) error {
	if before.version == 0 || before.when != r.when {
		r.reschedule(tx, before)
	}
	if r.refund != nil {
		tx.Put(r.refund.key, r.refund.value)
	}
	after := stamp{version: r.read + 1, when: r.when}
	if r.kind == kindOrder {
		after.indexed, after.tokens = true, r.tokens
		if !r.withSession {
			after.tokens = r.tokens.keep(before.tokens)
		}
		if err := reindex(tx, r.prefix, r.id, before.tokens, after.tokens); err != nil {
			return err
		}
	}
	r.put(tx, recordKey(r.prefix, r.kind, r.id), after.seal(r.text), locatorMargin)
	return nil
}

// put writes a key of the record. The keys of a session expire a margin after r.when, if that is not 0.
func (r *versioned) put(tx *durable.Tx, key string, value []byte, margin time.Duration) {
	if r.kind == kindSession && r.when != 0 {
		tx.PutUntil(key, value, time.UnixMilli(r.when).Add(margin))
	} else {
		tx.Put(key, value)
	}
}

// reschedule writes the locator and a session's entry in the list of sessions, whose expiry depends on r.when, and an order's entry
// in the index of due orders. before is the stamp of the stored record.
func (r *versioned) reschedule(tx *durable.Tx, before stamp) {
	if r.kind == kindSession || before.version == 0 {
		r.put(tx, locator(r.kind, r.id), []byte(r.prefix), 0)
	}
	if r.kind == kindSession {
		r.put(tx, sessionsPrefix(r.prefix)+backwards(r.created)+"/"+r.id, []byte{}, 0)
		return
	}
	if before.when != 0 {
		tx.Delete(r.dueKey(before.when))
	}
	if r.when != 0 {
		tx.Put(r.dueKey(r.when), []byte(r.id))
	}
}

const duePrefix = "all/-/du/"

// dueKey returns a key that sorts by time: milliseconds have thirteen digits until the year 2286.
func (r *versioned) dueKey(at int64) string {
	return fmt.Sprintf("%s%013d/%s/%s", duePrefix, at, r.env, r.id)
}

// Due implements orders.Store.
func (db *DB) Due(_ context.Context, now int64, limit int) (due []orders.DueOrder, err error) {
	last := fmt.Sprintf("%s%013d/", duePrefix, now+1)
	err = db.Scan(duePrefix, "", func(key string, value []byte) bool {
		if key >= last || len(due) == limit {
			return false
		}
		env, _, _ := strings.Cut(key[len(duePrefix)+14:], "/")
		due = append(due, orders.DueOrder{Environment: checkout.Environment(env), ID: string(value)})
		return true
	})
	return due, err
}

func commitEvent(tx *durable.Tx, c orders.Change) error {
	if c.Event == nil {
		return nil
	}
	key := string(c.Event.Environment) + "/-/ev/" + c.Event.Provider + "/" + c.Event.ID
	known, err := tx.Has(key)
	if err != nil {
		return err
	}
	if known {
		return orders.ErrRepeated
	}
	tx.PutUntil(key, []byte{recordJSON}, time.Now().Add(eventRetention))
	return commitQuarantined(tx, c.Quarantine)
}
