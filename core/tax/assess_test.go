package tax_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/civil"
	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/core/tax"
)

// everywhere is a merchant of record outside every jurisdiction of these tests.
var everywhere = &tax.Seller{Country: "HK", Everywhere: true}

func seller(home country.Code, registrations ...string) *tax.Seller {
	s := &tax.Seller{Country: home}
	for _, r := range registrations {
		jurisdiction, from, _ := strings.Cut(r, " ")
		on, _ := civil.ParseDate(from)
		s.Registrations = append(s.Registrations, tax.Registration{Jurisdiction: jurisdiction, From: on})
	}
	return s
}

// buyer reads "DE", "US-TX", "GR 630 86", "GB at SW1A 1AA" and, for a business, "FR business", "FR FR40303265045" or
// "ES ESB12345674 35001".
func buyer(s string) *billing.Detail {
	words := strings.Fields(s)
	whole, state, _ := strings.Cut(words[0], "-")
	d := &billing.Detail{Country: country.Code(whole), State: state}
	at := false
	for _, word := range words[1:] {
		switch {
		case word == "at":
			at = true
		case word == "business":
			d.IsBusiness = true
		case word[0] >= 'A' && !at:
			d.IsBusiness, d.TaxID, d.TaxIDChecked = true, word, true
		default:
			d.Postcode = strings.TrimSpace(d.Postcode + " " + word)
		}
	}
	return d
}

func amount(s string) money.Amount {
	value, currency, _ := strings.Cut(s, " ")
	a, ok := money.ParseAmount(value, money.Currency(currency))
	if !ok {
		panic(s)
	}
	return a
}

func date(s string) civil.Date {
	d, ok := civil.ParseDate(s)
	if !ok {
		panic(s)
	}
	return d
}

// today is the day of every case without one.
const today = "2026-11-23"

type assessCase struct {
	name      string
	seller    *tax.Seller // everywhere where nil
	buyer     string
	category  tax.Category // SaaS where 0
	price     string       // "29.00 EUR" where empty
	inclusive bool
	step      int64  // 1 where 0
	on        string // today where empty
	want      string
}

func (c *assessCase) sale() *tax.Sale {
	s := &tax.Sale{
		Seller: everywhere, Buyer: buyer(c.buyer), Category: tax.SaaS, Price: amount("29.00 EUR"),
		Inclusive: c.inclusive, Step: max(c.step, 1), On: date(today),
	}
	if c.seller != nil {
		s.Seller = c.seller
	}
	if c.category != 0 {
		s.Category = c.category
	}
	if c.price != "" {
		s.Price = amount(c.price)
	}
	if c.on != "" {
		s.On = date(c.on)
	}
	return s
}

// describe writes an assessment on one line: subtotal + tax = total, each component, the reason with precision and
// confidence, the rules.
func describe(a *tax.Assessment) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d + %d = %d", a.Subtotal, a.Tax, a.Total)
	for _, c := range a.Components {
		fmt.Fprintf(&b, ", %s %s %s%% of %d = %d", c.Jurisdiction, c.Tax, c.Rate.Percent(), c.Taxable, c.Amount)
	}
	fmt.Fprintf(&b, "; %s %s", a.Reason, a.Precision)
	if a.Confidence != 0 {
		fmt.Fprintf(&b, " %c", a.Confidence)
	}
	return b.String() + "; " + strings.Join(a.Rules, " ")
}

