package server

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/tax/table"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/certificate"
	"github.com/crepe-checkout/crepe/edge/geoip"
	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/smtp"
	"github.com/crepe-checkout/crepe/edge/vies"
)

// LeastKeepUnpaid is the least of [Config].KeepUnpaid: until then a payment can still arrive.
const LeastKeepUnpaid = orders.LongestPayment

// Config configures a server. Listen and Data are required; the zero value of every other field works.
type Config struct {
	Listen    string // address to listen on
	Data      string // directory of the databases
	PublicURL string // where buyers reach the server; "" for http://, with TLS https://, and the listen address

	// Inherited is a listening socket to use in place of Listen. Whoever has passed it on keeps it open when the server ends, so that
	// connections wait in its backlog for the next server. nil for none.
	Inherited net.Listener

	TLSCert, TLSKey string // PEM files of the certificate with its chain, and of its key; "" for HTTP

	// EncryptionKey encrypts the databases of Data, with 32 bytes; nil is no encryption. [Rekey] changes it.
	EncryptionKey []byte

	// Store is the URL of a PostgreSQL database that holds the records, so that several servers share them: "postgres://user@host/name".
	// With "" they are in a database of Data, which one server has for itself. Data has the operator's socket in both cases.
	Store string

	MetricsListen string // address on which metrics are served to everybody who reaches it; "" for none

	DrainDelay time.Duration // how long requests are served after the context has ended, with /readyz at 503

	DiskReserve uint64 // free space in bytes below which new records are refused; 0 for 128 MiB

	KeepSessions time.Duration // how long an expired checkout session without an order is kept; 0 is for ever

	KeepDeliveries time.Duration // how long webhook deliveries and e-mails are kept after they were sent or given up; 0 for 30 days

	KeepUnpaid time.Duration // how long a buyer's data are kept after an order has ended unpaid, [LeastKeepUnpaid] or more; 0 is for ever

	RefundWindow time.Duration // how long after a payment a refund ticket can be created; 0 for 14 days

	Backups Backups // that the server makes by itself; not with Store

	// Limits of what is served. 0 is no limit.
	Connections       int     // open connections
	ClientConnections int     // open connections of one client address, trusted proxies excepted
	ClientRate        float64 // requests a second of one client address without a merchant's credential
	StoreRate         float64 // requests a second for one store without a merchant's credential

	GeoIP           string // file of a country database (.mmdb); "" if addresses are no evidence
	Rates           string // file of the operator's own tax rates (.tsv), over the built-in ones; "" for none
	ExchangeRates   string // file of exchange rates (.csv) for the tax in the seller's currency, see [invoices.ParseRates]; "" for none
	PrivateWebhooks bool   // merchants may have webhook endpoints on this machine and in private networks, and http; dev has it

	TrustedProxies []netip.Prefix // the proxies whose X-Forwarded-For is believed

	// Stripe holds the accounts by environment. An environment without one uses the sandbox provider if Sandbox names it, and
	// otherwise refuses to create orders.
	Stripe map[checkout.Environment]StripeAccount
	// StripeTestURL is where the API of the test environment's account is, for a [RunSandbox] that several servers share; "" for Stripe's
	// own. There is none for the account of the prod environment.
	StripeTestURL string
	// Sandbox names the environments that the sandbox provider serves unless they have an account.
	Sandbox map[checkout.Environment]bool

	// NoMerchant is called when the server takes requests and there is no merchant; nil for nothing.
	NoMerchant func()

	// DashboardToken opens the operator's dashboard. With "" there is none; crepe dev then has one that needs no token.
	DashboardToken string

	// SMTP is the operator's mail server, over which receipts are sent by e-mail; nil for none. Only documents of the prod environment
	// are sent, with Dev also those of test.
	SMTP *smtp.Config

	// VIES lets the server ask the EU's VIES about the VAT numbers of buyers who owe the tax themselves, after the sale. VIESTest does the
	// same for orders of the test environment. VIESURL is where; "" for the Commission's own service.
	VIES, VIESTest bool
	VIESURL        string

	// Dev makes the server that of crepe dev; nil for production.
	Dev *Dev

	unmeasured            bool          // no metrics, to measure what they cost
	orderTry, orderBudget time.Duration // see [orders.Config]; 0 for its defaults

	local       string             // where this machine reaches the server; set by listen
	certificate *certificate.Files // of TLSCert and TLSKey, nil without them; set by listen
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
	Frames  []string                 // whose pages may show its checkout in a frame
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

// viesIn returns the environments whose orders are checked with VIES.
func (c *Config) viesIn() (envs []checkout.Environment) {
	if c.VIES {
		envs = append(envs, checkout.Prod)
	}
	if c.VIESTest {
		envs = append(envs, checkout.Test)
	}
	return envs
}

// checkVIES refuses at the start a URL that cannot be asked.
func (c *Config) checkVIES() error {
	if c.VIESURL != "" && !vies.ValidURL(c.VIESURL) {
		return fmt.Errorf("--vies-url %q is not an http or https URL; expected something like %s", c.VIESURL, vies.DefaultURL)
	}
	return nil
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

// ReadRates reads a file of the operator's own tax rates; "" is none. The text is UTF-8, or UTF-16 with a byte order mark. A file with
// an error is not loaded at all; every error is listed.
func ReadRates(file string) (*table.Table, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err == nil {
		text, _, err = transform.Bytes(unicode.BOMOverride(transform.Nop), text)
	}
	if err != nil {
		return nil, fmt.Errorf("--rates: %w", err)
	}
	if header, _, _ := strings.Cut(string(text), "\n"); !strings.Contains(header, "\t") && strings.ContainsAny(header, ",;") {
		return nil, fmt.Errorf("--rates: %s is a CSV file; save it with tabs between the cells (.tsv)", file)
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

// Check returns all faults of the settings that a start would find before it opens a database. It reads the files that they name.
func (c *Config) Check() error {
	public := *c
	public.setPublicURL(LocalAddress(c.Listen))
	_, tls := c.openCertificate()
	_, geo := c.locator()
	_, rates := ReadRates(c.Rates)
	_, exchange := openExchangeRates(c.ExchangeRates, slog.New(slog.DiscardHandler))
	return errors.Join(checkAddress("listen", c.Listen), checkAddress("metrics-listen", c.MetricsListen), tls, public.checkPublicURL(), c.checkStripeTestURL(), c.checkVIES(), geo, rates, exchange,
		public.checkBackups())
}

// checkAddress refuses the value of a flag that is no address to listen on; "" is one.
func checkAddress(flag, address string) error {
	if _, err := net.ResolveTCPAddr("tcp", address); err != nil && address != "" {
		return fmt.Errorf("--%s: %w", flag, err)
	}
	return nil
}

// rootURL reports whether a text is the URL of a host, without a path.
func rootURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && validHost(u) && u.User == nil && u.Path == "" && u.RawQuery == "" &&
		u.Fragment == ""
}

// listen opens the port, or uses the inherited socket, and sets PublicURL, local and certificate.
func (c *Config) listen() (listener net.Listener, err error) {
	if c.certificate, err = c.openCertificate(); err != nil {
		return nil, err
	}
	if err := c.checkBackups(); err != nil {
		return nil, err
	}
	if listener = c.Inherited; listener == nil {
		if listener, err = net.Listen("tcp", c.Listen); err != nil {
			return nil, err
		}
	}
	address := LocalAddress(listener.Addr().String())
	c.local = "http://" + address
	c.setPublicURL(address)
	if err := c.checkPublicURL(); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	listener = c.limitConnections(listener)
	if c.certificate != nil {
		listener = c.certificate.Listen(listener)
	}
	return listener, nil
}

// openCertificate opens the certificate; nil for none.
func (c *Config) openCertificate() (*certificate.Files, error) {
	switch {
	case c.TLSCert == "" && c.TLSKey == "":
		return nil, nil
	case c.TLSCert == "" || c.TLSKey == "":
		return nil, errors.New("--tls-cert and --tls-key are two files of one pair: set both, or neither")
	}
	files, err := certificate.Open(c.TLSCert, c.TLSKey)
	if err != nil {
		return nil, fmt.Errorf("--tls-cert, --tls-key: %w", err)
	}
	return files, nil
}

// setPublicURL sets the default of PublicURL, and removes a slash at its end.
func (c *Config) setPublicURL(address string) {
	scheme := "http://"
	if c.TLSCert != "" {
		scheme = "https://"
	}
	c.PublicURL = strings.TrimRight(cmp.Or(c.PublicURL, scheme+address), "/")
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
