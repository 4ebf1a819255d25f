package invoices

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/edge/locale"
)

// Mail is the e-mail about a document, from the document's commit until it is sent or given up. Its id is the document's token.
type Mail struct {
	Token       string
	Environment checkout.Environment
	StoreID     string
	To          string

	// Version counts the writes. A [Store] refuses to write a mail that was read at another version.
	Version uint64

	State     MailState
	Tries     int
	DueAt     int64  // when it is sent next, Unix milliseconds; 0 is never
	LastError string // for operators; holds no address
	CreatedAt int64
	UpdatedAt int64
	Keep      int64 // how long the record is kept after it was sent or given up, milliseconds; 0 is 30 days
}

// MailState is where a mail stands.
type MailState string

const (
	MailPending MailState = "pending"
	MailSent    MailState = "sent"
	MailFailed  MailState = "failed"
)

// mailWaits are the times after each failed try. A mail whose last try fails is given up after about fifteen hours.
var mailWaits = [...]time.Duration{time.Minute, 5 * time.Minute, 25 * time.Minute, 2 * time.Hour, 12 * time.Hour}

// MailTimeout is how long a try to send may take.
const MailTimeout = 30 * time.Second

// mailRetention is how long a mail that was sent or given up is kept, unless [Config].KeepMails says otherwise.
const mailRetention = 30 * 24 * time.Hour

// KeptUntil is when the record is deleted, in Unix milliseconds; 0 while the mail is still to be sent.
func (m *Mail) KeptUntil() int64 {
	if m.State == MailPending {
		return 0
	}
	return m.UpdatedAt + cmp.Or(m.Keep, mailRetention.Milliseconds())
}

// tried records the outcome of a try.
func (m *Mail) tried(err error, now int64) {
	m.Tries++
	m.UpdatedAt, m.DueAt, m.LastError = now, 0, ""
	switch {
	case err == nil:
		m.State = MailSent
		return
	case errors.Is(err, ErrRefused) || m.Tries > len(mailWaits):
		m.State = MailFailed
	default:
		m.DueAt = now + mailWaits[m.Tries-1].Milliseconds()
	}
	m.LastError = err.Error()
}

// Message is an e-mail in plain text.
type Message struct {
	ID       string // the left part of the Message-ID; the same for each try
	FromName string
	ReplyTo  string // "" for none
	To       string
	Subject  string
	Text     string
	Language string // BCP 47
}

// Mailer sends an e-mail. After [ErrRefused] it is useless to try again; after any other error the mail may have been sent.
type Mailer interface {
	Send(ctx context.Context, m *Message) error
}

// ErrRefused: the server will not take the message, now or later.
var ErrRefused = errors.New("the mail server refuses the message")

// mail returns the mail about a new document; nil if none is to be sent.
func (s *Service) mail(d *Document) *Mail {
	if s.config.Mailer == nil || d.Buyer.Email == "" || !slices.Contains(s.config.MailIn, d.Series.Environment) {
		return nil
	}
	return &Mail{Token: d.Token, Environment: d.Series.Environment, StoreID: d.Series.StoreID, To: d.Buyer.Email,
		State: MailPending, DueAt: d.IssuedAt, CreatedAt: d.IssuedAt, UpdatedAt: d.IssuedAt, Keep: s.config.KeepMails.Milliseconds()}
}

const (
	// lookEvery is how often the service looks for mails that are due.
	lookEvery = time.Second
	mailBatch = 20
)

// Run sends the mails that are due until ctx ends. Without a mailer it returns at once.
func (s *Service) Run(ctx context.Context) {
	if s.config.Mailer == nil {
		return
	}
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for ctx.Err() == nil {
		s.SendDue(ctx)
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
}

// SendDue sends the mails that are due, one after the other.
func (s *Service) SendDue(ctx context.Context) {
	mails, err := s.config.Store.DueMails(ctx, s.config.Now().UnixMilli(), mailBatch)
	if err != nil {
		s.config.Log.Error("mails that are due cannot be read", "error", err)
		return
	}
	for i := range mails {
		if ctx.Err() != nil {
			return
		}
		s.send(ctx, &mails[i])
	}
}

// send tries to send a mail and records the outcome. If the outcome cannot be recorded the mail is sent again, with the same
// Message-ID.
func (s *Service) send(ctx context.Context, m *Mail) {
	log := s.config.Log.With("environment", m.Environment, "store", m.StoreID)
	d, err := s.config.Store.Document(ctx, m.Token)
	if err != nil {
		log.Error("the document of a mail cannot be read", "error", err)
		return
	}
	trying, cancel := context.WithTimeout(ctx, MailTimeout)
	defer cancel()
	err = s.config.Mailer.Send(trying, s.message(d))
	if ctx.Err() != nil && err != nil {
		return // the server stops
	}
	m.tried(err, s.config.Now().UnixMilli())
	switch {
	case m.State == MailFailed:
		log.Error("a receipt was not sent by e-mail: given up", "document", d.Code(), "tries", m.Tries, "error", err)
	case err != nil:
		log.Warn("a receipt was not sent by e-mail: it is tried again", "document", d.Code(), "tries", m.Tries, "error", err)
	}
	if err := s.config.Store.WriteMail(ctx, m); err != nil {
		log.Error("the outcome of a mail cannot be written: it may be sent again", "document", d.Code(), "error", err)
	}
}

// message is the e-mail about a document, in the language of its checkout.
func (s *Service) message(d *Document) *Message {
	l := locale.Find(d.Language)
	if l == nil {
		l = locale.English()
	}
	title := l.Text(d.TitleKey())
	var text strings.Builder
	open := title
	if d.Series.Kind == Receipt && d.Preceding == nil {
		open = l.Text("document.open")
		fmt.Fprintf(&text, "%s\n\n", l.Text("paid.text", "merchant", d.StoreRef.Name))
	}
	amount := func(minor int64) string {
		written := l.Amount(money.Amount{Minor: minor, Currency: d.Currency})
		if l.Shared(d.Currency) {
			written += " " + string(d.Currency)
		}
		return written
	}
	fmt.Fprintf(&text, "%s %s\n%s\n\n", title, d.Code(), d.Line.Name)
	if d.Discount.Minor != 0 {
		fmt.Fprintf(&text, "%s: %s\n%s: \u2212%s\n", d.Line.Name, amount(d.ListPrice), d.Discount.Label, amount(d.Discount.Minor))
	}
	fmt.Fprintf(&text, "%s: %s\n%s: %s\n%s: %s\n\n", l.Text("subtotal"), amount(d.Subtotal), l.Text("tax"), amount(d.Tax), l.Text("total"), amount(d.Total))
	fmt.Fprintf(&text, "%s:\n%s\n\n", open, s.URL(d))
	if d.Series.Environment == checkout.Test {
		fmt.Fprintf(&text, "%s\n\n", l.Text("document.test"))
	}
	for _, part := range []string{d.Seller.Name, d.Seller.Street, strings.TrimSpace(d.Seller.Postcode + " " + d.Seller.City), l.Country(d.Seller.Country)} {
		if part != "" {
			fmt.Fprintln(&text, part)
		}
	}
	return &Message{ID: d.Token, FromName: d.StoreRef.Name, ReplyTo: d.StoreRef.SupportEmail, To: d.Buyer.Email,
		Subject: fmt.Sprintf("%s %s · %s", title, d.Code(), d.StoreRef.Name), Text: text.String(), Language: l.Tag}
}