var assessCases = []assessCase{
	// One rate.
	{name: "Germany", buyer: "DE",
		want: "2900 + 551 = 3451, DE vat 19% of 2900 = 551; standard country B; eu-supply-1 de-vat-1"},
	{name: "Germany, tax included", buyer: "DE", inclusive: true,
		want: "2437 + 463 = 2900, DE vat 19% of 2437 = 463; standard country B; eu-supply-1 de-vat-1"},
	{name: "an e-book", buyer: "DE", category: tax.Ebook,
		want: "2900 + 203 = 3103, DE vat 7% of 2900 = 203; reduced country B; eu-supply-1 de-vat-2"},
	{name: "an e-book at zero", buyer: "GB", category: tax.Ebook, price: "29.00 GBP",
		want: "2900 + 0 = 2900; zero-rated country A; gb-supply-1 gb-vat-2"},
	{name: "half a cent is rounded up", buyer: "LU", price: "0.50 EUR", // 8.5
		want: "50 + 9 = 59, LU vat 17% of 50 = 9; standard country B; eu-supply-1 lu-vat-1"},
	{name: "nothing to pay", buyer: "DE", price: "0.00 EUR",
		want: "0 + 0 = 0, DE vat 19% of 0 = 0; standard country B; eu-supply-1 de-vat-1"},

	// Days.
	{name: "Estonia, the last day of 22 %", buyer: "EE", on: "2025-06-30",
		want: "2900 + 638 = 3538, EE vat 22% of 2900 = 638; standard country B; eu-supply-1 ee-vat-1"},
	{name: "Estonia, the first day of 24 %", buyer: "EE", on: "2025-07-01",
		want: "2900 + 696 = 3596, EE vat 24% of 2900 = 696; standard country B; eu-supply-1 ee-vat-2"},
	{name: "Slovakia, the last day of 20 %", buyer: "SK", on: "2024-12-31",
		want: "2900 + 580 = 3480, SK vat 20% of 2900 = 580; standard country B; eu-supply-1 sk-vat-1"},
	{name: "Slovakia, the first day of 23 %", buyer: "SK", on: "2025-01-01",
		want: "2900 + 667 = 3567, SK vat 23% of 2900 = 667; standard country B; eu-supply-1 sk-vat-2"},
	{name: "Romania, the last day of 19 %", buyer: "RO", on: "2025-07-31",
		want: "2900 + 551 = 3451, RO vat 19% of 2900 = 551; standard country B; eu-supply-1 ro-vat-1"},
	{name: "Romania, the first day of 21 %", buyer: "RO", on: "2025-08-01",
		want: "2900 + 609 = 3509, RO vat 21% of 2900 = 609; standard country B; eu-supply-1 ro-vat-2"},
	{name: "Finland, the last day of 24 %", buyer: "FI", on: "2024-08-31",
		want: "2900 + 696 = 3596, FI vat 24% of 2900 = 696; standard country B; eu-supply-1 fi-vat-1"},
	{name: "Finland, the first day of 25.5 %", buyer: "FI", on: "2024-09-01", // 739.5
		want: "2900 + 740 = 3640, FI vat 25.5% of 2900 = 740; standard country B; eu-supply-1 fi-vat-2"},
	{name: "Nova Scotia, the last day of 15 %", buyer: "CA-NS", price: "29.00 CAD", on: "2025-03-31",
		want: "2900 + 435 = 3335, CA-NS hst 15% of 2900 = 435; standard state B; ca-ns-hst-1"},
	{name: "Nova Scotia, the first day of 14 %", buyer: "CA-NS", price: "29.00 CAD", on: "2025-04-01",
		want: "2900 + 406 = 3306, CA-NS hst 14% of 2900 = 406; standard state B; ca-ns-hst-2"},
	{name: "the Philippines, the last day without", buyer: "PH", on: "2025-06-01",
		want: "2900 + 0 = 2900; out-of-scope country B; ph-vat-4"},
	{name: "the Philippines, the first day of 12 %", buyer: "PH", on: "2025-06-02",
		want: "2900 + 348 = 3248, PH vat 12% of 2900 = 348; standard country B; ph-vat-5"},
	{name: "the table's first day", buyer: "DE", on: "2024-01-01",
		want: "2900 + 551 = 3451, DE vat 19% of 2900 = 551; standard country B; eu-supply-1 de-vat-1"},
	{name: "a far day", buyer: "DE", on: "9999-12-31",
		want: "2900 + 551 = 3451, DE vat 19% of 2900 = 551; standard country B; eu-supply-1 de-vat-1"},

	// Two taxes.
	{name: "Québec rounds each tax", buyer: "CA-QC", price: "29.00 CAD", // 145, 289.275
		want: "2900 + 434 = 3334, CA-QC gst 5% of 2900 = 145, CA-QC qst 9.975% of 2900 = 289; standard state B; " +
			"ca-qc-gst-1 ca-qc-qst-1"},
	{name: "Québec rounds up twice", buyer: "CA-QC", price: "0.10 CAD", // 0.5, 0.9975: together 1.4975
		want: "10 + 2 = 12, CA-QC gst 5% of 10 = 1, CA-QC qst 9.975% of 10 = 1; standard state B; ca-qc-gst-1 ca-qc-qst-1"},
	{name: "Québec, taxes included", buyer: "CA-QC", price: "114.98 CAD", inclusive: true, // 1497.57; 500.17 and 997.83
		want: "10000 + 1498 = 11498, CA-QC gst 5% of 10000 = 500, CA-QC qst 9.975% of 10000 = 998; standard state B; " +
			"ca-qc-gst-1 ca-qc-qst-1"},
	{name: "Québec, taxes included, whose sum is not the tax of both rates together, 1302", buyer: "CA-QC", price: "100.00 CAD",
		inclusive: true,
		want: "8697 + 1303 = 10000, CA-QC gst 5% of 8697 = 435, CA-QC qst 9.975% of 8697 = 868; standard state B; " +
			"ca-qc-gst-1 ca-qc-qst-1"},
	{name: "Québec, taxes included in a price that no net price has", buyer: "CA-QC", price: "3.05 CAD",
		inclusive: true, // between 265 + 13 + 26 and 266 + 13 + 27
		want:      "265 + 40 = 305, CA-QC gst 5% of 265 = 13, CA-QC qst 9.975% of 265 = 27; standard state B; ca-qc-gst-1 ca-qc-qst-1"},
	{name: "British Columbia", buyer: "CA-BC", price: "29.00 CAD",
		want: "2900 + 348 = 3248, CA-BC gst 5% of 2900 = 145, CA-BC pst 7% of 2900 = 203; standard state B; " +
			"ca-bc-gst-1 ca-bc-pst-1"},
	{name: "British Columbia, an e-book", buyer: "CA-BC", price: "29.00 CAD", category: tax.Ebook,
		want: "2900 + 145 = 3045, CA-BC gst 5% of 2900 = 145; standard state B; ca-bc-gst-1 ca-bc-pst-4"},
	{name: "Manitoba, before it taxed software as a service", buyer: "CA-MB", price: "29.00 CAD", on: "2025-12-31",
		want: "2900 + 145 = 3045, CA-MB gst 5% of 2900 = 145; standard state B; ca-mb-gst-1 ca-mb-rst-2"},
	{name: "Manitoba, since", buyer: "CA-MB", price: "29.00 CAD", on: "2026-01-01",
		want: "2900 + 348 = 3248, CA-MB gst 5% of 2900 = 145, CA-MB rst 7% of 2900 = 203; standard state B; " +
			"ca-mb-gst-1 ca-mb-rst-3"},
	{name: "Ontario", buyer: "CA-ON", price: "29.00 CAD",
		want: "2900 + 377 = 3277, CA-ON hst 13% of 2900 = 377; standard state B; ca-on-hst-1"},

	// What the payment provider can charge.
	{name: "Iceland in whole krónur", buyer: "IS", price: "2999 ISK", // 719.76
		want: "2999 + 720 = 3719, IS vat 24% of 2999 = 720; standard country B; is-vat-1"},
	{name: "krónur in hundredths", buyer: "IS", price: "2900.00 EUR", step: 100, // 69600
		want: "290000 + 69600 = 359600, IS vat 24% of 290000 = 69600; standard country B; is-vat-1"},
	{name: "dinars to ten fils", buyer: "DE", price: "9.990 KWD", step: 10, // 1898.1
		want: "9990 + 1900 = 11890, DE vat 19% of 9990 = 1900; standard country B; eu-supply-1 de-vat-1"},
	{name: "dinars to ten fils, tax included", buyer: "CA-QC", price: "9.990 KWD", step: 10, inclusive: true, // 1301.2
		want: "8690 + 1300 = 9990, CA-QC gst 5% of 8690 = 430, CA-QC qst 9.975% of 8690 = 870; standard state B; " +
			"ca-qc-gst-1 ca-qc-qst-1"},
	{name: "yen", buyer: "JP", price: "4505 JPY", // 450.5
		want: "4505 + 451 = 4956, JP jct 10% of 4505 = 451; standard country B; jp-jct-1"},

	// Territories.
	{name: "a country without rows", buyer: "BO", price: "29.00 USD", want: "2900 + 0 = 2900; unsupported none; "},
	{name: "Monaco is France", buyer: "MC",
		want: "2900 + 580 = 3480, FR vat 20% of 2900 = 580; standard country B; eu-supply-1 fr-vat-1"},
	{name: "the Isle of Man is the United Kingdom", buyer: "IM", price: "29.00 GBP",
		want: "2900 + 580 = 3480, GB vat 20% of 2900 = 580; standard country A; gb-supply-1 gb-vat-1"},
	{name: "Liechtenstein is Switzerland", buyer: "LI", price: "29.00 CHF", // 234.9
		want: "2900 + 235 = 3135, CH vat 8.1% of 2900 = 235; standard country B; ch-vat-1"},
	{name: "Madeira by postcode", buyer: "PT 9000-001",
		want: "2900 + 638 = 3538, PT-30 vat 22% of 2900 = 638; standard state B; eu-supply-1 pt-30-vat-1"},
	{name: "the Azores by postcode", buyer: "PT 9500-001",
		want: "2900 + 464 = 3364, PT-20 vat 16% of 2900 = 464; standard state B; eu-supply-1 pt-20-vat-1"},
	{name: "Athens", buyer: "GR 105 57",
		want: "2900 + 696 = 3596, GR vat 24% of 2900 = 696; standard country B; eu-supply-1 gr-vat-1"},

	// Who is registered.
	{name: "no registration", seller: seller("US"), buyer: "DE",
		want: "2900 + 0 = 2900; not-collecting country B; eu-supply-1 de-vat-1"},
	{name: "no registration, tax included", seller: seller("US"), buyer: "DE", inclusive: true,
		want: "2900 + 0 = 2900; not-collecting country B; eu-supply-1 de-vat-1"},
	{name: "no registration where nothing is due", seller: seller("DE"), buyer: "US-CA", price: "29.00 USD",
		want: "2900 + 0 = 2900; exempt state A; us-ca-sales-1"},
	{name: "the one-stop shop", seller: seller("US", "EU 2025-01-01"), buyer: "FR",
		want: "2900 + 580 = 3480, FR vat 20% of 2900 = 580; standard country B; eu-supply-1 fr-vat-1"},
	{name: "the one-stop shop in Monaco", seller: seller("US", "EU 2025-01-01"), buyer: "MC",
		want: "2900 + 580 = 3480, FR vat 20% of 2900 = 580; standard country B; eu-supply-1 fr-vat-1"},
	{name: "the one-stop shop in the Azores", seller: seller("US", "EU 2025-01-01"), buyer: "PT 9500-001",
		want: "2900 + 464 = 3364, PT-20 vat 16% of 2900 = 464; standard state B; eu-supply-1 pt-20-vat-1"},
	{name: "the one-stop shop is not for the United Kingdom", seller: seller("US", "EU 2025-01-01"), buyer: "GB",
		want: "2900 + 0 = 2900; not-collecting country A; gb-supply-1 gb-vat-1"},
	{name: "the day of registration", seller: seller("US", "FR 2026-11-23"), buyer: "FR",
		want: "2900 + 580 = 3480, FR vat 20% of 2900 = 580; standard country B; eu-supply-1 fr-vat-1"},
	{name: "the day before", seller: seller("US", "FR 2026-11-23"), buyer: "FR", on: "2026-11-22",
		want: "2900 + 0 = 2900; not-collecting country B; eu-supply-1 fr-vat-1"},
	{name: "home needs no registration", seller: seller("DE"), buyer: "DE",
		want: "2900 + 551 = 3451, DE vat 19% of 2900 = 551; standard country B; eu-supply-1 de-vat-1"},
	{name: "a state needs one even at home", seller: seller("US"), buyer: "US-TX", price: "29.00 USD",
		want: "2900 + 0 = 2900; not-collecting state A; us-tx-sales-3"},
	{name: "another state's does not do", seller: seller("US", "US-NY"), buyer: "US-TX", price: "29.00 USD",
		want: "2900 + 0 = 2900; not-collecting state A; us-tx-sales-3"},
	{name: "its own does", seller: seller("DE", "US-TX"), buyer: "US-TX", price: "29.00 USD",
		want: "2900 + 145 = 3045, US-TX sales 6.25% of 2320 = 145; standard state A; us-tx-sales-3"},
	{name: "registered in Canada, not in the province", seller: seller("US", "CA"), buyer: "CA-BC", price: "29.00 CAD",
		want: "2900 + 145 = 3045, CA-BC gst 5% of 2900 = 145; standard state B; ca-bc-gst-1 ca-bc-pst-1"},
	{name: "registered in both", seller: seller("US", "CA", "CA-BC"), buyer: "CA-BC", price: "29.00 CAD",
		want: "2900 + 348 = 3248, CA-BC gst 5% of 2900 = 145, CA-BC pst 7% of 2900 = 203; standard state B; " +
			"ca-bc-gst-1 ca-bc-pst-1"},
	{name: "registered in the province alone", seller: seller("US", "CA-QC"), buyer: "CA-QC", price: "29.00 CAD",
		want: "2900 + 289 = 3189, CA-QC qst 9.975% of 2900 = 289; standard state B; ca-qc-gst-1 ca-qc-qst-1"},

	// Who owes the tax.
	{name: "a business in another member state", seller: seller("DE", "EU"), buyer: "FR FR40303265045",
		want: "2900 + 0 = 2900; reverse-charge country A; eu-supply-3"},
	{name: "the same, tax included: the price stands", seller: seller("DE", "EU"), buyer: "FR FR40303265045", inclusive: true,
		want: "2900 + 0 = 2900; reverse-charge country A; eu-supply-3"},
	{name: "the same from outside the Union", buyer: "DE DE136695976",
		want: "2900 + 0 = 2900; reverse-charge country A; eu-supply-3"},
	{name: "a business at home", seller: seller("DE", "EU"), buyer: "DE DE136695976",
		want: "2900 + 551 = 3451, DE vat 19% of 2900 = 551; standard country B; eu-supply-1 de-vat-1"},
	{name: "a business without a number", seller: seller("DE", "EU"), buyer: "FR business",
		want: "2900 + 580 = 3480, FR vat 20% of 2900 = 580; standard country B; eu-supply-1 fr-vat-1"},
	{name: "a French business for a seller in Monaco", seller: seller("MC"), buyer: "FR FR40303265045",
		want: "2900 + 580 = 3480, FR vat 20% of 2900 = 580; standard country B; eu-supply-1 fr-vat-1"},
	{name: "a British business", buyer: "GB GB980780684", price: "29.00 GBP",
		want: "2900 + 0 = 2900; reverse-charge country A; gb-supply-3"},
	{name: "a Norwegian business", buyer: "NO NO995525828MVA", price: "29.00 USD",
		want: "2900 + 0 = 2900; reverse-charge country A; no-supply-2"},
	{name: "a Swiss business is charged", buyer: "CH CHE107787577", price: "29.00 CHF",
		want: "2900 + 235 = 3135, CH vat 8.1% of 2900 = 235; standard country B; ch-vat-1"},

	// Where a service is taxed.
	{name: "advice to a consumer is taxed at the seller's", seller: seller("DE"), buyer: "FR", category: tax.Consulting,
		want: "2900 + 551 = 3451, DE vat 19% of 2900 = 551; standard country B; eu-supply-2 de-vat-1"},
	{name: "from outside the Union it is not taxed", buyer: "FR", category: tax.Consulting,
		want: "2900 + 0 = 2900; out-of-scope country A; eu-supply-2"},
	{name: "to a business it is taxed at the customer's", seller: seller("DE"), buyer: "FR FR40303265045",
		category: tax.Consulting, want: "2900 + 0 = 2900; reverse-charge country A; eu-supply-3"},
	{name: "advice at home", seller: seller("DE"), buyer: "DE", category: tax.ProfessionalService,
		want: "2900 + 551 = 3451, DE vat 19% of 2900 = 551; standard country B; eu-supply-2 de-vat-1"},
	{name: "British advice to a British consumer", seller: seller("GB"), buyer: "GB", category: tax.Consulting,
		want: "2900 + 580 = 3480, GB vat 20% of 2900 = 580; standard country A; gb-supply-2 gb-vat-1"},
	{name: "foreign advice to a British consumer", seller: seller("DE"), buyer: "GB", category: tax.Consulting,
		want: "2900 + 0 = 2900; out-of-scope country A; gb-supply-2"},
	{name: "Norway taxes foreign advice", buyer: "NO", category: tax.Consulting, price: "29.00 USD",
		want: "2900 + 725 = 3625, NO vat 25% of 2900 = 725; standard country A; no-supply-1 no-vat-1"},
	{name: "whether Mexico does is not known", buyer: "MX", category: tax.Consulting, price: "29.00 USD",
		want: "2900 + 0 = 2900; unsupported country C; mx-vat-2"},
}

