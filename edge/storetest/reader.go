package storetest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/record"
	"github.com/crepe-checkout/crepe/edge/sessions"
)

// shelf is a store whose orders a check lists.
type shelf struct {
	record.Store
	env     checkout.Environment
	storeID string
}

func newShelf(s record.Store, env checkout.Environment) *shelf { return &shelf{s, env, fresh("STO")} }

func (s *shelf) list() orders.List {
	return orders.List{Environment: s.env, Stores: []string{s.storeID}, Limit: 100}
}

// put stores a session with an order that a buyer can pay. change may be nil.
func (s *shelf) put(createdAt int64, change func(*sessions.Session, *orders.Order)) (*orders.Order, error) {
	session := &sessions.Session{Session: checkout.Session{ID: fresh("cs"), Environment: s.env, StoreID: s.storeID}}
	o := newOrder(session)
	o.CreatedAt, o.State = createdAt, orders.AwaitingPayment
	a := &o.Attempts[0]
	a.URL, a.State = "https://pay.example/"+o.ID, orders.Open
	a.Placed.BuyerEmail = "ada@example.com"
	a.Placed.Quote = checkout.Quote{Currency: "EUR", ListPrice: 1200, Discount: checkout.Discount{Label: "Autumn", Minor: 200}, Assessment: tax.Assessment{Subtotal: 1000, Tax: 190, Total: 1190}}
	if change != nil {
		change(session, o)
	}
	session.OrderID = o.ID
	err := s.Commit(background, orders.Change{Session: session, Order: o})
	o.Version++
	return o, need("an order", err)
}

// pay completes an order.
func (s *shelf) pay(o *orders.Order, at int64) error {
	o.State, o.Attempts[0].State = orders.Paid, orders.Settled
	o.Payments = append(o.Payments, orders.Payment{ID: fresh("PAY"), Attempt: 1, Status: orders.Succeeded, At: at})
	err := s.Commit(background, orders.Change{Order: o})
	o.Version++
	return need("a payment", err)
}

// expect reads a list and compares it with the orders wanted, and its count with theirs.
func (s *shelf) expect(what string, l orders.List, wanted ...*orders.Order) error {
	page, err := s.Orders(background, l)
	if err != nil {
		return need(what, err)
	}
	if got, want := ids(page.Orders), ids(wanted); got != want {
		return fmt.Errorf("%s: %s, want %s", what, got, want)
	}
	for i, o := range page.Orders {
		if o.Version != wanted[i].Version {
			return fmt.Errorf("%s: %s at version %d, want %d", what, o.ID, o.Version, wanted[i].Version)
		}
	}
	count, err := s.CountOrders(background, l)
	if err == nil && l.Offset == 0 && l.After == "" && count != len(wanted) && len(wanted) < l.Limit {
		err = fmt.Errorf("counted %d, listed %d", count, len(wanted))
	}
	return need(what, err)
}

func ids(list []*orders.Order) string {
	return joined(list, func(o *orders.Order) string { return o.ID })
}

// listing checks order, paging, and that an order is listed as it is published, from its first URL to its end.
func listing(store record.Store) error {
	s := newShelf(store, checkout.Test)
	const count = 5
	made := make([]*orders.Order, count)
	var errs []error
	for i := range made {
		var err error
		made[i], err = s.put(int64(1000*(i+1)), nil)
		errs = append(errs, err)
	}
	hidden, err := s.put(500, func(_ *sessions.Session, o *orders.Order) { o.State, o.Attempts[0].URL = orders.Pending, "" })
	if err := errors.Join(append(errs, err)...); err != nil {
		return err
	}
	newest := slices.Clone(made)
	slices.Reverse(newest)
	two := s.list()
	two.Limit = 2
	offset := two
	offset.Offset = 3
	if err := cmp.Or(s.expect("all", s.list(), newest...), s.expect("two", two, newest[:2]...), s.expect("two behind three", offset, newest[3:]...)); err != nil {
		return err
	}
	for from := 0; ; from += 2 {
		page, err := s.Orders(background, two)
		if err != nil || ids(page.Orders) != ids(newest[from:min(from+2, count)]) {
			return fmt.Errorf("the page from %d: %s, %v", from, ids(page.Orders), err)
		}
		if (page.Next == "") != (from+2 >= count) {
			return fmt.Errorf("the page from %d of %d orders: the next one is %q", from, count, page.Next)
		}
		if two.After = page.Next; page.Next == "" {
			break
		}
	}
	hidden.State, hidden.Attempts[0].URL = orders.AwaitingPayment, "https://pay.example/late"
	if err := s.Commit(background, orders.Change{Order: hidden}); err != nil {
		return err
	}
	hidden.Version++
	expired := made[0]
	expired.State, expired.Attempts[0].State = orders.Expired, orders.Ended
	if err := cmp.Or(s.pay(made[1], 7000), s.Commit(background, orders.Change{Order: expired})); err != nil {
		return err
	}
	expired.Version++
	by := func(status string) orders.List {
		l := s.list()
		l.Statuses = []string{status}
		return l
	}
	return cmp.Or(s.expect("with a first URL", s.list(), append(newest, hidden)...), s.expect("completed", by("completed"), made[1]),
		s.expect("canceled", by("canceled"), expired), s.expect("pending", by("pending"), made[4], made[3], made[2], hidden))
}

