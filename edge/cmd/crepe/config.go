package main

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/geoip"
	"github.com/crepe-checkout/crepe/edge/psp/stripe"
	"github.com/crepe-checkout/crepe/edge/throttle"
)

// Config is every setting of the server. A flag wins over the environment variable of the same name (--public-url,
// CREPE_PUBLIC_URL). Secrets have no flag, so that they are in no list of processes.
type Config struct {
	Listen    string // address to listen on
	Data      string // directory of the database
	PublicURL string // where buyers reach the server, without a trailing slash; "" for http:// and the listen address

	DrainDelay time.Duration // how long requests are served after the end was asked for, with /readyz at 503

	DiskReserve string // free space below which nothing is written, in MiB; "" for 128

	KeepSessions string // how long a session that nobody ordered from is kept after its end; "" for 2h

	Connections       string // open connections in all; "" for 4096, "off" for no limit
	ClientConnections string // those of a client address that is no trusted proxy's; "" for 256

	ClientRate string // requests a second of a client address without a merchant's credential; "" for 5, "off" for no limit
	StoreRate  string // the same of a store; "" for 100

	GeoIP          string // country database in MaxMind's DB format; "" if addresses shall be no evidence
	Rates          string // tab-separated file of the operator's own tax rates, over the built-in ones; "" for none
	TrustedProxies string // CIDR blocks, between commas, of the proxies whose X-Forwarded-For is believed

	// Stripe holds the accounts by environment. An environment without one uses the sandbox provider where that is allowed,
	// and otherwise refuses to create orders.
	Stripe map[checkout.Environment]StripeAccount
	// Sandbox names the environments in which the sandbox provider may stand in.
	Sandbox map[checkout.Environment]bool
	// SandboxTools opens the sandbox's log and its trigger to everybody who can reach the server. Only `crepe dev` sets it:
	// the log names checkouts that anyone could pay.
	SandboxTools bool

	// Use is what the data directory must be for; "" for either.
	Use use

	local string // where this machine reaches the server; set with the listener
}

// StripeAccount is one account at Stripe: the environment of its key is the environment that it serves.
type StripeAccount struct {
	Key           string // CREPE_STRIPE_KEY, CREPE_STRIPE_TEST_KEY
	WebhookSecret string // CREPE_STRIPE_WEBHOOK_SECRET, CREPE_STRIPE_TEST_WEBHOOK_SECRET
}

// flags declares the settings that are no secrets. Data must hold its default.
func (c *Config) flags(f *flag.FlagSet) {
	f.StringVar(&c.Listen, "listen", "127.0.0.1:8787", "`address` to listen on")
	f.StringVar(&c.Data, "data", c.Data, "`directory` of the database")
	f.StringVar(&c.PublicURL, "public-url", "", "`URL` where buyers reach the server; default: the listen address")
	f.DurationVar(&c.DrainDelay, "drain-delay", 0, "how long to go on serving after SIGTERM with /readyz at 503, for a load balancer to notice")
	f.StringVar(&c.DiskReserve, "disk-reserve", "", "`MiB` of the disk below which new orders are refused; default: 128")
	f.StringVar(&c.KeepSessions, "keep-sessions", "", "how long a checkout session is kept after its end if nobody ordered from it; default: 2h")
	f.StringVar(&c.Connections, "connections", "", "open connections in all, or off; default: 4096")
	f.StringVar(&c.ClientConnections, "client-connections", "", "open connections of one client address that is no trusted proxy's, or off; default: 256")
	f.StringVar(&c.ClientRate, "client-rate", "", "requests a second of one client address without a merchant's credential, or off; default: 5")
	f.StringVar(&c.StoreRate, "store-rate", "", "the same of one store, or off; default: 100")
	f.StringVar(&c.GeoIP, "geoip", "", "country database `file` (.mmdb) that makes IP addresses evidence; default: they are none")
	f.StringVar(&c.Rates, "rates", "", "`file` of your own tax rates (.tsv), over the built-in ones; default: none")
	f.StringVar(&c.TrustedProxies, "trusted-proxies", "", "CIDR `blocks` whose X-Forwarded-For is believed; default: nobody's")
}

// reserve is the disk's, in bytes; 0 for the default.
func (c *Config) reserve() (uint64, error) {
	if c.DiskReserve == "" {
		return 0, nil
	}
	mebibytes, err := strconv.ParseUint(c.DiskReserve, 10, 32)
	if err != nil || mebibytes == 0 {
		return 0, fmt.Errorf("--disk-reserve %q is no number of MiB; expected something like 1024", c.DiskReserve)
	}
	return mebibytes << 20, nil
}

