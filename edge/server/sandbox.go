package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/api"
	"github.com/crepe-checkout/crepe/edge/durable"
	"github.com/crepe-checkout/crepe/edge/sandbox"
	sandboxpage "github.com/crepe-checkout/crepe/edge/sandbox/page"
)

// SandboxConfig configures a sandbox provider that is a process of its own, so that several servers share it.
type SandboxConfig struct {
	Listen        string // address to listen on
	Data          string // directory of its database
	EncryptionKey []byte // see [Config.EncryptionKey]
	PublicURL     string // where servers and buyers reach it; "" for http:// and the listen address
	Key           string // the API key that servers must send
	WebhookURL    string // where events are posted to; "" sends none
	WebhookSecret string // signs the events
}

// RunSandbox serves a sandbox provider for the test environment until ctx ends: Stripe's API at /v1 and the payment pages. It has no
// tools, the log and the like, because they show checkouts that anyone can pay.
func RunSandbox(ctx context.Context, c SandboxConfig, log *slog.Logger) error {
	own := Config{Listen: c.Listen, PublicURL: c.PublicURL}
	listener, err := own.listen()
	if err != nil {
		return err
	}
	db, err := openSandbox(c.Data, c.EncryptionKey, log)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	provider := sandbox.New(sandbox.Config{Store: sandbox.NewStore(db, checkout.Test), Key: c.Key, PublicURL: own.PublicURL,
		WebhookURL: c.WebhookURL, WebhookSecret: c.WebhookSecret, Log: log})
	h := startHTTP(listener, sandboxHandler(provider), log)
	log.Info("serving the sandbox", "url", own.PublicURL, "address", listener.Addr().String())
	select {
	case err = <-h.failed:
	case <-db.Stopped():
		err = db.Err()
	case <-ctx.Done():
	}
	return errors.Join(err, h.shutdown(), provider.Close(), db.Close())
}

// openSandbox opens the sandbox's database. The sandbox simulates a provider, which has its own machine and its own disk: its writes
// must neither wait for our commits nor delay ours. A power cut may lose its last writes.
func openSandbox(data string, key []byte, log *slog.Logger) (*durable.DB, error) {
	return openDatabase(data, sandboxDatabase, func(dir string) (*durable.DB, error) {
		return durable.Open(dir, durable.Options{Log: log, NoSync: true, EncryptionKey: key})
	})
}

// sandboxHandler serves a sandbox provider.
func sandboxHandler(provider *sandbox.Sandbox) fasthttp.RequestHandler {
	pages := sandboxpage.Handler(provider)
	return func(ctx *fasthttp.RequestCtx) {
		if err := readBody(ctx); err != nil {
			ctx.SetConnectionClose()
			api.MalformedRequest(ctx, err)
			return
		}
		switch path := ctx.Path(); {
		case bytes.HasPrefix(path, []byte("/v1/")):
			provider.ServeAPI(ctx)
		case string(path) == "/healthz":
			ctx.SetBodyString("ok\n")
		case isTool(path):
			ctx.SetStatusCode(fasthttp.StatusNotFound)
		default:
			pages(ctx)
		}
	}
}

// checkStripeTestURL refuses at the start a URL that cannot be Stripe's API, and one without an account.
func (c *Config) checkStripeTestURL() error {
	if c.StripeTestURL == "" {
		return nil
	}
	if _, ok := c.Stripe[checkout.Test]; !ok {
		return errors.New("--stripe-test-url needs a test key: set CREPE_STRIPE_TEST_KEY and CREPE_STRIPE_TEST_WEBHOOK_SECRET")
	}
	if !rootURL(c.StripeTestURL) {
		return fmt.Errorf("--stripe-test-url %q is not the URL of a host; expected something like http://127.0.0.1:8788", c.StripeTestURL)
	}
	return nil
}
