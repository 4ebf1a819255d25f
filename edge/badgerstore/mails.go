package badgerstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/crepe-checkout/crepe/edge/durable"
	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/notify"
)

const dueMails = shared + "/-/dm/"

func dueMailKey(at int64, token string) string { return fmt.Sprintf("%s%013d/%s", dueMails, at, token) }

func mailKey(m *invoices.Mail) string { return keyPrefix(m.Environment, m.StoreID) + "/ml/" + m.Token }

// kindMail is the kind of the locators of mails, by the tokens of their documents.
const kindMail = "ml"

// addMail writes a new mail.
func addMail(tx *durable.Tx, m *invoices.Mail) error {
	if m == nil {
		return nil
	}
	err := putMail(tx, m)
	if errors.Is(err, invoices.ErrStale) {
		return notify.ErrStale
	}
	return err
}

// putMail compares the stored version with the one that was read, and writes the mail.
func putMail(tx *durable.Tx, m *invoices.Mail) error {
	before, err := stampAt(tx, mailKey(m))
	if err != nil {
		return err
	}
	if before.version != m.Version {
		return invoices.ErrStale
	}
	next := *m
	next.Version++
	return writeMail(tx, before, &next)
}

// writeMail writes a mail with its locator and index entry. before is the stamp of the stored mail.
func writeMail(tx *durable.Tx, before stamp, m *invoices.Mail) error {
	key := mailKey(m)
	value, err := stamp{version: m.Version, when: m.DueAt}.encode(m)
	if err != nil {
		return err
	}
	if before.when != 0 {
		tx.Delete(dueMailKey(before.when, m.Token))
	}
	if m.DueAt != 0 {
		tx.Put(dueMailKey(m.DueAt, m.Token), []byte(key))
	}
	if until := m.KeptUntil(); until != 0 {
		tx.PutUntil(locator(kindMail, m.Token), []byte(key), time.UnixMilli(until))
		tx.PutUntil(key, value, time.UnixMilli(until).Add(locatorMargin))
		return nil
	}
	tx.Put(locator(kindMail, m.Token), []byte(key))
	tx.Put(key, value)
	return nil
}

// WriteMail implements invoices.MailStore.
func (db *DB) WriteMail(_ context.Context, m *invoices.Mail) error {
	return db.Update(func(tx *durable.Tx) error { return putMail(tx, m) })
}

// Mail implements invoices.MailStore.
func (db *DB) Mail(_ context.Context, token string) (m *invoices.Mail, err error) {
	err = db.View(func(get func(string) ([]byte, error)) error {
		key, err := get(locator(kindMail, token))
		if errors.Is(err, durable.ErrNotFound) {
			return invoices.ErrNotFound
		}
		if err == nil {
			m, err = load[invoices.Mail](get, string(key), errLost)
		}
		return err
	})
	return m, err
}

// DueMails implements invoices.MailStore.
func (db *DB) DueMails(_ context.Context, now int64, limit int) (due []invoices.Mail, err error) {
	var keys []string
	after := dueMailKey(now+1, "")
	err = db.Scan(dueMails, "", func(key string, value []byte) bool {
		if len(keys) == limit || key >= after {
			return false
		}
		keys = append(keys, string(value))
		return true
	})
	for _, key := range keys {
		m, loaded := load[invoices.Mail](db.Get, key, nil)
		if loaded != nil {
			return due, errors.Join(err, loaded)
		}
		if m != nil {
			due = append(due, *m)
		}
	}
	return due, err
}
