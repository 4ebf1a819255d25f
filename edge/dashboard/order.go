package dashboard

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/quoteview"
	"github.com/crepe-checkout/crepe/edge/sessions"
)

// status is a state with its meaning as a tone: "ok", "warn", "danger" or "" for none.
type status struct{ Text, Tone string }

var orderStates = map[orders.State]status{
	orders.Pending:         {"Being created", ""},
	orders.AwaitingPayment: {"Awaiting payment", ""},
	orders.Processing:      {"Processing", ""},
	orders.Paid:            {"Paid", "ok"},
	orders.PaidLate:        {"Paid late", "ok"},
	orders.RolledBack:      {"Rolled back", "warn"},
	orders.Expired:         {"Expired", ""},
	orders.Canceled:        {"Canceled", ""},
	orders.Failed:          {"Payment failed", "warn"},
	orders.RefundDue:       {"Refund due", "danger"},
}

// statusOf is the status of an order: its state or, if money of a paid one was returned, how much.
func statusOf(o *orders.Order) status {
	if o.State != orders.Paid && o.State != orders.PaidLate {
		return orderStates[o.State]
	}
	kept := int64(0)
	for i := range o.Payments {
		if p := &o.Payments[i]; p.Status == orders.Succeeded {
			kept += o.Charged(p).Minor
		}
	}
	for i := range o.Refunds {
		if r := &o.Refunds[i]; r.State == orders.RefundSucceeded {
			kept -= r.Amount
		}
	}
	switch {
	case kept <= 0:
		return status{"Refunded", ""}
	case kept < totalOf(soldAttempt(o)).Minor:
		return status{"Partly refunded", "ok"}
	}
	return orderStates[o.State]
}

var attemptStates = map[orders.AttemptState]status{
	orders.Sent:              {"Sent", ""},
	orders.Unresolved:        {"Outcome unknown", "warn"},
	orders.Open:              {"Open", ""},
	orders.Superseding:       {"Being replaced", ""},
	orders.Refused:           {"Refused", "warn"},
	orders.Abandoned:         {"Abandoned", "warn"},
	orders.Ended:             {"Ended", ""},
	orders.AttemptProcessing: {"Processing", ""},
	orders.Settled:           {"Paid", "ok"},
}

var paymentStates = map[orders.PaymentStatus]status{
	orders.Succeeded: {"Succeeded", "ok"},
	orders.Declined:  {"Declined", "warn"},
}

// orderPage shows an order.
type orderPage struct {
	ID        string
	Status    status
	Total     string
	Product   string
	CreatedAt int64
	UpdatedAt int64
	Facts     []fact
	Metadata  []fact
	Consents  []checkout.Consent
	Buyer     []fact
	Lines     []line
	Quote     *quoteview.Quote
	TaxFacts  []fact
	VAT       *vatCheck // nil without one
	Attempts  []attemptRow
	Payments  []paymentRow
	Tickets   []ticketRow
	Refunds   []refundRow
	Disputes  []disputeRow
}

// fact is a named text. Code is for texts that are compared letter by letter, such as ids.
type fact struct {
	Name, Text string
	Code       bool
	Path       string // of a page about it, or ""
}

// line is a line of the amounts.
type line struct{ Name, Amount string }

type attemptRow struct {
	N              int
	Status         status
	Provider, Ref  string
	Amount         string
	SentAt         int64
	Tries          int
	Error          string
	UnknownOutcome bool // an earlier try may have had its effect
}

type paymentRow struct {
	ID            string
	Status        status
	At            int64
	Amount        string
	Method        string
	Provider, Ref string
	Reason        string
	Document      document
	Refund        string // path of the form that refunds it, "" if nothing can be refunded
}

// document is the receipt of a payment or the credit note of a refund. Path is "" while there is none.
type document struct{ Number, Path string }

func (h *Handler) documentOf(v *visit, o *orders.Order, eventID string) (document, error) {
	d, err := h.config.Documents.DocumentOf(v.ctx, v.env, o.ID, eventID)
	if errors.Is(err, invoices.ErrNotFound) {
		return document{}, nil
	}
	if err != nil {
		return document{}, err
	}
	return document{d.Code(), d.Path()}, nil
}

// order shows one order of the visit's environment.
func (h *Handler) order(v *visit) (page, error) {
	o, err := h.config.Orders.Order(v.ctx, v.env, v.id)
	if err != nil {
		return page{}, err
	}
	session, err := h.config.Sessions.Session(v.ctx, o.SessionID)
	if errors.Is(err, sessions.ErrNotFound) {
		session, err = new(sessions.Session), nil
	}
	if err != nil {
		return page{}, err
	}
	sold := o.Sold()
	p := &orderPage{ID: o.ID, Status: statusOf(o), Total: amount(totalOf(soldAttempt(o))), Product: sold.Product.Name,
		CreatedAt: o.CreatedAt, UpdatedAt: o.UpdatedAt, Buyer: buyerFacts(o), Quote: quoteview.New(&sold.Quote, true)}
	p.Facts = facts(
		fact{"Order", o.ID, true, ""}, fact{"Product", sold.Product.Name, false, v.path("products", sold.Product.ID)}, fact{"Product id", sold.Product.ID, true, ""},
		fact{"Store", v.stores.name(o.StoreID), false, ""}, fact{"Store id", o.StoreID, true, ""}, fact{"Merchant", o.MerchantID, true, ""}, fact{"Session", o.SessionID, true, v.path("sessions", o.SessionID)},
		fact{"External id", session.ExternalID, true, ""},
	)
	p.Metadata = metadata(session.Metadata)
	p.Consents = sold.Consents
	p.Lines = linesOf(p.Quote)
	p.TaxFacts = taxFacts(p.Quote)
	for i := range o.Attempts {
		p.Attempts = append(p.Attempts, attemptOf(&o.Attempts[i]))
	}
	for i := range o.Payments {
		row := paymentOf(v, o, &o.Payments[i])
		if row.Document, err = h.documentOf(v, o, row.ID); err != nil {
			return page{}, err
		}
		p.Payments = append(p.Payments, row)
	}
	check, err := h.vatCheckOf(v, o)
	if err != nil {
		return page{}, err
	}
	if check != nil {
		p.VAT = vatCheckView(check)
	}
	if err := h.addRefunds(v, p, o); err != nil {
		return page{}, err
	}
	return page{template: "order", title: "Order of " + sold.Product.Name, data: p}, nil
}

