package main

import (
	"fmt"
	"os"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/edge/catalog"
)

// look is the published checkoutSettings of a store, and the words on its button.
type look struct {
	DefaultDarkMode *bool             `json:"defaultDarkMode"`
	Light           lookTheme         `json:"light"`
	Dark            lookTheme         `json:"dark"`
	Continue        map[string]string `json:"continue"` // by language; our own
}

type lookTheme struct {
	Logo         string `json:"checkoutLogo"`
	Primary      string `json:"checkoutColorPrimary"`
	Background   string `json:"checkoutColorBackground"`
	Card         string `json:"checkoutColorCard"`
	Text         string `json:"checkoutColorText"`
	BorderRadius string `json:"checkoutBorderRadius"`
}

// readLook reads a store's checkoutSettings from a file; no file is the checkout's own look.
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
		return s, fmt.Errorf("--look: %s: %w", file, err)
	}
	s = catalog.CheckoutSettings{DarkMode: l.DefaultDarkMode, Light: catalog.Theme(l.Light), Dark: catalog.Theme(l.Dark),
		Continue: l.Continue}
	if err := s.Check(); err != nil {
		return s, fmt.Errorf("--look: %s: %w", file, err)
	}
	return s, nil
}
