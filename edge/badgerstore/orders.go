package badgerstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/durable"
	"github.com/crepe-checkout/crepe/edge/orders"
)

// eventMemory is how long an applied event is remembered: longer than any provider repeats one.
const eventMemory = 35 * 24 * time.Hour

// errLost: a record that was written together with its locator cannot be read.
var errLost = fmt.Errorf("%w: a record is gone that its locator leads to", durable.ErrDamaged)

// locator is where a record's place is kept. Its kind keeps an id of one kind from being taken for one of another.
func locator(kind, id string) string { return "all/-/at/" + kind + "/" + id }

// The kinds of record that are found by their id alone.
const (
	kindSession = "cs"
	kindOrder   = "or"
	kindProduct = "pr"
)

func recordKey(place, kind, id string) string { return place + "/" + kind + "/" + id }

func place(env checkout.Environment, storeID string) string { return string(env) + "/" + storeID }

// Session implements orders.Store.
func (db *DB) Session(_ context.Context, id string) (*orders.Session, error) {
	return located[orders.Session](db, kindSession, id)
}

// Order implements orders.Store.
func (db *DB) Order(_ context.Context, env checkout.Environment, id string) (*orders.Order, error) {
	o, err := located[orders.Order](db, kindOrder, id)
	if err == nil && o.Environment != env {
		return nil, orders.ErrNotFound
	}
	return o, err
}

// located reads a record by its id alone.
func located[T any](db *DB, kind, id string) (record *T, err error) {
	err = db.View(func(get func(string) ([]byte, error)) error {
		at, err := get(locator(kind, id))
		if errors.Is(err, durable.ErrNotFound) {
			return orders.ErrNotFound
		}
		if err == nil {
			record, err = load[T](get, recordKey(string(at), kind, id), errLost)
		}
		return err
	})
	return record, err
}

// Commit implements orders.Store.
func (db *DB) Commit(_ context.Context, c orders.Change) error {
	records, err := db.recordsOf(c)
	if err != nil {
		return err
	}
	write := db.Update
	if completes(c) {
		write = db.UpdateUrgent
	}
	return write(func(tx *durable.Tx) error {
		err := errors.Join(commitEvent(tx, c), commitSpent(tx, c))
		for _, r := range records {
			err = errors.Join(err, r.replace(tx))
		}
		return err
	})
}

// completes reports whether a change takes further what exists already: what a provider says, or the outcome of an attempt.
// A new session, order or attempt can wait for space on the disk; these cannot.
func completes(c orders.Change) bool {
	o := c.Order
	return c.Event != nil || o != nil && o.Version > 0 && len(o.Attempts) > 0 && o.Current().State != orders.Sent
}

// versioned is a session or an order about to be written: encoded before it comes to the writer.
type versioned struct {
	at, kind, id string
	env          checkout.Environment
	read         uint64 // the version that it was read at; 0: it is new
	when         int64  // an order is due, or a session may be forgotten, in Unix milliseconds; 0 is never
	value        []byte
	refund       *refundEntry // of an order with a refund due, nil for all others
}

func (db *DB) recordsOf(c orders.Change) ([]versioned, error) {
	var records []versioned
	add := func(r versioned, next any) (err error) {
		r.value, err = stamp{r.read + 1, r.when}.encode(next)
		records = append(records, r)
		return err
	}
	var err error
	if session := c.Session; session != nil {
		at, next := place(session.Environment, session.StoreID), *session
		next.Version++
		err = add(versioned{at: at, kind: kindSession, id: session.ID, env: session.Environment, read: session.Version,
			when: db.forget(session)}, &next)
	}
	if o := c.Order; o != nil && err == nil {
		at, next := place(o.Environment, o.StoreID), *o
		next.Version++
		err = add(versioned{at: at, kind: kindOrder, id: o.ID, env: o.Environment, read: o.Version, when: o.DueAt(),
			refund: refundOf(o)}, &next)
	}
	return records, err
}

// forget is when a session may be forgotten: some time after its end, if nobody ever ordered from it.
func (db *DB) forget(session *orders.Session) int64 {
	if session.OrderID != "" || db.keepSessions == 0 {
		return 0
	}
	return session.ExpiresAt + db.keepSessions.Milliseconds()
}

// locatorFirst is how much longer a record is kept than its locator: one that leads nowhere would be damage.
const locatorFirst = time.Minute

// replace is the compare-and-set. It keeps the locator and the index of what is due in step.
func (r *versioned) replace(tx *durable.Tx) error {
	key := recordKey(r.at, r.kind, r.id)
	stored, err := tx.Get(key)
	var before stamp
	switch {
	case errors.Is(err, durable.ErrNotFound):
	case err != nil:
		return err
	default:
		if before, err = readStamp(stored); err != nil {
			return err
		}
	}
	if before.version != r.read {
		return orders.ErrStale
	}
	if r.read == 0 || before.when != r.when {
		r.reschedule(tx, before.when)
	}
	if r.refund != nil {
		tx.Put(r.refund.key, r.refund.value)
	}
	r.put(tx, key, r.value, locatorFirst)
	return nil
}

// put writes what a session needs for as long as it may be asked for, and a while longer, and anything else for good.
func (r *versioned) put(tx *durable.Tx, key string, value []byte, longer time.Duration) {
	if r.kind == kindSession && r.when != 0 {
		tx.PutUntil(key, value, time.UnixMilli(r.when).Add(longer))
	} else {
		tx.Put(key, value)
	}
}

// reschedule writes what depends on a record's instant, which was another one before.
func (r *versioned) reschedule(tx *durable.Tx, before int64) {
	if r.kind == kindSession || r.read == 0 {
		r.put(tx, locator(r.kind, r.id), []byte(r.at), 0)
	}
	if r.kind == kindSession {
		return
	}
	if before != 0 {
		tx.Delete(r.dueKey(before))
	}
	if r.when != 0 {
		tx.Put(r.dueKey(r.when), []byte(r.id))
	}
}

const duePrefix = "all/-/du/"

// dueKey sorts by time: milliseconds have thirteen digits until the year 2286.
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
	tx.PutUntil(key, []byte{recordJSON}, time.Now().Add(eventMemory))
	return commitQuarantined(tx, c.Quarantine)
}
