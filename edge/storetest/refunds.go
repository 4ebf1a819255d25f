package storetest

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/record"
)

// paymentsFound stores orders with payments and tickets, and finds each order by its payment, by the provider's id of the payment and
// by its ticket, in its own environment only.
func paymentsFound(s record.Store) error {
	for _, env := range []checkout.Environment{checkout.Test, checkout.Prod} {
		_, o, err := placed(s, env)
		if err != nil {
			return err
		}
		ref := fresh("pi")
		o.State, o.Attempts[0].URL = orders.Paid, "https://psp.example/pay"
		o.Payments = []orders.Payment{
			{ID: fresh("PAY"), Attempt: 1, Status: orders.Declined, Provider: "stripe", Ref: ref},
			{ID: fresh("PAY"), Attempt: 1, Status: orders.Succeeded, Provider: "stripe", Ref: ref},
		}
		o.Tickets = []orders.Ticket{{ID: fresh("TKT"), PaymentID: o.Payments[1].ID, Status: orders.TicketRejected, Versions: []orders.TicketVersion{{Amount: 1}}}}
		if err := s.Commit(background, orders.Change{Order: o}); err != nil {
			return err
		}
		other := map[checkout.Environment]checkout.Environment{checkout.Test: checkout.Prod, checkout.Prod: checkout.Test}[env]
		for _, id := range []string{o.Payments[0].ID, o.Payments[1].ID, o.Tickets[0].ID} {
			found, err := s.OrderOf(background, env, id)
			if err != nil || found.ID != o.ID {
				return fmt.Errorf("the order of %s is %+v, %v", id, found, err)
			}
			_, err = s.OrderOf(background, other, id)
			if err := want("an id of the other environment", err, orders.ErrNotFound); err != nil {
				return err
			}
		}
		found, err := s.OrderPaidBy(background, env, "stripe", ref)
		if err != nil || found.ID != o.ID {
			return fmt.Errorf("the order paid by %s is %+v, %v", ref, found, err)
		}
		if err := cmp.Or(paidByNone(s, other, "stripe", ref), paidByNone(s, env, "another", ref), paidByNone(s, env, "stripe", fresh("pi"))); err != nil {
			return err
		}
	}
	_, err := s.OrderOf(background, checkout.Test, fresh("TKT"))
	return want("an unknown ticket", err, orders.ErrNotFound)
}

func paidByNone(s record.Store, env checkout.Environment, provider, ref string) error {
	_, err := s.OrderPaidBy(background, env, provider, ref)
	return want("another payment", err, orders.ErrNotFound)
}

// openTickets stores orders with tickets, and lists those that are open as long as they are.
func openTickets(s record.Store) error {
	var kept []string
	var last *orders.Order
	for i, status := range []orders.TicketStatus{orders.TicketPending, orders.TicketRejected, orders.TicketApproved, orders.TicketProcessing, orders.TicketSucceeded, orders.TicketPending} {
		_, o, err := placed(s, []checkout.Environment{checkout.Test, checkout.Prod}[i/5])
		if err != nil {
			return err
		}
		o.State, o.Attempts[0].URL = orders.Paid, "https://psp.example/pay"
		o.Payments = []orders.Payment{{ID: fresh("PAY"), Attempt: 1, Status: orders.Succeeded, Provider: "stripe", Ref: fresh("pi")}}
		o.Tickets = []orders.Ticket{{ID: fresh("TKT"), PaymentID: o.Payments[0].ID, Status: status, Versions: []orders.TicketVersion{{Amount: 1}}}}
		if err := s.Commit(background, orders.Change{Order: o}); err != nil {
			return err
		}
		o.Version++
		if status.Open() && o.Environment == checkout.Test {
			kept, last = append(kept, o.Tickets[0].ID), o
		}
	}
	if err := listsTickets(s, kept); err != nil {
		return err
	}
	last.Tickets[0].Status = orders.TicketFailed
	if err := s.Commit(background, orders.Change{Order: last}); err != nil {
		return err
	}
	return listsTickets(s, kept[:len(kept)-1])
}

func listsTickets(s record.Store, wanted []string) error {
	listed, err := pages(1, func(t orders.OpenTicket) string { return t.TicketID }, func(after string, limit int) (psp.Page[orders.OpenTicket], error) {
		return s.OpenTickets(background, checkout.Test, after, limit)
	})
	if err != nil {
		return err
	}
	var ids []string
	for _, t := range listed {
		if t.Order.Ticket(t.TicketID) == nil {
			return fmt.Errorf("%s is listed with another order", t.TicketID)
		}
		if t.TicketID >= wanted[0] {
			ids = append(ids, t.TicketID)
		}
	}
	if !slices.Equal(ids, wanted) {
		return fmt.Errorf("open are %v; want %v", ids, wanted)
	}
	return nil
}