// soldAttempt is the attempt of [orders.Order.Sold].
func soldAttempt(o *orders.Order) *orders.Attempt {
	for i := range o.Attempts {
		if o.Attempts[i].State == orders.Settled {
			return &o.Attempts[i]
		}
	}
	return o.Current()
}

// metadata is what the merchant has stored with a session, sorted by name.
func metadata(m map[string]string) (list []fact) {
	for _, name := range slices.Sorted(maps.Keys(m)) {
		list = append(list, fact{Name: name, Text: m[name], Code: true})
	}
	return list
}

// facts leaves out those without a text.
func facts(all ...fact) (known []fact) {
	for _, f := range all {
		if f.Text != "" {
			known = append(known, f)
		}
	}
	return known
}

func buyerFacts(o *orders.Order) []fact {
	sold := o.Sold()
	b := &sold.Billing
	kind := "Consumer"
	if b.IsBusiness {
		kind = "Business"
	}
	taxID := b.TaxID
	if taxID != "" && b.TaxIDChecked {
		taxID += " (check digits are valid)"
	}
	return facts(
		fact{"E-mail", sold.BuyerEmail, false, ""}, fact{"Identity", sold.BuyerIdentity, true, ""}, fact{"Kind", kind, false, ""},
		fact{"Business", b.BusinessName, false, ""}, fact{"Tax id", taxID, false, ""},
		fact{"Country", strings.TrimSuffix(string(b.Country)+"-"+b.State, "-"), false, ""}, fact{"Postcode", b.Postcode, false, ""},
		fact{"IP address", sold.BuyerIP, true, ""},
	)
}

func linesOf(q *quoteview.Quote) []line {
	var lines []line
	if d := q.Discount; d != nil {
		lines = append(lines, line{"List price", grouped(q.ListPrice) + " " + q.Currency}, line{d.Label, "−" + grouped(d.Amount) + " " + q.Currency})
	}
	lines = append(lines, line{"Subtotal", grouped(q.Subtotal) + " " + q.Currency})
	for _, c := range q.Components {
		lines = append(lines, line{c.Name + " " + string(c.RatePercent) + " %, " + c.Jurisdiction, grouped(c.Amount) + " " + q.Currency})
	}
	if len(q.Components) == 0 {
		lines = append(lines, line{"Tax", grouped(q.TaxAmount) + " " + q.Currency})
	}
	return lines
}

func taxFacts(q *quoteview.Quote) []fact {
	return facts(
		fact{"Reason", sentence(q.Reason), false, ""}, fact{"Precision", sentence(q.Precision), false, ""},
		fact{"Confidence", confidences[q.Confidence], false, ""}, fact{"Location evidence", evidences[q.Evidence], false, ""},
		fact{"Rules of", q.On, false, ""}, fact{"Data", q.DataVersion, true, ""},
	)
}

// confidences and evidences explain the values of a quote.
var confidences = map[string]string{"A": "A: an official text", "B": "B: several sources agree", "C": "C: one source", "X": "X: sources conflict"}

var evidences = map[string]string{"none": "The IP address is not known", "agree": "Billing country and IP address agree",
	"conflict": "Billing country and IP address differ; the billing country is charged"}

// sentence turns a name in kebab-case or snake case into words: "reverse-charge" is "Reverse charge".
func sentence(name string) string {
	if name == "" {
		return ""
	}
	return strings.ToUpper(name[:1]) + strings.NewReplacer("-", " ", "_", " ").Replace(name[1:])
}

func attemptOf(a *orders.Attempt) attemptRow {
	return attemptRow{N: a.N, Status: attemptStates[a.State], Provider: a.Provider, Ref: a.Ref, Amount: amount(totalOf(a)), SentAt: a.SentAt,
		Tries: a.Tries, Error: a.LastError, UnknownOutcome: a.EverUnknown}
}

func paymentOf(v *visit, o *orders.Order, p *orders.Payment) paymentRow {
	r := paymentRow{ID: p.ID, Status: paymentStates[p.Status], At: p.At, Method: sentence(p.Method), Provider: p.Provider, Ref: p.Ref, Reason: p.Reason}
	if p.Last4 != "" {
		r.Method = strings.TrimSpace(r.Method + " ending in " + p.Last4)
	}
	if a := o.Attempt(p.Attempt); a != nil {
		r.Amount = amount(totalOf(a))
	}
	if refundable(o, p) {
		r.Refund = v.path("refunds", p.ID)
	}
	return r
}
