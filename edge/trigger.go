package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/goccy/go-json"
	"github.com/valyala/fasthttp"
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
	return post(file.BaseURL+"/sandbox/trigger", body, stdout)
}

func post(url string, body []byte, stdout io.Writer) error {
	req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(resp)
	req.SetRequestURI(url)
	req.Header.SetMethod(fasthttp.MethodPost)
	req.Header.SetContentType("application/json")
	req.SetBody(body)
	if err := fasthttp.DoTimeout(req, resp, 5*time.Second); err != nil {
		return err
	}
	if resp.StatusCode() != fasthttp.StatusOK {
		return fmt.Errorf("the sandbox answers %d: %s", resp.StatusCode(), resp.Body())
	}
	_, err := fmt.Fprintf(stdout, "%s\n", resp.Body())
	return err
}
