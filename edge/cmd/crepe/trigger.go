package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/edge/sandbox"
)

// trigger asks the sandbox of a running `crepe dev` to report an event for an order.
func trigger(args []string, stdout io.Writer) error {
	f := newFlags("trigger", triggerUsage())
	data := f.String("data", devData, "data directory of the running crepe dev")
	fault := f.String("fault", "", "what goes wrong with the webhook: twice, late, late:1m, out_of_order, lost; default: nothing")
	if err := parseFlags(f, args, stdout); err != nil {
		return err
	}
	if f.NArg() != 2 {
		return misuse(f, "an event and an order are needed")
	}
	text, err := os.ReadFile(filepath.Join(*data, devFileName))
	if err != nil {
		return fmt.Errorf("no running crepe dev is known in %s: %w", *data, err)
	}
	var file devFile
	if err := json.Unmarshal(text, &file); err != nil {
		return err
	}
	body, err := json.Marshal(map[string]string{"event": f.Arg(0), "order": f.Arg(1), "fault": *fault})
	if err != nil {
		return err
	}
	answer, err := post(file.BaseURL+"/sandbox/trigger", body, nil)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%s\n", answer)
	return err
}

func triggerUsage() string {
	var events strings.Builder
	for _, t := range sandbox.Triggers() {
		fmt.Fprintf(&events, "  %-40s  %s\n", t.Event, t.Means)
	}
	return `crepe trigger [--data DIR] [--fault FAULT] EVENT ORDER

makes an event happen to the latest checkout of an order, ORD_…, in the sandbox of a running "crepe dev". What has
happened already is reported once more.

Events:
` + events.String() + `
Examples:
  crepe trigger checkout.session.completed ORD_…
      The buyer pays, without the page.
  crepe trigger --fault twice checkout.session.completed ORD_…
      And the webhook comes two times.
  crepe trigger --fault out_of_order payment_intent.payment_failed ORD_…
  crepe trigger checkout.session.completed ORD_…
      The news of the declined card comes after that of the payment.
  crepe trigger --fault lost checkout.session.expired ORD_…
      Nobody is told: the hourly reconciliation finds out.

What came of it is in the log, /sandbox/log.

`
}
