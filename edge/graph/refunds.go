package graph

import (
	"cmp"
	"context"
	"math"
	"slices"

	graphql "github.com/graph-gophers/graphql-go"

	"github.com/crepe-checkout/crepe/edge/orders"
)

type ticketFilter struct {
	ID, Status, PaymentID, OrderMerchantExternalID, RefundTicketMerchantExternalID *stringFilter
	CreatedAt                                                                      *dateTimeFilter
}

func (f *ticketFilter) check() error {
	if f == nil {
		return nil
	}
	return checked(f.ID, f.Status, f.PaymentID, f.OrderMerchantExternalID, f.RefundTicketMerchantExternalID, f.CreatedAt)
}

// statusAlone returns the status that the filter asks for, and whether it asks for nothing else: then the store has the count.
func (f *ticketFilter) statusAlone() (status string, alone bool) {
	switch {
	case f == nil || *f == ticketFilter{}:
		return "", true
	case !f.Status.exact() || *f.Status != stringFilter{Eq: f.Status.Eq}:
		return "", false
	}
	return *f.Status.Eq, *f == ticketFilter{Status: f.Status}
}

// counted returns what count says of the stores that the viewer may see.
func (v *viewer) counted(ctx context.Context, storeID *string, count func(orders.List) (int, error)) (int32, error) {
	l, err := v.listIn(ctx, storeID)
	if err != nil {
		return 0, err
	}
	n, err := count(l)
	return int32(min(n, math.MaxInt32)), err
}

// match compares with what a ticket or a refund has.
func (f *ticketFilter) match(ctx context.Context, v *viewer, o *orders.Order, id, status, paymentID, externalID string, createdAt int64) bool {
	return f == nil || f.ID.match(id) && f.Status.match(status) && f.PaymentID.match(paymentID) &&
		f.RefundTicketMerchantExternalID.match(externalID) && f.CreatedAt.match(createdAt) &&
		(f.OrderMerchantExternalID == nil || f.OrderMerchantExternalID.match(v.externalID(ctx, o)))
}

type ticketsArgs struct {
	StoreID *string
	paging
	Filter *ticketFilter
}

type ticketsCountArgs struct {
	StoreID *string
	Filter  *ticketFilter
}

// pageOf returns the page that args ask for, of what read finds for the viewer.
func pageOf[T any](ctx context.Context, args *ticketsArgs,
	read func(v *viewer, ctx context.Context, storeID *string, f *ticketFilter, enough int) ([]T, error)) ([]T, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return nil, err
	}
	limit, offset, err := args.bounds()
	if err != nil {
		return nil, err
	}
	matching, err := read(v, ctx, args.StoreID, args.Filter, limit+offset)
	if err != nil {
		return nil, err
	}
	return page(args.paging, matching)
}

func (q *query) RefundTickets(ctx context.Context, args ticketsArgs) ([]*refundTicket, error) {
	return pageOf(ctx, &args, (*viewer).tickets)
}

func (q *query) RefundTicketsCount(ctx context.Context, args ticketsCountArgs) (int32, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return 0, err
	}
	if err := args.Filter.check(); err != nil {
		return 0, err
	}
	if status, alone := args.Filter.statusAlone(); alone && v.scope.Merchant() {
		return v.counted(ctx, args.StoreID, func(l orders.List) (int, error) {
			return v.config.Records.CountTickets(ctx, l, orders.TicketStatus(status))
		})
	}
	matching, err := v.tickets(ctx, args.StoreID, args.Filter, math.MaxInt)
	return int32(len(matching)), err
}

