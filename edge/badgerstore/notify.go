package badgerstore

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/durable"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/psp"
)

// The kinds of records that are found by their id alone.
const (
	kindEndpoint = "we"
	kindDelivery = "wd"
)

func endpointsKey(env checkout.Environment, storeID string) string {
	return keyPrefix(env, storeID) + "/" + kindEndpoint
}

// Endpoints implements notify.Store.
func (db *DB) Endpoints(_ context.Context, env checkout.Environment, storeID string) (*notify.Endpoints, error) {
	return readEndpoints(db.Get, env, storeID)
}

func readEndpoints(get func(string) ([]byte, error), env checkout.Environment, storeID string) (*notify.Endpoints, error) {
	all, err := load[notify.Endpoints](get, endpointsKey(env, storeID), notify.ErrNotFound)
	if errors.Is(err, notify.ErrNotFound) {
		return &notify.Endpoints{Environment: env, StoreID: storeID}, nil
	}
	return all, err
}

// EndpointStore implements notify.Store.
func (db *DB) EndpointStore(_ context.Context, env checkout.Environment, id string) (string, error) {
	return storeOf(db.Get, kindEndpoint, env, id)
}

// storeOf returns the store of a record from its locator; notify.ErrNotFound if it is of another environment.
func storeOf(get func(string) ([]byte, error), kind string, env checkout.Environment, id string) (string, error) {
	prefix, err := get(locator(kind, id))
	if errors.Is(err, durable.ErrNotFound) {
		return "", notify.ErrNotFound
	}
	if err != nil {
		return "", err
	}
	storeID, ok := strings.CutPrefix(string(prefix), string(env)+"/")
	if !ok {
		return "", notify.ErrNotFound
	}
	return storeID, nil
}

// AllEndpoints implements notify.Store.
func (db *DB) AllEndpoints(ctx context.Context, env checkout.Environment, after string, limit int) (page psp.Page[notify.Endpoint], err error) {
	last, prefix := "", locator(kindEndpoint, "")
	scanned := db.Scan(prefix, prefix+after, func(key string, value []byte) bool {
		storeID, mine := strings.CutPrefix(string(value), string(env)+"/")
		if !mine {
			return true
		}
		if len(page.Items) == limit {
			page.Next = last
			return false
		}
		last = strings.TrimPrefix(key, prefix)
		var all *notify.Endpoints
		if all, err = db.Endpoints(ctx, env, storeID); err != nil {
			return false
		}
		for _, e := range all.Items {
			if e.ID == last {
				page.Items = append(page.Items, e)
			}
		}
		return true
	})
	return page, errors.Join(scanned, err)
}

// replaceEndpoints writes the endpoints of a store, and the locators of those that are there now.
func replaceEndpoints(tx *durable.Tx, e *notify.Endpoints) error {
	if e == nil {
		return nil
	}
	before, err := readEndpoints(tx.Get, e.Environment, e.StoreID)
	if err != nil {
		return err
	}
	if before.Version != e.Version {
		return notify.ErrStale
	}
	next := *e
	next.Version++
	return writeEndpoints(tx, before, &next)
}

func writeEndpoints(tx *durable.Tx, before, e *notify.Endpoints) error {
	for i := range before.Items {
		tx.Delete(locator(kindEndpoint, before.Items[i].ID))
	}
	for i := range e.Items {
		tx.Put(locator(kindEndpoint, e.Items[i].ID), []byte(keyPrefix(e.Environment, e.StoreID)))
	}
	return save(tx, endpointsKey(e.Environment, e.StoreID), e)
}

// CommitNotify implements notify.Store.
func (db *DB) CommitNotify(_ context.Context, c notify.Change) error {
	writes := make([]deliveryWrite, len(c.Deliveries))
	for i, d := range c.Deliveries {
		if err := writes[i].encode(d); err != nil {
			return err
		}
	}
	return db.Update(func(tx *durable.Tx) error {
		err := errors.Join(takeFact(tx, c.Fact), addDocument(tx, c.Document), addMail(tx, c.Mail), addVATCheck(tx, c.VATCheck), replaceEndpoints(tx, c.Endpoints))
		for i := range writes {
			err = errors.Join(err, writes[i].replace(tx))
		}
		return err
	})
}

// deliveryWrite is a delivery to be written, encoded before it gets to the writer.
type deliveryWrite struct {
	*notify.Delivery
	value []byte
}

func (w *deliveryWrite) encode(d *notify.Delivery) (err error) {
	next := *d
	next.Version++
	w.Delivery = d
	w.value, err = stamp{version: next.Version, when: d.DueAt}.encode(&next)
	return err
}

func deliveriesPrefix(env checkout.Environment, storeID string) string {
	return keyPrefix(env, storeID) + "/" + kindDelivery + "/"
}

// deliveryKey sorts the newest first: ids sort by time, and the key has their complement.
func deliveryKey(env checkout.Environment, storeID, id string) string {
	digits := []byte(strings.ReplaceAll(id, "-", ""))
	if octets, err := hex.DecodeString(string(digits)); err == nil {
		for i := range octets {
			octets[i] = ^octets[i]
		}
		digits = hex.AppendEncode(digits[:0], octets)
	}
	return deliveriesPrefix(env, storeID) + string(digits)
}

const dueDeliveries = shared + "/-/dd/"

// dueKey sorts by environment, endpoint and time.
func (w *deliveryWrite) dueKey(at int64) string {
	return fmt.Sprintf("%s%s/%s/%013d/%s", dueDeliveries, w.Environment, w.EndpointID, at, w.ID)
}

func failedDeliveries(env checkout.Environment) string { return string(env) + "/-/wf/" }

