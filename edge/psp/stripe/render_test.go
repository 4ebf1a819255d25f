package stripe

import (
	"cmp"
	"flag"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/psp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// payable is an order of 29.00 USD plus 7.25 % in California; each test changes what it is about.
func payable() psp.CheckoutParams {
	return psp.CheckoutParams{
		OrderID: "ORD_2aUyqjCzEIiEcYMKj7TZtw",
		Attempt: 1,
		Order: &checkout.Order{
			SessionID:  "cs_550e8400-e29b-41d4-a716-446655440000",
			Product:    checkout.Product{Name: "Northline Pro", Description: "A licence for one person"},
			Quote:      quote("USD", 2900, component("US-CA", "sales", "7.25", 210)),
			BuyerEmail: "ada+test@example.com",
		},
		SuccessTo: "https://shop.example/thanks?session={CHECKOUT_SESSION_ID}&from=a%20b",
		CancelTo:  "https://pay.example/store/s/checkout/cs_550e8400",
		Language:  "en-US",
		ExpiresAt: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC),
	}
}

func quote(c money.Currency, net int64, taxes ...tax.Component) checkout.Quote {
	a := tax.Assessment{Subtotal: net, Total: net, Components: taxes}
	for i := range taxes {
		a.Tax += taxes[i].Amount
		a.Total += taxes[i].Amount
	}
	return checkout.Quote{Currency: c, Assessment: a}
}

func component(jurisdiction, name, percent string, amount int64) tax.Component {
	rate, _ := money.ParseRate(percent)
	return tax.Component{Jurisdiction: jurisdiction, Tax: name, Rate: rate, Base: 100, Amount: amount}
}

