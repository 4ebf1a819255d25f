package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/badgerstore"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/durable"
	"github.com/crepe-checkout/crepe/edge/notify"
)

const devFileName = "dev.json"

// devFile is what `crepe dev` writes to <data>/dev.json: all that a script needs to act as the demo merchant.
type devFile struct {
	BaseURL          string                          `json:"baseUrl"`
	MerchantID       string                          `json:"merchantId"`
	PrivateKey       map[checkout.Environment]string `json:"privateKey"`
	StoreID          string                          `json:"storeId"`
	StoreSlug        string                          `json:"storeSlug"`
	Products         []devProduct                    `json:"products"`
	WebhookPublicKey map[checkout.Environment]string `json:"webhookPublicKey"`
	CheckoutURL      string                          `json:"checkoutUrl"`
}

type devProduct struct {
	ID   string               `json:"id"`
	Type checkout.ProductType `json:"type"`
	Name string               `json:"name"`
}

const devUsage = `crepe dev runs everything on this machine: a demo merchant, a sandbox payment provider and the hosted page.

Usage:
  crepe dev
  crepe dev --fresh --origins http://localhost:5173

Settings, each of them also an environment variable (--public-url is CREPE_PUBLIC_URL):
`

// dev runs everything on this machine: from the prompt to a paid order without an account or a network.
func dev(ctx context.Context, args []string, stdout, _ io.Writer, log *slog.Logger) error {
	c := Config{Data: devData}
	f := newFlags("dev", devUsage)
	c.flags(f)
	fresh := f.Bool("fresh", false, "forget what an earlier run has left in the data directory")
	list := f.String("origins", "", "`origins`, between commas, whose pages may call the API for the demo store; default: none")
	file := f.String("look", "", "checkoutSettings `file` of the demo store (.json): its colours, corners and logo; default: the checkout's own look")
	if err := parseWithEnvironment(f, args, stdout); err != nil {
		return err
	}
	origins, err := parseOrigins(*list)
	if err != nil {
		return err
	}
	look, err := readLook(*file)
	if err != nil {
		return err
	}
	if *fresh {
		if err := forget(c.Data, log); err != nil {
			return err
		}
	}
	c.Sandbox = map[checkout.Environment]bool{checkout.Test: true, checkout.Prod: true}
	c.SandboxTools = true
	c.Use = useDev
	listener, err := c.listen()
	if err != nil {
		return fmt.Errorf("%w; --listen 127.0.0.1:0 takes any free port", err)
	}
	return host(ctx, c, listener, log, func(ctx context.Context, s *server) error { return s.introduce(ctx, stdout, origins, look) })
}

// parseOrigins reads a list between commas.
func parseOrigins(list string) ([]string, error) {
	if list == "" {
		return nil, nil
	}
	origins := strings.Split(list, ",")
	for _, origin := range origins {
		if !catalog.ValidOrigin(origin) {
			return nil, fmt.Errorf("--origins: %q is no origin; expected something like https://shop.example.com or http://localhost:5173", origin)
		}
	}
	return origins, nil
}

// arrange sets which other pages may call the API for a store, and how its checkout looks.
func (s *server) arrange(ctx context.Context, storeID string, origins []string, look catalog.CheckoutSettings) error {
	store, err := s.db.Store(ctx, storeID)
	if err != nil {
		return err
	}
	store.Origins, store.Checkout = origins, look
	if err := store.Check(); err != nil {
		return err
	}
	return s.db.Put(ctx, catalog.Change{Store: store})
}

// forget removes what a run leaves, and nothing else that may lie in the directory. It opens the database first: if
// another crepe has it open, forget fails and removes nothing. Any other error of opening is ignored, because the files go.
func forget(data string, log *slog.Logger) error {
	db, err := openStore(data, badgerstore.Options{Log: log})
	if errors.Is(err, durable.ErrInUse) {
		return err
	}
	var errs []error
	if err == nil {
		stored, err := db.Claim(context.Background(), "")
		errs = append(errs, err, db.Close())
		if err := useDev.check(data, use(stored)); err != nil {
			return errors.Join(append(errs, err)...)
		}
	}
	for _, name := range []string{ownDatabase, sandboxDatabase, devFileName} {
		errs = append(errs, os.RemoveAll(filepath.Join(data, name)))
	}
	return errors.Join(errs...)
}

