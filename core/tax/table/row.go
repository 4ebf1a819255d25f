package table

import (
	"strings"

	"github.com/crepe-checkout/crepe/core/civil"
	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/money"
)

//go:generate go run gen.go

// Row is a rule about one tax in one jurisdiction, packed. The zero value is no row.
//
// Built-in rows are generated from data/*.tsv and sorted by jurisdiction, tax and ordinal:
//
//	 0–4   jurisdiction, "DE   " or "US-TX"
//	 5     tax (6 bits), confidence (2 bits, high)
//	 6     ordinal; jurisdiction, tax and ordinal are the row's id, "us-tx-sales-1"
//	 7     categories, a bit each
//	 8     buyers (3 bits), treatment (5 bits, high)
//	 9     percentage of the price that is taxable
//	10–11  rate in 1e-5
//	12–13  first day, as days since 2000-01-01
//	14–15  first day on which it no longer holds, likewise; 65535 for never
//
// A row of a [Table] has the ordinal 0 and is longer. Such rows are sorted by jurisdiction and postcode:
//
//	16–25  postcode prefix, filled with spaces
//	26–29  offset of its id in the table's ids
//	30–33  the next shorter prefix: the number of rows up to and including the last one before this row whose jurisdiction
//	       is the same and whose prefix is a prefix of this row's; 0 for none
//
// Numbers are big-endian. For every jurisdiction and tax the built-in rows partition category × buyer × day, starting on
// [FirstDay]: exactly one row answers a query, so no precedence is needed.
type Row string

const (
	rowWidth      = 16
	postcodeWidth = 10
	ownWidth      = rowWidth + postcodeWidth + 8

	dayZero = civil.Date(10_957) // 2000-01-01
	never   = 0xffff
)

// FirstDay is 2024-01-01. The built-in table has no rules for earlier days.
const FirstDay = civil.Date(19_723)

const confidences = "ABCX"

func (r Row) tax() int                 { return int(r[5] & 0x3f) }
func (r Row) buyers() Buyers           { return Buyers(r[8] & 7) }
func (r Row) from() civil.Date         { return dayZero + civil.Date(r.uint16(12)) }
func (r Row) to() civil.Date           { return dayZero + civil.Date(r.uint16(14)) }
func (r Row) forever() bool            { return r.uint16(14) == never }
func (r Row) uint16(at int) (n uint16) { return uint16(r[at])<<8 | uint16(r[at+1]) }
func (r Row) own() bool                { return len(r) > rowWidth }
func (r Row) postcode() string         { return unfilled(string(r[rowWidth:][:postcodeWidth])) }
func (r Row) idAt() int                { return int(r.uint16(26))<<16 | int(r.uint16(28)) }
func (r Row) next() int                { return int(r.uint16(30))<<16 | int(r.uint16(32)) }

// Jurisdiction is "DE" or "US-TX".
func (r Row) Jurisdiction() string { return unfilled(string(r[:5])) }

// Tax is the code of the row's tax, "vat".
func (r Row) Tax() string { return taxes[r.tax()].code }

// Treatment is what the row decides.
func (r Row) Treatment() Treatment { return Treatment(r[8] >> 3) }

// Rate is the rate on the taxable part of the price.
func (r Row) Rate() money.Rate { return money.Rate(r.uint16(10)) }

// Base is the percentage of the price that is taxable.
func (r Row) Base() uint8 { return r[9] }

// Confidence is 'A', 'B', 'C' or 'X'.
func (r Row) Confidence() byte { return confidences[r[5]>>6] }

// ByPostcode reports whether the row holds only for some postcodes.
func (r Row) ByPostcode() bool { return r.own() && r.postcode() != "" }

// Authority is the jurisdiction with which a seller must be registered to collect the tax: the country for a national tax,
// otherwise the state or province.
func (r Row) Authority() string {
	if r.tax() <= lastNational {
		return string(r[:2])
	}
	return r.Jurisdiction()
}

// OneStop reports whether a registration in the Union's one-stop shop covers the row's tax (Directive 2006/112/EC, Title XII,
// Chapter 6): the tax of a member state, except in Guadeloupe, Martinique and Réunion. They are the only parts of a member
// state in the table that are outside the directive.
func (r Row) OneStop() bool {
	return country.Code(r[:2]).InEU() && (r[:2] != "FR" || r[2] == ' ')
}

// unfilled returns s up to its first space.
func unfilled(s string) string {
	s, _, _ = strings.Cut(s, " ")
	return s
}

// appendID appends the id of a built-in row, "us-tx-sales-1".
func (r Row) appendID(b []byte) []byte {
	for _, c := range []byte(r.Jurisdiction()) {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		b = append(b, c)
	}
	b = append(b, '-')
	b = append(b, taxes[r.tax()].code...)
	b = append(b, '-')
	n := r[6]
	if n >= 100 {
		b = append(b, '0'+n/100)
	}
	if n >= 10 {
		b = append(b, '0'+n/10%10)
	}
	return append(b, '0'+n%10)
}
