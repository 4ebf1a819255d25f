package sandbox

import (
	"slices"
	"strconv"
	"strings"
)

// Stripe's units of a currency (https://docs.stripe.com/currencies): no decimals; three decimals, the last of which is zero; two
// decimals, both zero. All other currencies have two. The tables are written independently of the adapter's, and tests compare
// them.
var (
	noDecimals    = strings.Fields("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf")
	threeDecimals = strings.Fields("bhd jod kwd omr tnd")
	wholeUnits    = strings.Fields("isk ugx")
)

// minimums are the minimum charge amounts (same page), in Stripe's units, for an account that is paid out in the currency that
// it charges.
var minimums = map[string]int64{
	"usd": 50, "aed": 200, "ars": 50, "aud": 50, "brl": 50, "cad": 50, "chf": 50, "cop": 50, "eur": 50, "idr": 50,
	"ils": 50, "inr": 50, "nzd": 50, "php": 50, "rub": 50, "sgd": 50, "zar": 50, "czk": 1500, "dkk": 250, "gbp": 30,
	"hkd": 400, "huf": 17500, "jpy": 50, "krw": 50, "mxn": 1000, "myr": 200, "nok": 300, "sek": 300, "pln": 200, "ron": 200,
	"thb": 1000,
}

// maximum is the maximum charge amount of most cards, in Stripe's units.
const maximum = 999_999_999_999

// currencies are the currencies that Stripe charges (same page, "Supported presentment currencies").
var currencies = strings.Fields("usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bhd bif bmd bnd bob brl bsd bwp byn bzd " +
	"cad cdf chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl htg huf idr ils " +
	"inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn " +
	"nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle sos srd std szl thb " +
	"tjs tnd top try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf xcd xcg xof xpf yer zar zmw")

// increment is the number that amounts in a currency must be multiples of.
func increment(currency string) int64 {
	switch {
	case slices.Contains(threeDecimals, currency):
		return 10
	case slices.Contains(wholeUnits, currency):
		return 100
	}
	return 1
}

// minimum is the minimum charge amount of a currency, at least one unit.
func minimum(currency string) int64 { return max(minimums[currency], 1) }

// display formats an amount for the page: "$140.45", "¥4500", "5.120 KWD".
func display(amount int64, currency string) string {
	places := 2
	switch {
	case slices.Contains(noDecimals, currency):
		places = 0
	case slices.Contains(threeDecimals, currency):
		places = 3
	case slices.Contains(wholeUnits, currency):
		places, amount = 0, amount/100
	}
	digits := strconv.FormatInt(amount, 10)
	if missing := places + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	if places > 0 {
		digits = digits[:len(digits)-places] + "." + digits[len(digits)-places:]
	}
	switch currency {
	case "usd":
		return "$" + digits
	case "eur":
		return "€" + digits
	case "gbp":
		return "£" + digits
	case "jpy":
		return "¥" + digits
	}
	return digits + " " + strings.ToUpper(currency)
}
