package catalog

import (
	"reflect"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/civil"
	"github.com/crepe-checkout/crepe/core/tax"
)

func long(n int) string { return strings.Repeat("é", n) }

// TestStoreChange: what each change does to a store that has everything, and that the store itself is not changed.
func TestStoreChange(t *testing.T) {
	dark := true
	full := func() *Store {
		return &Store{ID: "STO_1", Name: "Shop", Slug: "shop-a1b2c3", Logo: "https://cdn.example.com/logo.svg", Status: Inactive,
			Checkout: CheckoutSettings{DarkMode: &dark, Language: "de", Light: Theme{Primary: "#000000", Card: "#ffffff"}, Dark: Theme{Text: "#ffffff"}},
			Links:    Links{Website: "https://shop.example", SupportEmail: "help@shop.example", Terms: "https://shop.example/terms"},
			Seller:   tax.Seller{Country: "DE", Everywhere: true, Registrations: []tax.Registration{{Jurisdiction: "EU"}}},
			Legal:    Legal{Name: "Shop GmbH", Address: Address{Street: "Torstraße 1", City: "Berlin"}, VATID: "DE136695976"},
			Origins:  []string{"https://shop.example"}, Frames: []string{"https://frame.example"}, Consents: []checkout.ConsentText{{Text: "Old"}}, Muted: []string{"emailTrialEnding", "notifyNewOrders"}, CreatedAt: 1, UpdatedAt: 2, Revision: 3}
	}
	day := func(s string) civil.Date { d, _ := civil.ParseDate(s); return d }
	for name, c := range map[string]struct {
		change StoreChange
		want   func(*Store)
	}{
		"nothing":        {StoreChange{}, func(*Store) {}},
		"a name":         {StoreChange{Name: Set("  " + long(100) + " ")}, func(s *Store) { s.Name = long(100) }},
		"a status":       {StoreChange{Status: Set("suspended")}, func(s *Store) { s.Status = Suspended }},
		"no logo":        {StoreChange{Logo: Set("")}, func(s *Store) { s.Logo = "" }},
		"another e-mail": {StoreChange{SupportEmail: Set(" Ada@Shop.example ")}, func(s *Store) { s.Links.SupportEmail = "ada@shop.example" }},
		"no website":     {StoreChange{Website: Set("")}, func(s *Store) { s.Links.Website = "" }},
		"other links": {StoreChange{Links: LinksChange{Refunds: Set("https://shop.example/refunds"), Terms: Set("")}},
			func(s *Store) { s.Links.Terms, s.Links.Refunds = "", "https://shop.example/refunds" }},
		"origins, sorted and each once": {StoreChange{Origins: Set([]string{"https://b.example", "https://a.example", "https://b.example"})},
			func(s *Store) { s.Origins = []string{"https://a.example", "https://b.example"} }},
		"frames, sorted": {StoreChange{Frames: Set([]string{"https://b.example", "https://a.example"})},
			func(s *Store) { s.Frames = []string{"https://a.example", "https://b.example"} }},
		"no frames": {StoreChange{Frames: Set([]string(nil))}, func(s *Store) { s.Frames = nil }},
		"consents": {StoreChange{Consents: Set([]ConsentInput{{Text: " I agree ", Countries: []string{"gb", "EU", "GB"}}, {Text: "Everywhere", Always: true}})},
			func(s *Store) {
				s.Consents = []checkout.ConsentText{{Version: "99955b75e0544165", Text: "I agree", Countries: []string{"EU", "GB"}},
					{Version: "dcc10bfd55acda92", Text: "Everywhere", Always: true}}
			}},
		"no consents": {StoreChange{Consents: Set([]ConsentInput{})}, func(s *Store) { s.Consents = nil }},
		"one colour": {StoreChange{Checkout: CheckoutChange{Light: ThemeChange{Primary: Set("#0f5c4a"), BorderRadius: Set("0.5px")}}},
			func(s *Store) { s.Checkout.Light.Primary, s.Checkout.Light.BorderRadius = "#0f5c4a", "0.5px" }},
		"a theme reset": {StoreChange{Checkout: CheckoutChange{Light: ThemeChange{Clear: true, Text: Set("#111")}}},
			func(s *Store) { s.Checkout.Light = Theme{Text: "#111"} }},
		"the look reset, which leaves the language": {StoreChange{Checkout: CheckoutChange{Clear: true}},
			func(s *Store) { s.Checkout.DarkMode, s.Checkout.Light, s.Checkout.Dark = nil, Theme{}, Theme{} }},
		"no mode": {StoreChange{Checkout: CheckoutChange{DarkMode: Set[*bool](nil)}}, func(s *Store) { s.Checkout.DarkMode = nil }},
		"settings": {StoreChange{Notify: NotifyChange{Set: map[string]Patch[bool]{"notifyNewOrders": Set(true), "notifyChargeback": Set(false),
			"emailTrialEnding": {}, "emailOrderConfirmation": Set(false), "unknown": Set(false)}}}, func(s *Store) { s.Muted = []string{"notifyChargeback"} }},
		"settings reset": {StoreChange{Notify: NotifyChange{Clear: true}}, func(s *Store) { s.Muted = nil }},
		"a seller": {StoreChange{Seller: SellerChange{Country: Set(" gb "), VATID: Set("gb 980 780 684"), LegalName: Set(long(300)),
			Registrations: Set([]RegistrationInput{{"eu", "2026-01-01"}, {"US-TX", "2026-02-28"}, {"IC", "2026-02-28"}})}}, func(s *Store) {
			s.Seller.Country, s.Legal.VATID, s.Legal.Name = "GB", "GB980780684", long(300)
			s.Seller.Registrations = []tax.Registration{{Jurisdiction: "EU", From: day("2026-01-01")}, {Jurisdiction: "US-TX", From: day("2026-02-28")},
				{Jurisdiction: "IC", From: day("2026-02-28")}}
		}},
		"a number that nobody checks": {StoreChange{Seller: SellerChange{Country: Set("JP"), VATID: Set("T 1234")}},
			func(s *Store) { s.Seller.Country, s.Legal.VATID = "JP", "T 1234" }},
		"another street": {StoreChange{Seller: SellerChange{Address: AddressChange{Street: Set("Alte Post\nHof 2"), City: Set("")}}},
			func(s *Store) { s.Legal.Address = Address{Street: "Alte Post\nHof 2"} }},
		"another address": {StoreChange{Seller: SellerChange{Address: AddressChange{Clear: true, City: Set("Bonn")}}},
			func(s *Store) { s.Legal.Address = Address{City: "Bonn"} }},
		"no seller": {StoreChange{Seller: SellerChange{Clear: true}}, func(s *Store) { s.Seller, s.Legal = tax.Seller{}, Legal{} }},
	} {
		store, want := full(), full()
		c.want(want)
		want.UpdatedAt = 9
		got, refused := c.change.Apply(store, 9)
		if refused != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v\ngot  %+v\nwant %+v", name, refused, got, want)
		}
		if !reflect.DeepEqual(store, full()) {
			t.Errorf("%s: the store itself is now %+v", name, store)
		}
	}
}

