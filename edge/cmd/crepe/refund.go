package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/crepe-checkout/crepe/edge/admin"
)

const refundUsage = `crepe refund lists refund tickets, decides on those of customers, and refunds a payment. It works while the server runs and
after it has stopped; a refund that is approved then is made when the server starts.

Usage:
  crepe refund list [--env test|prod]
  crepe refund approve TICKET_ID [--note TEXT]
  crepe refund reject TICKET_ID --reason TEXT
  crepe refund create PAYMENT_ID [--amount AMOUNT] --reason TEXT

crepe refund COMMAND --help lists the settings.
`

const refundListUsage = `crepe refund list lists the refund tickets that are open: a pending one waits for a decision, a processing one for the
payment provider.

Examples:
  crepe refund list
  crepe refund list --env prod --json

Settings:
`

const refundApproveUsage = `crepe refund approve approves a customer's refund ticket, and refunds the payment at the provider.

Examples:
  crepe refund approve TKT_5Yk2

Settings:
`

const refundRejectUsage = `crepe refund reject rejects a customer's refund ticket. The customer sees the reason and can submit the ticket again.

Examples:
  crepe refund reject TKT_5Yk2 --reason "The course was completed."

Settings:
`

const refundCreateUsage = `crepe refund create refunds a payment on behalf of its merchant, at any time after it. crepe orders refund-due --json names
the payments of an order that was paid more than once.

Examples:
  crepe refund create PAY_5Yk2 --reason "Paid twice"
  crepe refund create PAY_5Yk2 --amount 10.00 --reason "Goodwill"

Settings:
`

var refundCommands = map[string]commandFunc{"list": refundList, "approve": refundApprove, "reject": refundReject, "create": refundCreate}

func refundList(_ context.Context, args []string, stdout, _ io.Writer, log *slog.Logger) error {
	o := newOperation("refund list", refundListUsage, stdout, log)
	env := o.flags.String("env", "", "`environment`, test or prod; default: both")
	return o.with(args, func(c *admin.Client) error {
		tickets, err := all[admin.Ticket](c, admin.ListTickets, *env)
		return o.print(tickets, err, func() { o.printTickets(tickets) })
	})
}

func (o *operation) printTickets(tickets []admin.Ticket) {
	if len(tickets) == 0 {
		fmt.Fprintln(o.stdout, "No refund ticket is open.")
		return
	}
	var rows [][]string
	for _, t := range tickets {
		rows = append(rows, []string{when(t.At), string(t.Environment), t.ID, t.Status, t.OrderID, t.PaymentID, t.Amount + " of " + t.Refundable + " " + t.Currency,
			t.SubmitterID, t.Reason, t.Failure})
	}
	o.printTable("WHEN ENV TICKET STATUS ORDER PAYMENT AMOUNT SUBMITTER REASON ERROR", rows)
	fmt.Fprintln(o.stdout, "\nNext: crepe refund approve TICKET, or crepe refund reject TICKET --reason TEXT")
}

func refundApprove(_ context.Context, args []string, stdout, _ io.Writer, log *slog.Logger) error {
	o := newOperation("refund approve", refundApproveUsage, stdout, log)
	note := o.flags.String("note", "", "`text` for the merchant and the customer")
	return reviewTicket(o, args, func(id, env string) (admin.ReviewRequest, error) {
		return admin.ReviewRequest{Environment: env, ID: id, Approve: true, Note: *note}, nil
	})
}

func refundReject(_ context.Context, args []string, stdout, _ io.Writer, log *slog.Logger) error {
	o := newOperation("refund reject", refundRejectUsage, stdout, log)
	reason := o.flags.String("reason", "", "why, as the customer sees it: `text`")
	return reviewTicket(o, args, func(id, env string) (admin.ReviewRequest, error) {
		if *reason == "" {
			return admin.ReviewRequest{}, misuse(o.flags, "--reason is needed")
		}
		return admin.ReviewRequest{Environment: env, ID: id, Note: *reason}, nil
	})
}

func reviewTicket(o *operation, args []string, request func(id, env string) (admin.ReviewRequest, error)) error {
	env := o.flags.String("env", "", "`environment`, test or prod; default: the one that has the ticket")
	id, err := o.parseOne(args, "TICKET_ID")
	if err != nil {
		return err
	}
	in, err := request(id, *env)
	if err != nil {
		return err
	}
	return o.open(func(c *admin.Client) error {
		t, err := admin.Perform[admin.Ticket](c, admin.ReviewTicket, in)
		return o.print(t, err, func() { o.printTicket(t) })
	})
}

func refundCreate(_ context.Context, args []string, stdout, _ io.Writer, log *slog.Logger) error {
	o := newOperation("refund create", refundCreateUsage, stdout, log)
	env := o.flags.String("env", "", "`environment`, test or prod; default: the one that has the payment")
	amount := o.flags.String("amount", "", "`amount` in the payment's currency; default: all that is left of the payment")
	reason := o.flags.String("reason", "", "why, for the records: `text`")
	id, err := o.parseOne(args, "PAYMENT_ID")
	switch {
	case err != nil:
		return err
	case *reason == "":
		return misuse(o.flags, "--reason is needed")
	}
	return o.open(func(c *admin.Client) error {
		t, err := admin.Perform[admin.Ticket](c, admin.CreateTicket,
			admin.CreateTicketRequest{Environment: *env, PaymentID: id, Amount: *amount, Reason: *reason})
		return o.print(t, err, func() { o.printTicket(t) })
	})
}

func (o *operation) printTicket(t admin.Ticket) {
	fmt.Fprintf(o.stdout, "%s (%s) is %s: %s %s of payment %s.\n", t.ID, t.Environment, t.Status, t.Amount, t.Currency, t.PaymentID)
	switch {
	case t.Status == "approved":
		fmt.Fprintln(o.stdout, "The refund is made when the server starts.")
	case t.Failure != "":
		fmt.Fprintln(o.stdout, "The payment provider: "+visibleText(t.Failure))
	}
}

// parseOne parses the flags and returns the one argument, which name describes.
func (o *operation) parseOne(args []string, name string) (string, error) {
	arguments, err := o.parse(args)
	if err == nil && len(arguments) != 1 {
		err = misuse(o.flags, "expected one argument: %s", name)
	}
	if err != nil {
		return "", err
	}
	return arguments[0], nil
}