func TestAssess(t *testing.T) { assessAll(t, assessCases) }

func assessAll(t *testing.T, cases []assessCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a, p := tax.Assess(c.sale())
			if p != nil {
				t.Fatal(p)
			}
			if got := describe(&a); got != c.want {
				t.Errorf("\ngot  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestAssessRefuses(t *testing.T) {
	for _, c := range []struct {
		name, code string
		spoil      func(*tax.Sale)
	}{
		{"no category", "tax-category-unknown", func(s *tax.Sale) { s.Category = 0 }},
		{"an eighth category", "tax-category-unknown", func(s *tax.Sale) { s.Category = 8 }},
		{"no step", "tax-step-invalid", func(s *tax.Sale) { s.Step = 0 }},
		{"a giant step", "tax-step-invalid", func(s *tax.Sale) { s.Step = 1e9 + 1 }},
		{"a negative price", "tax-price-invalid", func(s *tax.Sale) { s.Price.Minor = -1 }},
		{"a price past every total", "tax-price-invalid", func(s *tax.Sale) { s.Price.Minor = 1e18 + 1 }},
		{"a day before the table", "tax-date-unknown", func(s *tax.Sale) { s.On = date("2023-12-31") }},
	} {
		s := (&assessCase{buyer: "DE"}).sale()
		c.spoil(s)
		switch _, p := tax.Assess(s); {
		case p == nil:
			t.Errorf("%s is accepted", c.name)
		case p.Code != c.code || p.Kind != problem.Invalid:
			t.Errorf("%s is refused as %s %s", c.name, p.Kind, p.Code)
		}
	}
}

func TestEvidence(t *testing.T) {
	for _, c := range []struct {
		buyer string
		ip    country.Code
		want  tax.Evidence
	}{
		{"DE", "", tax.None},
		{"DE", "DE", tax.Agree},
		{"DE", "FR", tax.Conflict},
		{"MC", "FR", tax.Agree}, // one territory to VAT
		{"FR", "MC", tax.Agree},
		{"US-TX", "US", tax.Agree},
		{"US-PR", "PR", tax.Agree},
		{"US-PR", "US", tax.Agree},
		{"PR", "US", tax.Agree},
		{"US-TX", "PR", tax.Conflict},
		{"CA-QC", "US", tax.Conflict},
		{"ES 35001", "ES", tax.Agree}, // no registry of addresses tells the islands apart
		{"FR 97110", "GP", tax.Agree},
		{"FR 75001", "GP", tax.Conflict},
	} {
		s := (&assessCase{buyer: c.buyer}).sale()
		without, p := tax.Assess(s)
		if p != nil {
			t.Fatal(p)
		}
		s.IPCountry = c.ip
		a, _ := tax.Assess(s)
		if a.Evidence != c.want {
			t.Errorf("%s from an address in %q: %s, not %s", c.buyer, c.ip, a.Evidence, c.want)
		}
		if describe(&a) != describe(&without) {
			t.Errorf("%s from an address in %q: the address changed the tax", c.buyer, c.ip)
		}
	}
}

func TestNameAndRate(t *testing.T) {
	for _, c := range []struct {
		assessCase
		name, rate string
	}{
		{assessCase{buyer: "DE"}, "VAT", "19"},
		{assessCase{buyer: "AU"}, "GST", "10"},
		{assessCase{buyer: "JP"}, "Consumption tax", "10"},
		{assessCase{buyer: "CA-ON"}, "HST", "13"},
		{assessCase{buyer: "CA-QC"}, "GST + QST", "14.975"},
		{assessCase{buyer: "CA-SK"}, "GST + PST", "11"},
		{assessCase{buyer: "CA-MB"}, "GST + RST", "12"},
		{assessCase{buyer: "US-TX"}, "Sales tax", "5"},
		{assessCase{buyer: "US-OR"}, "", "0"},
	} {
		a, p := tax.Assess(c.sale())
		if p != nil {
			t.Fatal(p)
		}
		if a.Name() != c.name || a.Rate().Percent() != c.rate {
			t.Errorf("%s: %q at %s %%, not %q at %s %%", c.buyer, a.Name(), a.Rate().Percent(), c.name, c.rate)
		}
	}
}

func TestCategoryNames(t *testing.T) {
	for c := tax.DigitalGoods; c <= tax.ProfessionalService; c++ {
		if parsed, ok := tax.ParseCategory(c.String()); !ok || parsed != c {
			t.Errorf("ParseCategory(%q) = %d, %t", c, parsed, ok)
		}
	}
	for _, s := range []string{"", "SaaS", "digital goods", "physical_goods"} {
		if c, ok := tax.ParseCategory(s); ok {
			t.Errorf("ParseCategory(%q) = %s", s, c)
		}
	}
}

func BenchmarkAssess(b *testing.B) {
	for _, where := range []string{"US-CA", "DE", "FR FR40303265045", "CA-QC"} {
		b.Run(where, func(b *testing.B) {
			s := (&assessCase{buyer: where}).sale()
			b.ReportAllocs()
			for b.Loop() {
				if _, p := tax.Assess(s); p != nil {
					b.Fatal(p)
				}
			}
		})
	}
}
