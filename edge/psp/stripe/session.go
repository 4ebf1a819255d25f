package stripe

import (
	"errors"
	"net/url"
	"strconv"
	"time"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/edge/psp"
)

var (
	errUnreadable = errors.New("stripe: the answer is not a checkout session")
	errUnpayable  = errors.New("stripe: the new checkout session has no URL")
)

// session is the part of Stripe's object that is the same in every version of the API.
type session struct {
	ID            string            `json:"id"`
	Object        string            `json:"object"`
	URL           string            `json:"url"`
	Status        string            `json:"status"`
	PaymentStatus string            `json:"payment_status"`
	AmountTotal   int64             `json:"amount_total"`
	Currency      string            `json:"currency"`
	PaymentIntent string            `json:"payment_intent"`
	Livemode      bool              `json:"livemode"`
	Metadata      map[string]string `json:"metadata"`
}

// Create sends a rendered request. A response without a URL counts as not understood.
func (g *Provider) Create(deadline time.Time, w psp.RenderedRequest, key string) (made psp.Created, callErr *psp.CallError) {
	callErr = g.send(deadline, outgoing{"POST", w.Path, w.Body, key}, func(got *reply) (err error) {
		made.Checkout, err = readSession(got.body)
		made.Replayed = got.replayed
		return err
	})
	if callErr == nil && made.URL == "" {
		return psp.Created{}, &psp.CallError{Class: psp.Unknown, Status: 200, Err: errUnpayable}
	}
	return made, callErr
}

// Retrieve reads a session.
func (g *Provider) Retrieve(deadline time.Time, ref string) (psp.Checkout, *psp.CallError) {
	remote, callErr := call(g, deadline, outgoing{method: "GET", path: sessionsPath + "/" + url.PathEscape(ref)}, readSession)
	if callErr != nil && callErr.Status == 404 && callErr.Code == "resource_missing" {
		return psp.Checkout{Ref: ref, Status: psp.CheckoutMissing}, nil
	}
	return remote, callErr
}

// Expire ends an open session. Stripe refuses that for one that is not open. Expire then reads the session and returns its state,
// unless it is open all the same.
func (g *Provider) Expire(deadline time.Time, ref string) (psp.Checkout, *psp.CallError) {
	remote, callErr := call(g, deadline, outgoing{method: "POST", path: sessionsPath + "/" + url.PathEscape(ref) + "/expire"}, readSession)
	if callErr == nil || callErr.Class != psp.Definitive {
		return remote, callErr
	}
	remote, failed := g.Retrieve(deadline, ref)
	switch {
	case failed != nil:
		return psp.Checkout{}, failed
	case remote.Status != psp.CheckoutOpen && remote.Status != psp.CheckoutUnknown:
		return remote, nil
	}
	return psp.Checkout{}, callErr
}

func readSession(body []byte) (psp.Checkout, error) {
	var s session
	if err := json.Unmarshal(body, &s); err != nil || s.ID == "" || s.Object != "checkout.session" {
		return psp.Checkout{}, errUnreadable
	}
	return s.remote(), nil
}

func (s *session) remote() psp.Checkout {
	r := psp.Checkout{
		Ref:       s.ID,
		Status:    status(s.Status),
		Paid:      s.PaymentStatus == "paid" || s.PaymentStatus == "no_payment_required",
		Total:     fromStripe(s.AmountTotal, s.Currency),
		Live:      s.Livemode,
		PaymentID: s.PaymentIntent,
	}
	setOrigin(&r, s.Metadata)
	if r.Status == psp.CheckoutOpen {
		r.URL = s.URL
	}
	return r
}

func status(s string) psp.CheckoutStatus {
	switch s {
	case "open":
		return psp.CheckoutOpen
	case "complete":
		return psp.CheckoutComplete
	case "expired":
		return psp.CheckoutExpired
	}
	return psp.CheckoutUnknown
}

// setOrigin reads back what Render put into the metadata. Attempt 0 is none of ours.
func setOrigin(r *psp.Checkout, metadata map[string]string) {
	n, err := strconv.ParseUint(metadata["attempt"], 10, 31)
	if err != nil {
		n = 0
	}
	r.OrderID, r.Attempt = metadata["order_id"], int(n)
	r.SessionID, r.Deployment = metadata["checkout_session_id"], metadata["deployment"]
}
