package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/crepe-checkout/crepe/edge/admin"
)

const ordersUsage = `crepe orders lists the payments that need a person. It works while the server runs and after it has stopped.

Usage:
  crepe orders quarantine [--env test|prod] [--handled PROVIDER/EVENT_ID]
  crepe orders refund-due [--env test|prod] [--handled ORDER_ID]
  crepe orders vat-checks [--env test|prod]

crepe orders COMMAND --help lists the settings.
`

const quarantineUsage = `crepe orders quarantine lists payment events that are genuine and match no order, handled or not. The server logs an
error each hour while one is not handled.

Examples:
  crepe orders quarantine
  crepe orders quarantine --env prod --json
  crepe orders quarantine --handled stripe/evt_1P2c
      Marks the event as handled after you have refunded the payment or delivered the product. It stays in the list.

Metrics for Prometheus, from a running server:
  curl --unix-socket crepe-data/admin.sock http://crepe/metrics

Settings:
`

const refundDueUsage = `crepe orders refund-due lists orders that were paid more than once, a line for each payment, handled or not. The server logs an
error each hour while one is not handled.

Examples:
  crepe orders refund-due
  crepe orders refund-due --env prod --json
  crepe orders refund-due --handled ORD_5Yk2
      Marks the order as handled. crepe refund create does that when it has refunded all of the payments but one. It stays in the list.

Metrics for Prometheus, from a running server:
  curl --unix-socket crepe-data/admin.sock http://crepe/metrics

Settings:
`

const vatChecksUsage = `crepe orders vat-checks lists orders without tax whose buyer's VAT number is not registered (invalid), or about which VIES has
given no answer for a week (failed). The tax may then be yours to pay. It needs crepe serve --vies.

Examples:
  crepe orders vat-checks
  crepe orders vat-checks --env prod --json

Settings:
`

var ordersCommands = map[string]commandFunc{"quarantine": ordersQuarantine, "refund-due": ordersRefundDue, "vat-checks": ordersVATChecks}

func ordersQuarantine(_ context.Context, args []string, stdout, _ io.Writer, log *slog.Logger) error {
	r := review{newOperation("orders quarantine", quarantineUsage, stdout, log), admin.ListQuarantined, admin.HandleQuarantined}
	return showReview(r, args, "PROVIDER/EVENT_ID", printQuarantine)
}

func ordersRefundDue(_ context.Context, args []string, stdout, _ io.Writer, log *slog.Logger) error {
	r := review{newOperation("orders refund-due", refundDueUsage, stdout, log), admin.ListRefunds, admin.HandleRefund}
	return showReview(r, args, "ORDER_ID", printRefunds)
}

// review is a command that shows one of the lists.
type review struct {
	*operation
	list, handle string // paths
}

// showReview prints the list, or marks the entry that --handled names.
func showReview[T any](r review, args []string, id string, print func(*operation, []T)) error {
	env := r.flags.String("env", "", "`environment`, test or prod; default: both")
	handled := r.flags.String("handled", "", "mark the entry `"+id+"` as handled")
	return r.with(args, func(c *admin.Client) error {
		if *handled != "" {
			done, err := admin.Perform[admin.Handled](c, r.handle, admin.HandleRequest{Environment: *env, ID: *handled})
			return r.print(done, err, func() { fmt.Fprintf(r.stdout, "%s (%s) is handled.\n", done.ID, done.Environment) })
		}
		items, err := all[T](c, r.list, *env)
		return r.print(items, err, func() { print(r.operation, items) })
	})
}

func ordersVATChecks(_ context.Context, args []string, stdout, _ io.Writer, log *slog.Logger) error {
	o := newOperation("orders vat-checks", vatChecksUsage, stdout, log)
	env := o.flags.String("env", "", "`environment`, test or prod; default: both")
	return o.with(args, func(c *admin.Client) error {
		checks, err := all[admin.VATCheck](c, admin.ListVATChecks, *env)
		return o.print(checks, err, func() { printVATChecks(o, checks) })
	})
}

func printVATChecks(o *operation, checks []admin.VATCheck) {
	if len(checks) == 0 {
		fmt.Fprintln(o.stdout, "No VAT number waits for a review.")
		return
	}
	rows := [][]string{}
	for _, c := range checks {
		rows = append(rows, []string{when(c.At), string(c.Environment), c.StoreID, c.OrderID, c.Number, string(c.State), c.ConsultationNumber, c.Error})
	}
	o.printTable("WHEN ENV STORE ORDER NUMBER STATE CONSULTATION ERROR", rows)
	fmt.Fprintln(o.stdout, "\nAsk each buyer for a number that is registered. Otherwise the sale is one to a consumer: refund it, or pay the tax.")
}

func printQuarantine(o *operation, events []admin.QuarantinedEvent) {
	if len(events) == 0 {
		fmt.Fprintln(o.stdout, "Nothing is in quarantine.")
		return
	}
	rows, waiting := [][]string{}, 0
	for _, e := range events {
		if e.HandledAt == nil {
			waiting++
		}
		rows = append(rows, []string{when(e.At), string(e.Environment), e.ID, e.CheckoutID, e.PaymentID, e.Amount + " " + e.Currency,
			e.OrderID, e.Why, when(e.HandledAt)})
	}
	o.printTable("WHEN ENV EVENT CHECKOUT PAYMENT AMOUNT ORDER WHY HANDLED", rows)
	o.printNext(waiting, "Look up each payment at the provider, refund it or deliver the product, then: crepe orders quarantine --handled EVENT")
}

func printRefunds(o *operation, refunds []admin.Refund) {
	if len(refunds) == 0 {
		fmt.Fprintln(o.stdout, "No refund is due.")
		return
	}
	rows, waiting := [][]string{}, 0
	for _, r := range refunds {
		if r.HandledAt == nil {
			waiting++
		}
		for i, p := range r.Payments {
			rows = append(rows, []string{when(p.At), string(r.Environment), r.OrderID, p.ID, p.Provider, p.PaymentID, p.CheckoutID,
				p.Amount + " " + p.Currency, fmt.Sprintf("payment %d of %d", i+1, len(r.Payments)), when(r.HandledAt)})
		}
	}
	o.printTable("WHEN ENV ORDER ID PROVIDER PAYMENT CHECKOUT AMOUNT WHY HANDLED", rows)
	o.printNext(waiting, "Refund all payments of an order but one: crepe refund create ID --reason TEXT")
}

// printNext prints what to do with the entries that are not handled.
func (o *operation) printNext(waiting int, next string) {
	if waiting == 0 {
		fmt.Fprintln(o.stdout, "\nAll are handled.")
		return
	}
	fmt.Fprintf(o.stdout, "\n%d not handled. %s\n", waiting, next)
}
