package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/server"
)

const devUsage = `crepe dev runs everything on this machine: a demo merchant, a sandbox payment provider and the hosted page.

Usage:
  crepe dev
  crepe dev --fresh --origins http://localhost:5173

Settings, each of them also an environment variable (--public-url is CREPE_PUBLIC_URL) and a key of the file of --config:
`

// dev runs everything on this machine; it needs no account and no network.
func dev(ctx context.Context, args []string, stdout, stderr io.Writer, _ *slog.Logger) error {
	c := server.Config{Data: devData, Sandbox: map[checkout.Environment]bool{checkout.Test: true, checkout.Prod: true},
		Dev: &server.Dev{Out: stdout}}
	f := newFlags("dev", devUsage)
	declareSettings(f, &c)
	logs := logFlags(f)
	f.BoolVar(&c.Dev.Fresh, "fresh", false, "remove what an earlier run has left in the data directory")
	parsed(f, &c.Dev.Origins, "origins", "", parseOrigins, "comma-separated `origins` whose pages may call the API for the demo store; default: none")
	parsed(f, &c.Dev.Frames, "frame-origins", "", parseOrigins, "comma-separated `origins` whose pages may show the demo store's checkout in a frame; default: none")
	parsed(f, &c.Dev.Look, "look", "", readLook, "checkoutSettings `file` of the demo store (.json): its colours, corners and logo; default: the checkout's default look")
	if _, err := parseSettings(f, args, stdout, checkData(f)); err != nil {
		return err
	}
	return server.Run(ctx, c, newLog(stderr, *logs))
}

// parseOrigins parses a comma-separated list.
func parseOrigins(list string) ([]string, error) {
	if list == "" {
		return nil, nil
	}
	origins := strings.Split(list, ",")
	for _, origin := range origins {
		if !catalog.ValidOrigin(origin) {
			return nil, fmt.Errorf("%q is not an origin; expected something like https://shop.example.com or http://localhost:5173", origin)
		}
	}
	return origins, nil
}

// look is a store's checkoutSettings as published, with the texts of its button.
type look struct {
	DefaultDarkMode *bool             `json:"defaultDarkMode"`
	Light           lookTheme         `json:"light"`
	Dark            lookTheme         `json:"dark"`
	Continue        map[string]string `json:"continue"` // by language; not in the published settings
}

type lookTheme struct {
	Logo         string `json:"checkoutLogo"`
	Primary      string `json:"checkoutColorPrimary"`
	Background   string `json:"checkoutColorBackground"`
	Card         string `json:"checkoutColorCard"`
	Text         string `json:"checkoutColorText"`
	BorderRadius string `json:"checkoutBorderRadius"`
}

// readLook reads a store's checkoutSettings from a file; "" is the default look.
func readLook(file string) (s catalog.CheckoutSettings, err error) {
	if file == "" {
		return s, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return s, err
	}
	var l look
	if err := json.Unmarshal(text, &l); err != nil {
		return s, fmt.Errorf("%s: %w", file, err)
	}
	s = catalog.CheckoutSettings{DarkMode: l.DefaultDarkMode, Light: catalog.Theme(l.Light), Dark: catalog.Theme(l.Dark),
		Continue: l.Continue}
	if err := s.Check(); err != nil {
		return s, fmt.Errorf("%s: %w", file, err)
	}
	return s, nil
}
