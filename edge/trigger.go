package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/goccy/go-json"
)

// trigger asks the sandbox of a running `crepe dev` to report an event for an order.
func trigger(args []string, stdout, stderr io.Writer) error {
	f := flag.NewFlagSet("crepe trigger", flag.ContinueOnError)
	f.SetOutput(stderr)
	data := f.String("data", ".crepe", "data directory of the running crepe dev")
	f.Usage = func() {
		fmt.Fprint(stderr, "crepe trigger [--data DIR] EVENT ORDER\n\n"+
			"EVENT is checkout.session.completed, checkout.session.expired, checkout.session.async_payment_succeeded or\n"+
			"checkout.session.async_payment_failed; ORDER is an order's id, ORD_…\n\n")
		f.PrintDefaults()
	}
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() != 2 {
		f.Usage()
		return errors.New("trigger takes an event and an order")
	}
	text, err := os.ReadFile(filepath.Join(*data, "dev.json"))
	if err != nil {
		return fmt.Errorf("no running crepe dev is known in %s: %w", *data, err)
	}
	var file devFile
	if err := json.Unmarshal(text, &file); err != nil {
		return err
	}
	body, err := json.Marshal(map[string]string{"event": f.Arg(0), "order": f.Arg(1)})
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
