package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/edge/admin"
)

const storeUsage = `crepe store creates, lists and changes the stores of a merchant: also what tax and receipts need to know of the seller. A merchant's
programs can do the same over the API. It works while the server runs and after it has stopped.

Usage:
  crepe store create --name NAME [--merchant MER_ID] [SETTINGS]
  crepe store list   [--merchant MER_ID]
  crepe store set STO_ID [SETTINGS]

crepe store COMMAND --help lists the settings.
`

const storeCreateUsage = `crepe store create creates a store.

Examples:
  crepe store create --name "Field Notes"
  crepe store create --name "Feldnotizen" --seller-country DE --registered EU=2026-01-01 --legal-name "Feldnotizen GmbH" \
      --street "Torstraße 1" --postcode 10119 --city Berlin --vat-id DE136695976

Without --seller-country and --registered no tax is collected.

Settings:
`

const storeListUsage = `crepe store list lists a merchant's stores, newest first, also deleted ones.

Examples:
  crepe store list
  crepe store list --json
      Has every setting.

Settings:
`

const storeSetUsage = `crepe store set changes the settings that are given. An empty value clears a setting.

Examples:
  crepe store set STO_5Yk2 --seller-country DE --registered EU=2026-01-01,GB=2026-07-01
  crepe store set STO_5Yk2 --legal-name "Feldnotizen GmbH" --vat-id DE136695976
  crepe store set STO_5Yk2 --origins https://shop.example.com --website ""
  crepe store set STO_5Yk2 --frame-origins https://shop.example.com
  crepe store set STO_5Yk2 --consents "$(cat consents.json)"

Settings:
`

var storeCommands = map[string]commandFunc{"create": storeCreate, "list": storeList, "set": storeSet}

// storeFlags declares the settings of a store. Only flags that are given are set.
func storeFlags(f *flag.FlagSet) *admin.StoreSettings {
	s := new(admin.StoreSettings)
	for _, t := range []struct {
		field       **string
		name, usage string
	}{
		{&s.Name, "name", "`name` that buyers see"},
		{&s.Country, "seller-country", "`country` where the seller is established, ISO 3166-1 alpha-2; its national tax needs no registration"},
		{&s.LegalName, "legal-name", "the seller's legal `name`, for receipts"},
		{&s.Street, "street", "the seller's address, for receipts: `street` and number"},
		{&s.Postcode, "postcode", "`postcode` of the address"},
		{&s.City, "city", "`city` of the address"},
		{&s.Region, "region", "state or `region` of the address"},
		{&s.VATID, "vat-id", "the seller's VAT `number`, for receipts"},
		{&s.Website, "website", "the store's website, an https `URL`"},
		{&s.SupportEmail, "support-email", "`address` where buyers get help"},
		{&s.Terms, "terms", "the terms of sale, an https `URL`"},
		{&s.Refunds, "refunds", "the refund policy, an https `URL`"},
		{&s.Privacy, "privacy", "the privacy policy, an https `URL`"},
		{&s.Logo, "logo", "the logo, an https `URL`"},
		{&s.Status, "status", "active, inactive or suspended; only an active store sells: a `status`"},
	} {
		f.Func(t.name, t.usage, func(text string) error { *t.field = &text; return nil })
	}
	f.Func("registered", "where the seller is registered for tax, a `list`: EU is the one-stop shop, otherwise countries, states (US-TX) or provinces (CA-QC), "+
		"each with the first day, EU=2026-01-01; without a day: from today", func(text string) error {
		registrations := registrations(text)
		s.Registrations = &registrations
		return nil
	})
	f.BoolFunc("everywhere", "collect tax wherever a rate is known, as a merchant of record; --everywhere=false ends it", func(text string) error {
		everywhere := text == "true"
		if s.Everywhere = &everywhere; !everywhere && text != "false" {
			return fmt.Errorf("expected true or false")
		}
		return nil
	})
	f.Func("origins", "`list` of origins whose pages may call the API, such as https://shop.example.com", func(text string) error {
		origins := splitList(text)
		s.Origins = &origins
		return nil
	})
	f.Func("frame-origins", "`list` of origins whose pages may show the checkout in a frame; without one no page may", func(text string) error {
		origins := splitList(text)
		s.FrameOrigins = &origins
		return nil
	})
	f.Func("consents", "what buyers must agree to, a `list` in JSON: [{\"text\":\"…\",\"countries\":[\"EU\"],\"always\":false}]", func(text string) error {
		consents := []admin.Consent{}
		s.Consents = &consents
		if text == "" {
			return nil
		}
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.DisallowUnknownFields() // a mistyped "countries" would ask for the consent everywhere
		return decoder.Decode(s.Consents)
	})
	return s
}

// registrations reads "EU=2026-01-01,GB"; the server checks it.
func registrations(text string) []admin.Registration {
	list := []admin.Registration{}
	for _, entry := range splitList(text) {
		jurisdiction, from, _ := strings.Cut(entry, "=")
		list = append(list, admin.Registration{Jurisdiction: jurisdiction, From: from})
	}
	return list
}

// splitList splits a list at its commas; "" is the empty list.
func splitList(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
}

