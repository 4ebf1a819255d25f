package tax_test

import (
	"testing"

	"github.com/crepe-checkout/crepe/core/tax"
)

// territoryCases are the parts of a country that are not taxed like it, by their own country code or by postcode.
var territoryCases = []assessCase{
	{name: "Büsingen is Switzerland", buyer: "DE 78266", // 234.9
		want: "2900 + 235 = 3135, CH vat 8.1% of 2900 = 235; standard country B; ch-vat-1"},
	{name: "Heligoland", buyer: "DE 27498", want: "2900 + 0 = 2900; out-of-scope country A; xe-vat-1"},
	{name: "Åland is Finland for services", buyer: "AX 22100", // 739.5
		want: "2900 + 740 = 3640, FI vat 25.5% of 2900 = 740; standard country B; eu-supply-1 fi-vat-2"},
	{name: "Åland by Finland's code", buyer: "FI 22100",
		want: "2900 + 740 = 3640, FI vat 25.5% of 2900 = 740; standard country B; eu-supply-1 fi-vat-2"},
	{name: "Livigno", buyer: "IT 23041", want: "2900 + 0 = 2900; out-of-scope country A; xe-vat-1"},
	{name: "Campione d'Italia", buyer: "IT 22061", // 234.9
		want: "2900 + 235 = 3135, XC vat 8.1% of 2900 = 235; standard country C; xc-vat-1"},
	{name: "an e-book there", buyer: "IT 22061", category: tax.Ebook, // 75.4
		want: "2900 + 75 = 2975, XC vat 2.6% of 2900 = 75; reduced country C; xc-vat-2"},
	{name: "a business there", buyer: "IT business 22061", want: "2900 + 0 = 2900; out-of-scope country B; xc-vat-3"},
	{name: "San Marino by Italy's code", buyer: "IT 47890", want: "2900 + 0 = 2900; out-of-scope country A; sm-vat-1"},
	{name: "Rimini beside it", buyer: "IT 47900",
		want: "2900 + 638 = 3538, IT vat 22% of 2900 = 638; standard country B; eu-supply-1 it-vat-1"},
	{name: "the Vatican by Italy's code", buyer: "IT 00120", want: "2900 + 0 = 2900; out-of-scope country A; va-vat-1"},
	{name: "Rome around it", buyer: "IT 00118",
		want: "2900 + 638 = 3538, IT vat 22% of 2900 = 638; standard country B; eu-supply-1 it-vat-1"},
	{name: "Mount Athos, with a space", buyer: "GR 630 86", want: "2900 + 0 = 2900; out-of-scope country A; xe-vat-1"},

	{name: "Guadeloupe", buyer: "GP", // 246.5
		want: "2900 + 247 = 3147, FR-GP vat 8.5% of 2900 = 247; standard state A; eu-supply-1 fr-gp-vat-1"},
	{name: "Guadeloupe by France's code", buyer: "FR 97110",
		want: "2900 + 247 = 3147, FR-GP vat 8.5% of 2900 = 247; standard state A; eu-supply-1 fr-gp-vat-1"},
	{name: "Martinique", buyer: "FR 97200",
		want: "2900 + 247 = 3147, FR-MQ vat 8.5% of 2900 = 247; standard state A; eu-supply-1 fr-mq-vat-1"},
	{name: "Réunion", buyer: "FR 97400",
		want: "2900 + 247 = 3147, FR-RE vat 8.5% of 2900 = 247; standard state A; eu-supply-1 fr-re-vat-1"},
	{name: "an e-book in Réunion", buyer: "RE", category: tax.Ebook, // 60.9
		want: "2900 + 61 = 2961, FR-RE vat 2.1% of 2900 = 61; reduced state A; eu-supply-1 fr-re-vat-2"},
	{name: "a business in Martinique has a French number", buyer: "MQ FR40303265045",
		want: "2900 + 0 = 2900; reverse-charge state A; eu-supply-3"},
	{name: "from France a business there is charged", seller: seller("FR"), buyer: "MQ FR40303265045",
		want: "2900 + 247 = 3147, FR-MQ vat 8.5% of 2900 = 247; standard state A; eu-supply-1 fr-mq-vat-1"},
	{name: "advice from France to a consumer there", seller: seller("FR"), buyer: "MQ", category: tax.Consulting,
		want: "2900 + 580 = 3480, FR vat 20% of 2900 = 580; standard country B; eu-supply-2 fr-vat-1"},
	{name: "a seller in Guadeloupe needs no registration with France", seller: seller("GP"), buyer: "FR 75001",
		want: "2900 + 580 = 3480, FR vat 20% of 2900 = 580; standard country B; eu-supply-1 fr-vat-1"},
	{name: "a registration with France covers it", seller: seller("US", "FR"), buyer: "RE",
		want: "2900 + 247 = 3147, FR-RE vat 8.5% of 2900 = 247; standard state A; eu-supply-1 fr-re-vat-1"},
	{name: "the one-stop shop does not", seller: seller("US", "EU"), buyer: "RE",
		want: "2900 + 0 = 2900; not-collecting state A; eu-supply-1 fr-re-vat-1"},
	{name: "French Guiana", buyer: "FR 97300", want: "2900 + 0 = 2900; out-of-scope country A; gf-vat-1"},
	{name: "Mayotte", buyer: "FR 97600", want: "2900 + 0 = 2900; out-of-scope country A; yt-vat-1"},
	{name: "Saint-Barthélemy, within Guadeloupe's postcodes", buyer: "FR 97133",
		want: "2900 + 0 = 2900; out-of-scope country C; bl-vat-1"},
	{name: "New Caledonia", buyer: "FR 98800",
		want: "2900 + 319 = 3219, NC vat 11% of 2900 = 319; standard country C; nc-vat-2"},
	{name: "French Polynesia", buyer: "PF",
		want: "2900 + 377 = 3277, PF vat 13% of 2900 = 377; standard country C; pf-vat-2"},

	{name: "the Canary Islands", buyer: "ES 35001",
		want: "2900 + 203 = 3103, IC vat 7% of 2900 = 203; standard country B; ic-supply-1 ic-vat-2"},
	{name: "an e-book there", buyer: "ES 38001", category: tax.Ebook,
		want: "2900 + 203 = 3103, IC vat 7% of 2900 = 203; standard country C; ic-supply-1 ic-vat-3"},
	{name: "from Spain without a registration there", seller: seller("ES", "EU"), buyer: "ES 35001",
		want: "2900 + 0 = 2900; not-collecting country B; ic-supply-1 ic-vat-2"},
	{name: "with one", seller: seller("ES", "IC"), buyer: "ES 35001",
		want: "2900 + 203 = 3103, IC vat 7% of 2900 = 203; standard country B; ic-supply-1 ic-vat-2"},
	{name: "a business there", buyer: "ES ESB12345674 38001", want: "2900 + 0 = 2900; reverse-charge country B; ic-supply-3"},
	{name: "advice to a consumer there", seller: seller("ES"), buyer: "ES 35001", category: tax.Consulting,
		want: "2900 + 0 = 2900; out-of-scope country B; ic-supply-2"},
	{name: "Ceuta", buyer: "ES 51001", want: "2900 + 0 = 2900; out-of-scope country C; ea-vat-1"},
	{name: "Melilla", buyer: "ES 52001", want: "2900 + 0 = 2900; out-of-scope country C; ea-vat-1"},
	{name: "Andorra", buyer: "AD", // 130.5
		want: "2900 + 131 = 3031, AD vat 4.5% of 2900 = 131; standard country B; ad-vat-2"},

	{name: "Jersey by the United Kingdom's code", buyer: "GB at JE2 3AB",
		want: "2900 + 0 = 2900; out-of-scope country A; je-vat-1"},
	{name: "Guernsey", buyer: "GB at GY1 1AA", want: "2900 + 0 = 2900; out-of-scope country A; gg-vat-1"},
	{name: "Gibraltar", buyer: "GB at GX11 1AA", want: "2900 + 0 = 2900; out-of-scope country A; gi-vat-1"},
	{name: "the Isle of Man", buyer: "GB at IM1 1AA",
		want: "2900 + 580 = 3480, GB vat 20% of 2900 = 580; standard country A; gb-supply-1 gb-vat-1"},
	{name: "Glasgow", buyer: "GB at G1 1AA",
		want: "2900 + 580 = 3480, GB vat 20% of 2900 = 580; standard country A; gb-supply-1 gb-vat-1"},
	{name: "Greenland by Denmark's code", buyer: "DK 3900", want: "2900 + 0 = 2900; out-of-scope country A; gl-vat-1"},
	{name: "Svalbard by Norway's code", buyer: "NO 9170", want: "2900 + 0 = 2900; out-of-scope country C; sj-vat-1"},
	{name: "Jan Mayen", buyer: "NO 8099", want: "2900 + 0 = 2900; out-of-scope country C; sj-vat-1"},
	{name: "Tromsø", buyer: "NO 9180",
		want: "2900 + 725 = 3625, NO vat 25% of 2900 = 725; standard country A; no-supply-1 no-vat-1"},
	{name: "Norfolk Island by Australia's code", buyer: "AU 2899", want: "2900 + 0 = 2900; out-of-scope country A; xe-vat-1"},
	{name: "Christmas Island", buyer: "AU 6798", want: "2900 + 0 = 2900; out-of-scope country A; xe-vat-1"},
	{name: "the Cocos Islands", buyer: "CC", want: "2900 + 0 = 2900; out-of-scope country A; xe-vat-1"},
}

func TestTerritories(t *testing.T) { assessAll(t, territoryCases) }