// listTenants puts orders into two stores in both environments.
func listTenants(store record.Store) error {
	var shelves []*shelf
	var held []*orders.Order
	shared := fresh("STO")
	for _, env := range []checkout.Environment{checkout.Test, checkout.Prod} {
		for _, id := range []string{shared, shared + "2"} {
			s := &shelf{store, env, id}
			o, err := s.put(1000, func(c *sessions.Session, o *orders.Order) {
				c.ExternalID, o.Attempts[0].Placed.BuyerIdentity = "one", "user"
			})
			if err := cmp.Or(err, s.pay(o, 2000)); err != nil {
				return err
			}
			shelves, held = append(shelves, s), append(held, o)
		}
	}
	for i, s := range shelves {
		byID, byMail, byNumber := s.list(), s.list(), s.list()
		byID.Identity, byMail.Email, byNumber.ExternalID = "user", "ada@example.com", "one"
		if err := cmp.Or(s.expect("a store's", s.list(), held[i]), s.expect("a store's, by identity", byID, held[i]),
			s.expect("a store's, by e-mail", byMail, held[i]), s.expect("a store's, by external id", byNumber, held[i])); err != nil {
			return err
		}
		sold, err := s.Sales(background, s.env, s.storeID, "", "")
		if err != nil || len(sold) != 1 || sold[0].Orders != 1 {
			return fmt.Errorf("a store's sales: %+v, %v", sold, err)
		}
		payment := held[i].Payments[0].ID
		paid, err := s.PaymentIDs(background, s.list(), "")
		if err != nil || len(paid.IDs) != 1 || paid.IDs[0] != (orders.ItemID{ID: payment, OrderID: held[i].ID}) {
			return fmt.Errorf("a store's payments: %+v, %v", paid, err)
		}
		other := checkout.Test
		if s.env == checkout.Test {
			other = checkout.Prod
		}
		if _, err := s.OrderOfPayment(background, other, payment); !errors.Is(err, orders.ErrNotFound) {
			return fmt.Errorf("a payment of the other environment: %v", err)
		}
	}
	both := shelves[0].list()
	both.Stores = append(both.Stores, shelves[1].storeID)
	newest := held[:2]
	slices.SortFunc(newest, func(a, b *orders.Order) int { return strings.Compare(a.ID, b.ID) })
	return cmp.Or(shelves[0].expect("two stores", both, newest...), shelves[0].expect("no store", orders.List{Environment: checkout.Test, Limit: 9}))
}

