package graph

import (
	"cmp"
	"context"
	"math"

	graphql "github.com/graph-gophers/graphql-go"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/email"
	"github.com/crepe-checkout/crepe/edge/orders"
)

type orderFilter struct {
	ID, Status, BuyerEmail, Currency, OrderMerchantExternalID *stringFilter
	TotalAmount                                               *intFilter
	TestMode                                                  *booleanFilter
	CreatedAt, UpdatedAt                                      *dateTimeFilter
}

func (f *orderFilter) check() error {
	if f == nil {
		return nil
	}
	return checked(f.ID, f.Status, f.BuyerEmail, f.Currency, f.OrderMerchantExternalID, f.CreatedAt, f.UpdatedAt)
}

// narrow narrows a list by a filter: by the indexes as far as they go, and by looking at the orders for the rest. none reports that
// no order can match.
func (f *orderFilter) narrow(ctx context.Context, v *viewer, l *orders.List) (none bool) {
	if f == nil {
		return false
	}
	rest := *f
	if !f.TestMode.match(v.env == checkout.Test) {
		return true
	}
	if l.Statuses, rest.Status = f.Status.takeValues(); l.Statuses != nil && len(l.Statuses) == 0 {
		return true
	}
	if e := f.BuyerEmail; e != nil && e.Eq != nil {
		l.Email = email.Normalize(*e.Eq)
	}
	if x := f.OrderMerchantExternalID; x != nil && x.Eq != nil && *x.Eq != "" {
		l.ExternalID = *x.Eq
		if *x == (stringFilter{Eq: x.Eq}) {
			rest.OrderMerchantExternalID = nil
		}
	}
	if e := f.BuyerEmail; e != nil && e.Eq != nil && *e == (stringFilter{Eq: e.Eq}) {
		rest.BuyerEmail = nil
	}
	l.Since, l.Until, rest.CreatedAt = f.CreatedAt.span()
	rest.TestMode = nil
	if rest != (orderFilter{}) {
		l.Match = func(o *orders.Order) bool { return rest.match(ctx, v, o) }
	}
	return false
}

func (f *orderFilter) match(ctx context.Context, v *viewer, o *orders.Order) bool {
	sold := o.Sold()
	status, _ := o.Published()
	return f.ID.match(o.ID) && f.Status.match(status) && f.BuyerEmail.match(sold.BuyerEmail) && f.Currency.match(string(sold.Quote.Currency)) &&
		f.TotalAmount.match(sold.Quote.Assessment.Total) && f.CreatedAt.match(o.CreatedAt) && f.UpdatedAt.match(o.UpdatedAt) &&
		(f.OrderMerchantExternalID == nil || f.OrderMerchantExternalID.match(v.externalID(ctx, o)))
}

type ordersArgs struct {
	StoreID *string
	paging
	Filter *orderFilter
}

func (q *query) OnetimeOrders(ctx context.Context, args ordersArgs) ([]*order, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return nil, err
	}
	return v.orders(ctx, args)
}

func (q *query) Orders(ctx context.Context, args ordersArgs) ([]*order, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return nil, err
	}
	return v.orders(ctx, args)
}

func (v *viewer) orders(ctx context.Context, args ordersArgs) ([]*order, error) {
	l, err := v.listIn(ctx, args.StoreID)
	if err != nil {
		return nil, err
	}
	if l.Limit, l.Offset, err = args.bounds(); err != nil {
		return nil, err
	}
	if err := args.Filter.check(); err != nil {
		return nil, err
	}
	if args.Filter.narrow(ctx, v, &l) || l.Limit == 0 {
		return nil, nil
	}
	page, err := v.config.Records.Orders(ctx, l)
	if err := cmp.Or(v.filterFailed(), err); err != nil {
		return nil, err
	}
	list := make([]*order, len(page.Orders))
	for i, o := range page.Orders {
		list[i] = &order{v, o}
	}
	return list, v.spend(len(list))
}

func (q *query) OnetimeOrdersCount(ctx context.Context, args struct {
	StoreID *string
	Filter  *orderFilter
}) (int32, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return 0, err
	}
	l, err := v.listIn(ctx, args.StoreID)
	if err != nil {
		return 0, err
	}
	if err := args.Filter.check(); err != nil {
		return 0, err
	}
	if args.Filter.narrow(ctx, v, &l) {
		return 0, nil
	}
	count, err := v.config.Records.CountOrders(ctx, l)
	return int32(min(count, math.MaxInt32)), cmp.Or(v.filterFailed(), err)
}

