package orders

import (
	"context"
	"errors"
	"slices"

	"github.com/crepe-checkout/crepe/core/checkout"
)

// Reader reads lists of orders and payments. It sees only orders that are visible in the API; see [Order.Published]. A page costs
// what the page holds and what its offset skips, however long the list is, unless [List.Match] skips orders. What is returned
// belongs to the caller.
type Reader interface {
	// Orders returns a page of the orders of a list, the newest first. With [ErrTooSparse] it returns no page.
	Orders(ctx context.Context, l List) (OrderPage, error)

	// CountOrders counts the orders of a list. Limit, Offset and After of the list are ignored. A count of 100,000 or more may be
	// up to a minute old, also those of payments, tickets and refunds. The error may be [ErrTooSparse].
	CountOrders(ctx context.Context, l List) (int, error)

	// PaymentIDs returns a page of the payments of a list, the newest first, each with its order's id. It heeds Environment,
	// Stores, Limit, Offset and After; status is "" for all payments.
	PaymentIDs(ctx context.Context, l List, status PaymentStatus) (ItemPage, error)

	// CountPayments counts the payments of the stores of a list; status is "" for all payments.
	CountPayments(ctx context.Context, l List, status PaymentStatus) (int, error)

	// TicketIDs and CountTickets are the same for refund tickets, RefundIDs and CountRefunds for refunds.
	TicketIDs(ctx context.Context, l List, status TicketStatus) (ItemPage, error)
	CountTickets(ctx context.Context, l List, status TicketStatus) (int, error)
	RefundIDs(ctx context.Context, l List) (ItemPage, error)
	CountRefunds(ctx context.Context, l List) (int, error)

	// OrderOfPayment reads the order that has a payment. [ErrNotFound] when there is none in the environment.
	OrderOfPayment(ctx context.Context, env checkout.Environment, paymentID string) (*Order, error)

	// CountBuyers counts the e-mail addresses that a store's orders have. It costs the list of orders.
	CountBuyers(ctx context.Context, env checkout.Environment, storeID string) (int, error)

	// Sales returns what a store has sold by day and currency, sorted by both, from the day from to the day to, both inclusive and
	// in the form "2026-01-31" in UTC; "" is no bound.
	Sales(ctx context.Context, env checkout.Environment, storeID, from, to string) ([]DaySales, error)
}

// List is a list of orders of some stores in one environment. The zero value of a field narrows nothing.
type List struct {
	Environment checkout.Environment
	Stores      []string // ids
	Statuses    []string // published ones, see [Order.Published]

	Identity   string // the merchant's name for the buyer
	Email      string // the buyer's, normalised
	ExternalID string // the session's

	// Since and Until bound the time of creation in Unix milliseconds: Since is inclusive, Until is exclusive, 0 is none.
	Since, Until int64

	// Match leaves out orders for which it is false. At most [MaxScan] orders are read for one page or count.
	Match func(*Order) bool

	Limit  int    // of the page, at least 1
	Offset int    // how many orders of the list to skip
	After  string // OrderPage.Next of the page before, instead of Offset; "" for the first page
}

// OrderPage is a part of a list of orders.
type OrderPage struct {
	Orders []*Order
	Next   string // the field After of the list for the next page; "" for the last page
}

// ItemPage is a part of a list of payments, tickets or refunds.
type ItemPage struct {
	IDs  []ItemID
	Next string // the field After of the list for the next page; "" for the last page
}

// ItemID names a payment, ticket or refund, and its order.
type ItemID struct{ ID, OrderID string }

// DaySales is what a store has sold on one day in one currency: the orders that were paid, tax included, without what was refunded
// later.
type DaySales struct {
	Day      string // "2026-01-31", UTC
	Currency string
	Orders   int64
	Total    int64 // in minor units
}

// ErrTooSparse: [List.Match] has left out so many orders that [MaxScan] of them do not fill the page or count.
var ErrTooSparse = errors.New("orders: the list matches too few orders, narrow it by time of creation")

// MaxScan is how many orders a list with [List.Match] reads at most.
const MaxScan = 20_000

// Contains reports whether an order is in the list, its page aside.
func (l *List) Contains(o *Order) bool {
	status, visible := o.Published()
	sold := o.Sold()
	switch {
	case !visible, o.Environment != l.Environment, !slices.Contains(l.Stores, o.StoreID):
		return false
	case len(l.Statuses) > 0 && !slices.Contains(l.Statuses, status):
		return false
	case l.Identity != "" && !sameBuyer(sold.BuyerIdentity, l.Identity), l.Email != "" && sold.BuyerEmail != l.Email:
		return false
	case o.CreatedAt < l.Since, l.Until != 0 && o.CreatedAt >= l.Until:
		return false
	}
	return l.Match == nil || l.Match(o)
}

// Sees reports whether an order is in the scope. An order that is not visible in the API is in none.
func (s *Scope) Sees(o *Order) bool { return s.contains(o) }
