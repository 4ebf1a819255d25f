package main

import (
	"errors"
	"flag"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/crepe-checkout/crepe/edge/geoip"
	"github.com/crepe-checkout/crepe/edge/psp/stripe"
	"github.com/crepe-checkout/crepe/edge/server"
	"github.com/crepe-checkout/crepe/edge/smtp"
)

// declareSettings declares the flags of dev and serve, which are also variables and keys of a file, see [parseSettings]. c.Data must
// hold its default. Secrets are declared with [secret].
func declareSettings(f *flag.FlagSet, c *server.Config) {
	f.StringVar(&c.Listen, "listen", "127.0.0.1:8787", "`address` to listen on")
	f.StringVar(&c.Data, "data", c.Data, "`directory` of the database")
	f.StringVar(&c.PublicURL, "public-url", "", "`URL` where buyers reach the server; default: the listen address")
	f.StringVar(&c.MetricsListen, "metrics-listen", "", "`address` on which to serve /metrics to everybody who reaches it; default: only on the socket admin.sock")
	f.DurationVar(&c.DrainDelay, "drain-delay", 0, "how long to serve after SIGTERM with /readyz at 503, until load balancers have noticed")
	parsed(f, &c.DiskReserve, "disk-reserve", "128", parseMebibytes, "`MiB` of the disk below which new orders are refused")
	parsed(f, &c.KeepSessions, "keep-sessions", "2h", parseKeepSessions, "how long an expired checkout session without an order is kept, a `duration`")
	parsed(f, &c.KeepDeliveries, "keep-deliveries", "30d", parseDays, "how long webhook deliveries and e-mails are kept after they were sent or have failed, in `days`")
	parsed(f, &c.KeepUnpaid, "keep-unpaid", "90d", parseKeepUnpaid, "how long a buyer's data are kept after an order has ended unpaid, in `days`, or off: for ever")
	parsed(f, &c.RefundWindow, "refund-window", "14d", parseDays, "how long after a payment a refund ticket can be created, in `days`")
	parsed(f, &c.Connections, "connections", "4096", parseLimit[int], "open connections in total, a `number` or off")
	parsed(f, &c.ClientConnections, "client-connections", "256", parseLimit[int], "open connections of one client address, trusted proxies excepted, a `number` or off")
	parsed(f, &c.ClientRate, "client-rate", "5", parseLimit[float64], "requests a second of one client address without a merchant's credential, a `number` or off")
	parsed(f, &c.StoreRate, "store-rate", "100", parseLimit[float64], "requests a second for one store without a merchant's credential, a `number` or off")
	f.StringVar(&c.GeoIP, "geoip", "", "country database `file` (.mmdb), to use IP addresses as evidence; default: none")
	f.StringVar(&c.Rates, "rates", "", "`file` of your own tax rates (.tsv), over the built-in ones; default: none")
	f.StringVar(&c.ExchangeRates, "exchange-rates", "", "`file` of exchange rates (.csv), to show the tax in the seller's currency; default: none")
	encryptionKey(f, &c.EncryptionKey)
	secret(f, &c.DashboardToken, "dashboard-token", checkToken, "the token that opens the dashboard")
	secret(f, &c.SMTP, "smtp-url", smtp.Parse, "the URL of the mail server for receipts")
	parsed(f, &c.TrustedProxies, "trusted-proxies", "", geoip.ParseProxies, "CIDR `blocks` of the proxies whose X-Forwarded-For is believed; default: none")
}

// checkData refuses a data directory without a name: it would be the working directory, which --fresh would clear.
func checkData(f *flag.FlagSet) func() error {
	return func() error {
		if f.Lookup("data").Value.String() == "" {
			return errors.New("--data names no directory")
		}
		return nil
	}
}

// checkToken refuses a token that can be guessed. Its error does not contain the token.
func checkToken(token string) (string, error) {
	if len(token) < server.MinDashboardToken {
		return "", fmt.Errorf("the token has %d characters, expected %d or more; openssl rand -hex 32 makes one", len(token), server.MinDashboardToken)
	}
	return token, nil
}