// keepSessions is how long a session that nobody ordered from is kept after its end.
func (c *Config) keepSessions() (time.Duration, error) {
	if c.KeepSessions == "" {
		return 2 * time.Hour, nil
	}
	d, err := time.ParseDuration(c.KeepSessions)
	if err != nil || d < time.Minute {
		return 0, fmt.Errorf("--keep-sessions %q: expected a minute or more, something like 2h", c.KeepSessions)
	}
	return d, nil
}

// throttle bounds what is served without a merchant's credential.
func (c *Config) throttle() (*throttle.Throttle, error) {
	client, err := limit("--client-rate", c.ClientRate, 5)
	if err != nil {
		return nil, err
	}
	store, err := limit("--store-rate", c.StoreRate, 100)
	return throttle.New(client, store), err
}

// limited is a listener within the limits of connections.
func (c *Config) limited(listener net.Listener) (net.Listener, error) {
	all, err := limit("--connections", c.Connections, 4096)
	if err != nil {
		return nil, err
	}
	perClient, err := limit("--client-connections", c.ClientConnections, 256)
	if err != nil {
		return nil, err
	}
	var l geoip.Locator
	if l.Trusted, err = geoip.ParseProxies(c.TrustedProxies); err != nil {
		return nil, err
	}
	return &connections{Listener: listener, all: int(all), perClient: int(perClient), by: make(map[string]int),
		client: func(ip net.IP) string { return l.Client(ip, nil) }}, nil
}

// limit reads a limit: "" for its default, 0 for none.
func limit(name, value string, fallback float64) (float64, error) {
	switch value {
	case "":
		return fallback, nil
	case "off":
		return 0, nil
	}
	n, err := strconv.ParseFloat(value, 64)
	if err != nil || !(n >= 0 && n < 1e9) {
		return 0, fmt.Errorf("%s %q is no limit; expected a number, or off", name, value)
	}
	return n, nil
}

// locator opens the GeoIP database, if there is one. It finds a client behind the trusted proxies either way.
func (c *Config) locator() (l geoip.Locator, err error) {
	if l.Trusted, err = geoip.ParseProxies(c.TrustedProxies); err != nil {
		return l, fmt.Errorf("--trusted-proxies: %w", err)
	}
	if c.GeoIP == "" {
		return l, nil
	}
	if l.DB, err = geoip.Open(c.GeoIP); err != nil {
		return l, fmt.Errorf("--geoip: %w", err)
	}
	return l, nil
}

// rates reads the operator's own tax rates. A file with a mistake is not loaded at all; every mistake is named.
func (c *Config) rates() (*tax.Table, error) {
	if c.Rates == "" {
		return nil, nil
	}
	text, err := os.ReadFile(c.Rates)
	if err != nil {
		return nil, fmt.Errorf("--rates: %w", err)
	}
	table, mistakes := tax.ParseTable(string(text))
	if len(mistakes) > 0 {
		errs := make([]error, len(mistakes))
		for i := range mistakes {
			errs[i] = mistakes[i]
		}
		return nil, fmt.Errorf("--rates: %s is not loaded:\n%w", c.Rates, errors.Join(errs...))
	}
	return &table, nil
}

// The variables of Stripe's accounts, and their secrets.
const (
	liveVariables = "CREPE_STRIPE_"
	testVariables = "CREPE_STRIPE_TEST_"
)

var secretVariables = []string{
	liveVariables + "KEY", liveVariables + "WEBHOOK_SECRET", testVariables + "KEY", testVariables + "WEBHOOK_SECRET",
}

// secrets reads the accounts from the environment.
func (c *Config) secrets(getenv func(string) string) error {
	c.Stripe = make(map[checkout.Environment]StripeAccount)
	for _, prefix := range []string{liveVariables, testVariables} {
		account := StripeAccount{getenv(prefix + "KEY"), getenv(prefix + "WEBHOOK_SECRET")}
		if account == (StripeAccount{}) {
			continue
		}
		live, err := account.check(prefix)
		if err != nil {
			return err
		}
		env := checkout.Test
		if live {
			env = checkout.Prod
		}
		if _, twice := c.Stripe[env]; twice {
			return fmt.Errorf("CREPE_STRIPE_KEY and CREPE_STRIPE_TEST_KEY are both keys of the %s environment", env)
		}
		c.Stripe[env] = account
	}
	return nil
}

// check refuses an account that could not take payments, by the name of the variable that is wrong. No secret is in the error.
func (a *StripeAccount) check(prefix string) (live bool, err error) {
	const where = "take the signing secret of the webhook endpoint from the Stripe dashboard"
	switch {
	case a.Key == "":
		return false, fmt.Errorf("%sWEBHOOK_SECRET is set and %[1]sKEY is not: without the key no order can be created", prefix)
	case a.WebhookSecret == "":
		return false, fmt.Errorf("%sWEBHOOK_SECRET is not set: without it no payment could be believed; %s", prefix, where)
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