// introduce seeds the demo merchant on the first run, opens a checkout session for the newcomer and says where everything
// is. The session is made the way a merchant's server makes it: through the API, with a signature.
func (s *server) introduce(ctx context.Context, stdout io.Writer, origins []string, look catalog.CheckoutSettings) error {
	file, err := s.demo(ctx)
	if err != nil {
		return err
	}
	if err := s.arrange(ctx, file.StoreID, origins, look); err != nil {
		return err
	}
	merchant, err := newDemoMerchant(s.local, file.MerchantID, file.PrivateKey[checkout.Test])
	if err != nil {
		return err
	}
	session, err := merchant.createSession(file.Products[0].ID, s.thanks())
	if err != nil {
		return err
	}
	token, err := merchant.issueToken(file.StoreID)
	if err != nil {
		return err
	}
	file.CheckoutURL = session.CheckoutURL
	if file.WebhookPublicKey, err = s.webhookPublicKeys(ctx); err != nil {
		return err
	}
	text, err := json.MarshalIndent(file, "", "  ")
	if err != nil {
		return err
	}
	s.demoFile.Store(file)
	name := filepath.Join(s.Data, devFileName)
	if err := replaceFile(name, append(text, '\n')); err != nil {
		return err
	}
	fmt.Fprintf(stdout, `Crêpe is ready. Open this page and buy something; no card works here and no money moves:

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

`, file.CheckoutURL, s.PublicURL, s.PublicURL, token, session.SessionID, file.MerchantID, file.StoreID, file.StoreSlug,
		file.Products[0].ID, name, s.PublicURL)
	return nil
}

// replaceFile writes a file that is whole at any moment: the old one, or the new one on the disk.
func replaceFile(name string, content []byte) error {
	aside, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*") // 0600
	if err != nil {
		return err
	}
	_, err = aside.Write(content)
	err = errors.Join(err, aside.Sync(), aside.Close())
	if err == nil {
		err = os.Rename(aside.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(aside.Name()))
	}
	return nil
}

// webhookPublicKeys are what the merchant verifies our messages with.
func (s *server) webhookPublicKeys(ctx context.Context) (map[checkout.Environment]string, error) {
	keys := make(map[checkout.Environment]string)
	for _, env := range []checkout.Environment{checkout.Test, checkout.Prod} {
		signer, err := notify.NewSigner(ctx, s.db, env)
		if err != nil {
			return nil, err
		}
		if keys[env], err = signer.PublicKey(); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

// demo is the merchant of an earlier run, or a new one.
func (s *server) demo(ctx context.Context) (*devFile, error) {
	text, err := os.ReadFile(filepath.Join(s.Data, devFileName))
	if err == nil && len(text) == 0 {
		s.log.Warn("dev.json is empty: the demo merchant's private keys are lost, a new demo merchant takes its place", "data", s.Data)
		return s.newDemo(ctx)
	}
	if err == nil {
		file := new(devFile)
		if err := json.Unmarshal(text, file); err != nil {
			return nil, fmt.Errorf("%s/dev.json is damaged; --fresh starts over: %w", s.Data, err)
		}
		file.BaseURL = s.PublicURL
		_, err := s.db.Merchant(ctx, file.MerchantID)
		if errors.Is(err, catalog.ErrNotFound) {
			return s.newDemo(ctx)
		}
		return file, err
	}
	if !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	return s.newDemo(ctx)
}

func (s *server) newDemo(ctx context.Context) (*devFile, error) {
	d, err := catalog.NewDemo(time.Now(), rand.Reader)
	if err != nil {
		return nil, err
	}
	if err := s.db.Put(ctx, d.Change()); err != nil {
		return nil, err
	}
	file := &devFile{BaseURL: s.PublicURL, MerchantID: d.Merchant.ID, PrivateKey: d.PrivateKeys, StoreID: d.Store.ID, StoreSlug: d.Store.Slug}
	for _, p := range d.Products {
		file.Products = append(file.Products, devProduct{p.ID, p.Type, p.OnSale(checkout.Test).Name})
	}
	return file, nil
}
