// Package demo is the merchant of crepe dev. [Demo] seeds its records and serves its pages; [Client] calls the API as its
// server does, with signed requests over HTTP; [File] is dev.json, which tells scripts its ids and private keys.
//
// Caveat: dev.json contains private keys that may sell in both environments. A data directory that has one must not be served
// in production.
package demo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/notify"
)

// Config configures a [Demo].
type Config struct {
	Store     Store
	Data      string                   // directory of dev.json
	PublicURL string                   // where buyers reach the server
	LocalURL  string                   // where this process reaches the server
	Origins   []string                 // whose pages may call the API for the demo store
	Frames    []string                 // whose pages may show its checkout in a frame
	Look      catalog.CheckoutSettings // of the demo store
	Log       *slog.Logger
}

// Store holds the merchant's records and the keys of its webhooks.
type Store interface {
	catalog.Records
	notify.Keys
}

// Demo is the demo merchant of one server. It is safe for concurrent use.
type Demo struct {
	config Config
	file   atomic.Pointer[File] // nil until Introduce
}

// New returns the demo merchant of a server. It writes nothing.
func New(c Config) *Demo { return &Demo{config: c} }

// Open returns the merchant of an earlier run, or seeds a new one where there is none in the store. It does not write dev.json.
func (d *Demo) Open(ctx context.Context) (*File, error) {
	file, err := ReadFile(d.config.Data)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return d.seed(ctx)
	case errors.Is(err, errEmpty):
		d.config.Log.Warn("dev.json is empty: the demo merchant's private keys are lost, a new demo merchant takes its place", "data", d.config.Data)
		return d.seed(ctx)
	case err != nil:
		return nil, fmt.Errorf("%w; --fresh starts over", err)
	}
	file.BaseURL = d.config.PublicURL
	if _, err = d.config.Store.Merchant(ctx, file.MerchantID); errors.Is(err, catalog.ErrNotFound) {
		return d.seed(ctx)
	}
	return file, err
}

func (d *Demo) seed(ctx context.Context) (*File, error) {
	made, err := catalog.NewDemo(time.Now(), rand.Reader)
	if err != nil {
		return nil, err
	}
	if err := d.config.Store.Put(ctx, made.Change()); err != nil {
		return nil, err
	}
	file := &File{BaseURL: d.config.PublicURL, MerchantID: made.Merchant.ID, PrivateKey: made.PrivateKeys, StoreID: made.Store.ID,
		StoreSlug: made.Store.Slug}
	for _, p := range made.Products {
		file.Products = append(file.Products, Product{p.ID, p.Type, p.OnSale(checkout.Test).Name})
	}
	return file, nil
}

// Introduce opens the merchant, configures its store, creates a checkout session through the API, writes dev.json and prints
// to w where everything is. The server must take requests.
func (d *Demo) Introduce(ctx context.Context, w io.Writer) error {
	file, err := d.Open(ctx)
	if err != nil {
		return err
	}
	if err := d.configureStore(ctx, file.StoreID); err != nil {
		return err
	}
	merchant, err := NewClient(d.config.LocalURL, file.MerchantID, file.PrivateKey[checkout.Test])
	if err != nil {
		return err
	}
	session, err := merchant.CreateSession(file.Products[0].ID, d.successURL())
	if err != nil {
		return err
	}
	token, err := merchant.IssueToken(file.StoreID)
	if err != nil {
		return err
	}
	file.CheckoutURL = session.CheckoutURL
	if file.WebhookPublicKey, err = d.webhookPublicKeys(ctx); err != nil {
		return err
	}
	d.file.Store(file)
	if err := file.write(d.config.Data); err != nil {
		return err
	}
	fmt.Fprintf(w, `Crêpe is ready. Open this page and buy something; no card works here and no money moves:

  %s

Everything that is here: %s

The same order as a program places it (the token lives five minutes; each call renews it):

  curl -s %s/v1/actions/onetime-order/create-order \
    -H 'Content-Type: application/json' -H 'X-Environment: test' \
    -H 'Authorization: Bearer %s' \
    -d '{"checkoutSessionId":"%s","buyerEmail":"ada@example.com","billingDetail":{"country":"DE","isBusiness":false}}'

Merchant   %s
Store      %s (%s)
Product    %s
Keys       %s (test and prod)
Sandbox    %s/sandbox/log
Webhooks   crepe webhook listen --data %s

`, file.CheckoutURL, d.config.PublicURL, d.config.PublicURL, token, session.SessionID, file.MerchantID, file.StoreID, file.StoreSlug,
		file.Products[0].ID, filepath.Join(d.config.Data, FileName), d.config.PublicURL, d.config.Data)
	return nil
}

// configureStore sets which origins may call the API for a store and frame its checkout, and how that looks.
func (d *Demo) configureStore(ctx context.Context, id string) error {
	store, err := d.config.Store.Store(ctx, id)
	if err != nil {
		return err
	}
	store.Origins, store.Frames, store.Checkout = d.config.Origins, d.config.Frames, d.config.Look
	if err := store.Check(); err != nil {
		return err
	}
	return d.config.Store.Put(ctx, catalog.Change{Store: store})
}

// webhookPublicKeys are the keys that verify what the server sends to the merchant.
func (d *Demo) webhookPublicKeys(ctx context.Context) (map[checkout.Environment]string, error) {
	keys := make(map[checkout.Environment]string)
	for _, env := range []checkout.Environment{checkout.Test, checkout.Prod} {
		signer, err := notify.NewSigner(ctx, d.config.Store, env)
		if err != nil {
			return nil, err
		}
		if keys[env], err = signer.PublicKey(); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

// successURL is the URL of the demo's thank-you page, or "" for the hosted status page where the API refuses that URL.
func (d *Demo) successURL() string {
	url := d.config.PublicURL + "/demo/thank-you"
	if !checkout.ValidReturnURL(url, checkout.Test) {
		return ""
	}
	return url
}