func narrowing(store record.Store) error {
	s := newShelf(store, checkout.Prod)
	var made []*orders.Order
	for i, name := range []string{"user-1", "Bob@Example.com", "user-2"} {
		o, err := s.put(int64(1000*(i+1)), func(c *sessions.Session, o *orders.Order) {
			c.ExternalID = "number/" + name
			o.Attempts[0].Placed.BuyerIdentity, o.Attempts[0].Placed.BuyerEmail = name, strings.ToLower(name)
		})
		if err != nil {
			return err
		}
		made = append(made, o)
	}
	if err := s.pay(made[1], 9000); err != nil { // the session is not in this commit
		return err
	}
	narrowed := func(change func(*orders.List)) orders.List {
		l := s.list()
		change(&l)
		return l
	}
	if buyers, err := s.CountBuyers(background, checkout.Prod, s.storeID); err != nil || buyers != len(made) {
		return fmt.Errorf("%d buyers, %v", buyers, err)
	}
	return cmp.Or(
		s.expect("an identity", narrowed(func(l *orders.List) { l.Identity = "user-1" }), made[0]),
		s.expect("a part of an identity", narrowed(func(l *orders.List) { l.Identity = "user-" })),
		s.expect("an e-mail address as identity", narrowed(func(l *orders.List) { l.Identity = " bob@example.com" }), made[1]),
		s.expect("an e-mail address", narrowed(func(l *orders.List) { l.Email = "bob@example.com" }), made[1]),
		s.expect("an external id", narrowed(func(l *orders.List) { l.ExternalID = "number/Bob@Example.com" }), made[1]),
		s.expect("an identity with another's number", narrowed(func(l *orders.List) { l.Identity, l.ExternalID = "user-1", "number/user-2" })),
		s.expect("an identity's pending orders", narrowed(func(l *orders.List) {
			l.Identity, l.Statuses = "bob@example.com", []string{"pending"}
		})),
		s.expect("since", narrowed(func(l *orders.List) { l.Since = 2000 }), made[2], made[1]),
		s.expect("until", narrowed(func(l *orders.List) { l.Until = 2000 }), made[0]),
		s.expect("a moment", narrowed(func(l *orders.List) { l.Since, l.Until = 2000, 2001 }), made[1]),
		s.expect("a function", narrowed(func(l *orders.List) {
			l.Match = func(o *orders.Order) bool { return o.State == orders.AwaitingPayment }
		}), made[2], made[0]))
}

func payments(store record.Store) error {
	s := newShelf(store, checkout.Test)
	o, err := s.put(1000, func(_ *sessions.Session, o *orders.Order) {
		o.Payments = []orders.Payment{{ID: fresh("PAY"), Attempt: 1, Status: orders.Declined, At: 2000}}
	})
	if err := cmp.Or(err, s.pay(o, 3000)); err != nil {
		return err
	}
	declined, paid := orders.ItemID{ID: o.Payments[0].ID, OrderID: o.ID}, orders.ItemID{ID: o.Payments[1].ID, OrderID: o.ID}
	one := s.list()
	one.Limit, one.Offset = 1, 1
	for _, c := range []struct {
		list   orders.List
		status orders.PaymentStatus
		want   []orders.ItemID
		count  int
	}{
		{s.list(), "", []orders.ItemID{paid, declined}, 2}, {s.list(), orders.Succeeded, []orders.ItemID{paid}, 1},
		{s.list(), orders.Declined, []orders.ItemID{declined}, 1}, {one, "", []orders.ItemID{declined}, 2},
	} {
		got, err := s.PaymentIDs(background, c.list, c.status)
		count, failed := s.CountPayments(background, c.list, c.status)
		if err := errors.Join(err, failed); err != nil || !slices.Equal(got.IDs, c.want) || count != c.count {
			return fmt.Errorf("payments %q: %v and %d, %v; want %v", c.status, got, count, err, c.want)
		}
	}
	o.Tickets = []orders.Ticket{{ID: fresh("TKT"), Status: orders.TicketPending, Versions: []orders.TicketVersion{{}}, CreatedAt: 4000},
		{ID: fresh("TKT"), Status: orders.TicketRejected, Versions: []orders.TicketVersion{{}}, CreatedAt: 5000}}
	o.Refunds = []orders.Refund{{ID: fresh("REF"), State: orders.RefundSucceeded, CreatedAt: 6000}}
	if err := s.Commit(background, orders.Change{Order: o}); err != nil {
		return err
	}
	o.Version++
	pending, errP := s.TicketIDs(background, s.list(), orders.TicketPending)
	all, errA := s.TicketIDs(background, s.list(), "")
	refunded, errR := s.RefundIDs(background, s.list())
	tickets, errT := s.CountTickets(background, s.list(), orders.TicketPending)
	returned, errC := s.CountRefunds(background, s.list())
	item := func(id string) orders.ItemID { return orders.ItemID{ID: id, OrderID: o.ID} }
	if err := errors.Join(errP, errA, errR, errT, errC); err != nil || tickets != 1 || returned != 1 ||
		!slices.Equal(pending.IDs, []orders.ItemID{item(o.Tickets[0].ID)}) || !slices.Equal(refunded.IDs, []orders.ItemID{item(o.Refunds[0].ID)}) ||
		!slices.Equal(all.IDs, []orders.ItemID{item(o.Tickets[1].ID), item(o.Tickets[0].ID)}) {
		return fmt.Errorf("tickets %v of %v, %d; refunds %v, %d, %v", pending.IDs, all.IDs, tickets, refunded.IDs, returned, err)
	}
	first := s.list()
	first.Limit = 1
	page, err := s.PaymentIDs(background, first, "")
	if err != nil || len(page.IDs) != 1 || page.Next == "" {
		return fmt.Errorf("the first of two payments: %+v, %v", page, err)
	}
	first.After = page.Next
	if page, err = s.PaymentIDs(background, first, ""); err != nil || len(page.IDs) != 1 || page.IDs[0] != declined || page.Next != "" {
		return fmt.Errorf("the second of two payments: %+v, %v", page, err)
	}
	found, err := s.OrderOfPayment(background, checkout.Test, paid.ID)
	if err != nil || found.ID != o.ID || found.Version != o.Version {
		return fmt.Errorf("the order of a payment: %+v, %v", found, err)
	}
	_, err = s.OrderOfPayment(background, checkout.Test, o.ID)
	return want("an order's id", err, orders.ErrNotFound)
}