// TestStoreChangeRefused: every refusal names its field.
func TestStoreChangeRefused(t *testing.T) {
	registrations := make([]RegistrationInput, 101)
	for _, c := range []struct {
		change     StoreChange
		path, text string
	}{
		{StoreChange{Name: Set(" ")}, "/name", "Missing required field: name"},
		{StoreChange{Name: Set(long(101))}, "/name", "name must be at most 100 characters"},
		{StoreChange{Name: Set("a\nb")}, "/name", "Invalid name"},
		{StoreChange{Name: Set("\u200b")}, "/name", "Invalid name"},
		{StoreChange{Name: Set("\xff")}, "/name", "Invalid name"},
		{StoreChange{Status: Set("closed")}, "/status", "Invalid status: expected one of [active, inactive, suspended]"},
		{StoreChange{Status: Set("")}, "/status", "Invalid status: expected one of [active, inactive, suspended]"},
		{StoreChange{Logo: Set("http://cdn.example.com/a.svg")}, "/logo", "Invalid logo: expected an https URL"},
		{StoreChange{Logo: Set("data:image/png;base64,AAAA")}, "/logo", "Invalid logo: expected an https URL"},
		{StoreChange{Logo: Set("https://a;script-src/x")}, "/logo", "Invalid logo: expected an https URL"},
		{StoreChange{SupportEmail: Set("nobody")}, "/supportEmail", "Invalid supportEmail"},
		{StoreChange{Website: Set("javascript:alert(1)")}, "/website", "Invalid website: expected an https URL"},
		{StoreChange{Website: Set("https://a.example/" + strings.Repeat("a", 2048))}, "/website", "Invalid website: expected an https URL"},
		{StoreChange{Links: LinksChange{Privacy: Set("/privacy")}}, "/links/privacy", "Invalid links.privacy: expected an https URL"},
		{StoreChange{Origins: Set([]string{"https://a.example", "https://a.example/x"})}, "/origins/1",
			`Invalid origins.1: expected an origin (e.g., "https://shop.example.com")`},
		{StoreChange{Origins: Set(make([]string, 51))}, "/origins", "origins must have at most 50 entries"},
		{StoreChange{Frames: Set([]string{"https://*.example"})}, "/frameOrigins/0", `Invalid frameOrigins.0: expected an origin (e.g., "https://shop.example.com")`},
		{StoreChange{Frames: Set([]string{"https://a.example; script-src *"})}, "/frameOrigins/0",
			`Invalid frameOrigins.0: expected an origin (e.g., "https://shop.example.com")`},
		{StoreChange{Frames: Set(make([]string, 21))}, "/frameOrigins", "frameOrigins must have at most 20 entries"},
		{StoreChange{Consents: Set([]ConsentInput{{Text: " "}})}, "/consents/0/text", "Missing required field: consents.0.text"},
		{StoreChange{Consents: Set([]ConsentInput{{Text: long(501)}})}, "/consents/0/text", "consents.0.text must be at most 500 characters"},
		{StoreChange{Consents: Set([]ConsentInput{{Text: "a\nb"}})}, "/consents/0/text", "Invalid consents.0.text"},
		{StoreChange{Consents: Set([]ConsentInput{{Text: "a"}, {Text: " a"}})}, "/consents/1/text", "Invalid consents.1.text: expected each text once"},
		{StoreChange{Consents: Set([]ConsentInput{{Text: "a", Countries: []string{"DE", "Germany"}}})}, "/consents/0/countries/1",
			`Invalid consents.0.countries.1: expected "EU" or ISO 3166-1 alpha-2`},
		{StoreChange{Consents: Set(make([]ConsentInput, 6))}, "/consents", "consents must have at most 5 entries"},
		{StoreChange{Checkout: CheckoutChange{Dark: ThemeChange{Card: Set("red")}}}, "/checkoutSettings/dark/checkoutColorCard",
			`Invalid checkoutSettings.dark.checkoutColorCard: expected a colour (e.g., "#0f5c4a")`},
		{StoreChange{Checkout: CheckoutChange{Light: ThemeChange{BorderRadius: Set("8em")}}}, "/checkoutSettings/light/checkoutBorderRadius",
			`Invalid checkoutSettings.light.checkoutBorderRadius: expected a length in pixels (e.g., "8px")`},
		{StoreChange{Checkout: CheckoutChange{Light: ThemeChange{Logo: Set("logo.svg")}}}, "/checkoutSettings/light/checkoutLogo",
			"Invalid checkoutSettings.light.checkoutLogo: expected an https URL"},
		{StoreChange{Seller: SellerChange{Country: Set("Germany")}}, "/seller/country", "Invalid seller.country: expected ISO 3166-1 alpha-2"},
		{StoreChange{Seller: SellerChange{Registrations: Set(registrations)}}, "/seller/registrations", "seller.registrations must have at most 100 entries"},
		{StoreChange{Seller: SellerChange{Registrations: Set([]RegistrationInput{{"US-XX", "2026-01-01"}})}}, "/seller/registrations/0/jurisdiction",
			`Invalid seller.registrations.0.jurisdiction: expected "EU", a country (e.g., "GB"), a state or a province (e.g., "US-TX")`},
		{StoreChange{Seller: SellerChange{Registrations: Set([]RegistrationInput{{"EU", "2026-01-01"}, {"US", "2026-01-01"}})}}, "/seller/registrations/1/jurisdiction",
			`Invalid seller.registrations.1.jurisdiction: expected "EU", a country (e.g., "GB"), a state or a province (e.g., "US-TX")`},
		{StoreChange{Seller: SellerChange{Registrations: Set([]RegistrationInput{{"MC", "2026-01-01"}})}}, "/seller/registrations/0/jurisdiction",
			`Invalid seller.registrations.0.jurisdiction: expected "EU", a country (e.g., "GB"), a state or a province (e.g., "US-TX")`},
		{StoreChange{Seller: SellerChange{Registrations: Set([]RegistrationInput{{"US-US-TX", "2026-01-01"}})}}, "/seller/registrations/0/jurisdiction",
			`Invalid seller.registrations.0.jurisdiction: expected "EU", a country (e.g., "GB"), a state or a province (e.g., "US-TX")`},
		{StoreChange{Seller: SellerChange{Registrations: Set([]RegistrationInput{{"GB", "2026-02-30"}})}}, "/seller/registrations/0/from",
			`Invalid seller.registrations.0.from: expected a date (e.g., "2026-01-31")`},
		{StoreChange{Seller: SellerChange{Registrations: Set([]RegistrationInput{{"GB", "2026-01-01"}, {"gb", "2026-01-02"}})}}, "/seller/registrations/1/jurisdiction",
			"Invalid seller.registrations.1.jurisdiction: expected each jurisdiction once"},
		{StoreChange{Seller: SellerChange{LegalName: Set(long(301))}}, "/seller/legalName", "seller.legalName must be at most 300 characters"},
		{StoreChange{Seller: SellerChange{Address: AddressChange{City: Set("a\x00")}}}, "/seller/address/city", "Invalid seller.address.city"},
		{StoreChange{Seller: SellerChange{Country: Set("DE"), VATID: Set("DE123456789")}}, "/seller/vatId", "Invalid seller.vatId for DE"},
	} {
		got, refused := c.change.Apply(new(Store), 0)
		if refused == nil || got != nil || refused.Path != c.path || refused.Message != c.text {
			t.Errorf("%+v: %v, want %s %q", c.change, refused, c.path, c.text)
		}
	}
}

