package server

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/tax/table"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/geoip"
	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/smtp"
)

// Config configures a server. Listen and Data are required; the zero value of every other field works.
type Config struct {
	Listen    string // address to listen on
	Data      string // directory of the databases
	PublicURL string // where buyers reach the server; "" for http:// and the listen address

	DrainDelay time.Duration // how long requests are served after the context has ended, with /readyz at 503

	DiskReserve uint64 // free space in bytes below which new records are refused; 0 for 128 MiB

	KeepSessions time.Duration // how long an expired checkout session without an order is kept; 0 is for ever

	RefundWindow time.Duration // how long after a payment a refund ticket can be created; 0 for 14 days

	// Limits of what is served. 0 is no limit.
	Connections       int     // open connections
	ClientConnections int     // open connections of one client address, trusted proxies excepted
	ClientRate        float64 // requests a second of one client address without a merchant's credential
	StoreRate         float64 // requests a second for one store without a merchant's credential

	GeoIP           string // file of a country database (.mmdb); "" if addresses are no evidence
	Rates           string // file of the operator's own tax rates (.tsv), over the built-in ones; "" for none
	PrivateWebhooks bool   // merchants may have webhook endpoints on this machine and in private networks, and http; dev has it

	TrustedProxies []netip.Prefix // the proxies whose X-Forwarded-For is believed

	// Stripe holds the accounts by environment. An environment without one uses the sandbox provider if Sandbox names it, and
	// otherwise refuses to create orders.
	Stripe map[checkout.Environment]StripeAccount
	// Sandbox names the environments that the sandbox provider serves unless they have an account.
	Sandbox map[checkout.Environment]bool

	// NoMerchant is called when the server takes requests and there is no merchant; nil for nothing.
	NoMerchant func()

	// DashboardToken opens the operator's dashboard. With "" there is none; crepe dev then has one that needs no token.
	DashboardToken string

	// SMTP is the operator's mail server, over which receipts are sent by e-mail; nil for none. Only documents of the prod environment
	// are sent, with Dev also those of test.
	SMTP *smtp.Config

	// Dev makes the server that of crepe dev; nil for production.
	Dev *Dev

	orderTry, orderBudget time.Duration // see [orders.Config]; 0 for its defaults

	local string // where this machine reaches the server; set by listen
}

// StripeAccount is an account at Stripe.
type StripeAccount struct {
	Key           string // API key
	WebhookSecret string // signing secret of the webhook endpoint
}

// Dev configures crepe dev: a demo merchant, and the sandbox's tools for everybody who can reach the server. The tools name
// checkouts that anyone can pay, so a server in production must not have them.
type Dev struct {
	Fresh   bool                     // remove what an earlier run has left in the data directory
	Origins []string                 // whose pages may call the API for the demo store
	Look    catalog.CheckoutSettings // of the demo store
	Out     io.Writer                // where the introduction is printed
}

// mail returns the mailer, nil for none, and the environments whose documents it sends.
func (c *Config) mail() (invoices.Mailer, []checkout.Environment) {
	if c.SMTP == nil {
		return nil, nil
	}
	settings := *c.SMTP
	settings.Now = time.Now
	if c.Dev != nil {
		return smtp.New(settings), []checkout.Environment{checkout.Prod, checkout.Test}
	}
	return smtp.New(settings), []checkout.Environment{checkout.Prod}
}

// locator opens the GeoIP database, if there is one. It finds a client behind the trusted proxies either way.
func (c *Config) locator() (l geoip.Locator, err error) {
	l.Trusted = c.TrustedProxies
	if c.GeoIP == "" {
		return l, nil
	}
	if l.DB, err = geoip.Open(c.GeoIP); err != nil {
		return l, fmt.Errorf("--geoip: %w", err)
	}
	return l, nil
}

// ReadRates reads a file of the operator's own tax rates; "" is none. A file with an error is not loaded at all; every error
// is listed.
func ReadRates(file string) (*table.Table, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("--rates: %w", err)
	}
	rates, mistakes := table.Parse(string(text))
	if len(mistakes) > 0 {
		errs := make([]error, len(mistakes))
		for i := range mistakes {
			errs[i] = mistakes[i]
		}
		return nil, fmt.Errorf("--rates: %s is not loaded:\n%w", file, errors.Join(errs...))
	}
	return &rates, nil
}

// listen opens the port and sets PublicURL and local.
func (c *Config) listen() (net.Listener, error) {
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return nil, err
	}
	c.local = "http://" + LocalAddress(listener.Addr().String())
	if c.PublicURL == "" {
		c.PublicURL = c.local
	}
	c.PublicURL = strings.TrimRight(c.PublicURL, "/")
	if err := c.checkPublicURL(); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return c.limitConnections(listener), nil
}

// LocalAddress is the address at which this machine reaches a listener: the loopback for a listener on every interface.
func LocalAddress(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// checkPublicURL refuses at the start a URL with which every order would fail.
func (c *Config) checkPublicURL() error {
	u, err := url.Parse(c.PublicURL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || !validHost(u) || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("--public-url %q is not a URL that a buyer can open; expected something like https://pay.example.com", c.PublicURL)
	}
	if u.Path != "" {
		return fmt.Errorf("--public-url %q has a path, and crepe answers at the root of a host only; expected something like %s://%s",
			c.PublicURL, u.Scheme, u.Host)
	}
	if _, live := c.Stripe[checkout.Prod]; live && u.Scheme != "https" {
		return fmt.Errorf("--public-url %q: with a live Stripe key it must be an https URL", c.PublicURL)
	}
	return nil
}

// validHost reports whether a URL names a host and, if any, a port that exists.
func validHost(u *url.URL) bool {
	if u.Port() == "" {
		return u.Hostname() != "" && !strings.HasSuffix(u.Host, ":")
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	return u.Hostname() != "" && err == nil && port > 0
}