func TestRenderGolden(t *testing.T) {
	cases := map[string]func(*psp.CheckoutParams){
		"us-sales-tax": func(*psp.CheckoutParams) {},
		"de-vat": func(p *psp.CheckoutParams) {
			p.Order.Quote = quote("EUR", 10000, component("DE", "vat", "19", 1900))
			p.Order.Product.Name, p.Order.Product.Description = `Grüße & "mehr"=100%`, "Zeile 1\nZeile 2"
			p.Language = "de-AT"
		},
		"qc-two-taxes": func(p *psp.CheckoutParams) {
			p.Order.Quote = quote("CAD", 10000, component("CA", "gst", "5", 500), component("CA-QC", "qst", "9.975", 998))
			p.Language, p.Attempt = "fr-CA", 12
		},
		"no-tax-no-options": func(p *psp.CheckoutParams) {
			p.Order.Quote = quote("JPY", 4500)
			p.Order.Product.Description, p.CancelTo, p.Language = "", "", ""
		},
		"discount": func(p *psp.CheckoutParams) {
			p.Order.Quote = quote("EUR", 2400, component("DE", "vat", "19", 456))
			p.Order.Quote.ListPrice, p.Order.Quote.Discount = 2900, checkout.Discount{Label: "Welcome & 5 off", Minor: 500}
		},
		"images": func(p *psp.CheckoutParams) {
			for i := range 9 { // one more than Stripe takes
				p.Images = append(p.Images, "https://cdn.example.com/%C3%A4.jpg?n="+string(rune('1'+i)))
			}
		},
		"azores-vat": func(p *psp.CheckoutParams) {
			p.Order.Quote = quote("EUR", 10000, component("PT-20", "vat", "16", 1600))
		},
		"whole-kronur": func(p *psp.CheckoutParams) {
			p.Order.Quote = quote("ISK", 5000, component("IS", "vat", "24", 1200))
		},
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			p := payable()
			change(&p)
			wire, err := New(Config{}).Render(p)
			if err != nil {
				t.Fatal(err)
			}
			// One parameter a line, to be read by people; joined again they are the exact bytes.
			got := wire.Path + "\n" + strings.ReplaceAll(string(wire.Body), "&", "\n&") + "\n"
			golden := filepath.Join("testdata", name+".golden")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatalf("%v: run go test -update", err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// What Stripe decodes must be what we meant, whatever bytes a merchant puts into a name or an URL.
func TestRenderIsDecodable(t *testing.T) {
	for _, text := range []string{
		"plain", "a b", "a+b", "100%", "%2B", "&=?#[]", "{CHECKOUT_SESSION_ID}", "日本語", "\x00\r\n", "\xff",
	} {
		p := payable()
		p.Order.Product.Name, p.SuccessTo = "Kit "+text, "https://shop.example/"+text
		wire, err := New(Config{}).Render(p)
		if err != nil {
			t.Fatal(err)
		}
		values, err := url.ParseQuery(string(wire.Body))
		if err != nil {
			t.Fatal(err)
		}
		name := map[string]string{"\x00\r\n": "", "\xff": "\ufffd"}[text]
		if got := values.Get("line_items[0][price_data][product_data][name]"); got != "Kit "+cmp.Or(name, text) && got != "Kit" {
			t.Errorf("name %q became %q", text, got)
		}
		if got := values.Get("success_url"); got != p.SuccessTo {
			t.Errorf("success URL %q became %q", p.SuccessTo, got)
		}
	}
}

// A text is sent as it can be shown, and as much of it as Stripe takes.
func TestLine(t *testing.T) {
	for text, want := range map[string]string{
		"a\x00b\u0085c": "a b c", "a\nb": "a\nb", " a\r\n": "a", "a\xff": "a\ufffd", "ééééééé": "éééééé", "abcdef": "abcdef", "\x7f": "",
	} {
		if got := line(text, 6); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

func TestRenderRefuses(t *testing.T) {
	cases := map[string]func(*psp.CheckoutParams){
		"currency without charges": func(p *psp.CheckoutParams) { p.Order.Quote = quote("IQD", 5000) },
		"no currency":              func(p *psp.CheckoutParams) { p.Order.Quote = quote("", 5000) },
		"fils that are not tens":   func(p *psp.CheckoutParams) { p.Order.Quote = quote("KWD", 5125) },
		"part of an ariary":        func(p *psp.CheckoutParams) { p.Order.Quote = quote("MGA", 5150) },
		"inexact tax":              func(p *psp.CheckoutParams) { p.Order.Quote = quote("KWD", 5120, component("KW", "vat", "5", 256)) },
		"thirteen digits":          func(p *psp.CheckoutParams) { p.Order.Quote = quote("USD", 1_000_000_000_000) },
		"thirteen digits at Stripe": func(p *psp.CheckoutParams) {
			p.Order.Quote = quote("ISK", 10_000_000_000)
		},
		"nothing":         func(p *psp.CheckoutParams) { p.Order.Quote = quote("USD", 0) },
		"less than that":  func(p *psp.CheckoutParams) { p.Order.Quote = quote("USD", -100) },
		"negative tax":    func(p *psp.CheckoutParams) { p.Order.Quote = quote("USD", 100, component("DE", "vat", "19", -19)) },
		"a wrong sum":     func(p *psp.CheckoutParams) { p.Order.Quote.Assessment.Total++ },
		"tax from nobody": func(p *psp.CheckoutParams) { p.Order.Quote.Assessment.Components = nil },
		"no name":         func(p *psp.CheckoutParams) { p.Order.Product.Name = "" },
		"no success URL":  func(p *psp.CheckoutParams) { p.SuccessTo = "" },
		"no order":        func(p *psp.CheckoutParams) { p.OrderID = "" },
		"a long order id": func(p *psp.CheckoutParams) { p.OrderID = strings.Repeat("x", 201) },
		"no name to see":  func(p *psp.CheckoutParams) { p.Order.Product.Name = "\x00 \t" },
	}
	for name, change := range cases {
		p := payable()
		change(&p)
		if wire, err := New(Config{}).Render(p); err == nil {
			t.Errorf("%s: rendered %s", name, wire.Body)
		}
	}
}

func TestLocale(t *testing.T) {
	cases := map[string]string{
		"": "auto", "en": "en", "en-US": "en", "en-GB": "en-GB", "EN_gb": "en-GB", "de-Latn-CH": "de", "fr-CA": "fr-CA",
		"es": "es", "es-ES": "es", "es-MX": "es-419", "es-419": "es-419", "pt-PT": "pt", "pt-BR": "pt-BR", "no": "nb", "nn-NO": "nb",
		"tl-PH": "fil", "zh": "zh", "zh-CN": "zh", "zh-Hans": "zh", "zh-Hans-HK": "zh", "zh-Hant": "zh-TW", "zh-Hant-TW": "zh-TW",
		"zh-TW": "zh-TW", "zh-Hant-HK": "zh-HK", "zh-HK": "zh-HK", "zh-MO": "zh-HK", "ar": "auto", "-": "auto", "de el": "auto",
	}
	for tag, want := range cases {
		if got := locale(tag); got != want {
			t.Errorf("locale(%q) = %q, want %q", tag, got, want)
		}
	}
}
