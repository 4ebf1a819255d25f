package stripe

import (
	"sort"
	"strings"

	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/edge/psp"
)

// currencies are the ones that Stripe can charge, each with the number of decimals in which Stripe counts it; source:
// https://docs.stripe.com/currencies as of 2026-11, "Supported presentment currencies", "Zero-decimal currencies",
// "Three-decimal currencies" and "Special cases", without those that ISO 4217 has withdrawn (ANG, STD). Three of them
// differ from ISO 4217: ISK and UGX have no decimals any more but are still sent with two, and MGA is sent without.
// What an account may charge depends on its country besides.
const currencies = "" +
	"AED2AFN2ALL2AMD2AOA2ARS2AUD2AWG2AZN2BAM2BBD2BDT2BHD3BIF0BMD2BND2" +
	"BOB2BRL2BSD2BWP2BYN2BZD2CAD2CDF2CHF2CLP0CNY2COP2CRC2CVE2CZK2DJF0" +
	"DKK2DOP2DZD2EGP2ETB2EUR2FJD2FKP2GBP2GEL2GIP2GMD2GNF0GTQ2GYD2HKD2" +
	"HNL2HTG2HUF2IDR2ILS2INR2ISK2JMD2JOD3JPY0KES2KGS2KHR2KMF0KRW0KWD3" +
	"KYD2KZT2LAK2LBP2LKR2LRD2LSL2MAD2MDL2MGA0MKD2MMK2MNT2MOP2MUR2MVR2" +
	"MWK2MXN2MYR2MZN2NAD2NGN2NIO2NOK2NPR2NZD2OMR3PAB2PEN2PGK2PHP2PKR2" +
	"PLN2PYG0QAR2RON2RSD2RUB2RWF0SAR2SBD2SCR2SEK2SGD2SHP2SLE2SOS2SRD2" +
	"SZL2THB2TJS2TND3TOP2TRY2TTD2TWD2TZS2UAH2UGX2USD2UYU2UZS2VND0VUV0" +
	"WST2XAF0XCD2XCG2XOF0XPF0YER2ZAR2ZMW2"

// minimums are the least that can be charged, in Stripe's units (same page, "Minimum charge amounts"). Stripe applies them after
// it has converted an amount to the currency of the account's payout, which cannot be known here, so they are those of an
// account that is paid out in the currency that it charges. A currency without an entry has no known minimum.
var minimums = map[money.Currency]int64{
	"AED": 200, "ARS": 50, "AUD": 50, "BRL": 50, "CAD": 50, "CHF": 50, "COP": 50, "CZK": 1500, "DKK": 250, "EUR": 50, "GBP": 30,
	"HKD": 400, "HUF": 17500, "IDR": 50, "ILS": 50, "INR": 50, "JPY": 50, "KRW": 50, "MXN": 1000, "MYR": 200, "NOK": 300, "NZD": 50,
	"PHP": 50, "PLN": 200, "RON": 200, "RUB": 50, "SEK": 300, "SGD": 50, "THB": 1000, "USD": 50, "ZAR": 50,
}

// maxAmount is the most that any card can be charged, in Stripe's units: twelve digits (same page, "Maximum charge
// amount"). Some cards and most other methods take less.
const maxAmount = 999_999_999_999

// scale relates ISO 4217's minor units of a currency to Stripe's units: stripe = minor × up ÷ down. One of the two is 1.
type scale struct{ up, down, step int64 }

// scaleOf is false for a currency that Stripe cannot charge.
func scaleOf(c money.Currency) (scale, bool) {
	i := 4 * sort.Search(len(currencies)/4, func(i int) bool { return currencies[4*i:][:3] >= string(c) })
	if i == len(currencies) || currencies[i:][:3] != string(c) {
		return scale{}, false
	}
	s := scale{up: 1, down: 1, step: 1}
	digits := int(currencies[i+3] - '0')
	for d := c.Digits(); d < digits; d++ {
		s.up *= 10
	}
	for d := digits; d < c.Digits(); d++ {
		s.down *= 10
		s.step *= 10
	}
	if digits == 3 {
		s.step = 10 // "the least-significant digit must be 0", for Stripe's partners
	}
	return s, true
}

// Amounts have a Step of 1 minor unit of ISO 4217 for most currencies, of 10 for those with three decimals, and of 100 for MGA.
func (g *Provider) Amounts(c money.Currency) (psp.Amounts, bool) {
	s, ok := scaleOf(c)
	if !ok {
		return psp.Amounts{}, false
	}
	return psp.Amounts{SmallestUnit: s.step, Min: max(s.step, minimums[c]*s.down/s.up), Max: maxAmount / s.up * s.down / s.step * s.step}, true
}

// toStripe converts an amount exactly, or not at all.
func toStripe(minor int64, c money.Currency) (int64, bool) {
	s, ok := scaleOf(c)
	if !ok || minor < 0 || minor%s.step != 0 || minor/s.down > maxAmount/s.up {
		return 0, false
	}
	return minor / s.down * s.up, true
}

// fromStripe is the zero Amount for what is not an amount of a currency that we could have asked for.
func fromStripe(n int64, currency string) money.Amount {
	c, known := money.ParseCurrency(strings.ToUpper(currency))
	s, ok := scaleOf(c)
	if !known || !ok || n < 0 || n > maxAmount || n%s.up != 0 {
		return money.Amount{}
	}
	return money.Amount{Minor: n / s.up * s.down, Currency: c}
}
