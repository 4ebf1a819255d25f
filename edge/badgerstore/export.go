package badgerstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
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

var _ record.Portable = (*DB)(nil)

// item is a key of the database with its value, on its way to an entry. The key is env/store/part/rest; see the package's page.
type item struct {
	env, store, part, rest string
	value                  []byte
	expires                time.Time // zero is never
}

// derived are the parts of the keys of indexes and counters, which follow from the entries, and of the use.
var derived = []string{"cl", "ol", "pl", "tl", "fl", "oc", "sd", "ix", "use", "op", "ot", "rd", "in", "dm", "dv", "vr", "id", "pi", "ms", "og",
	"obn", "wf", "dd", "du", "nr", "at", "rm"}

// exports turn an item into an entry, by the part of its key.
var exports = map[string]func(item) (record.Entry, error){
	"de": func(i item) (record.Entry, error) { return i.plain(record.Setting, "deployment") },
	"ek": func(i item) (record.Entry, error) { return i.plain(record.Setting, "erasure-key") },
	"wk": func(i item) (record.Entry, error) { return i.plain(record.Setting, "webhook-key/"+i.env) },
	"sl": func(i item) (record.Entry, error) { return i.plain(record.Slug, i.rest) },
	"me": func(i item) (record.Entry, error) { return i.record(record.Merchant, i.rest, new(catalog.Merchant)) },
	"st": func(i item) (record.Entry, error) { return i.record(record.Shop, i.store, new(catalog.Store)) },
	"pr": func(i item) (record.Entry, error) { return i.record(record.Product, i.rest, new(catalog.Product)) },
	"pv": exportVersion,
	"cs": exportSession,
	"or": func(i item) (record.Entry, error) { return i.record(record.Order, i.rest, new(orders.Order)) },
	"qu": exportQuarantined,
	"ev": func(i item) (record.Entry, error) {
		return record.Entry{Kind: record.Event, Key: i.env + "/" + i.rest, Until: i.expires.UnixMilli()}, nil
	},
	"tk": func(i item) (record.Entry, error) { return i.expiring(record.Token, new(auth.TokenState)) },
	"ik": func(i item) (record.Entry, error) { return i.expiring(record.Answer, new(idempotency.Answer)) },
	"ky": func(i item) (record.Entry, error) {
		return i.record(record.SigningKey, i.env+"/"+i.rest, new(auth.SigningKey))
	},
	"ob": func(i item) (record.Entry, error) { return i.record(record.Fact, i.rest, new(orders.Fact)) },
	"iv": exportDocument,
	"ml": exportMail,
	"vc": func(i item) (record.Entry, error) {
		return i.record(record.VATCheck, i.env+"/"+i.store+"/"+i.rest, new(vies.Check))
	},
	"we": func(i item) (record.Entry, error) {
		return i.record(record.Endpoints, i.env+"/"+i.store, new(notify.Endpoints))
	},
	"wd": exportDelivery,
	"er": func(i item) (record.Entry, error) { return i.record(record.Erasure, i.rest, new(erasure.Entry)) },
	"ru": func(i item) (record.Entry, error) { return i.record(record.Rules, i.store, new(plugins.Rules)) },
	"rc": exportRuleContent,
}

// errNotConverted is the error of exporting what an older version has written and the start could not bring up to date.
var errNotConverted = errors.New("the database was not brought up to date from an older version; is the disk nearly full?")

// Export implements [record.Portable]. It reads every key once, in the order of their bytes.
func (db *DB) Export(ctx context.Context, visit func(record.Entry) error) error {
	if _, err := db.Get(receiptsKey); err != nil || !db.built {
		return errors.Join(errNotConverted, err)
	}
	now := time.Now().UnixMilli()
	return ReadAll(ctx, db.DB, func(e record.Entry) error {
		if e.Until != 0 && e.Until <= now {
			return nil
		}
		return visit(e)
	})
}

