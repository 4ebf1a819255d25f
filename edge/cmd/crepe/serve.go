package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/server"
)

const serveUsage = `crepe serve runs in production.

Usage:
  CREPE_STRIPE_KEY=sk_live_… CREPE_STRIPE_WEBHOOK_SECRET=whsec_… crepe serve --public-url https://pay.example.com

Secrets are environment variables only, because flags are visible in lists of processes:
  CREPE_STRIPE_KEY                  API key of Stripe; a live key serves prod, a test key serves test
  CREPE_STRIPE_WEBHOOK_SECRET       signing secret of the webhook endpoint /v1/webhooks/stripe/prod
  CREPE_STRIPE_TEST_KEY             API key of the test environment
  CREPE_STRIPE_TEST_WEBHOOK_SECRET  signing secret of the webhook endpoint /v1/webhooks/stripe/test
  CREPE_SMTP_URL                    mail server for receipts, smtp://user:password@host:587?from=receipts@example.com;
                                    without it no e-mail is sent
  CREPE_DASHBOARD_TOKEN             opens the dashboard at /dashboard, at least 32 characters; without it there is none

Settings, each of them also an environment variable (--public-url is CREPE_PUBLIC_URL):
`

// serve runs the server in production: no demo merchant, and the sandbox only for the test environment and only on request.
func serve(ctx context.Context, args []string, stdout, _ io.Writer, log *slog.Logger) error {
	c := server.Config{Data: serveData}
	f := newFlags("serve", serveUsage)
	declareSettings(f, &c)
	standIn := f.Bool("sandbox", false, "let the sandbox provider serve the test environment unless that has a Stripe key")
	f.BoolVar(&c.PrivateWebhooks, "private-webhooks", false, "let merchants have webhook endpoints on this machine and in private networks, and http ones")
	if err := parseWithEnvironment(f, args, stdout); err != nil {
		return err
	}
	err := errors.Join(setToken(&c, os.Getenv), setSMTP(&c, os.Getenv))
	if err != nil {
		return err
	}
	if c.Stripe, err = stripeAccounts(os.Getenv); err != nil {
		return err
	}
	if *standIn {
		c.Sandbox = map[checkout.Environment]bool{checkout.Test: true}
	}
	c.NoMerchant = func() { fmt.Fprintf(stdout, firstSteps, dataFlag(c.Data)) }
	return server.Run(ctx, c, log)
}

// firstSteps is what serve prints as long as there is no merchant.
const firstSteps = `There is no merchant yet, so nothing can be sold. As the user of this server, while it runs:

  crepe merchant create --name "Your company"%[1]s
  crepe key create --env test%[1]s
  crepe store create --name "Your shop" --seller-country CC%[1]s

The first prints the settings of your program, the second its private key. --env prod makes the key for real payments.
CC is the country where you are established.

`