// replace compares the stored version with the one that was read, and writes the record.
func (w *deliveryWrite) replace(tx *durable.Tx) error {
	before, err := stampAt(tx, deliveryKey(w.Environment, w.StoreID, w.ID))
	if err != nil {
		return err
	}
	if before.version != w.Version {
		return notify.ErrStale
	}
	w.write(tx, before)
	return nil
}

// write writes the record with its locator and index entries. before is the stamp of the stored record.
func (w *deliveryWrite) write(tx *durable.Tx, before stamp) {
	if before.when != 0 {
		tx.Delete(w.dueKey(before.when))
	}
	if w.DueAt != 0 {
		tx.Put(w.dueKey(w.DueAt), []byte(w.ID))
	}
	w.put(tx, locator(kindDelivery, w.ID), []byte(keyPrefix(w.Environment, w.StoreID)), 0)
	w.put(tx, deliveryKey(w.Environment, w.StoreID, w.ID), w.value, locatorMargin)
	if w.State == notify.Failed {
		w.put(tx, failedDeliveries(w.Environment)+w.ID, []byte{}, 0)
	} else if before.version > 0 {
		tx.Delete(failedDeliveries(w.Environment) + w.ID)
	}
}

// stampAt reads the stamp of a record; the zero stamp if there is none.
func stampAt(tx *durable.Tx, key string) (m stamp, err error) {
	err = tx.Look(key, func(value []byte) (err error) {
		m, _, err = unseal(value)
		return err
	})
	if errors.Is(err, durable.ErrNotFound) {
		return stamp{}, nil
	}
	return m, err
}

// put writes a key of the record, which expires a margin after the record is no longer to be kept.
func (w *deliveryWrite) put(tx *durable.Tx, key string, value []byte, margin time.Duration) {
	if until := w.KeptUntil(); until != 0 {
		tx.PutUntil(key, value, time.UnixMilli(until).Add(margin))
	} else {
		tx.Put(key, value)
	}
}

// Delivery implements notify.Store.
func (db *DB) Delivery(_ context.Context, env checkout.Environment, id string) (d *notify.Delivery, err error) {
	err = db.View(func(get func(string) ([]byte, error)) error {
		storeID, err := storeOf(get, kindDelivery, env, id)
		if err == nil {
			d, err = load[notify.Delivery](get, deliveryKey(env, storeID, id), errLost)
		}
		return err
	})
	return d, err
}

// Deliveries implements notify.Store.
func (db *DB) Deliveries(_ context.Context, env checkout.Environment, storeID, after string, limit int) (psp.Page[notify.Delivery], error) {
	return readPage(db, deliveriesPrefix(env, storeID), after, limit, func(_ string, value []byte) (d notify.Delivery, err error) {
		return d, decode(value, &d)
	})
}

// FailedDeliveries implements notify.Store.
func (db *DB) FailedDeliveries(ctx context.Context, env checkout.Environment, after string, limit int) (psp.Page[notify.Delivery], error) {
	ids, err := readPage(db, failedDeliveries(env), after, limit, func(id string, _ []byte) (string, error) { return id, nil })
	page := psp.Page[notify.Delivery]{Next: ids.Next}
	for _, id := range ids.Items {
		d, missing := db.Delivery(ctx, env, id)
		if errors.Is(missing, notify.ErrNotFound) {
			continue // it has just expired
		}
		if missing != nil {
			return page, missing
		}
		page.Items = append(page.Items, *d)
	}
	return page, err
}

// DueDeliveries implements notify.Store. It scans the index endpoint by endpoint, and skips what is beyond the limit.
func (db *DB) DueDeliveries(_ context.Context, now int64, limit int) (due []notify.DueDelivery, err error) {
	for after := ""; err == nil; {
		endpoint, found := "", 0
		err = db.Scan(dueDeliveries, after, func(key string, value []byte) bool {
			d, at := readDue(key)
			d.ID = string(value)
			switch {
			case endpoint == "":
				endpoint = d.EndpointID
				after = key[:strings.LastIndexByte(key[:strings.LastIndexByte(key, '/')], '/')] + "/~"
			case d.EndpointID != endpoint:
				return false
			}
			if found == limit || at > now {
				return false
			}
			due, found = append(due, d), found+1
			return true
		})
		if endpoint == "" {
			break
		}
	}
	return due, err
}

// readDue reads a key of the index: environment, endpoint and time.
func readDue(key string) (d notify.DueDelivery, at int64) {
	parts := strings.Split(strings.TrimPrefix(key, dueDeliveries), "/")
	if len(parts) == 4 {
		d = notify.DueDelivery{Environment: checkout.Environment(parts[0]), EndpointID: parts[1]}
		fmt.Sscanf(parts[2], "%d", &at)
	}
	return d, at
}

// CountDeliveriesOf implements notify.Store.
func (db *DB) CountDeliveriesOf(_ context.Context, env checkout.Environment, storeID string) (count int, err error) {
	err = db.Read(func(s *durable.Snapshot) error {
		for keys := s.Keys(deliveriesPrefix(env, storeID), ""); keys.Valid(); keys.Next() {
			count++
		}
		return nil
	})
	return count, err
}

// CountDeliveries implements notify.Store.
func (db *DB) CountDeliveries(_ context.Context, env checkout.Environment) (c notify.Counts, err error) {
	pending := db.Scan(dueDeliveries+string(env)+"/", "", func(key string, _ []byte) bool {
		c.Pending++
		if _, at := readDue(key); c.DueSince == 0 || at < c.DueSince {
			c.DueSince = at
		}
		return true
	})
	failed := db.Scan(failedDeliveries(env), "", func(string, []byte) bool { c.Failed++; return true })
	return c, errors.Join(pending, failed)
}