// tickets reads the tickets that match a filter, the newest first, at least as many as enough if there are.
func (v *viewer) tickets(ctx context.Context, storeID *string, f *ticketFilter, enough int) (matching []*refundTicket, err error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	var status orders.TicketStatus
	if f != nil && f.Status.exact() {
		status = orders.TicketStatus(*f.Status.Eq)
	}
	read := func(l orders.List) (orders.ItemPage, error) { return v.config.Records.TicketIDs(ctx, l, status) }
	err = v.eachOrder(ctx, storeID, read, func(o *orders.Order, id string) bool {
		for i := range o.Tickets {
			t := &o.Tickets[i]
			if (id == "" || t.ID == id) && f.match(ctx, v, o, t.ID, string(t.Status), t.PaymentID, t.ExternalID, t.CreatedAt) {
				matching = append(matching, &refundTicket{v, o, t})
			}
		}
		return len(matching) < enough
	})
	slices.SortStableFunc(matching, func(a, b *refundTicket) int { return cmp.Compare(b.record.CreatedAt, a.record.CreatedAt) })
	return matching, err
}

func (q *query) Refunds(ctx context.Context, args ticketsArgs) ([]*refund, error) {
	return pageOf(ctx, &args, (*viewer).refunds)
}

func (q *query) RefundsCount(ctx context.Context, args ticketsCountArgs) (int32, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return 0, err
	}
	if status, alone := args.Filter.statusAlone(); alone && status == "" && v.scope.Merchant() {
		return v.counted(ctx, args.StoreID, func(l orders.List) (int, error) { return v.config.Records.CountRefunds(ctx, l) })
	}
	matching, err := v.refunds(ctx, args.StoreID, args.Filter, math.MaxInt)
	return int32(len(matching)), err
}

// refunds reads the refunds that match a filter, the newest first, at least as many as enough if there are.
func (v *viewer) refunds(ctx context.Context, storeID *string, f *ticketFilter, enough int) (matching []*refund, err error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	read := func(l orders.List) (orders.ItemPage, error) { return v.config.Records.RefundIDs(ctx, l) }
	err = v.eachOrder(ctx, storeID, read, func(o *orders.Order, id string) bool {
		for i := range o.Refunds {
			r := &refund{v, o, &o.Refunds[i]}
			if (id == "" || r.record.ID == id) && f.match(ctx, v, o, r.record.ID, r.Status(), r.record.PaymentID, r.externalID(), r.record.CreatedAt) {
				matching = append(matching, r)
			}
		}
		return len(matching) < enough
	})
	slices.SortStableFunc(matching, func(a, b *refund) int { return cmp.Compare(b.record.CreatedAt, a.record.CreatedAt) })
	return matching, err
}

// eachOrder calls visit for a merchant with each item of an index and its order, until it returns false, and for a customer with each
// order and the id "".
func (v *viewer) eachOrder(ctx context.Context, storeID *string, read func(orders.List) (orders.ItemPage, error), visit func(o *orders.Order, id string) bool) error {
	l, err := v.listIn(ctx, storeID)
	if err != nil {
		return err
	}
	for l.Limit = maxLimit; ; {
		if v.scope.Merchant() {
			l.After, err = v.eachItem(ctx, l, read, visit)
		} else {
			l.After, err = v.eachListed(ctx, l, visit)
		}
		if err := cmp.Or(err, v.filterFailed()); err != nil || l.After == "" {
			return err
		}
	}
}

func (v *viewer) eachItem(ctx context.Context, l orders.List, read func(orders.List) (orders.ItemPage, error), visit func(*orders.Order, string) bool) (next string, err error) {
	page, err := read(l)
	if err != nil {
		return "", err
	}
	for _, item := range page.IDs {
		o, err := v.order(ctx, item.OrderID)
		if err != nil {
			return "", err
		}
		if o != nil && !visit(o, item.ID) {
			return "", nil
		}
	}
	return page.Next, nil
}

func (v *viewer) eachListed(ctx context.Context, l orders.List, visit func(*orders.Order, string) bool) (next string, err error) {
	page, err := v.config.Records.Orders(ctx, l)
	if err := cmp.Or(err, v.spend(len(page.Orders))); err != nil {
		return "", err
	}
	for _, o := range page.Orders {
		visit(o, "")
	}
	return page.Next, nil
}

// refundTicket resolves a ticket of an order that its viewer may see.
type refundTicket struct {
	v      *viewer
	order  *orders.Order
	record *orders.Ticket
}

type moneyAmount struct{ Amount, Currency string }

type ticketVersion struct {
	Reason          string
	RequestedAmount moneyAmount
}