// parsed declares a flag whose text parse reads into p. The default must be valid.
func parsed[T any](f *flag.FlagSet, p *T, name, fallback string, parse func(string) (T, error), usage string) {
	v := &parsedValue[T]{p, "", parse}
	if err := v.Set(fallback); err != nil {
		panic(err)
	}
	f.Var(v, name, usage)
}

// parsedValue implements [flag.Getter].
type parsedValue[T any] struct {
	p     *T
	text  string
	parse func(string) (T, error)
}

func (v *parsedValue[T]) String() string { return v.text }
func (v *parsedValue[T]) Get() any       { return *v.p }

func (v *parsedValue[T]) Set(text string) error {
	value, err := v.parse(text)
	if err == nil {
		*v.p, v.text = value, text
	}
	return err
}

// parseMebibytes returns bytes.
func parseMebibytes(text string) (uint64, error) {
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil || n == 0 {
		return 0, errors.New("expected a number of MiB, something like 1024")
	}
	return n << 20, nil
}

func parseKeepSessions(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d < time.Minute {
		return 0, errors.New("expected a minute or more, something like 2h")
	}
	return d, nil
}

// parseKeepUnpaid parses a number of days, not fewer than a payment may take. "off" is 0.
func parseKeepUnpaid(text string) (time.Duration, error) {
	if text == "off" {
		return 0, nil
	}
	d, err := parseDays(text)
	if err != nil || d < server.LeastKeepUnpaid {
		return 0, fmt.Errorf("expected %d days or more, something like 90d, or off", server.LeastKeepUnpaid/(24*time.Hour))
	}
	return d, nil
}

// parseDays parses a number of days, "14d".
func parseDays(text string) (time.Duration, error) {
	days, ok := strings.CutSuffix(text, "d")
	n, err := strconv.ParseUint(days, 10, 16)
	if !ok || err != nil || n == 0 || n > 3650 {
		return 0, errors.New("expected a number of days, something like 14d")
	}
	return time.Duration(n) * 24 * time.Hour, nil
}

// parseLimit returns 0 for "off", which is no limit.
func parseLimit[T int | float64](text string) (T, error) {
	if text == "off" {
		return 0, nil
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || !(n >= 0 && n < 1e9) {
		return 0, errors.New("expected a number, or off")
	}
	return T(n), nil
}

// The prefixes of the secrets of Stripe's accounts.
const (
	liveSecrets = "stripe-"
	testSecrets = "stripe-test-"
)

// stripeSecrets declares the secrets of an account.
func stripeSecrets(f *flag.FlagSet, a *server.StripeAccount, prefix, which string) {
	secret(f, &a.Key, prefix+"key", verbatim, which+"'s API key")
	secret(f, &a.WebhookSecret, prefix+"webhook-secret", verbatim, "the signing secret of "+which+"'s webhook endpoint")
}

// checkAccount refuses an account that could not take payments. The error names the variable that is wrong, and no secret.
func checkAccount(a server.StripeAccount, prefix string) error {
	const where = "take the signing secret of the webhook endpoint from the Stripe dashboard"
	switch {
	case a.Key == "":
		return fmt.Errorf("%sWEBHOOK_SECRET is set and %[1]sKEY is not: without the key no order can be created", prefix)
	case a.WebhookSecret == "":
		return fmt.Errorf("%sWEBHOOK_SECRET is not set: without it no webhook can be verified; %s", prefix, where)
	case !strings.HasPrefix(a.WebhookSecret, "whsec_"):
		return fmt.Errorf("%sWEBHOOK_SECRET does not begin with whsec_; %s", prefix, where)
	case a.WebhookSecret == "whsec_":
		return fmt.Errorf("%sWEBHOOK_SECRET has nothing after whsec_; %s", prefix, where)
	}
	if _, err := stripe.Live(a.Key); err != nil {
		return fmt.Errorf("%sKEY: %w", prefix, err)
	}
	return nil
}
