package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/crepe-checkout/crepe/core/checkout"
)

const serveUsage = `crepe serve runs in production.

Usage:
  CREPE_STRIPE_KEY=sk_live_… CREPE_STRIPE_WEBHOOK_SECRET=whsec_… crepe serve --public-url https://pay.example.com

Secrets are environment variables only, so that they are in no list of processes:
  CREPE_STRIPE_KEY                  API key of Stripe; its environment is the one that it serves
  CREPE_STRIPE_WEBHOOK_SECRET       signing secret of the webhook endpoint /v1/webhooks/stripe/prod
  CREPE_STRIPE_TEST_KEY             API key of the test environment
  CREPE_STRIPE_TEST_WEBHOOK_SECRET  signing secret of the webhook endpoint /v1/webhooks/stripe/test

Settings, each of them also an environment variable (--public-url is CREPE_PUBLIC_URL):
`

// serve is production: no demo merchant, and the sandbox for the test environment only if the operator asks for it.
func serve(ctx context.Context, args []string, stdout, _ io.Writer, log *slog.Logger) error {
	c := Config{Data: serveData}
	f := newFlags("serve", serveUsage)
	c.flags(f)
	standIn := f.Bool("sandbox", false, "let the sandbox provider stand in for the test environment, unless that has a Stripe key")
	if err := parseWithEnvironment(f, args, stdout); err != nil {
		return err
	}
	if err := c.secrets(os.Getenv); err != nil {
		return err
	}
	if *standIn {
		c.Sandbox = map[checkout.Environment]bool{checkout.Test: true}
	}
	c.Use = useServe
	listener, err := c.listen()
	if err != nil {
		return err
	}
	return host(ctx, c, listener, log, func(context.Context, *server) error {
		log.Info("serving", "url", c.PublicURL, "address", listener.Addr().String())
		return nil
	})
}

// use says what a data directory is for. The first start writes it into the database.
type use string

const (
	useServe use = "serve"
	useDev   use = "dev"
)

// claim refuses a directory of the other use. A directory of crepe dev contains the private keys of its demo merchant, which
// may sell in both environments; a directory of crepe serve must not get a demo merchant.
func (s *server) claim(ctx context.Context) error {
	stored := use("")
	_, err := os.Stat(filepath.Join(s.Data, devFileName))
	if err == nil {
		stored = useDev
	} else if mark, err := s.db.Claim(ctx, string(s.Use)); err == nil {
		stored = use(mark)
	} else if !unavailable(err) { // a full disk is reported by /readyz
		return err
	}
	return s.Use.check(s.Data, stored)
}

// check compares a use with what is stored; "" is stored nowhere.
func (u use) check(data string, stored use) error {
	switch {
	case u == stored || u == "" || stored == "":
		return nil
	case u == useServe:
		return fmt.Errorf("%s is a data directory of crepe dev: its demo merchant's private keys lie there in %s, and whoever reads "+
			"them could sell as that merchant; choose another directory with --data", data, devFileName)
	default:
		return fmt.Errorf("%s is a data directory of crepe serve, where crepe dev would add a demo merchant; "+
			"choose another directory with --data", data)
	}
}

// listen opens the port and settles where the server is to be reached: from outside, and from this machine.
func (c *Config) listen() (net.Listener, error) {
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return nil, err
	}
	c.local = "http://" + localAddress(listener.Addr().String())
	if c.PublicURL == "" {
		c.PublicURL = c.local
	}
	c.PublicURL = strings.TrimRight(c.PublicURL, "/")
	if err := c.checkPublicURL(); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	limited, err := c.limited(listener)
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return limited, nil
}

// localAddress is where this machine reaches a listener: one on every interface is on the loopback, too.
func localAddress(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// validHost reports whether a URL names a host and, if any, a port that exists.
func validHost(u *url.URL) bool {
	if u.Port() == "" {
		return u.Hostname() != "" && !strings.HasSuffix(u.Host, ":")
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	return u.Hostname() != "" && err == nil && port > 0
}

// checkPublicURL refuses at the start what would make every order fail later.
func (c *Config) checkPublicURL() error {
	u, err := url.Parse(c.PublicURL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || !validHost(u) || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("--public-url %q is no URL that a buyer could open; expected something like https://pay.example.com", c.PublicURL)
	}
	if u.Path != "" {
		return fmt.Errorf("--public-url %q has a path, and crepe answers at the root of a host only; expected something like %s://%s",
			c.PublicURL, u.Scheme, u.Host)
	}
	if _, live := c.Stripe[checkout.Prod]; live && u.Scheme != "https" {
		return fmt.Errorf("--public-url %q: with a live Stripe key buyers must come over https", c.PublicURL)
	}
	return nil
}
