package badgerstore

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/auth"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/durable"
	"github.com/crepe-checkout/crepe/edge/erasure"
	"github.com/crepe-checkout/crepe/edge/idempotency"
	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/plugins"
	"github.com/crepe-checkout/crepe/edge/record"
	"github.com/crepe-checkout/crepe/edge/sessions"
	"github.com/crepe-checkout/crepe/edge/vies"
)

// Import implements [record.Portable]. Each entry is an Update of its own, because those of one store change the same counters; the
// writer commits many of them at once.
func (db *DB) Import(_ context.Context, entries []record.Entry) error {
	errs := make([]error, len(entries))
	var all sync.WaitGroup
	for i, e := range entries {
		all.Go(func() {
			if err := db.Update(func(tx *durable.Tx) error { return db.add(tx, e) }); err != nil {
				errs[i] = fmt.Errorf("%s %s: %w", e.Kind, e.Key, err)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// add writes an entry that the database does not hold.
func (db *DB) add(tx *durable.Tx, e record.Entry) error {
	env, rest, _ := strings.Cut(e.Key, "/")
	switch v := e.Value.(type) {
	case nil:
		return addExpiring(tx, env+"/-/ev/"+rest, []byte{recordJSON}, e.Until)
	case []byte:
		return addPlain(tx, e, v)
	case *catalog.Merchant:
		return save(tx, merchantKey(v.ID), v)
	case *catalog.Store:
		return writeStore(tx, &catalog.Store{}, v)
	case *catalog.Product:
		return writeProduct(tx, v)
	case *catalog.Version:
		return addVersion(tx, e.Key, v)
	case *sessions.Session:
		return db.addSession(tx, v, e.Until)
	case *orders.Order:
		return db.addOrder(tx, v)
	case *orders.Quarantined:
		return save(tx, quarantinePrefix(v.Environment)+v.Provider+"/"+v.ID, v)
	case *auth.SigningKey:
		return save(tx, signingKeys(v.Environment)+v.ID, v)
	case *auth.TokenState:
		return saveExpiring(tx, tokenKey(checkout.Environment(env), rest), v, e.Until)
	case *idempotency.Answer:
		return saveExpiring(tx, answerKey(idempotency.ID{Environment: checkout.Environment(env), Hash: rest}), v, e.Until)
	case *orders.Fact:
		return addFact(tx, e.Key, v)
	case *invoices.Document:
		return addNumbered(tx, v)
	case *invoices.Mail:
		return writeMail(tx, stamp{}, v)
	case *vies.Check:
		return writeVATCheck(tx, stamp{}, v)
	case *notify.Endpoints:
		return writeEndpoints(tx, &notify.Endpoints{}, v)
	case *erasure.Entry:
		return save(tx, erasures+v.ID, v)
	case *notify.Delivery:
		return addDelivery(tx, v)
	case *plugins.Rules:
		return save(tx, rulesKey(v.StoreID), v)
	case *plugins.Content:
		return save(tx, ruleContentKey(v.StoreID, v.Number), v)
	}
	return fmt.Errorf("badgerstore: cannot import a %T", e.Value)
}

// addExpiring writes a key that expires at a whole second.
func addExpiring(tx *durable.Tx, key string, value []byte, until int64) error {
	tx.PutUntil(key, value, time.UnixMilli(until-1))
	return nil
}

func saveExpiring(tx *durable.Tx, key string, v any, until int64) error {
	value, err := encode(v)
	if err != nil {
		return err
	}
	return addExpiring(tx, key, value, until)
}

func addPlain(tx *durable.Tx, e record.Entry, value []byte) error {
	env, isWebhookKey := strings.CutPrefix(e.Key, "webhook-key/")
	switch {
	case e.Kind == record.Slug:
		tx.Put(slugKey(e.Key), value)
	case isWebhookKey:
		tx.Put(webhookKey(checkout.Environment(env)), value)
	case e.Key == "erasure-key":
		tx.Put(erasureSecret, value)
	case e.Key == "deployment":
		tx.Put(deploymentKey, value)
	default:
		return fmt.Errorf("badgerstore: an unknown setting")
	}
	return nil
}

// addVersion writes a version under the store of its product.
func addVersion(tx *durable.Tx, key string, v *catalog.Version) error {
	product, _, _ := strings.Cut(key, "/")
	storeID, err := tx.Get(locator(kindProduct, product))
	if err != nil {
		return err
	}
	return putVersions(tx, string(storeID), product, []*catalog.Version{v})
}

func (db *DB) addSession(tx *durable.Tx, s *sessions.Session, until int64) error {
	records, err := db.recordsOf(orders.Change{Session: s})
	if err != nil {
		return err
	}
	records[0].when = until
	return records[0].write(tx, stamp{})
}

// addOrder writes an order with the external id of its session.
func (db *DB) addOrder(tx *durable.Tx, o *orders.Order) error {
	records, err := db.recordsOf(orders.Change{Order: o})
	if err != nil {
		return err
	}
	session, err := sessionOf(tx, o)
	if err != nil {
		return err
	}
	if session != nil {
		session.OrderID = o.ID // its first one, if it has another order now
	}
	records[0].tokens = tokensOf(o, session)
	return records[0].write(tx, stamp{})
}

// addFact writes a fact under its number, and moves the counter.
func addFact(tx *durable.Tx, number string, f *orders.Fact) error {
	seq, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		return err
	}
	last, err := lastFact(tx)
	if err != nil {
		return err
	}
	tx.Put(lastFactKey, binary.BigEndian.AppendUint64(nil, max(last, seq)))
	return save(tx, outboxKey(seq), f)
}

// addNumbered writes a document, and moves the counter of its series.
func addNumbered(tx *durable.Tx, d *invoices.Document) error {
	last, err := lastNumber(tx.Get, d.Series)
	if err != nil {
		return err
	}
	tx.Put(lastNumberKey(d.Series), binary.BigEndian.AppendUint64(nil, uint64(max(last, d.Number))))
	return writeDocument(tx, d)
}

func addDelivery(tx *durable.Tx, d *notify.Delivery) error {
	read := *d
	read.Version--
	var w deliveryWrite
	if err := w.encode(&read); err != nil {
		return err
	}
	w.write(tx, stamp{})
	return nil
}
