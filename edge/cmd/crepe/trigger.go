package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/goccy/go-json"
	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/demo"
	"github.com/crepe-checkout/crepe/edge/sandbox"
)

// trigger makes the sandbox of a running crepe dev report an event for an order.
func trigger(args []string, stdout io.Writer) error {
	f := newFlags("trigger", triggerUsage())
	data := f.String("data", devData, "data directory of the running crepe dev")
	env := f.String("env", string(checkout.Test), "the order's environment: test or prod")
	fault := f.String("fault", "", "fault of the webhook: twice, late, late:1m, out_of_order, lost; default: none")
	if err := parseFlags(f, args, stdout); err != nil {
		return err
	}
	if f.NArg() != 2 {
		return misuse(f, "an event and an order are needed")
	}
	file, err := demo.ReadFile(*data)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("no crepe dev has run in %s: %w\nstart \"crepe dev\", or name its directory with --data", *data, err)
	}
	if err != nil {
		return fmt.Errorf("%w; start \"crepe dev\" again, which writes it", err)
	}
	body, err := json.Marshal(map[string]string{"event": f.Arg(0), "order": f.Arg(1), "fault": *fault, "environment": *env})
	if err != nil {
		return err
	}
	answer, err := demo.Post(file.BaseURL+"/sandbox/trigger", body, nil)
	if err != nil {
		return explained(err, *env)
	}
	_, err = fmt.Fprintf(stdout, "%s\n", answer)
	return err
}

// explained returns why the sandbox refused, and what to do.
func explained(err error, env string) error {
	refused, ok := errors.AsType[*demo.StatusError](err)
	if !ok {
		return fmt.Errorf("no crepe dev answers: %w\nstart \"crepe dev\", or name the directory of the one that runs with --data", err)
	}
	var said struct {
		Error  string
		Errors []struct{ Message string }
	}
	if json.Unmarshal(refused.Body, &said) != nil || said.Error == "" && len(said.Errors) == 0 {
		return err
	}
	if len(said.Errors) > 0 {
		return errors.New(said.Errors[0].Message)
	}
	if refused.Status == fasthttp.StatusNotFound {
		return fmt.Errorf("%s\nasked in the environment %s; --env names the other one", said.Error, env)
	}
	return errors.New(said.Error)
}

func triggerUsage() string {
	var events strings.Builder
	for _, t := range sandbox.Triggers() {
		fmt.Fprintf(&events, "  %-40s  %s\n", t.Event, t.Means)
	}
	return `crepe trigger [--data DIR] [--env ENV] [--fault FAULT] EVENT ORDER

makes an event happen to the latest checkout of an order in the sandbox of a running "crepe dev". An event that has happened
already is reported again. ORDER is the order's id, ORD_…, which /sandbox/log shows (/sandbox/prod/log for prod); the id of
the checkout session, cs_…; or the URL that create-order returned.

Events:
` + events.String() + `
Examples:
  crepe trigger checkout.session.completed ORD_…
      The buyer pays, without the page.
  crepe trigger --env prod checkout.session.expired http://127.0.0.1:8787/sandbox/prod/pay/cs_live_…
      The checkout behind a payment URL ends unpaid.
  crepe trigger --fault twice checkout.session.completed ORD_…
      The webhook is delivered twice.
  crepe trigger --fault out_of_order payment_intent.payment_failed ORD_…
  crepe trigger checkout.session.completed ORD_…
      The webhook of the declined card is delivered after that of the payment.
  crepe trigger --fault lost checkout.session.expired ORD_…
      No webhook is delivered; the hourly reconciliation finds the change.

The result is in the log, /sandbox/log.

`
}
