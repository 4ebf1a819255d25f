package storetest

import (
	"cmp"
	"fmt"
	"reflect"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/record"
)

// farPast is before every instant that is due in another check.
const farPast = 1000

func newMail(d *invoices.Document, dueAt int64) *invoices.Mail {
	return &invoices.Mail{Token: d.Token, Environment: d.Series.Environment, StoreID: d.Series.StoreID, To: "ada@example.com",
		State: invoices.MailPending, DueAt: dueAt, CreatedAt: 1, UpdatedAt: 1}
}

// mailed issues a document with a mail, and returns the mail as stored.
func mailed(s record.Store, dueAt int64) (*invoices.Mail, error) {
	d := newDocument(newSeries(checkout.Prod), 1)
	m := newMail(d, dueAt)
	if err := s.CommitNotify(background, notify.Change{Document: d, Mail: m}); err != nil {
		return nil, err
	}
	stored, err := s.Mail(background, d.Token)
	m.Version = 1
	if err != nil || !reflect.DeepEqual(stored, m) {
		return nil, fmt.Errorf("the mail is %+v, %v; want %+v", stored, err, m)
	}
	return stored, nil
}

// dueOf reports whether a mail is due at an instant.
func dueOf(s record.Store, m *invoices.Mail, now int64) (bool, error) {
	due, err := s.DueMails(background, now, 1000)
	for i := range due {
		if due[i].Token == m.Token {
			return true, err
		}
	}
	return false, err
}

// mails: a mail is due at its time until it is sent.
func mails(s record.Store) error {
	later, err := mailed(s, farPast+2)
	if err != nil {
		return err
	}
	first, err := mailed(s, farPast)
	if err != nil {
		return err
	}
	if due, err := s.DueMails(background, farPast+2, 1000); err != nil || len(due) != 2 || due[0].Token != first.Token {
		return fmt.Errorf("due are %+v, %v", due, err)
	}
	if due, err := s.DueMails(background, farPast+2, 1); err != nil || len(due) != 1 {
		return fmt.Errorf("of at most one mail came %d, %v", len(due), err)
	}
	if is, err := dueOf(s, later, farPast+1); is || err != nil {
		return fmt.Errorf("a mail is due too early, %v", err)
	}
	first.DueAt, first.Tries = farPast+10, 1
	if err := cmp.Or(need("a failed try", s.WriteMail(background, first)), want("the same again", s.WriteMail(background, first), invoices.ErrStale)); err != nil {
		return err
	}
	if is, err := dueOf(s, first, farPast+9); is || err != nil {
		return fmt.Errorf("a mail that is to wait is due, %v", err)
	}
	for _, m := range []*invoices.Mail{first, later} {
		stored, err := s.Mail(background, m.Token)
		if err != nil {
			return err
		}
		stored.State, stored.DueAt, stored.UpdatedAt = invoices.MailSent, 0, 4e12
		if err := need("a mail that was sent", s.WriteMail(background, stored)); err != nil {
			return err
		}
		if is, err := dueOf(s, m, farPast+100); is || err != nil {
			return fmt.Errorf("a mail that was sent is due, %v", err)
		}
		if stored, err = s.Mail(background, m.Token); err != nil || stored.State != invoices.MailSent {
			return fmt.Errorf("a mail that was sent: %+v, %v", stored, err)
		}
	}
	_, err = s.Mail(background, "unknown")
	return want("an unknown mail", err, invoices.ErrNotFound)
}

// mailWithDocument: a mail is written with its document or not at all.
func mailWithDocument(s record.Store) error {
	d := newDocument(newSeries(checkout.Prod), 2)
	change := notify.Change{Document: d, Mail: newMail(d, farPast)}
	if err := want("a wrong number", s.CommitNotify(background, change), notify.ErrStale); err != nil {
		return err
	}
	_, err := s.Mail(background, d.Token)
	return want("its mail", err, invoices.ErrNotFound)
}
