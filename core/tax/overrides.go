package tax

import "strings"

// Table holds an operator's own rows, which stand above the built-in ones. For each question, of the rows of a
// jurisdiction and a tax that match it, the one with the longest beginning of the postcode replaces the built-in row; a
// tax that the built-in table does not have there is added as a further component.
//
// So a local rate of the United States is either a combined "sales" rate, which replaces the state's, or a rate of the tax
// "local" beside it; whoever is registered with the state collects both. A buyer who gives no postcode gets the rows
// without one.
//
// The zero value has no rows, and nil is as good. A Table comes from [ParseTable], does not change and may be shared.
type Table struct {
	rows    string // each a rule of ownWidth, sorted by jurisdiction and postcode
	ids     string // of the rows, each with its prefix and a newline
	version string
}

// A row of a Table is longer than a built-in one, and its ordinal is 0:
//
//	16–25  beginning of the postcode, filled with spaces
//	26–29  where its id begins in ids
//	30–33  the next row to look at: how many rows there are up to the last one before it, of the same jurisdiction, that a
//	       postcode which begins like this one can match too; 0 for none
const (
	postcodeWidth = 10
	ownWidth      = ruleWidth + postcodeWidth + 8
)

// idPrefix tells an override's id from a built-in one.
const idPrefix = "override:"

func (r rule) own() bool        { return len(r) > ruleWidth }
func (r rule) postcode() string { return unfilled(string(r[ruleWidth:][:postcodeWidth])) }
func (r rule) idAt() int        { return int(r.uint16(26))<<16 | int(r.uint16(28)) }
func (r rule) next() int        { return int(r.uint16(30))<<16 | int(r.uint16(32)) }

// DataVersion names the data that decides: [DataVersion], and with a table's rows its [Table.Version] after a plus sign.
func (t *Table) DataVersion() string {
	if t.empty() {
		return DataVersion
	}
	return t.version
}

// Version is a hash of what the rows say, eight hexadecimal digits; it does not depend on their order, nor on what they say
// of their source. It is empty where there are none.
func (t *Table) Version() string {
	if t.empty() {
		return ""
	}
	return t.version[len(DataVersion+"+"):]
}

func (t *Table) empty() bool { return t == nil || t.rows == "" }

// overrule replaces what the table has rows about. Of the rows up to a postcode the last one begins with every beginning
// of the postcode that any of them has, for these lie between the beginning and the postcode: so one search finds that
// row, and from there each row points to the next, the longer beginning before the shorter.
func (t *Table) overrule(found *rulings, p place, q *question) {
	if t.empty() {
		return
	}
	postcode := significant(q.postcode)
	n := search(len(t.rows)/ownWidth, func(i int) bool {
		r := t.row(i)
		c := p.compare(r)
		return c > 0 || c == 0 && r.postcode() <= postcode
	})
	if n == 0 || p.compare(t.row(n-1)) != 0 {
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

func (t *Table) row(i int) rule { return rule(t.rows[i*ownWidth:][:ownWidth]) }

// significant is a postcode without spaces and dashes, as far as a row can tell it from others.
func significant(postcode string) string {
	some := make([]byte, 0, postcodeWidth)
	for i := 0; i < len(postcode) && len(some) < postcodeWidth; i++ {
		if c := postcode[i]; c != ' ' && c != '-' {
			some = append(some, c)
		}
	}
	return string(some)
}

// id is that of a row of the table, prefix and all.
func (t *Table) id(r rule) string {
	id, _, _ := strings.Cut(t.ids[r.idAt():], "\n")
	return id
}
