package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"log/slog"
	"net"
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

// listen opens the port and settles the public URL.
func (c *Config) listen() (net.Listener, error) {
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return nil, err
	}
	if c.PublicURL == "" {
		c.PublicURL = "http://" + listener.Addr().String()
	}
	c.PublicURL = strings.TrimRight(c.PublicURL, "/")
	return listener, nil
}
