package orders

import (
	"context"
	"errors"
	"time"
	"unicode/utf8"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/sessions"
	"github.com/crepe-checkout/crepe/edge/shortid"
)

// The bounds of a ticket.
const (
	maxReason         = 1000 // characters
	maxTicketMetadata = 4096 // bytes of JSON
	maxExternalID     = 128  // characters, as of an order
	maxTickets        = 50   // of an order
	maxVersions       = 20   // of a ticket
)

// TicketRequest is what a caller asks for, as typed.
type TicketRequest struct {
	PaymentID  string
	Reason     string
	Amount     string // in the currency's own decimals, "29.00"
	Currency   string
	Metadata   string // a JSON object, "" for none
	ExternalID string

	// Name is the same for repetitions of one request and differs for any other; "" if that is not known.
	Name string
}

// id is the id of the ticket that the request creates: of a repetition the same.
func (r *TicketRequest) id(s *Service) string {
	if r.Name == "" {
		return s.newID(shortid.Ticket)
	}
	return shortid.Format(shortid.Ticket, shortid.Named(r.Name))
}

// CreateTicket asks to return the money of a payment. A merchant's ticket is executed at once, and what is unknown of it then is
// resolved later: the ticket is processing until the provider has said what became of it. A customer's ticket waits for the merchant.
// A repetition of a request whose answer was lost returns its ticket. Refusals are a [*problem.Problem], and nothing has been written
// for them. client is as in [Service.Create].
func (s *Service) CreateTicket(ctx context.Context, scope Scope, r TicketRequest, client string) (*Order, *Ticket, error) {
	if err := r.check(); err != nil {
		return nil, nil, err
	}
	submitter := Submitter{ID: scope.Identity}
	if scope.Merchant() {
		submitter = Submitter{ID: scope.MerchantID, Merchant: true}
	}
	id := r.id(s)
	o, err := s.onPayment(ctx, &scope, r.PaymentID, client, func(f *flow) error { return f.createTicket(id, submitter, &r) })
	if err != nil {
		return nil, nil, err
	}
	return o, o.Ticket(id), nil
}

// ResubmitTicket submits a rejected ticket again, with another reason or amount. Errors are as of [Service.CreateTicket].
func (s *Service) ResubmitTicket(ctx context.Context, scope Scope, id string, r TicketRequest, client string) (*Order, *Ticket, error) {
	if id == "" {
		return nil, nil, errTicketIDRequired
	}
	if err := r.check(); err != nil {
		return nil, nil, err
	}
	o, err := s.onPayment(ctx, &scope, r.PaymentID, client, func(f *flow) error {
		t := f.order.Ticket(id)
		if t == nil || t.PaymentID != r.PaymentID {
			return errTicketUnknown
		}
		if t.Status != TicketRejected {
			return ticketStatus("resubmitted", t)
		}
		if len(t.Versions) >= maxVersions {
			return errTooManyTickets
		}
		version, err := f.version(&r)
		if err != nil {
			return err
		}
		t.Versions = append(t.Versions, version)
		t.ReviewerID, t.ReviewedAt, t.ReviewNote, t.RejectReason = "", 0, "", ""
		return f.submit(t, scope.Merchant())
	})
	if err != nil {
		return nil, nil, err
	}
	return o, o.Ticket(id), nil
}

// onPayment reads the order of a payment in a scope and takes a step on it, again on a later version of the order if that was
// written meanwhile. It returns the order as it is then.
func (s *Service) onPayment(ctx context.Context, scope *Scope, paymentID, client string, step func(*flow) error) (*Order, error) {
	read := func() (*Order, error) {
		o, err := s.config.Store.OrderOf(ctx, scope.Environment, paymentID)
		if errors.Is(err, ErrNotFound) || err == nil && (!scope.contains(o) || o.Payment(paymentID) == nil) {
			return nil, errPaymentUnknown
		}
		return o, err
	}
	if _, ok := shortid.Parse(shortid.Payment, paymentID); !ok {
		return nil, errPaymentUnknown
	}
	return s.onOrder(ctx, client, read, step)
}

// onOrder reads an order and takes a step on it while nobody else in this process does.
func (s *Service) onOrder(ctx context.Context, client string, read func() (*Order, error), step func(*flow) error) (*Order, error) {
	o, err := read()
	if err != nil {
		return nil, err
	}
	deadline := s.config.Now().Add(s.config.Budget)
	unlock, ok := s.sessions.lock(o.SessionID, s.config.Budget)
	if !ok {
		return nil, errBusy
	}
	defer unlock()
	for {
		f := flow{Service: s, ctx: ctx, deadline: deadline}
		if err = f.have(read()); err != nil {
			return nil, err
		}
		if provider, ok := s.config.Providers[f.order.Environment]; ok {
			f.buyer = provider.ForBuyer(f.order.StoreID, client, f.order.SessionID)
			f.provider = f.buyer
		}
		if err = step(&f); !errors.Is(err, ErrStale) {
			return f.order, err
		}
		if !s.config.Now().Before(deadline) {
			return nil, errBusy
		}
	}
}

func (f *flow) createTicket(id string, submitter Submitter, r *TicketRequest) error {
	if f.order.Ticket(id) != nil {
		return nil
	}
	version, err := f.version(r)
	if err != nil {
		return err
	}
	if len(f.order.Tickets) >= maxTickets {
		return errTooManyTickets
	}
	f.order.Tickets = append(f.order.Tickets, Ticket{ID: id, PaymentID: r.PaymentID, Submitter: submitter, ExternalID: r.ExternalID,
		Metadata: r.Metadata, Versions: []TicketVersion{version}, CreatedAt: f.nowMilli()})
	return f.submit(f.order.Ticket(id), submitter.Merchant)
}

