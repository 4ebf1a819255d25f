package stripe

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/edge/psp"
)

const refundsPath = "/v1/refunds"

var errNoRefund = errors.New("stripe: the answer is not a refund")

// refund is the part of Stripe's object that is the same in every version of the API.
type refund struct {
	ID            string            `json:"id"`
	Object        string            `json:"object"`
	Amount        int64             `json:"amount"`
	Created       int64             `json:"created"`
	Currency      string            `json:"currency"`
	FailureReason string            `json:"failure_reason"`
	Metadata      map[string]string `json:"metadata"`
	PaymentIntent string            `json:"payment_intent"`
	Status        string            `json:"status"`
}

// RenderRefund writes the parameters in a fixed order, because the bytes are stored and may be sent again. Stripe's reasons are a
// short list, so the text of the ticket is not sent.
func (g *Provider) RenderRefund(p psp.RefundParams) (psp.RenderedRequest, error) {
	amount, ok := toStripe(p.Amount.Minor, p.Amount.Currency)
	if !ok || amount == 0 || p.PaymentID == "" || p.OrderID == "" || p.N < 1 {
		return psp.RenderedRequest{}, fmt.Errorf("stripe: cannot refund %d minor units of %s", p.Amount.Minor, p.Amount.Currency)
	}
	f := make(form, 0, 256)
	f.add("payment_intent", p.PaymentID)
	f.add("amount", strconv.FormatInt(amount, 10))
	if p.Duplicate {
		f.add("reason", "duplicate")
	} else {
		f.add("reason", "requested_by_customer")
	}
	f.add("metadata[order_id]", p.OrderID)
	f.add("metadata[refund]", strconv.Itoa(p.N))
	f.addIfAny("metadata[deployment]", p.Deployment)
	return psp.RenderedRequest{Path: refundsPath, Body: f}, nil
}

// CreateRefund sends a rendered request.
func (g *Provider) CreateRefund(deadline time.Time, w psp.RenderedRequest, key string) (psp.Refund, *psp.CallError) {
	return call(g, deadline, outgoing{"POST", w.Path, w.Body, key}, readRefund)
}

// RetrieveRefund reads a refund.
func (g *Provider) RetrieveRefund(deadline time.Time, ref string) (psp.Refund, *psp.CallError) {
	r, callErr := call(g, deadline, outgoing{method: "GET", path: refundsPath + "/" + url.PathEscape(ref)}, readRefund)
	if callErr != nil && callErr.Status == 404 && callErr.Code == "resource_missing" {
		return psp.Refund{Ref: ref, Status: psp.RefundMissing}, nil
	}
	return r, callErr
}

// ListRefunds lists refunds (https://docs.stripe.com/api/refunds/list).
func (g *Provider) ListRefunds(deadline time.Time, paymentID string, created psp.Span, after string) (psp.Page[psp.Refund], *psp.CallError) {
	query := pageQuery(after) + createdQuery(created)
	if paymentID != "" {
		query += "&payment_intent=" + url.QueryEscape(paymentID)
	}
	return call(g, deadline, outgoing{method: "GET", path: refundsPath + query}, func(body []byte) (psp.Page[psp.Refund], error) {
		return readPage(body, func(r *refund) (string, psp.Refund) { return r.ID, r.remote() })
	})
}

func readRefund(body []byte) (psp.Refund, error) {
	var r refund
	if err := json.Unmarshal(body, &r); err != nil || r.ID == "" || r.Object != "refund" {
		return psp.Refund{}, errNoRefund
	}
	return r.remote(), nil
}

func (r *refund) remote() psp.Refund {
	n, err := strconv.ParseUint(r.Metadata["refund"], 10, 31)
	if err != nil {
		n = 0
	}
	return psp.Refund{
		Ref: r.ID, Status: refundStatus(r.Status), PaymentID: r.PaymentIntent, Amount: fromStripe(r.Amount, r.Currency),
		Failure: r.FailureReason, Created: time.Unix(r.Created, 0).UTC(),
		OrderID: r.Metadata["order_id"], N: int(n), Deployment: r.Metadata["deployment"],
	}
}

// refundStatus: a refund that requires action waits for the buyer to name a bank account.
func refundStatus(s string) psp.RefundStatus {
	switch s {
	case "pending", "requires_action":
		return psp.RefundPending
	case "succeeded":
		return psp.RefundSucceeded
	case "failed", "canceled":
		return psp.RefundFailed
	}
	return psp.RefundUnknown
}

// charge is Stripe's charge, as far as it tells of refunds.
type charge struct {
	ID             string `json:"id"`
	Object         string `json:"object"`
	AmountRefunded int64  `json:"amount_refunded"`
	Currency       string `json:"currency"`
	PaymentIntent  string `json:"payment_intent"`
}

// dispute is Stripe's dispute.
type dispute struct {
	ID            string `json:"id"`
	Object        string `json:"object"`
	Amount        int64  `json:"amount"`
	Currency      string `json:"currency"`
	PaymentIntent string `json:"payment_intent"`
	Reason        string `json:"reason"`
	Status        string `json:"status"`
}

// readMoneyBack reads the object of an event that is about a payment and carries nothing of ours. Whether the payment is ours,
// the service finds out. A refund or a charge without a payment intent is none of ours.
func (e *event) readMoneyBack(read *psp.Event) error {
	read.Live = e.Livemode
	var err error
	switch read.Kind {
	case psp.EventRefund:
		read.Refund, err = readRefund(e.Data.Object)
	case psp.EventRefunded:
		var c charge
		if err = json.Unmarshal(e.Data.Object, &c); err != nil || c.ID == "" || c.Object != "charge" {
			return errEventShape
		}
		read.Refund = psp.Refund{PaymentID: c.PaymentIntent, Amount: fromStripe(c.AmountRefunded, c.Currency)}
	case psp.EventDispute:
		var d dispute
		if err = json.Unmarshal(e.Data.Object, &d); err != nil || d.ID == "" || d.Object != "dispute" {
			return errEventShape
		}
		read.Dispute = psp.Dispute{Ref: d.ID, PaymentID: d.PaymentIntent, Amount: fromStripe(d.Amount, d.Currency), Status: d.Status,
			Reason: d.Reason, Closed: e.Type == "charge.dispute.closed"}
	}
	if err == nil && cmp.Or(read.Refund.PaymentID, read.Dispute.PaymentID) == "" {
		*read = psp.Event{ID: read.ID, Created: read.Created}
	}
	return err
}

// createdQuery is the part of a list's query that limits the time.
func createdQuery(created psp.Span) string {
	var query strings.Builder
	if !created.Since.IsZero() {
		query.WriteString("&created[gte]=" + strconv.FormatInt(created.Since.Unix(), 10))
	}
	if !created.Until.IsZero() {
		query.WriteString("&created[lte]=" + strconv.FormatInt(created.Until.Unix(), 10))
	}
	return query.String()
}