// TestSettings: the published settings, those that a merchant may change, and the look that answers show are what they should be.
func TestSettings(t *testing.T) {
	writable := 0
	for name, can := range NotificationSettings {
		if can {
			writable++
		}
		if strings.HasPrefix(name, "notify") && !can {
			t.Errorf("%s cannot be changed", name)
		}
	}
	if len(NotificationSettings) != 21 || writable != 12 {
		t.Errorf("%d settings, %d of them writable", len(NotificationSettings), writable)
	}
	for _, theme := range []Theme{DefaultLight, DefaultDark} {
		if err := theme.check("default"); err != nil || !isRadius(theme.BorderRadius) {
			t.Errorf("%+v: %v", theme, err)
		}
	}
}

// TestSlug: a slug is made of a name's letters and digits, never empty and never long.
func TestSlug(t *testing.T) {
	for name, want := range map[string]string{
		"My Digital Store": "my-digital-store", "Crêperie Zoë & Fils": "creperie-zoe-fils", "Straße 7": "strasse-7", "日本の店": "store", "--": "store",
		"Ünïcödé": "uenicoede", strings.Repeat("ab ", 40): strings.TrimSuffix(strings.Repeat("ab-", 16), "-"), "A/B\\C?d=e#f": "a-b-c-d-e-f",
	} {
		if got := slugOf(name); got != want || len(got) > maxSlugName {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
