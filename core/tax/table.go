package tax

import (
	"cmp"
	"strings"

	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/money"
)

//go:generate go run gen.go

// rule is one row of data/*.tsv as the generator packs it, sorted by jurisdiction, tax and ordinal:
//
//	 0–4   jurisdiction, "DE   " or "US-TX"
//	 5     tax (6 bits), confidence (2 bits, high)
//	 6     ordinal; jurisdiction, tax and ordinal are the row's id, "us-tx-sales-1"
//	 7     categories, a bit each
//	 8     buyers (3 bits), treatment (5 bits, high)
//	 9     percentage of the price that is taxable
//	10–11  rate in 1e-5
//	12–13  first day, as days since 2000-01-01
//	14–15  first day on which it holds no more, likewise; 65535 for never
//
// Numbers are big-endian. For every jurisdiction and tax the rows are a partition of category × buyer × day, from the
// table's first day on: exactly one row answers a question, so that no row takes precedence over another.
type rule string

const (
	ruleWidth = 16
	firstDay  = Date(19_723) // 2024-01-01: nothing is known about the days before it
	dayZero   = Date(10_957) // 2000-01-01
	never     = 0xffff
)

// Taxes in the order of an invoice. supply is none: its rows say where a supply is taxed and who owes the tax. The taxes
// up to lastNational are those of a whole country, whose authority one registration satisfies.
const (
	supply       = 0
	lastNational = 4
)

var taxes = [...]struct{ code, name string }{
	{"supply", ""},
	{"vat", "VAT"},
	{"gst", "GST"},
	{"hst", "HST"},
	{"jct", "Consumption tax"},
	{"pst", "PST"},
	{"qst", "QST"},
	{"rst", "RST"},
	{"sales", "Sales tax"},
	{"local", "Local tax"}, // in overrides only
}

// taxOf is the place of a code among the taxes, negative if it is none.
func taxOf(code string) int {
	for i := range taxes {
		if taxes[i].code == code {
			return i
		}
	}
	return -1
}

// Treatments: a Reason for the row of a tax, and one of these, or ReverseCharge, for a row of supply.
const (
	atCustomer = 8 // taxed where the customer is
	atSeller   = 9 // taxed where the seller is established, if that is in the same area
)

var treatmentNames = [...]string{
	"unsupported", "standard", "reduced", "zero-rated", "exempt", "out-of-scope", "reverse-charge", "not-collecting",
	"customer", "seller",
}

const confidences = "ABCX"

func (r rule) jurisdiction() string     { return unfilled(string(r[:5])) }
func (r rule) tax() int                 { return int(r[5] & 0x3f) }
func (r rule) confidence() byte         { return confidences[r[5]>>6] }
func (r rule) buyers() buyers           { return buyers(r[8] & 7) }
func (r rule) treatment() int           { return int(r[8] >> 3) }
func (r rule) base() uint8              { return r[9] }
func (r rule) rate() money.Rate         { return money.Rate(r.uint16(10)) }
func (r rule) from() Date               { return dayZero + Date(r.uint16(12)) }
func (r rule) to() Date                 { return dayZero + Date(r.uint16(14)) }
func (r rule) uint16(at int) (n uint16) { return uint16(r[at])<<8 | uint16(r[at+1]) }

// unfilled is a text without the spaces that fill it up.
func unfilled(s string) string {
	s, _, _ = strings.Cut(s, " ")
	return s
}

// authority is whom the seller must be registered with to collect the tax: the country for a national tax, otherwise the
// state or province.
func (r rule) authority() string {
	if r.tax() <= lastNational {
		return string(r[:2])
	}
	return r.jurisdiction()
}

