// Package table is the tax rate table: which row decides about a tax in a territory, for a category, a kind of buyer and
// a day. [Table.Find] answers a [Query] for a [Territory] with a [Row] for each tax. Package tax turns rows into amounts.
//
// The built-in rows are compiled in; gen.go packs them from ../data/*.tsv, and [DataVersion] names them. [Parse] reads an
// operator's own rows into a [Table], which take precedence. [Table.Subset] cuts out the rows for one buyer's country and
// state, [Table.Text] and [FromText] carry them to a browser.
package table

import "strings"

// Table has an operator's own rows, which take precedence over the built-in ones. For a query, of the rows of a
// jurisdiction and a tax that match it, the one with the longest postcode prefix replaces the built-in row; a tax that has
// no built-in row there is added.
//
// A local rate in the United States is therefore either a combined "sales" rate, which replaces the state's, or a rate of
// the tax "local" beside it; a seller registered with the state collects both. A buyer without a postcode gets the rows
// without one.
//
// The zero value and nil have no rows. A Table comes from [Parse], does not change and may be shared.
type Table struct {
	rows    string // each of ownWidth, sorted by jurisdiction and postcode
	ids     string // of the rows, each with its prefix and a newline
	version string
}

// idPrefix distinguishes the id of an operator's row from a built-in one.
const idPrefix = "override:"

// DataVersion names the data that decides: [DataVersion], and if t has rows [Table.Version] after a plus sign.
func (t *Table) DataVersion() string {
	if t.empty() {
		return DataVersion
	}
	return t.version
}

// Version is a hash of the rows, eight hexadecimal digits. It depends neither on their order nor on their source columns.
// It is empty if there are no rows.
func (t *Table) Version() string {
	if t.empty() {
		return ""
	}
	return t.version[len(DataVersion+"+"):]
}

// AppendID appends the id of a row that [Table.Find] returned: "us-tx-sales-1" for a built-in row, "override:" and its id
// for one of t.
func (t *Table) AppendID(b []byte, r Row) []byte {
	if r.own() {
		return append(b, t.id(r)...)
	}
	return r.appendID(b)
}

// Levies reports whether a jurisdiction has a tax of its own in the built-in table, for which a seller can be registered:
// "DE", "US-TX", "IC" for the Canary Islands.
func Levies(jurisdiction string) bool {
	for all := rows; all != ""; all = all[rowWidth:] {
		if r := Row(all[:rowWidth]); r.Rate() > 0 && r.Authority() == jurisdiction {
			return true
		}
	}
	return false
}

func (t *Table) empty() bool { return t == nil || t.rows == "" }

func (t *Table) row(i int) Row { return Row(t.rows[i*ownWidth:][:ownWidth]) }

// id returns the id of a row of t, with its prefix.
func (t *Table) id(r Row) string {
	id, _, _ := strings.Cut(t.ids[r.idAt():], "\n")
	return id
}
