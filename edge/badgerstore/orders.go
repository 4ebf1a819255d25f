package badgerstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/orders"
)

// eventMemory is how long an applied event is remembered: longer than any provider repeats one.
const eventMemory = 35 * 24 * time.Hour

func locator(id string) string { return "all/-/at/" + id }

func sessionKey(place, id string) string { return place + "/cs/" + id }

func orderKey(place, id string) string { return place + "/or/" + id }

func place(env checkout.Environment, storeID string) string { return string(env) + "/" + storeID }

// Session implements orders.Store.
func (db *DB) Session(_ context.Context, id string) (*orders.Session, error) {
	at, err := db.read(locator(id))
	if errors.Is(err, errNoKey) {
		return nil, orders.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return load[orders.Session](db.read, sessionKey(string(at), id), orders.ErrNotFound)
}

// Order implements orders.Store.
func (db *DB) Order(_ context.Context, env checkout.Environment, id string) (*orders.Order, error) {
	at, err := db.read(locator(id))
	if errors.Is(err, errNoKey) {
		return nil, orders.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	o, err := load[orders.Order](db.read, orderKey(string(at), id), orders.ErrNotFound)
	if err == nil && o.Environment != env {
		return nil, orders.ErrNotFound
	}
	return o, err
}

// Commit implements orders.Store.
func (db *DB) Commit(_ context.Context, c orders.Change) error {
	return db.update(func(s *step) error {
		return errors.Join(commitEvent(s, c), commitSession(s, c.Session), commitOrder(s, c.Order), commitSpent(s, c))
	})
}

func commitSession(s *step, session *orders.Session) error {
	if session == nil {
		return nil
	}
	at := place(session.Environment, session.StoreID)
	key := sessionKey(at, session.ID)
	next := *session
	next.Version++
	return replace(s, record{key: key, id: session.ID, at: at, version: session.Version, next: &next})
}

func commitOrder(s *step, o *orders.Order) error {
	if o == nil {
		return nil
	}
	at := place(o.Environment, o.StoreID)
	key := orderKey(at, o.ID)
	before, err := load[orders.Order](s.get, key, errNoKey)
	if err == nil {
		moveDue(s, before, o)
	} else if errors.Is(err, errNoKey) {
		moveDue(s, nil, o)
	} else {
		return err
	}
	next := *o
	next.Version++
	return replace(s, record{key: key, id: o.ID, at: at, version: o.Version, next: &next})
}

// moveDue keeps the index of what is due in step with the order. before is nil for a new one.
func moveDue(s *step, before, after *orders.Order) {
	was, is := "", dueKey(after)
	if before != nil {
		was = dueKey(before)
	}
	if was == is {
		return
	}
	if was != "" {
		s.delete(was)
	}
	if is != "" {
		s.put(is, []byte(after.ID))
	}
}

const duePrefix = "all/-/du/"

// dueKey sorts by time: milliseconds have thirteen digits until the year 2286.
func dueKey(o *orders.Order) string {
	at := o.DueAt()
	if at == 0 {
		return ""
	}
	return fmt.Sprintf("%s%013d/%s/%s", duePrefix, at, o.Environment, o.ID)
}

// Due implements orders.Store.
func (db *DB) Due(_ context.Context, now int64, limit int) (due []orders.DueOrder, err error) {
	last := fmt.Sprintf("%s%013d/", duePrefix, now+1)
	err = db.scan(duePrefix, "", func(key string, value []byte) bool {
		if key >= last || len(due) == limit {
			return false
		}
		env, _, _ := strings.Cut(key[len(duePrefix)+14:], "/")
		due = append(due, orders.DueOrder{Environment: checkout.Environment(env), ID: string(value)})
		return true
	})
	return due, err
}

// record is a versioned record about to be written.
type record struct {
	key, id, at string
	version     uint64 // the version that it was read at; 0: it is new
	next        any
}

// replace is the compare-and-set.
func replace(s *step, r record) error {
	stored, err := load[struct{ Version uint64 }](s.get, r.key, errNoKey)
	switch {
	case errors.Is(err, errNoKey) && r.version == 0:
		s.put(locator(r.id), []byte(r.at))
	case errors.Is(err, errNoKey):
		return orders.ErrStale
	case err != nil:
		return err
	case stored.Version != r.version:
		return orders.ErrStale
	}
	return save(s, r.key, r.next)
}

func commitEvent(s *step, c orders.Change) error {
	if c.Event == nil {
		return nil
	}
	key := string(c.Event.Environment) + "/-/ev/" + c.Event.Provider + "/" + c.Event.ID
	known, err := s.has(key)
	if err != nil {
		return err
	}
	if known {
		return orders.ErrRepeated
	}
	s.putUntil(key, []byte{recordJSON}, time.Now().Add(eventMemory))
	if c.Quarantine == nil {
		return nil
	}
	return save(s, string(c.Event.Environment)+"/-/qu/"+c.Event.Provider+"/"+c.Event.ID, c.Quarantine)
}