// appendID appends the id of a built-in row, "us-tx-sales-1".
func (r rule) appendID(b []byte) []byte {
	for _, c := range []byte(r.jurisdiction()) {
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

// buyers is a set of kinds of buyers.
type buyers uint8

const (
	consumer   buyers = 1 << iota
	business          // without a tax number that holds, or established where the seller is
	registered        // a business with a tax number that holds, in another country than the seller's
)

// question is what a row's conditions are about.
type question struct {
	category Category
	kind     buyers // one of them
	on       Date
	postcode string // where the place is the buyer's; empty at the seller's
	own      *Table // the operator's rows; nil for none
}

func (r rule) answers(q *question) bool {
	return r[7]>>(q.category-1)&1 == 1 && r.buyers()&q.kind != 0 && r.from() <= q.on && (q.on < r.to() || r.forever())
}

func (r rule) forever() bool { return r.uint16(14) == never }

// rulings are rows that answer a question, each at its tax; empty is a tax that has none.
type rulings [len(taxes)]rule

// find adds the rows of a place.
func (found *rulings) find(p place, q *question) {
	for i := firstRule(p); i < len(rules); i += ruleWidth {
		r := rule(rules[i : i+ruleWidth])
		if p.compare(r) != 0 {
			break
		}
		if r.answers(q) {
			found[r.tax()] = r
		}
	}
	q.own.overrule(found, p, q)
}

// firstRule is the offset of the first row that does not come before the place's.
func firstRule(p place) int {
	return ruleWidth * search(len(rules)/ruleWidth, func(i int) bool { return p.compare(rule(rules[i*ruleWidth:])) > 0 })
}

// search counts the rows, of n that are sorted, that come before what is looked for.
func search(n int, before func(i int) bool) (low int) {
	for low < n {
		middle := int(uint(low+n) / 2)
		if before(middle) {
			low = middle + 1
		} else {
			n = middle
		}
	}
	return low
}

// place is a tax territory: a country, or a part of one that has taxes of its own.
type place struct {
	country string
	part    string // "TX" of US-TX; empty for a whole country
}

// placeOf is the territory of an address. Some addresses belong to another territory than their country's: Monaco is
// France to VAT, and a postcode tells the Canary Islands from Spain (data/places.tsv).
func placeOf(c country.Code, state, postcode string) place {
	if p, ok := exception(string(c), postcode); ok {
		return p
	}
	if c.NeedsState() {
		return place{string(c), state}
	}
	return place{country: string(c)}
}

// An exception is 12 bytes: the country, the beginning of the postcode (five, filled with spaces) and the territory.
// The exceptions of a country stand in descending order, the longer beginning before the shorter.
const exceptionWidth = 12

func exception(country, postcode string) (place, bool) {
	i := search(len(exceptions)/exceptionWidth, func(i int) bool { return exceptions[i*exceptionWidth:][:2] < country })
	for i *= exceptionWidth; i < len(exceptions) && exceptions[i:i+2] == country; i += exceptionWidth {
		e := exceptions[i : i+exceptionWidth]
		if begins(postcode, unfilled(e[2:7])) {
			return place{e[7:9], unfilled(e[10:])}, true
		}
	}
	return place{}, false
}

// begins reports whether a postcode begins so, spaces and dashes aside: "630 86" begins with "63086".
func begins(postcode, prefix string) bool {
	for i := 0; prefix != ""; i++ {
		switch {
		case i == len(postcode):
			return false
		case postcode[i] == ' ' || postcode[i] == '-':
		case postcode[i] != prefix[0]:
			return false
		default:
			prefix = prefix[1:]
		}
	}
	return true
}

// area is the territory whose law says where a supply is taxed: the whole Union for its member states.
func (p place) area() place {
	if country.Code(p.country).InEU() {
		return place{country: "EU"}
	}
	return place{country: p.country}
}

func (p place) compare(r rule) int {
	if c := cmp.Compare(p.country, string(r[:2])); c != 0 {
		return c
	}
	return cmp.Compare(p.part, unfilled(string(r[3:5])))
}

// is reports whether the place is the jurisdiction of that name, "DE" or "US-TX".
func (p place) is(jurisdiction string) bool {
	whole, part, _ := strings.Cut(jurisdiction, "-")
	return p.country == whole && p.part == part
}
