package graph

import (
	"cmp"
	"context"
	"math"
	"slices"

	graphql "github.com/graph-gophers/graphql-go"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/orders"
)

type paymentFilter struct {
	ID, OrderID, Status, Currency, OrderMerchantExternalID *stringFilter
	Amount                                                 *intFilter
	CreatedAt                                              *dateTimeFilter
}

func (f *paymentFilter) check() error {
	if f == nil {
		return nil
	}
	return checked(f.ID, f.OrderID, f.Status, f.Currency, f.OrderMerchantExternalID, f.CreatedAt)
}

func (f *paymentFilter) match(ctx context.Context, p *payment) bool {
	if f == nil {
		return true
	}
	placed := p.placed()
	return f.ID.match(p.record.ID) && f.OrderID.match(p.order.ID) && f.Status.match(string(p.record.Status)) &&
		f.Currency.match(string(placed.Quote.Currency)) && f.Amount.match(placed.Quote.Assessment.Total) && f.CreatedAt.match(p.record.At) &&
		(f.OrderMerchantExternalID == nil || f.OrderMerchantExternalID.match(p.v.externalID(ctx, p.order)))
}

// statusAlone returns the status that the filter asks for, and whether it asks for nothing else: then an index has the payments.
func (f *paymentFilter) statusAlone() (status orders.PaymentStatus, alone bool) {
	switch {
	case f == nil:
		return "", true
	case f.Status == nil:
		return "", *f == paymentFilter{}
	case f.Status.Eq == nil || *f.Status != stringFilter{Eq: f.Status.Eq}:
		return "", false
	}
	return orders.PaymentStatus(*f.Status.Eq), *f == paymentFilter{Status: f.Status}
}

type paymentsArgs struct {
	StoreID *string
	paging
	Filter *paymentFilter
}

func (q *query) Payments(ctx context.Context, args paymentsArgs) ([]*payment, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return nil, err
	}
	l, err := v.listIn(ctx, args.StoreID)
	if err != nil {
		return nil, err
	}
	if l.Limit, l.Offset, err = args.bounds(); err != nil {
		return nil, err
	}
	if err := args.Filter.check(); err != nil || l.Limit == 0 {
		return nil, err
	}
	if status, alone := args.Filter.statusAlone(); alone && v.scope.Merchant() {
		return v.indexedPayments(ctx, l, status)
	}
	matching, err := v.paymentsMatching(ctx, l, args.Filter, l.Limit+l.Offset)
	if err != nil {
		return nil, err
	}
	return page(args.paging, matching)
}

func (q *query) PaymentsCount(ctx context.Context, args struct {
	StoreID *string
	Filter  *paymentFilter
}) (int32, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return 0, err
	}
	if err := args.Filter.check(); err != nil {
		return 0, err
	}
	if status, alone := args.Filter.statusAlone(); alone && v.scope.Merchant() {
		return v.counted(ctx, args.StoreID, func(l orders.List) (int, error) { return v.config.Records.CountPayments(ctx, l, status) })
	}
	l, err := v.listIn(ctx, args.StoreID)
	if err != nil {
		return 0, err
	}
	matching, err := v.paymentsMatching(ctx, l, args.Filter, math.MaxInt)
	return int32(len(matching)), err
}

func (q *query) Payment(ctx context.Context, args idArgs) (*payment, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return nil, err
	}
	return v.payment(ctx, args.ID)
}

// payment reads a payment that the viewer may see; nil for every other id.
func (v *viewer) payment(ctx context.Context, id string) (*payment, error) {
	o, err := v.orderOfPayment(ctx, id)
	if err != nil || o == nil {
		return nil, err
	}
	return &payment{v, o, o.Payment(id)}, nil
}

// indexedPayments reads a page of the payments of a merchant by their index.
func (v *viewer) indexedPayments(ctx context.Context, l orders.List, status orders.PaymentStatus) ([]*payment, error) {
	page, err := v.config.Records.PaymentIDs(ctx, l, status)
	if err != nil {
		return nil, err
	}
	return v.paymentsOf(ctx, page)
}

func (v *viewer) paymentsOf(ctx context.Context, page orders.ItemPage) (list []*payment, err error) {
	for _, id := range page.IDs {
		p, err := v.payment(ctx, id.ID)
		if err != nil {
			return nil, err
		}
		if p != nil {
			list = append(list, p)
		}
	}
	return list, nil
}

