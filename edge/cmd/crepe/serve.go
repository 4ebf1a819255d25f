package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"strings"

	"github.com/crepe-checkout/crepe/core/checkout"
)

// serve is production: no demo merchant, and the sandbox stands in for the test environment only.
func serve(ctx context.Context, args []string, _, stderr io.Writer, log *slog.Logger) error {
	var c Config
	f := flag.NewFlagSet("crepe serve", flag.ContinueOnError)
	f.SetOutput(stderr)
	c.flags(f)
	if err := parse(f, args); err != nil {
		return err
	}
	if err := c.secrets(os.Getenv); err != nil {
		return err
	}
	c.Sandbox = map[checkout.Environment]bool{checkout.Test: true}
	listener, err := c.listen()
	if err != nil {
		return err
	}
	s, err := newServer(c, log)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	log.Info("serving", "url", c.PublicURL, "address", listener.Addr().String())
	return errors.Join(s.serveOn(ctx, listener), s.close())
}

// parse reads flags and refuses what is left over.
func parse(f *flag.FlagSet, args []string) error {
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return errors.New("unexpected argument " + f.Arg(0))
	}
	return nil
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
	return listener, nil
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

// checkPublicURL refuses at the start what would make every order fail later.
func (c *Config) checkPublicURL() error {
	u, err := url.Parse(c.PublicURL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("--public-url %q is no URL that a buyer could open; expected something like https://pay.example.com", c.PublicURL)
	}
	if _, live := c.Stripe[checkout.Prod]; live && u.Scheme != "https" {
		return fmt.Errorf("--public-url %q: with a live Stripe key buyers must come over https", c.PublicURL)
	}
	return nil
}
