package badgerstore

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/durable"
	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/psp"
)

// kindDocument is the kind of the locators of documents, by their tokens.
const kindDocument = "iv"

func seriesKey(kind string, s invoices.Series) string {
	return fmt.Sprintf("%s/%s/%s/%04d", keyPrefix(s.Environment, s.StoreID), kind, s.Kind, s.Year)
}

func lastNumberKey(s invoices.Series) string { return seriesKey("in", s) }

func documentsPrefix(s invoices.Series) string { return seriesKey(kindDocument, s) + "/" }

// documentKey sorts by the number.
func documentKey(d *invoices.Document) string {
	return fmt.Sprintf("%s%012d", documentsPrefix(d.Series), d.Number)
}

// eventDocument is the key of the index of documents by what they are about. An order's id is unique, so it needs no store.
func eventDocument(env checkout.Environment, orderID, eventID string) string {
	return string(env) + "/-/id/" + orderID + "/" + eventID
}

// LastNumber implements invoices.Store.
func (db *DB) LastNumber(_ context.Context, s invoices.Series) (int, error) {
	return lastNumber(db.Get, s)
}

func lastNumber(get func(string) ([]byte, error), s invoices.Series) (int, error) {
	stored, err := get(lastNumberKey(s))
	switch {
	case errors.Is(err, durable.ErrNotFound):
		return 0, nil
	case err != nil:
		return 0, err
	case len(stored) != 8:
		return 0, errUnknownRecord
	}
	return int(binary.BigEndian.Uint64(stored)), nil
}

// addDocument writes a new document and moves the counter of its series. Its number must be the next one, and its event must have
// no document.
func addDocument(tx *durable.Tx, d *invoices.Document) error {
	if d == nil {
		return nil
	}
	last, err := lastNumber(tx.Get, d.Series)
	if err != nil {
		return err
	}
	has, err := tx.Has(eventDocument(d.Series.Environment, d.OrderID, d.EventID))
	if err != nil {
		return err
	}
	if has || d.Number != last+1 {
		return notify.ErrStale
	}
	tx.Put(lastNumberKey(d.Series), binary.BigEndian.AppendUint64(nil, uint64(d.Number)))
	return writeDocument(tx, d)
}

// writeDocument writes a document with its locators.
func writeDocument(tx *durable.Tx, d *invoices.Document) error {
	key := documentKey(d)
	tx.Put(locator(kindDocument, d.Token), []byte(key))
	tx.Put(eventDocument(d.Series.Environment, d.OrderID, d.EventID), []byte(key))
	return save(tx, key, d)
}

// Document implements invoices.Store.
func (db *DB) Document(_ context.Context, token string) (*invoices.Document, error) {
	return db.documentAt(locator(kindDocument, token))
}

// DocumentOf implements invoices.Store.
func (db *DB) DocumentOf(_ context.Context, env checkout.Environment, orderID, eventID string) (*invoices.Document, error) {
	return db.documentAt(eventDocument(env, orderID, eventID))
}

// documentAt reads the document whose key is the value of another key.
func (db *DB) documentAt(reference string) (d *invoices.Document, err error) {
	err = db.View(func(get func(string) ([]byte, error)) error {
		key, err := get(reference)
		if errors.Is(err, durable.ErrNotFound) {
			return invoices.ErrNotFound
		}
		if err == nil {
			d, err = load[invoices.Document](get, string(key), errLost)
		}
		return err
	})
	return d, err
}

// Documents implements invoices.Store.
func (db *DB) Documents(_ context.Context, s invoices.Series, after string, limit int) (psp.Page[invoices.Document], error) {
	return readPage(db, documentsPrefix(s), after, limit, func(_ string, value []byte) (d invoices.Document, err error) {
		return d, decode(value, &d)
	})
}