func sales(store record.Store) error {
	s := newShelf(store, checkout.Prod)
	const day = 24 * 3600 * 1000
	for _, c := range []struct {
		at       int64
		currency money.Currency
	}{{0, "EUR"}, {day - 1, "EUR"}, {day, "EUR"}, {day, "USD"}} {
		o, err := s.put(1000, func(_ *sessions.Session, o *orders.Order) { o.Attempts[0].Placed.Quote.Currency = c.currency })
		if err := cmp.Or(err, s.pay(o, 20000*day+c.at)); err != nil {
			return err
		}
		o.State = orders.RefundDue // a second payment is no second sale
		if err := s.Commit(background, orders.Change{Order: o}); err != nil {
			return err
		}
	}
	if _, err := s.put(1000, nil); err != nil {
		return err
	}
	all := []orders.DaySales{{Day: "2024-10-04", Currency: "EUR", Orders: 2, Total: 2380}, {Day: "2024-10-05", Currency: "EUR", Orders: 1, Total: 1190},
		{Day: "2024-10-05", Currency: "USD", Orders: 1, Total: 1190}}
	for _, c := range []struct {
		from, to string
		want     []orders.DaySales
	}{{"", "", all}, {"2024-10-05", "", all[1:]}, {"", "2024-10-04", all[:1]}, {"2024-10-06", "2025-01-01", nil}} {
		got, err := s.Sales(background, checkout.Prod, s.storeID, c.from, c.to)
		if err != nil || !slices.Equal(got, c.want) {
			return fmt.Errorf("sales from %q to %q: %+v, %v", c.from, c.to, got, err)
		}
	}
	return nil
}

// countRace completes some orders of a store concurrently, each by several callers.
func countRace(store record.Store) error {
	s := newShelf(store, checkout.Test)
	made := make([]*orders.Order, racers)
	for i := range made {
		var err error
		if made[i], err = s.put(int64(i+1), nil); err != nil {
			return err
		}
	}
	won, lost := race(func(racer int) error {
		copied := *made[racer/2] // two callers for each of half of the orders
		copied.Attempts = slices.Clone(copied.Attempts)
		return s.pay(&copied, 1000)
	})
	if won != racers/2 {
		return fmt.Errorf("%d of %d payments were written: %v", won, racers/2, lost)
	}
	for status, wanted := range map[string]int{"completed": racers / 2, "pending": racers / 2} {
		l := s.list()
		l.Statuses = []string{status}
		page, err := s.Orders(background, l)
		count, failed := s.CountOrders(background, l)
		if err := errors.Join(err, failed); err != nil || count != wanted || len(page.Orders) != wanted {
			return fmt.Errorf("%s: counted %d, listed %d, want %d, %v", status, count, len(page.Orders), wanted, err)
		}
	}
	return nil
}

func joined[T any](list []T, name func(T) string) string {
	var names []string
	for _, item := range list {
		names = append(names, name(item))
	}
	return strings.Join(names, " ")
}