// submit persists a new version of a ticket. A merchant's own is approved and executed.
func (f *flow) submit(t *Ticket, merchant bool) error {
	t.Status, t.UpdatedAt = TicketPending, f.nowMilli()
	f.order.UpdatedAt = f.nowMilli()
	if !merchant {
		return f.commit(Change{Order: f.order})
	}
	t.Status = TicketApproved
	t.ReviewerID, t.ReviewedAt = t.Submitter.ID, f.nowMilli()
	switch {
	case f.provider != nil:
		return f.execute(t)
	case f.operator:
		return f.commit(Change{Order: f.order})
	}
	return sessions.ProviderMissing(problem.Unavailable, f.order.Environment)
}

// version checks a request against the payment and returns the ticket's version.
func (f *flow) version(r *TicketRequest) (v TicketVersion, err error) {
	p := f.order.Payment(r.PaymentID)
	if p.Status != Succeeded || f.order.Quote(p) == nil {
		return v, paymentStatus(p)
	}
	charged := f.order.Charged(p)
	if money.Currency(r.Currency) != charged.Currency {
		return v, wrongCurrency(charged.Currency)
	}
	amount, ok := money.ParseAmount(r.Amount, charged.Currency)
	left := f.order.Refundable(p)
	if !ok || amount.Minor <= 0 && left > 0 {
		return v, errAmountInvalid
	}
	for i := range f.order.Tickets {
		if t := &f.order.Tickets[i]; t.PaymentID == p.ID && t.Status.Open() {
			return v, errTicketOpen
		}
	}
	if !f.operator && f.nowMilli() > p.At+f.config.RefundWindow.Milliseconds() {
		return v, windowClosed(f.config.RefundWindow)
	}
	if amount.Minor > left || left <= 0 {
		return v, amountTooLarge(money.Amount{Minor: left, Currency: charged.Currency})
	}
	return TicketVersion{ID: shortid.NewV7(f.config.Now(), f.config.Rand).String(), Reason: r.Reason, Amount: amount.Minor, SubmittedAt: f.nowMilli()}, nil
}

// check refuses what is wrong whatever the payment is.
func (r *TicketRequest) check() error {
	switch {
	case r.PaymentID == "":
		return errPaymentIDRequired
	case r.Reason == "":
		return errReasonRequired
	case utf8.RuneCountInString(r.Reason) > maxReason:
		return errReasonTooLong
	case r.Amount == "":
		return errAmountRequired
	case r.Currency == "":
		return errCurrencyRequired
	case utf8.RuneCountInString(r.ExternalID) > maxExternalID:
		return errTicketExternalID
	case len(r.Metadata) > maxTicketMetadata:
		return errTicketMetadata
	}
	if _, ok := money.ParseCurrency(r.Currency); !ok {
		return errCurrencyInvalid
	}
	return nil
}

// Review is the decision of a person on a customer's ticket.
type Review struct {
	Environment checkout.Environment
	TicketID    string
	Approve     bool
	Reviewer    string // who decides
	Note        string // why it is rejected, or a note on the approval
}

// ReviewTicket approves or rejects a ticket that is pending. An approved one is executed at once if there is a provider, otherwise
// by the sweeper of the server that starts next. Errors are as of [Service.CreateTicket].
func (s *Service) ReviewTicket(ctx context.Context, r Review) (*Order, *Ticket, error) {
	read := func() (*Order, error) {
		o, err := s.config.Store.OrderOf(ctx, r.Environment, r.TicketID)
		if errors.Is(err, ErrNotFound) || err == nil && o.Ticket(r.TicketID) == nil {
			return nil, errTicketUnknown
		}
		return o, err
	}
	o, err := s.onOrder(ctx, "", read, func(f *flow) error { return f.review(f.order.Ticket(r.TicketID), &r) })
	if err != nil {
		return nil, nil, err
	}
	return o, o.Ticket(r.TicketID), nil
}

func (f *flow) review(t *Ticket, r *Review) error {
	verb := map[bool]string{true: "approved", false: "rejected"}[r.Approve]
	p, now := f.order.Payment(t.PaymentID), f.nowMilli()
	switch {
	case t.Status != TicketPending:
		return ticketStatus(verb, t)
	case utf8.RuneCountInString(r.Note) > maxReason:
		return errReasonTooLong
	case r.Approve && t.Current().Amount > f.order.Refundable(p):
		return amountTooLarge(money.Amount{Minor: f.order.Refundable(p), Currency: f.order.Charged(p).Currency})
	}
	t.ReviewerID, t.ReviewedAt, t.UpdatedAt, f.order.UpdatedAt = r.Reviewer, now, now, now
	if !r.Approve {
		t.Status, t.RejectReason = TicketRejected, r.Note
		return f.commit(Change{Order: f.order})
	}
	t.Status, t.ReviewNote = TicketApproved, r.Note
	if f.provider == nil {
		return f.commit(Change{Order: f.order})
	}
	return f.execute(t)
}

// RefundWindow is how long after a payment a refund can be asked for, unless it is set.
const RefundWindow = 14 * 24 * time.Hour
