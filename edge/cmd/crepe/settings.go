package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/geoip"
	"github.com/crepe-checkout/crepe/edge/psp/stripe"
	"github.com/crepe-checkout/crepe/edge/server"
	"github.com/crepe-checkout/crepe/edge/smtp"
)

// declareSettings declares the flags of dev and serve. c.Data must hold its default. A flag takes precedence over the
// environment variable of the same name (--public-url, CREPE_PUBLIC_URL). Secrets have no flag, so that no list of processes
// shows them.
func declareSettings(f *flag.FlagSet, c *server.Config) {
	f.StringVar(&c.Listen, "listen", "127.0.0.1:8787", "`address` to listen on")
	f.StringVar(&c.Data, "data", c.Data, "`directory` of the database")
	f.StringVar(&c.PublicURL, "public-url", "", "`URL` where buyers reach the server; default: the listen address")
	f.DurationVar(&c.DrainDelay, "drain-delay", 0, "how long to serve after SIGTERM with /readyz at 503, until load balancers have noticed")
	parsed(f, &c.DiskReserve, "disk-reserve", "128", parseMebibytes, "`MiB` of the disk below which new orders are refused")
	parsed(f, &c.KeepSessions, "keep-sessions", "2h", parseKeepSessions, "how long an expired checkout session without an order is kept, a `duration`")
	parsed(f, &c.RefundWindow, "refund-window", "14d", parseDays, "how long after a payment a refund ticket can be created, in `days`")
	parsed(f, &c.Connections, "connections", "4096", parseLimit[int], "open connections in total, a `number` or off")
	parsed(f, &c.ClientConnections, "client-connections", "256", parseLimit[int], "open connections of one client address, trusted proxies excepted, a `number` or off")
	parsed(f, &c.ClientRate, "client-rate", "5", parseLimit[float64], "requests a second of one client address without a merchant's credential, a `number` or off")
	parsed(f, &c.StoreRate, "store-rate", "100", parseLimit[float64], "requests a second for one store without a merchant's credential, a `number` or off")
	f.StringVar(&c.GeoIP, "geoip", "", "country database `file` (.mmdb), to use IP addresses as evidence; default: none")
	f.StringVar(&c.Rates, "rates", "", "`file` of your own tax rates (.tsv), over the built-in ones; default: none")
	parsed(f, &c.DashboardToken, "dashboard-token-file", "", readToken, "`file` of the token that opens the dashboard; default: CREPE_DASHBOARD_TOKEN")
	parsed(f, &c.SMTP, "smtp-url-file", "", readSMTP, "`file` of the URL of the mail server for receipts; default: CREPE_SMTP_URL")
	parsed(f, &c.TrustedProxies, "trusted-proxies", "", geoip.ParseProxies, "CIDR `blocks` of the proxies whose X-Forwarded-For is believed; default: none")
}

// smtpVariable is the variable of the mail server's URL, which has its password.
const smtpVariable = "CREPE_SMTP_URL"

// readSMTP reads the mail server's URL from a file; "" is no file.
func readSMTP(file string) (*smtp.Config, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return smtp.Parse(strings.TrimSpace(string(text)))
}

// setSMTP sets the mail server from the environment, unless a file has set it.
func setSMTP(c *server.Config, getenv func(string) string) (err error) {
	text := getenv(smtpVariable)
	switch {
	case text == "":
	case c.SMTP != nil:
		return fmt.Errorf("%s and --smtp-url-file are both set: remove one", smtpVariable)
	default:
		if c.SMTP, err = smtp.Parse(text); err != nil {
			return fmt.Errorf("%s: %w", smtpVariable, err)
		}
	}
	return nil
}

// dashboardVariable is the variable of the dashboard's token.
const dashboardVariable = "CREPE_DASHBOARD_TOKEN"

// readToken reads the dashboard's token from a file; "" is no file.
func readToken(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	return checkToken(strings.TrimSpace(string(text)))
}

// setToken sets the dashboard's token from the environment, unless a file has set it.
func setToken(c *server.Config, getenv func(string) string) (err error) {
	token := getenv(dashboardVariable)
	switch {
	case token == "":
	case c.DashboardToken != "":
		return fmt.Errorf("%s and --dashboard-token-file are both set: remove one", dashboardVariable)
	default:
		if c.DashboardToken, err = checkToken(token); err != nil {
			return fmt.Errorf("%s: %w", dashboardVariable, err)
		}
	}
	return nil
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

// parsedValue implements [flag.Value].
type parsedValue[T any] struct {
	p     *T
	text  string
	parse func(string) (T, error)
}

func (v *parsedValue[T]) String() string { return v.text }

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

// The prefixes of the variables of Stripe's accounts.
const (
	liveVariables = "CREPE_STRIPE_"
	testVariables = "CREPE_STRIPE_TEST_"
)

var secretVariables = []string{
	liveVariables + "KEY", liveVariables + "WEBHOOK_SECRET", testVariables + "KEY", testVariables + "WEBHOOK_SECRET", dashboardVariable, smtpVariable,
}

// stripeAccounts reads the accounts from the environment, by the environment of their keys.
func stripeAccounts(getenv func(string) string) (map[checkout.Environment]server.StripeAccount, error) {
	accounts := make(map[checkout.Environment]server.StripeAccount)
	for _, prefix := range []string{liveVariables, testVariables} {
		account := server.StripeAccount{Key: getenv(prefix + "KEY"), WebhookSecret: getenv(prefix + "WEBHOOK_SECRET")}
		if account == (server.StripeAccount{}) {
			continue
		}
		live, err := checkAccount(account, prefix)
		if err != nil {
			return nil, err
		}
		env := checkout.Test
		if live {
			env = checkout.Prod
		}
		if _, twice := accounts[env]; twice {
			return nil, fmt.Errorf("CREPE_STRIPE_KEY and CREPE_STRIPE_TEST_KEY are both keys of the %s environment", env)
		}
		accounts[env] = account
	}
	return accounts, nil
}

// checkAccount refuses an account that could not take payments. The error names the variable that is wrong, and no secret.
func checkAccount(a server.StripeAccount, prefix string) (live bool, err error) {
	const where = "take the signing secret of the webhook endpoint from the Stripe dashboard"
	switch {
	case a.Key == "":
		return false, fmt.Errorf("%sWEBHOOK_SECRET is set and %[1]sKEY is not: without the key no order can be created", prefix)
	case a.WebhookSecret == "":
		return false, fmt.Errorf("%sWEBHOOK_SECRET is not set: without it no webhook can be verified; %s", prefix, where)
	case !strings.HasPrefix(a.WebhookSecret, "whsec_"):
		return false, fmt.Errorf("%sWEBHOOK_SECRET does not begin with whsec_; %s", prefix, where)
	case a.WebhookSecret == "whsec_":
		return false, fmt.Errorf("%sWEBHOOK_SECRET has nothing after whsec_; %s", prefix, where)
	}
	if live, err = stripe.Live(a.Key); err != nil {
		err = fmt.Errorf("%sKEY: %w", prefix, err)
	}
	return live, err
}