func (q *query) OnetimeOrder(ctx context.Context, args idArgs) (*order, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return nil, err
	}
	o, err := v.order(ctx, args.ID)
	if err != nil || o == nil {
		return nil, err
	}
	return &order{v, o}, nil
}

// externalID returns the merchant's name for an order, "" if it has none. An error makes the query fail; see [viewer.filterFailed].
func (v *viewer) externalID(ctx context.Context, o *orders.Order) string {
	session, err := v.session(ctx, o)
	if err != nil {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.failed = err
	}
	if session == nil {
		return ""
	}
	return session.ExternalID
}

// order resolves an order that its viewer may see.
type order struct {
	v      *viewer
	record *orders.Order
}

func (o *order) status() string {
	status, _ := o.record.Published()
	return status
}

func (o *order) ID() graphql.ID                { return graphql.ID(o.record.ID) }
func (o *order) StoreID() graphql.ID           { return graphql.ID(o.record.StoreID) }
func (o *order) CheckoutSessionID() graphql.ID { return graphql.ID(o.record.SessionID) }
func (o *order) BuyerEmail() string            { return o.record.Sold().BuyerEmail }
func (o *order) Currency() string              { return string(o.record.Sold().Quote.Currency) }
func (o *order) Status() string                { return o.status() }
func (o *order) TestMode() bool                { return o.record.Environment == checkout.Test }
func (o *order) CreatedAt() string             { return timestamp(o.record.CreatedAt) }
func (o *order) UpdatedAt() string             { return timestamp(o.record.UpdatedAt) }
func (o *order) OnetimeProduct() orderProduct  { return o.Product() }
func (o *order) BillingDetail() billingDetail  { return billingDetailOf(&o.record.Sold().Billing) }

func (o *order) MerchantProvidedBuyerIdentity() *string {
	return orNull(o.record.Sold().BuyerIdentity)
}

func (o *order) Store(ctx context.Context) (*store, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return nil, err
	}
	return v.store(ctx, o.record.StoreID)
}

func (o *order) OrderMerchantExternalID(ctx context.Context) (*string, error) {
	session, err := o.v.session(ctx, o.record)
	if err != nil || session == nil {
		return nil, err
	}
	return orNull(session.ExternalID), nil
}

func (o *order) Metadata(ctx context.Context) (string, error) {
	session, err := o.v.session(ctx, o.record)
	if err != nil || session == nil {
		return "{}", err
	}
	return object(session.Metadata)
}

func (o *order) Product() orderProduct {
	p := &o.record.Sold().Product
	return orderProduct{graphql.ID(p.ID), p.Name, orNull(p.Description)}
}

type orderProduct struct {
	ID          graphql.ID
	Name        string
	Description *string
}

type orderVersion struct {
	ID            graphql.ID
	VersionNumber *int32
	Name          string
}

func (o *order) ProductVersion(ctx context.Context) (orderVersion, error) {
	p := &o.record.Sold().Product
	sold := orderVersion{ID: graphql.ID(p.VersionID), Name: p.Name}
	version, err := o.v.version(ctx, p.ID, p.VersionID)
	if version != nil {
		number := int32(version.Number)
		sold.VersionNumber = &number
	}
	return sold, err
}

type priceSnapshot struct {
	Currency, Subtotal, TaxAmount, Total, TaxCategory string
	Discount                                          *discount
}

type discount struct{ Label, Amount, ListPrice string }

func (o *order) PriceSnapshot() priceSnapshot { return snapshotOf(o.record.Sold()) }

func snapshotOf(placed *checkout.Order) priceSnapshot {
	q, a := &placed.Quote, &placed.Quote.Assessment
	s := priceSnapshot{string(q.Currency), display(a.Subtotal, q.Currency), display(a.Tax, q.Currency), display(a.Total, q.Currency),
		placed.Terms.Category.String(), nil}
	if d := q.Discount; d.Minor != 0 {
		s.Discount = &discount{d.Label, display(d.Minor, q.Currency), display(q.ListPrice, q.Currency)}
	}
	return s
}

type billingDetail struct {
	Country                              string
	IsBusiness                           bool
	State, Postcode, BusinessName, TaxID *string
}

func billingDetailOf(d *billing.Detail) billingDetail {
	return billingDetail{string(d.Country), d.IsBusiness, orNull(d.State), orNull(d.Postcode), orNull(d.BusinessName), orNull(d.TaxID)}
}

func (o *order) Payments() []*payment {
	list := make([]*payment, len(o.record.Payments))
	for i := range o.record.Payments {
		list[i] = &payment{o.v, o.record, &o.record.Payments[i]}
	}
	return list
}
