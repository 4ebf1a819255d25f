package tax_test

import (
	"testing"

	"github.com/crepe-checkout/crepe/core/tax"
)

// stateCases are about the states of the United States and the exemptions of Canadian provinces.
var stateCases = []assessCase{
	{name: "Texas taxes four fifths", buyer: "US-TX", price: "29.00 USD",
		want: "2900 + 145 = 3045, US-TX sales 6.25% of 2320 = 145; standard state A; us-tx-sales-3"},
	{name: "Texas rounds once", buyer: "US-TX", price: "0.11 USD", // 5 % of 11 is 0.55; 6.25 % of 8.8 too, but of 9 0.5625
		want: "11 + 1 = 12, US-TX sales 6.25% of 9 = 1; standard state A; us-tx-sales-3"},
	{name: "California taxes no download", buyer: "US-CA", price: "29.00 USD", category: tax.DigitalGoods,
		want: "2900 + 0 = 2900; exempt state A; us-ca-sales-1"},
	{name: "California taxes no advice", buyer: "US-CA", price: "29.00 USD", category: tax.Consulting,
		want: "2900 + 0 = 2900; exempt state A; us-ca-sales-1"},
	{name: "Oregon has no sales tax", buyer: "US-OR", price: "29.00 USD",
		want: "2900 + 0 = 2900; out-of-scope state A; us-or-sales-1"},
	{name: "Connecticut, a consumer", buyer: "US-CT", price: "29.00 USD", // 184.15
		want: "2900 + 184 = 3084, US-CT sales 6.35% of 2900 = 184; standard state B; us-ct-sales-3"},
	{name: "Connecticut, a business", buyer: "US-CT business", price: "29.00 USD",
		want: "2900 + 29 = 2929, US-CT sales 1% of 2900 = 29; standard state C; us-ct-sales-4"},
	{name: "Maryland, a business", buyer: "US-MD business", price: "29.00 USD",
		want: "2900 + 87 = 2987, US-MD sales 3% of 2900 = 87; standard state A; us-md-sales-5"},
	{name: "Maryland, a business before", buyer: "US-MD business", price: "29.00 USD", on: "2025-06-30",
		want: "2900 + 0 = 2900; exempt state B; us-md-sales-4"},
	{name: "Ohio, a consumer", buyer: "US-OH", price: "29.00 USD",
		want: "2900 + 0 = 2900; exempt state B; us-oh-sales-3"},
	{name: "Ohio, a business", buyer: "US-OH business", price: "29.00 USD", // 166.75
		want: "2900 + 167 = 3067, US-OH sales 5.75% of 2900 = 167; standard state B; us-oh-sales-4"},
	{name: "Iowa, a business", buyer: "US-IA business", price: "29.00 USD",
		want: "2900 + 0 = 2900; exempt state B; us-ia-sales-4"},
	{name: "Hawaii taxes services", buyer: "US-HI", price: "29.00 USD", category: tax.ProfessionalService, // 130.5
		want: "2900 + 131 = 3031, US-HI sales 4.5% of 2900 = 131; standard state A; us-hi-sales-3"},
	{name: "Hawaii, a course", buyer: "US-HI", price: "29.00 USD", category: tax.OnlineCourse,
		want: "2900 + 131 = 3031, US-HI sales 4.5% of 2900 = 131; standard state C; us-hi-sales-4"},
	{name: "the District of Columbia before October 2026", buyer: "US-DC", price: "29.00 USD", on: "2026-09-30",
		want: "2900 + 174 = 3074, US-DC sales 6% of 2900 = 174; standard state B; us-dc-sales-1"},
	{name: "the District of Columbia", buyer: "US-DC", price: "29.00 USD",
		want: "2900 + 203 = 3103, US-DC sales 7% of 2900 = 203; standard state X; us-dc-sales-3"},
	{name: "Puerto Rico as a state", buyer: "US-PR", price: "29.00 USD", // 333.5
		want: "2900 + 334 = 3234, US-PR sales 11.5% of 2900 = 334; standard state B; us-pr-sales-1"},
	{name: "Puerto Rico as a country", buyer: "PR", price: "29.00 USD",
		want: "2900 + 334 = 3234, US-PR sales 11.5% of 2900 = 334; standard state B; us-pr-sales-1"},
	{name: "Guam", buyer: "US-GU", price: "29.00 USD", want: "2900 + 0 = 2900; unsupported none; "},
	{name: "Guam as a country", buyer: "GU", price: "29.00 USD", want: "2900 + 0 = 2900; unsupported none; "},
	{name: "the armed forces", buyer: "US-AE", price: "29.00 USD", want: "2900 + 0 = 2900; unsupported none; "},
	{name: "Connecticut, digital goods for a business", buyer: "US-CT business", price: "29.00 USD", category: tax.DigitalGoods,
		want: "2900 + 184 = 3084, US-CT sales 6.35% of 2900 = 184; standard state B; us-ct-sales-6"},
	{name: "Connecticut, software for a consumer", buyer: "US-CT", price: "29.00 USD", category: tax.Software,
		want: "2900 + 184 = 3084, US-CT sales 6.35% of 2900 = 184; standard state B; us-ct-sales-7"},
	{name: "Connecticut, software for a business", buyer: "US-CT business", price: "29.00 USD", category: tax.Software,
		want: "2900 + 29 = 2929, US-CT sales 1% of 2900 = 29; standard state B; us-ct-sales-8"},
	{name: "Connecticut, consulting", buyer: "US-CT business", price: "29.00 USD", category: tax.Consulting,
		want: "2900 + 184 = 3084, US-CT sales 6.35% of 2900 = 184; standard state B; us-ct-sales-9"},
	{name: "Connecticut, a professional service", buyer: "US-CT", price: "29.00 USD", category: tax.ProfessionalService,
		want: "2900 + 0 = 2900; exempt state C; us-ct-sales-10"},
	{name: "Iowa, software for a consumer", buyer: "US-IA", price: "29.00 USD", category: tax.Software,
		want: "2900 + 174 = 3074, US-IA sales 6% of 2900 = 174; standard state B; us-ia-sales-6"},
	{name: "Iowa, digital goods for a business", buyer: "US-IA business", price: "29.00 USD", category: tax.DigitalGoods,
		want: "2900 + 0 = 2900; exempt state B; us-ia-sales-7"},
	{name: "Iowa, a course for a consumer", buyer: "US-IA", price: "29.00 USD", category: tax.OnlineCourse,
		want: "2900 + 174 = 3074, US-IA sales 6% of 2900 = 174; standard state C; us-ia-sales-8"},
	{name: "Iowa, a course for a business", buyer: "US-IA business", price: "29.00 USD", category: tax.OnlineCourse,
		want: "2900 + 0 = 2900; exempt state C; us-ia-sales-9"},
	{name: "Maryland, digital goods for a business", buyer: "US-MD business", price: "29.00 USD", category: tax.DigitalGoods,
		want: "2900 + 174 = 3074, US-MD sales 6% of 2900 = 174; standard state A; us-md-sales-7"},
	{name: "Maryland, software for a consumer", buyer: "US-MD", price: "29.00 USD", category: tax.Software,
		want: "2900 + 174 = 3074, US-MD sales 6% of 2900 = 174; standard state A; us-md-sales-8"},
	{name: "Maryland, software for a business before July 2025", buyer: "US-MD business", price: "29.00 USD", category: tax.Software, on: "2025-06-30",
		want: "2900 + 0 = 2900; exempt state B; us-md-sales-9"},
	{name: "Maryland, software for a business", buyer: "US-MD business", price: "29.00 USD", category: tax.Software, on: "2025-07-01",
		want: "2900 + 87 = 2987, US-MD sales 3% of 2900 = 87; standard state A; us-md-sales-10"},
	{name: "Tennessee, software as a service", buyer: "US-TN", price: "29.00 USD", category: tax.SaaS,
		want: "2900 + 203 = 3103, US-TN sales 7% of 2900 = 203; standard state B; us-tn-sales-4"},
	{name: "Tennessee, digital goods", buyer: "US-TN", price: "29.00 USD", category: tax.DigitalGoods,
		want: "2900 + 276 = 3176, US-TN sales 9.5% of 2900 = 276; standard state A; us-tn-sales-5"},
	{name: "Tennessee, an e-book", buyer: "US-TN", price: "29.00 USD", category: tax.Ebook,
		want: "2900 + 276 = 3176, US-TN sales 9.5% of 2900 = 276; standard state A; us-tn-sales-5"},
	{name: "Tennessee, a course", buyer: "US-TN", price: "29.00 USD", category: tax.OnlineCourse,
		want: "2900 + 276 = 3176, US-TN sales 9.5% of 2900 = 276; standard state C; us-tn-sales-6"},
	{name: "West Virginia, consulting", buyer: "US-WV", price: "29.00 USD", category: tax.Consulting,
		want: "2900 + 174 = 3074, US-WV sales 6% of 2900 = 174; standard state A; us-wv-sales-5"},
	{name: "West Virginia, a professional service", buyer: "US-WV", price: "29.00 USD", category: tax.ProfessionalService,
		want: "2900 + 0 = 2900; exempt state C; us-wv-sales-4"},

	{name: "British Columbia, a course", buyer: "CA-BC", price: "29.00 CAD", category: tax.OnlineCourse,
		want: "2900 + 145 = 3045, CA-BC gst 5% of 2900 = 145; standard state B; ca-bc-gst-1 ca-bc-pst-8"},
	{name: "Manitoba, a course", buyer: "CA-MB", price: "29.00 CAD", category: tax.OnlineCourse,
		want: "2900 + 145 = 3045, CA-MB gst 5% of 2900 = 145; standard state B; ca-mb-gst-1 ca-mb-rst-7"},
	{name: "Manitoba, an e-book", buyer: "CA-MB", price: "29.00 CAD", category: tax.Ebook,
		want: "2900 + 348 = 3248, CA-MB gst 5% of 2900 = 145, CA-MB rst 7% of 2900 = 203; standard state C; " +
			"ca-mb-gst-1 ca-mb-rst-6"},
	{name: "Saskatchewan, an e-book", buyer: "CA-SK", price: "29.00 CAD", category: tax.Ebook,
		want: "2900 + 145 = 3045, CA-SK gst 5% of 2900 = 145; standard state B; ca-sk-gst-1 ca-sk-pst-4"},
}

func TestStates(t *testing.T) { assessAll(t, stateCases) }
