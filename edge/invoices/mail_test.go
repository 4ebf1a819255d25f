package invoices_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/badgerstore"
	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/notify"
)

// mailbox is a mailer that keeps what it is to send.
type mailbox struct {
	sent []invoices.Message
	fail func(try int) error
	try  int
}

func (m *mailbox) Send(_ context.Context, message *invoices.Message) error {
	m.try++
	if m.fail != nil {
		if err := m.fail(m.try); err != nil {
			return err
		}
	}
	m.sent = append(m.sent, *message)
	return nil
}

// mailWorld is a service on a database, with a clock of its own and one mail that is due.
type mailWorld struct {
	*invoices.Service
	mailbox
	db    *badgerstore.DB
	now   time.Time
	token string
	log   strings.Builder
}

func openMail(t *testing.T) *mailWorld {
	t.Helper()
	db, err := badgerstore.Open(t.TempDir(), badgerstore.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	w := &mailWorld{db: db, now: time.Date(2099, 11, 23, 10, 0, 0, 0, time.UTC), token: "abcdefghijklmnopqrstuvwxyz234567"}
	w.Service = invoices.New(invoices.Config{Store: db, Orders: db, Catalog: db, PublicURL: "https://pay.example.com", Now: func() time.Time { return w.now },
		Rand: rand.NewChaCha8([32]byte{}), Mailer: &w.mailbox, MailIn: []checkout.Environment{checkout.Prod}, Log: slog.New(slog.NewTextHandler(&w.log, nil))})
	d := receipt("STO_1", 1)
	d.Token, d.Language = w.token, "de"
	d.ListPrice, d.Discount = 3400, checkout.Discount{Label: "Willkommen", Minor: 500}
	m := &invoices.Mail{Token: d.Token, Environment: checkout.Prod, StoreID: "STO_1", To: d.Buyer.Email, State: invoices.MailPending, DueAt: w.now.UnixMilli()}
	if err := db.CommitNotify(t.Context(), notify.Change{Document: d, Mail: m}); err != nil {
		t.Fatal(err)
	}
	return w
}

// pass lets time pass in steps of ten seconds.
func (w *mailWorld) pass(t *testing.T, d time.Duration) {
	for end := w.now.Add(d); w.now.Before(end); w.now = w.now.Add(10 * time.Second) {
		w.SendDue(t.Context())
	}
}

func (w *mailWorld) state(t *testing.T) *invoices.Mail {
	t.Helper()
	m, err := w.db.Mail(t.Context(), w.token)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestMailIsSentOnce: a mail is sent at once, and not again.
func TestMailIsSentOnce(t *testing.T) {
	w := openMail(t)
	w.pass(t, time.Hour)
	if len(w.sent) != 1 || w.state(t).State != invoices.MailSent {
		t.Fatalf("sent %d times, %+v", len(w.sent), w.state(t))
	}
	m := w.sent[0]
	for _, part := range []string{"Beleg A1B2C3-2026-000001", "Northline Pro: 34,00\u00a0€\nWillkommen: −5,00\u00a0€\n", "Gesamtbetrag: 34,51", "https://pay.example.com/orders/" + w.token + "/receipt"} {
		if !strings.Contains(m.Text, part) {
			t.Errorf("no %q in\n%s", part, m.Text)
		}
	}
	if m.To != "ada@example.com" || m.Subject != "Beleg A1B2C3-2026-000001 · Northline" || m.ReplyTo != "help@northline.example" || m.Language != "de" {
		t.Errorf("%+v", m)
	}
	t.Log(m.Text)
}

// TestMailSchedule: a mail that fails is tried again ever more rarely, six times in all; then it is given up with an error in the
// log, which has no address.
func TestMailSchedule(t *testing.T) {
	w := openMail(t)
	start, at := w.now, []string{}
	w.fail = func(int) error {
		at = append(at, w.now.Sub(start).String())
		return errors.New("the mail server has failed: code 451")
	}
	w.pass(t, 20*time.Hour)
	if got, want := strings.Join(at, " "), "0s 1m0s 6m0s 31m0s 2h31m0s 14h31m0s"; got != want {
		t.Errorf("tried after %s, want %s", got, want)
	}
	if m := w.state(t); m.State != invoices.MailFailed || m.Tries != 6 || m.LastError == "" {
		t.Errorf("%+v", m)
	}
	if log := w.log.String(); strings.Count(log, "given up") != 1 || strings.Count(log, "level=ERROR") != 1 || strings.Contains(log, "ada@") {
		t.Errorf("log:\n%s", log)
	}
}

// TestMailLater: a mail whose first tries fail arrives once, under the same id.
func TestMailLater(t *testing.T) {
	w := openMail(t)
	w.fail = func(try int) error {
		if try < 3 {
			return errors.New("busy")
		}
		return nil
	}
	w.pass(t, time.Hour)
	if len(w.sent) != 1 || w.try != 3 || w.sent[0].ID != w.token || w.state(t).LastError != "" {
		t.Errorf("%d sent by %d tries, %+v", len(w.sent), w.try, w.state(t))
	}
}

// TestMailRefused: a refusal for good ends the tries at once.
func TestMailRefused(t *testing.T) {
	w := openMail(t)
	w.fail = func(int) error { return fmt.Errorf("%w: code 550", invoices.ErrRefused) }
	w.pass(t, time.Hour)
	if w.try != 1 || w.state(t).State != invoices.MailFailed {
		t.Errorf("%d tries, %+v", w.try, w.state(t))
	}
}

// TestMailOfStoppedServer: a try that the end of the server cuts off does not count.
func TestMailOfStoppedServer(t *testing.T) {
	w := openMail(t)
	ctx, stop := context.WithCancel(t.Context())
	w.fail = func(int) error { stop(); return ctx.Err() }
	w.SendDue(ctx)
	if m := w.state(t); m.State != invoices.MailPending || m.Tries != 0 {
		t.Errorf("%+v", m)
	}
}