func storeCreate(_ context.Context, args []string, stdout, _ io.Writer, log *slog.Logger) error {
	o := newOperation("store create", storeCreateUsage, stdout, log)
	merchant := merchantFlag(o, "the only one")
	settings := storeFlags(o.flags)
	if err := o.parseFlags(args); err != nil {
		return err
	}
	if settings.Name == nil {
		return misuse(o.flags, "--name is needed")
	}
	return o.open(func(c *admin.Client) error {
		store, err := admin.Perform[admin.Store](c, admin.CreateStore, admin.CreateStoreRequest{MerchantID: *merchant, Settings: *settings})
		return o.print(store, err, func() { o.printNewStore(&store) })
	})
}

func (o *operation) printNewStore(s *admin.Store) {
	fmt.Fprintf(o.stdout, "# %s is %s, a store of %s.\nWAFFO_STORE_ID=%s\n", s.ID, s.Slug, s.MerchantID, s.ID)
	if s.Country == "" && len(s.Registrations) == 0 && !s.Everywhere {
		fmt.Fprintf(o.stdout, "\n# No tax is collected yet. Where is the seller established, and registered for tax?\n"+
			"#   crepe store set %s --seller-country CC --registered EU=2026-01-01,…%s\n", s.ID, dataFlag(*o.data))
	}
	fmt.Fprintf(o.stdout, "\n# Next: a product, with the SDK's client.onetimeProducts.create({ storeId: \"%s\", … })\n", s.ID)
}

func storeList(_ context.Context, args []string, stdout, _ io.Writer, log *slog.Logger) error {
	o := newOperation("store list", storeListUsage, stdout, log)
	merchant := merchantFlag(o, "the only one")
	return o.with(args, func(c *admin.Client) error {
		stores, err := allStores(c, *merchant)
		return o.print(stores, err, func() {
			rows := [][]string{}
			for i := range stores {
				s := &stores[i]
				status := string(s.Status)
				if s.DeletedAt != nil {
					status = "deleted"
				}
				rows = append(rows, []string{s.ID, s.Slug, s.Name, status, s.Country, registeredIn(s)})
			}
			o.printTable("STORE SLUG NAME STATUS SELLER REGISTERED", rows)
			if len(stores) == 0 {
				fmt.Fprintf(o.stdout, "\nThere is no store yet: crepe store create --name NAME%s\n", dataFlag(*o.data))
			}
		})
	})
}

// registeredIn lists where tax is collected.
func registeredIn(s *admin.Store) string {
	if s.Everywhere {
		return "everywhere"
	}
	list := make([]string, len(s.Registrations))
	for i, r := range s.Registrations {
		list[i] = r.Jurisdiction + "=" + r.From
	}
	return strings.Join(list, ",")
}

// allStores reads every page of a merchant's stores.
func allStores(c *admin.Client, merchantID string) ([]admin.Store, error) {
	stores := []admin.Store{}
	for {
		page, err := admin.Perform[admin.Stores](c, admin.ListStores, admin.ListStoresRequest{MerchantID: merchantID, Skip: len(stores)})
		if err != nil {
			return nil, err
		}
		if stores = append(stores, page.Items...); !page.More {
			return stores, nil
		}
	}
}

func storeSet(_ context.Context, args []string, stdout, _ io.Writer, log *slog.Logger) error {
	o := newOperation("store set", storeSetUsage, stdout, log)
	settings := storeFlags(o.flags)
	ids, err := o.parse(args)
	switch {
	case err != nil:
		return err
	case len(ids) != 1:
		return misuse(o.flags, "the id of one store is needed; crepe store list has them")
	case *settings == admin.StoreSettings{}:
		return misuse(o.flags, "there is nothing to set")
	}
	return o.open(func(c *admin.Client) error {
		store, err := admin.Perform[admin.Store](c, admin.SetStore, admin.SetStoreRequest{ID: ids[0], Settings: *settings})
		return o.print(store, err, func() { o.printStore(&store) })
	})
}

// printStore prints the settings of a store, one a line.
func (o *operation) printStore(s *admin.Store) {
	rows := [][]string{}
	for _, r := range [][2]string{{"store", s.ID}, {"slug", s.Slug}, {"name", s.Name}, {"status", string(s.Status)}, {"seller-country", s.Country},
		{"registered", registeredIn(s)}, {"legal-name", s.LegalName}, {"street", s.Street}, {"postcode", s.Postcode}, {"city", s.City},
		{"region", s.Region}, {"vat-id", s.VATID}, {"website", s.Website}, {"support-email", s.SupportEmail}, {"terms", s.Terms},
		{"refunds", s.Refunds}, {"privacy", s.Privacy}, {"logo", s.Logo}, {"origins", strings.Join(s.Origins, ",")},
		{"frame-origins", strings.Join(s.FrameOrigins, ",")}, {"consents", consentsOf(s)}} {
		if r[1] != "" {
			rows = append(rows, r[:])
		}
	}
	o.printTable("SETTING VALUE", rows)
}

// consentsOf shows the consents of a store as --consents takes them.
func consentsOf(s *admin.Store) string {
	if len(s.Consents) == 0 {
		return ""
	}
	text, err := json.Marshal(s.Consents)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
