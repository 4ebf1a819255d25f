package admin

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp"
)

// pageSize is the number of entries of a page.
const pageSize = 500

// ListRequest asks for a page of a list in one environment.
type ListRequest struct {
	Environment string `json:"environment"`     // test or prod
	After       string `json:"after,omitempty"` // "" for the first page, then Next of the page before
}

// List is a page of a list.
type List[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"` // "" for the last page
}

// QuarantinedEvent is a payment event that matches no order. Its order id is what the provider reported, and can be any text.
type QuarantinedEvent struct {
	At          *time.Time           `json:"at"` // when it was put in quarantine; in an old record when it happened
	Environment checkout.Environment `json:"environment"`
	ID          string               `json:"id"` // PROVIDER/EVENT_ID
	CheckoutID  string               `json:"checkoutId,omitempty"`
	PaymentID   string               `json:"paymentId,omitempty"`
	Paid        bool                 `json:"paid"`
	Amount      string               `json:"amount"`
	Currency    string               `json:"currency"`
	OrderID     string               `json:"orderId,omitempty"`
	SessionID   string               `json:"sessionId,omitempty"`
	Why         string               `json:"why,omitempty"`
	HandledAt   *time.Time           `json:"handledAt"` // null while nobody has handled it
}

func (a *Admin) listQuarantined(ctx context.Context, in ListRequest) (List[QuarantinedEvent], error) {
	return list(ctx, in, a.config.Reviews.Quarantined, func(q *orders.Quarantined) QuarantinedEvent {
		at := moment(q.QuarantinedAt)
		if at == nil && !q.Created.IsZero() {
			at = moment(q.Created.UnixMilli())
		}
		return QuarantinedEvent{At: at, Environment: q.Environment, ID: q.Provider + "/" + q.ID, CheckoutID: q.Checkout.Ref,
			PaymentID: q.Checkout.PaymentID, Paid: q.Checkout.Paid, Amount: q.Checkout.Total.String(), Currency: string(q.Checkout.Total.Currency),
			OrderID: q.Checkout.OrderID, SessionID: q.Checkout.SessionID, Why: whyQuarantined(q), HandledAt: moment(q.HandledAt)}
	})
}

func whyQuarantined(q *orders.Quarantined) string {
	if q.Why == "orders: not found" { // of an older version
		return "there is no such order"
	}
	return strings.TrimPrefix(q.Why, "orders: ")
}

// HandleRequest marks an entry of a list as handled.
type HandleRequest struct {
	Environment string `json:"environment,omitempty"` // "" to look in both
	ID          string `json:"id"`
}

// Handled says which entry was marked.
type Handled struct {
	Environment checkout.Environment `json:"environment"`
	ID          string               `json:"id"`
}

func (a *Admin) handleQuarantined(ctx context.Context, in HandleRequest) (Handled, error) {
	provider, event, ok := strings.Cut(in.ID, "/")
	if !ok || provider == "" || event == "" {
		return Handled{}, refusef(problem.Invalid, "%q is no entry of the quarantine: expected PROVIDER/EVENT_ID", in.ID)
	}
	env, err := inOneOf(in.Environment, orders.ErrNotFound, func(env checkout.Environment) error {
		return a.config.Orders.HandleQuarantined(ctx, env, provider, event)
	})
	if errors.Is(err, orders.ErrNotFound) {
		err = refusef(problem.NotFound, "there is no event %s in quarantine%s", in.ID, where(in.Environment))
	}
	return Handled{env, in.ID}, err
}

// Refund is an order that was paid more than once.
type Refund struct {
	At          *time.Time           `json:"at"` // of the latest change
	Environment checkout.Environment `json:"environment"`
	OrderID     string               `json:"orderId"`
	SessionID   string               `json:"sessionId"`
	Payments    []Payment            `json:"payments"`  // oldest first; all but one are to be refunded
	HandledAt   *time.Time           `json:"handledAt"` // null while nobody has handled it
}

// Payment is one of the payments of an order.
type Payment struct {
	At         *time.Time `json:"at"`
	ID         string     `json:"id"` // for crepe refund create
	Provider   string     `json:"provider"`
	PaymentID  string     `json:"paymentId"`
	CheckoutID string     `json:"checkoutId"`
	Amount     string     `json:"amount"`
	Currency   string     `json:"currency"`
}

func (a *Admin) listRefunds(ctx context.Context, in ListRequest) (List[Refund], error) {
	return list(ctx, in, a.config.Reviews.RefundDue, func(o *orders.Order) Refund {
		return Refund{At: moment(o.UpdatedAt), Environment: o.Environment, OrderID: o.ID, SessionID: o.SessionID,
			Payments: payments(o), HandledAt: moment(o.RefundHandledAt)}
	})
}

func payments(o *orders.Order) []Payment {
	list := []Payment{}
	for _, p := range o.Payments {
		attempt := o.Attempt(p.Attempt)
		if p.Status != orders.Succeeded || attempt == nil {
			continue
		}
		quote := &attempt.Placed.Quote
		total := money.Amount{Minor: quote.Assessment.Total, Currency: quote.Currency}
		list = append(list, Payment{At: moment(p.At), ID: p.ID, Provider: p.Provider, PaymentID: p.Ref, CheckoutID: attempt.Ref,
			Amount: total.String(), Currency: string(total.Currency)})
	}
	return list
}

func (a *Admin) handleRefund(ctx context.Context, in HandleRequest) (Handled, error) {
	env, err := inOneOf(in.Environment, orders.ErrNotFound, func(env checkout.Environment) error {
		return a.config.Orders.HandleRefund(ctx, env, in.ID)
	})
	if errors.Is(err, orders.ErrNotFound) {
		err = refusef(problem.NotFound, "there is no order %q with a refund due%s", in.ID, where(in.Environment))
	}
	return Handled{env, in.ID}, err
}

// where names the environment that a request was limited to.
func where(environment string) string {
	if environment == "" {
		return ""
	}
	return " in " + environment
}

// list reads a page of a list and converts each entry by show.
func list[T, Shown any](ctx context.Context, in ListRequest,
	read func(context.Context, checkout.Environment, string, int) (psp.Page[T], error), show func(*T) Shown) (List[Shown], error) {
	env, ok := checkout.ParseEnvironment(in.Environment)
	if !ok {
		return List[Shown]{}, refusef(problem.Invalid, "there is no environment %q: expected test or prod", in.Environment)
	}
	page, err := read(ctx, env, in.After, pageSize)
	shown := List[Shown]{Items: make([]Shown, len(page.Items)), Next: page.Next}
	for i := range page.Items {
		shown.Items[i] = show(&page.Items[i])
	}
	return shown, err
}

// moment converts Unix milliseconds; nil for 0.
func moment(milli int64) *time.Time {
	if milli == 0 {
		return nil
	}
	t := time.UnixMilli(milli).UTC()
	return &t
}
