package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/admin"
	"github.com/crepe-checkout/crepe/edge/demo"
	"github.com/crepe-checkout/crepe/edge/notify"
)

const webhookListenUsage = `crepe webhook listen is a merchant's server for development: it prints each delivery and whether its signature verifies, and
answers with 200. On the data directory of a running crepe dev it adds itself as an endpoint of the demo store in the test
environment, and removes itself at the end. On any other it prints how to add it.

Examples:
  crepe webhook listen --data .crepe
  crepe webhook listen --data .crepe --answer 500
      Answers with an error, to see deliveries being tried again.

Settings:
`

const (
	// listenPath marks the endpoints that crepe webhook listen has added.
	listenPath = "/crepe-webhook-listen"
	// maxDelivery is the longest body that is read, in bytes.
	maxDelivery = 1 << 20
)

func webhookListen(ctx context.Context, args []string, stdout, _ io.Writer, log *slog.Logger) error {
	o := newOperation("webhook listen", webhookListenUsage, stdout, log)
	address := o.flags.String("listen", "127.0.0.1:0", "`address` to listen on")
	answer := o.flags.Int("answer", http.StatusOK, "`status` to answer with")
	arguments, err := o.parse(args)
	if err != nil {
		return err
	}
	if len(arguments) > 0 {
		return misuse(o.flags, "unexpected argument %q", arguments[0])
	}
	if *answer < 200 || *answer > 599 {
		return misuse(o.flags, "--answer is a status from 200 to 599")
	}
	l := &webhookListener{stdout: stdout, status: *answer, now: time.Now}
	if err := o.open(l.readKeys); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: l, ReadHeaderTimeout: notify.Timeout}
	go server.Serve(listener)
	defer server.Close()
	remove, err := l.register(*o.data, "http://"+listener.Addr().String()+listenPath)
	if err != nil {
		return err
	}
	<-ctx.Done()
	return remove()
}

// webhookListener prints deliveries.
type webhookListener struct {
	stdout io.Writer
	status int
	now    func() time.Time
	keys   []admin.PublicKey
	stale  []string // the endpoints of earlier runs

	mutex sync.Mutex
}

// readKeys reads the public keys, and finds the endpoints that earlier runs have left.
func (l *webhookListener) readKeys(c *admin.Client) error {
	keys, err := admin.Perform[admin.PublicKeys](c, admin.WebhookKeys, admin.PublicKeysRequest{})
	if err != nil {
		return err
	}
	l.keys = keys.Items
	endpoints, err := all[admin.Endpoint](c, admin.ListEndpoints, string(checkout.Test))
	for _, e := range endpoints {
		if strings.HasSuffix(e.URL, listenPath) {
			l.stale = append(l.stale, e.ID)
		}
	}
	return err
}

// register adds the listener as an endpoint of the demo store of a running crepe dev. Where none runs, it says so.
func (l *webhookListener) register(data, url string) (remove func() error, err error) {
	file, err := demo.ReadFile(data)
	if errors.Is(err, os.ErrNotExist) {
		fmt.Fprintf(l.stdout, `Listening at %s. No crepe dev has run in %s. To receive events, add an endpoint with the SDK:

  client.webhooks.add({ storeId, channel: "http", url: %[1]q, testMode: true, events: ["order.completed"] })

A server that was not started with --private-webhooks refuses this address.

`, url, data)
		return func() error { return nil }, nil
	}
	if err != nil {
		return nil, err
	}
	merchant, err := demo.NewClient(file.BaseURL, file.MerchantID, file.PrivateKey[checkout.Test])
	if err != nil {
		return nil, err
	}
	for _, id := range l.stale {
		if err := merchant.RemoveWebhook(id); err != nil {
			return nil, err
		}
	}
	id, err := merchant.AddWebhook(file.StoreID, url)
	if err != nil {
		return nil, fmt.Errorf("crepe dev does not take the endpoint: %w", err)
	}
	fmt.Fprintf(l.stdout, "Listening at %s as endpoint %s of the demo store. Buy something at %s; Ctrl-C ends.\n\n", url, id, file.CheckoutURL)
	return func() error { return merchant.RemoveWebhook(id) }, nil
}

// ServeHTTP prints one delivery.
func (l *webhookListener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxDelivery))
	if err != nil {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	var event struct {
		ID        string `json:"id"`
		EventType string `json:"eventType"`
		EventID   string `json:"eventId"`
	}
	text := new(bytes.Buffer)
	if json.Unmarshal(body, &event) != nil || json.Indent(text, body, "", "  ") != nil {
		text.Reset()
		fmt.Fprintf(text, "%q", body)
	}
	l.mutex.Lock()
	fmt.Fprintf(l.stdout, "%s %s %s %s: %s, answered %d\n%s\n\n", l.now().UTC().Format("15:04:05"), printable(event.EventType), printable(event.EventID),
		printable(event.ID), l.verdict(r.Header.Get("X-Waffo-Signature"), body), l.status, text)
	l.mutex.Unlock()
	w.WriteHeader(l.status)
}

// verdict says which environment's key verifies the signature, or why none does.
func (l *webhookListener) verdict(header string, body []byte) string {
	var why error
	for _, k := range l.keys {
		err := notify.Verify(k.PublicKey, header, body, l.now())
		if err == nil {
			return "verified with the " + string(k.Environment) + " key"
		}
		why = err
	}
	return fmt.Sprintf("NOT VERIFIED: %v", why)
}

// printable replaces what could control the terminal.
func printable(text string) string { return strings.Map(visible, text) }
