package badgerstore

import (
	"errors"
	"strings"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/durable"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/sessions"
)

// builtKey exists when the indexes of a database are complete. Its value is their version.
const builtKey = shared + "/-/ix"

// builtVersion changes when an index is added that older databases do not have.
const builtVersion = "1"

// errNotBuilt is the error of a list while the indexes are incomplete: the disk was full when the server started.
var errNotBuilt = problem.New(problem.Unavailable, "index-incomplete", "", "Lists cannot be read at the moment, please retry")

// buildBatch is how many records one transaction of a build writes.
const buildBatch = 32

// build adds the index entries of records that were written by a version without them. A build that is interrupted continues at the
// next start: a record says by itself whether it is indexed. A full disk leaves the indexes incomplete until then.
func (db *DB) build() error {
	version, err := db.Get(builtKey)
	if err != nil && !errors.Is(err, durable.ErrNotFound) {
		return err
	}
	if string(version) == builtVersion {
		db.built = true
		return nil
	}
	if err := db.buildCatalog(); err != nil {
		return db.delayed(err)
	}
	for _, env := range []checkout.Environment{checkout.Test, checkout.Prod} {
		if err := db.buildOrders(env); err != nil {
			return db.delayed(err)
		}
	}
	if err := db.Update(func(tx *durable.Tx) error { tx.Put(builtKey, []byte(builtVersion)); return nil }); err != nil {
		return db.delayed(err)
	}
	db.built = true
	return nil
}

// delayed lets the server start without complete indexes when the disk is full.
func (db *DB) delayed(err error) error {
	if errors.Is(err, durable.ErrDiskFull) {
		db.log.Warn("the indexes are incomplete, because the disk is nearly full; lists are refused until a start with more space")
		return nil
	}
	return err
}

func (db *DB) buildOrders(env checkout.Environment) error {
	var batch []string
	var failed error
	write := func() bool {
		if len(batch) > 0 {
			failed = db.Update(func(tx *durable.Tx) error { return db.indexOrders(tx, batch) })
			batch = nil
		}
		return failed == nil
	}
	err := db.Scan(string(env)+"/", "", func(key string, value []byte) bool {
		if parts := strings.Split(key, "/"); len(parts) != 4 || parts[2] != kindOrder || len(value) == 0 || value[0] != recordStamped {
			return true
		}
		batch = append(batch, key)
		return len(batch) < buildBatch || write()
	})
	write()
	return errors.Join(err, failed)
}

// indexOrders writes orders again with their tokens. The transaction does not see its own writes, so that orders of one store,
// which share counters, are added together.
func (db *DB) indexOrders(tx *durable.Tx, keys []string) error {
	var all entries
	for _, key := range keys {
		value, err := tx.Get(key)
		if err != nil {
			return err
		}
		m, text, err := unseal(value)
		if err != nil {
			return err
		}
		if m.indexed {
			continue
		}
		var o orders.Order
		if !db.readable(key, decode(value, &o)) {
			continue
		}
		session, err := sessionOf(tx, &o)
		if err != nil {
			return err
		}
		m.indexed, m.tokens = true, tokensOf(&o, session)
		added := entriesOf(keyPrefix(o.Environment, o.StoreID), o.ID, m.tokens)
		for _, e := range added.keys {
			tx.Put(e.key, e.value)
		}
		for _, c := range added.counts {
			all.count(c.key, c.add.count, c.add.total)
		}
		tx.Put(key, m.seal(text))
	}
	return addSums(tx, all.counts)
}

// sessionOf reads the session of an order, nil if there is none any more.
func sessionOf(tx *durable.Tx, o *orders.Order) (*sessions.Session, error) {
	session, err := load[sessions.Session](tx.Get, recordKey(keyPrefix(o.Environment, o.StoreID), kindSession, o.SessionID), orders.ErrNotFound)
	if errors.Is(err, orders.ErrNotFound) {
		return nil, nil
	}
	return session, err
}
