package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/psp/stripe"
	"github.com/crepe-checkout/crepe/edge/server"
)

const sandboxUsage = `crepe sandbox runs the sandbox payment provider as a process of its own, so that several servers share it. It moves no money.

Usage:
  CREPE_STRIPE_TEST_KEY=sk_test_… CREPE_STRIPE_TEST_WEBHOOK_SECRET=whsec_… crepe sandbox --webhook-url https://pay.example.com

The secrets are texts of your own choice, the same as of the servers that use it:
  CREPE_STRIPE_TEST_KEY             the API key that the servers send; it begins with sk_test_
  CREPE_STRIPE_TEST_WEBHOOK_SECRET  signs the events; it begins with whsec_

The servers run with --stripe-test-url and the public URL of the sandbox. Whoever reaches a payment page there can pay without money:
use it for tests and staging only.

Settings, each of them also an environment variable (--public-url is CREPE_PUBLIC_URL) and a key of the file of --config:
`

// sandboxData is the default data directory of sandbox.
const sandboxData = "crepe-sandbox"

// stripeWebhooks is the path of a server's webhooks of Stripe, before the environment.
const stripeWebhooks = "/v1/webhooks/stripe/"

// runSandbox runs the sandbox provider.
func runSandbox(ctx context.Context, args []string, stdout, _ io.Writer, log *slog.Logger) error {
	var c server.SandboxConfig
	f := newFlags("sandbox", sandboxUsage)
	f.StringVar(&c.Listen, "listen", "127.0.0.1:8788", "`address` to listen on")
	f.StringVar(&c.Data, "data", sandboxData, "`directory` of the database")
	f.StringVar(&c.PublicURL, "public-url", "", "`URL` where servers and buyers reach the sandbox; default: the listen address")
	f.StringVar(&c.WebhookURL, "webhook-url", "", "`URL` of the servers, where "+stripeWebhooks+"test takes the events; default: none are sent")
	encryptionKey(f, &c.EncryptionKey)
	var account server.StripeAccount
	stripeSecrets(f, &account, testSecrets, "the test environment")
	if _, err := parseSettings(f, args, stdout, checkData(f)); err != nil {
		return err
	}
	if account == (server.StripeAccount{}) {
		return misuse(f, "%sKEY and %[1]sWEBHOOK_SECRET are not set", variable(testSecrets))
	}
	if err := checkAccount(account, variable(testSecrets)); err != nil {
		return err
	}
	if live, _ := stripe.Live(account.Key); live {
		return errors.New(variable(testSecrets) + "KEY is a live key: the sandbox takes test keys only")
	}
	if c.WebhookURL != "" {
		if u, err := url.Parse(c.WebhookURL); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
			return fmt.Errorf("--webhook-url %q is not a URL; expected something like http://127.0.0.1:8787", c.WebhookURL)
		}
		c.WebhookURL = strings.TrimRight(c.WebhookURL, "/") + stripeWebhooks + string(checkout.Test)
	}
	c.Key, c.WebhookSecret = account.Key, account.WebhookSecret
	return server.RunSandbox(ctx, c, log)
}
