package table

import (
	"strings"

	"github.com/crepe-checkout/crepe/core/civil"
)

// Buyers is a set of kinds of buyers.
type Buyers uint8

const (
	Consumer   Buyers = 1 << iota
	Business          // without a checked tax number, or established in the seller's country
	Registered        // a business with a checked tax number, in another country than the seller's
)

// Query is what the conditions of a row are about.
type Query struct {
	Category Category
	Buyer    Buyers // one of them
	On       civil.Date
	Postcode string // of the buyer; empty if the territory is the seller's
}

func (r Row) answers(q *Query) bool {
	return r[7]>>(q.Category-1)&1 == 1 && r.buyers()&q.Buyer != 0 && r.from() <= q.On && (q.On < r.to() || r.forever())
}

// Matches has the row that answers a query for each tax, at the tax's index; empty if there is none.
type Matches [Taxes]Row

// Find sets found, which must be empty, to the rows about a territory that answer q. A row of t replaces the built-in row of
// the same tax. A nil t has no rows.
func (t *Table) Find(found *Matches, in Territory, q *Query) {
	for i := firstRow(in); i < len(rows); i += rowWidth {
		r := Row(rows[i : i+rowWidth])
		if in.compare(r) != 0 {
			break
		}
		if r.answers(q) {
			found[r.tax()] = r
		}
	}
	t.override(found, in, q)
}

// firstRow returns the offset of the first built-in row that does not sort before the territory's.
func firstRow(in Territory) int {
	return rowWidth * search(len(rows)/rowWidth, func(i int) bool { return in.compare(Row(rows[i*rowWidth:])) > 0 })
}

// override replaces the rows of found for which t has its own. Rows are sorted by prefix, so the last row up to the
// postcode starts a chain of shorter prefixes, longest first, that contains every prefix of the postcode in the table.
func (t *Table) override(found *Matches, in Territory, q *Query) {
	if t.empty() {
		return
	}
	postcode := significant(q.Postcode)
	n := search(len(t.rows)/ownWidth, func(i int) bool {
		r := t.row(i)
		c := in.compare(r)
		return c > 0 || c == 0 && r.postcode() <= postcode
	})
	if n == 0 || in.compare(t.row(n-1)) != 0 {
		return
	}
	for n > 0 {
		r := t.row(n - 1)
		if !found[r.tax()].own() && r.answers(q) && strings.HasPrefix(postcode, r.postcode()) {
			found[r.tax()] = r
		}
		n = r.next()
	}
}

// significant returns the postcode without spaces and dashes, cut to the width of a row's prefix.
func significant(postcode string) string {
	some := make([]byte, 0, postcodeWidth)
	for i := 0; i < len(postcode) && len(some) < postcodeWidth; i++ {
		if c := postcode[i]; c != ' ' && c != '-' {
			some = append(some, c)
		}
	}
	return string(some)
}

// search returns how many of n sorted rows sort before the one looked for.
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
