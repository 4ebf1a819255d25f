package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/psp/stripe"
	"github.com/crepe-checkout/crepe/edge/server"
)

const serveUsage = `crepe serve runs in production.

Usage:
  CREPE_STRIPE_KEY=sk_live_… CREPE_STRIPE_WEBHOOK_SECRET=whsec_… crepe serve --public-url https://pay.example.com
  crepe serve --config /etc/crepe/crepe.toml

A secret is an environment variable, or a file whose name is in the variable with _FILE or in the flag of the list below. No flag has
the secret itself, because flags are visible in lists of processes:
  CREPE_STRIPE_KEY                  API key of Stripe; a live key serves prod, a test key serves test
  CREPE_STRIPE_WEBHOOK_SECRET       signing secret of the webhook endpoint /v1/webhooks/stripe/prod
  CREPE_STRIPE_TEST_KEY             API key of the test environment
  CREPE_STRIPE_TEST_WEBHOOK_SECRET  signing secret of the webhook endpoint /v1/webhooks/stripe/test
  CREPE_SMTP_URL                    mail server for receipts, smtp://user:password@host:587?from=receipts@example.com;
                                    without it no e-mail is sent
  CREPE_DASHBOARD_TOKEN             opens the dashboard at /dashboard, at least 32 characters; without it there is none

Settings, each of them also an environment variable (--public-url is CREPE_PUBLIC_URL) and a key of the file of --config (public-url = "https://…"):
`

// serve runs the server in production: no demo merchant, and the sandbox only for the test environment and only on request.
func serve(ctx context.Context, args []string, stdout, stderr io.Writer, _ *slog.Logger) error {
	s := declareServe("serve", serveUsage)
	if err := s.parse(args, stdout); err != nil {
		return err
	}
	var err error
	if s.Inherited, err = inheritedSocket(); err != nil {
		return err
	}
	s.NoMerchant = func() { fmt.Fprintf(stdout, firstSteps, dataFlag(s.Data)) }
	return server.Run(ctx, s.Config, newLog(stderr, *s.log))
}

// serveSettings are the settings of crepe serve.
type serveSettings struct {
	server.Config
	flags      *flag.FlagSet
	origin     origins // set by parse
	main, test server.StripeAccount
	store      *storeSetting
	log        *logSettings
	sandbox    bool
}

// declareServe declares the settings of crepe serve for a command.
func declareServe(command, usage string) *serveSettings {
	s := &serveSettings{Config: server.Config{Data: serveData}, flags: newFlags(command, usage)}
	f, c := s.flags, &s.Config
	declareSettings(f, c)
	s.log = logFlags(f)
	f.BoolVar(&s.sandbox, "sandbox", false, "let the sandbox provider serve the test environment unless that has a Stripe key")
	f.StringVar(&c.StripeTestURL, "stripe-test-url", "", "`URL` of Stripe's API in the test environment, for the sandbox of \"crepe sandbox\"; default: Stripe's own")
	stripeSecrets(f, &s.main, liveSecrets, "Stripe")
	stripeSecrets(f, &s.test, testSecrets, "the test environment")
	f.StringVar(&c.TLSCert, "tls-cert", "", "PEM `file` of a certificate and its chain, to serve HTTPS; default: HTTP")
	f.StringVar(&c.TLSKey, "tls-key", "", "PEM `file` of the certificate's key")
	s.store = storeFlag(f)
	f.BoolVar(&c.VIES, "vies", false, "after a sale without tax by reverse charge, ask the EU's VIES about the buyer's VAT number")
	f.BoolVar(&c.VIESTest, "vies-test", false, "ask VIES also about orders of the test environment")
	f.StringVar(&c.VIESURL, "vies-url", "", "`URL` of VIES, for tests; default: the European Commission's")
	f.BoolVar(&c.PrivateWebhooks, "private-webhooks", false, "let merchants have webhook endpoints on this machine and in private networks, and http ones")
	backupSettings(f, &c.Backups)
	return s
}

// parse parses the settings. Its error lists all faults, those of further checks included.
func (s *serveSettings) parse(args []string, stdout io.Writer, checks ...func() error) (err error) {
	s.origin, err = parseSettings(s.flags, args, stdout, func() error {
		errs := []error{s.complete()}
		for _, check := range checks {
			errs = append(errs, check())
		}
		return errors.Join(errs...)
	})
	return err
}

// complete sets what follows from several flags, and refuses flags that do not fit together.
func (s *serveSettings) complete() error {
	s.Stripe = make(map[checkout.Environment]server.StripeAccount)
	s.Store = s.store.url
	if s.sandbox {
		s.Sandbox = map[checkout.Environment]bool{checkout.Test: true}
	}
	return errors.Join(checkData(s.flags)(), s.store.check(), s.addAccount(s.main, liveSecrets), s.addAccount(s.test, testSecrets))
}

// addAccount checks an account and adds it, unless it is none. One whose secrets have been refused is not checked. One with another fault
// is added too, for the checks that follow.
func (s *serveSettings) addAccount(a server.StripeAccount, prefix string) error {
	if a == (server.StripeAccount{}) || refusedSecret(s.flags, prefix+"key") || refusedSecret(s.flags, prefix+"webhook-secret") {
		return nil
	}
	err := checkAccount(a, variable(prefix))
	live, unknown := stripe.Live(a.Key)
	if unknown != nil {
		return err
	}
	env := checkout.Test
	if live {
		env = checkout.Prod
	}
	if _, twice := s.Stripe[env]; twice && err == nil {
		return fmt.Errorf("CREPE_STRIPE_KEY and CREPE_STRIPE_TEST_KEY are both keys of the %s environment", env)
	}
	s.Stripe[env] = a
	return err
}

// firstSteps is what serve prints as long as there is no merchant.
const firstSteps = `There is no merchant yet, so nothing can be sold. As the user of this server, while it runs:

  crepe merchant create --name "Your company"%[1]s
  crepe key create --env test%[1]s
  crepe store create --name "Your shop" --seller-country CC%[1]s

The first prints the settings of your program, the second its private key. --env prod makes the key for real payments.
CC is the country where you are established.

`