// ReadAll decodes every record of a database, also one that an older version has written, and calls visit with it. The error names the
// key of a record that cannot be decoded.
func ReadAll(ctx context.Context, db *durable.DB, visit func(record.Entry) error) error {
	return db.Read(func(s *durable.Snapshot) error {
		for k := s.Keys("", ""); k.Valid(); k.Next() {
			value, err := k.Value()
			if err != nil {
				return err
			}
			e, err := Decode(k.Key(), value, k.Until())
			if err == nil && e != nil {
				err = visit(*e)
			}
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				return fmt.Errorf("%s: %w", k.Key(), err)
			}
		}
		return nil
	})
}

// Entries implements [record.Portable]. It reads every key, and no value.
func (db *DB) Entries(ctx context.Context) (n int, err error) {
	err = db.Read(func(s *durable.Snapshot) error {
		for k := s.Keys("", ""); k.Valid() && ctx.Err() == nil; k.Next() {
			if parts := strings.SplitN(k.Key(), "/", 4); len(parts) > 2 && exports[parts[2]] != nil {
				n++
			}
		}
		return ctx.Err()
	})
	return n, err
}

// Decode returns the record of a key, which expires at a time, zero if never; nil for a key of an index or a counter.
func Decode(key string, value []byte, expires time.Time) (*record.Entry, error) {
	i := itemOf(key, value, expires)
	if slices.Contains(derived, i.part) {
		return nil, nil
	}
	export, known := exports[i.part]
	if !known {
		return nil, errors.New("the key is of an unknown kind; a newer version of crepe may have written it")
	}
	e, err := export(i)
	return &e, err
}

func itemAt(k *durable.Keys) (item, error) {
	value, err := k.Value()
	return itemOf(k.Key(), value, k.Until()), err
}

func itemOf(key string, value []byte, expires time.Time) item {
	parts := append(strings.SplitN(key, "/", 4), "", "", "")
	return item{env: parts[0], store: parts[1], part: parts[2], rest: parts[3], value: value, expires: expires}
}

func (i item) plain(kind record.Kind, key string) (record.Entry, error) {
	return record.Entry{Kind: kind, Key: key, Value: i.value}, nil
}

// record decodes the item's record into v.
func (i item) record(kind record.Kind, key string, v any) (record.Entry, error) {
	return record.Entry{Kind: kind, Key: key, Value: v}, decode(i.value, v)
}

// expiring is record for an item of one environment that expires.
func (i item) expiring(kind record.Kind, v any) (record.Entry, error) {
	e, err := i.record(kind, i.env+"/"+i.rest, v)
	e.Until = i.expires.UnixMilli()
	return e, err
}

func exportVersion(i item) (record.Entry, error) {
	v := new(catalog.Version)
	err := decode(i.value, v)
	product, _, _ := strings.Cut(i.rest, "/")
	return record.Entry{Kind: record.Version, Key: product + "/" + v.ID, Value: v}, err
}

// exportSession takes the expiry from the stamp: the key has a margin.
func exportSession(i item) (record.Entry, error) {
	e, err := i.record(record.Session, i.rest, new(sessions.Session))
	if err != nil {
		return e, err
	}
	m, _, err := unseal(i.value)
	if !i.expires.IsZero() {
		e.Until = m.when
	}
	return e, err
}

func exportQuarantined(i item) (record.Entry, error) {
	q, err := readQuarantined(checkout.Environment(i.env), i.rest, i.value)
	return record.Entry{Kind: record.Quarantined, Key: i.env + "/" + i.rest, Value: &q}, err
}

func exportDocument(i item) (record.Entry, error) {
	d := new(invoices.Document)
	err := decode(i.value, d)
	return record.Entry{Kind: record.Document, Key: d.Token, Value: d}, err
}

func exportMail(i item) (record.Entry, error) {
	m := new(invoices.Mail)
	err := decode(i.value, m)
	return record.Entry{Kind: record.Mail, Key: m.Token, Value: m, Until: m.KeptUntil()}, err
}

func exportDelivery(i item) (record.Entry, error) {
	d := new(notify.Delivery)
	err := decode(i.value, d)
	return record.Entry{Kind: record.Delivery, Key: d.ID, Value: d, Until: d.KeptUntil()}, err
}