// amountFor is an amount in the currency of a payment.
func amountFor(o *orders.Order, paymentID string, minor int64) moneyAmount {
	currency := o.Sold().Quote.Currency
	if p := o.Payment(paymentID); p != nil {
		if q := o.Quote(p); q != nil {
			currency = q.Currency
		}
	}
	return moneyAmount{display(minor, currency), string(currency)}
}

// paymentFor resolves the payment of a ticket or refund.
func paymentFor(v *viewer, o *orders.Order, id string) *payment {
	if p := o.Payment(id); p != nil {
		return &payment{v, o, p}
	}
	return nil
}

func (t *refundTicket) ID() graphql.ID        { return graphql.ID(t.record.ID) }
func (t *refundTicket) Status() string        { return string(t.record.Status) }
func (t *refundTicket) Reason() string        { return t.record.Current().Reason }
func (t *refundTicket) PaymentID() graphql.ID { return graphql.ID(t.record.PaymentID) }
func (t *refundTicket) Payment() *payment     { return paymentFor(t.v, t.order, t.record.PaymentID) }
func (t *refundTicket) VersionNumber() int32  { return int32(len(t.record.Versions)) }
func (t *refundTicket) RejectReason() *string { return orNull(t.record.RejectReason) }
func (t *refundTicket) ReviewedAt() *string   { return timeOrNull(t.record.ReviewedAt) }
func (t *refundTicket) ExecutedAt() *string   { return timeOrNull(t.record.ExecutedAt) }
func (t *refundTicket) CreatedAt() string     { return timestamp(t.record.CreatedAt) }
func (t *refundTicket) UpdatedAt() string     { return timestamp(t.record.UpdatedAt) }
func (t *refundTicket) RequestedAmountDetails() moneyAmount {
	return amountFor(t.order, t.record.PaymentID, t.record.Current().Amount)
}

func (t *refundTicket) RefundTicketMerchantExternalID() *string { return orNull(t.record.ExternalID) }

func (t *refundTicket) VersionData() ticketVersion {
	return ticketVersion{t.record.Current().Reason, t.RequestedAmountDetails()}
}

// refund resolves a refund of an order that its viewer may see.
type refund struct {
	v      *viewer
	order  *orders.Order
	record *orders.Refund
}

// Status is pending as long as the outcome is open.
func (r *refund) Status() string {
	switch r.record.State {
	case orders.RefundSucceeded, orders.RefundFailed:
		return string(r.record.State)
	}
	return string(orders.RefundPending)
}

func (r *refund) externalID() string {
	if t := r.order.Ticket(r.record.TicketID); t != nil {
		return t.ExternalID
	}
	return ""
}

func (r *refund) ID() graphql.ID         { return graphql.ID(r.record.ID) }
func (r *refund) PaymentID() graphql.ID  { return graphql.ID(r.record.PaymentID) }
func (r *refund) Payment() *payment      { return paymentFor(r.v, r.order, r.record.PaymentID) }
func (r *refund) FailureReason() *string { return orNull(r.record.Failure) }
func (r *refund) CreatedAt() string      { return timestamp(r.record.CreatedAt) }
func (r *refund) UpdatedAt() string      { return timestamp(r.record.UpdatedAt) }
func (r *refund) RequestedAmountDetails() moneyAmount {
	return amountFor(r.order, r.record.PaymentID, r.record.Amount)
}

// PSPAmountDetails is what the provider refunds: all that was asked for.
func (r *refund) PSPAmountDetails() moneyAmount { return r.RequestedAmountDetails() }

func (r *refund) RefundTicketMerchantExternalID() *string { return orNull(r.externalID()) }

func (r *refund) OrderMerchantExternalID(ctx context.Context) (*string, error) {
	return (&order{r.v, r.order}).OrderMerchantExternalID(ctx)
}

// Refunds are the refunds of a payment.
func (p *payment) Refunds() (list []*refund) {
	for i := range p.order.Refunds {
		if p.order.Refunds[i].PaymentID == p.record.ID {
			list = append(list, &refund{p.v, p.order, &p.order.Refunds[i]})
		}
	}
	return list
}