// paymentsMatching reads the payments that match a filter, the newest first, at least as many as enough if there are: those of a few
// orders where the filter or the viewer has few, otherwise one payment after the other.
func (v *viewer) paymentsMatching(ctx context.Context, l orders.List, f *paymentFilter, enough int) (matching []*payment, err error) {
	few := !v.scope.Merchant() || f != nil && (f.OrderID.exact() || f.OrderMerchantExternalID.exact())
	l.Offset, l.Limit = 0, maxLimit
	for more := true; more; more = l.After != "" && (few || len(matching) < enough) {
		read := v.payments
		if few {
			read = v.paymentsOfOrders
		}
		some, next, err := read(ctx, l, f)
		if err != nil {
			return nil, err
		}
		for _, p := range some {
			if f.match(ctx, p) {
				matching = append(matching, p)
			}
		}
		if err := v.filterFailed(); err != nil {
			return nil, err
		}
		l.After = next
	}
	slices.SortStableFunc(matching, func(a, b *payment) int { return cmp.Compare(b.record.At, a.record.At) })
	return matching, nil
}

func (v *viewer) payments(ctx context.Context, l orders.List, _ *paymentFilter) ([]*payment, string, error) {
	page, err := v.config.Records.PaymentIDs(ctx, l, "")
	if err != nil {
		return nil, "", err
	}
	list, err := v.paymentsOf(ctx, page)
	return list, page.Next, err
}

func (v *viewer) paymentsOfOrders(ctx context.Context, l orders.List, f *paymentFilter) (list []*payment, next string, err error) {
	page, next, err := v.ordersFor(ctx, l, f)
	for _, o := range page {
		list = append(list, (&order{v, o}).Payments()...)
	}
	return list, next, cmp.Or(err, v.spend(len(page)))
}

// ordersFor reads a page of the orders whose payments can match a filter.
func (v *viewer) ordersFor(ctx context.Context, l orders.List, f *paymentFilter) (page []*orders.Order, next string, err error) {
	if f != nil && f.OrderID.exact() {
		o, err := v.order(ctx, *f.OrderID.Eq)
		if err != nil || o == nil || !l.Contains(o) {
			return nil, "", err
		}
		return []*orders.Order{o}, "", nil
	}
	if f != nil && f.OrderMerchantExternalID.exact() {
		l.ExternalID = *f.OrderMerchantExternalID.Eq
	}
	read, err := v.config.Records.Orders(ctx, l)
	return read.Orders, read.Next, err
}

// payment resolves a payment of an order that its viewer may see.
type payment struct {
	v      *viewer
	order  *orders.Order
	record *orders.Payment
}

// placed is what was paid for.
func (p *payment) placed() *checkout.Order {
	if a := p.order.Attempt(p.record.Attempt); a != nil {
		return &a.Placed
	}
	return p.order.Sold()
}

func (p *payment) ID() graphql.ID                        { return graphql.ID(p.record.ID) }
func (p *payment) OrderID() graphql.ID                   { return graphql.ID(p.order.ID) }
func (p *payment) OnetimeOrder() *order                  { return &order{p.v, p.order} }
func (p *payment) SubscriptionOrder() *subscriptionOrder { return nil }
func (p *payment) Status() string                        { return string(p.record.Status) }
func (p *payment) RefundStatus() string                  { return p.order.RefundStatus(p.record) }
func (p *payment) PaymentMethod() *string                { return orNull(p.record.Method) }
func (p *payment) FailureReason() *string                { return orNull(p.record.Reason) }
func (p *payment) CreatedAt() string                     { return timestamp(p.record.At) }

func (p *payment) SnapshotDisplayAmount() string   { return snapshotOf(p.placed()).Total }
func (p *payment) SnapshotDisplayCurrency() string { return snapshotOf(p.placed()).Currency }

func (p *payment) OrderMerchantExternalID(ctx context.Context) (*string, error) {
	return (&order{p.v, p.order}).OrderMerchantExternalID(ctx)
}

type amountDetails struct {
	Currency, Subtotal, TaxAmount, Total, TaxCategory string
	Phase                                             *string
}

func (p *payment) SnapshotAmountDetails() amountDetails {
	s := snapshotOf(p.placed())
	return amountDetails{s.Currency, s.Subtotal, s.TaxAmount, s.Total, s.TaxCategory, nil}
}

type cardInfo struct {
	Brand, Last4      *string
	ExpMonth, ExpYear *int32
}

func (p *payment) CardInfo() *cardInfo {
	if p.record.Method != "card" && p.record.Last4 == "" {
		return nil
	}
	return &cardInfo{Last4: orNull(p.record.Last4)}
}
