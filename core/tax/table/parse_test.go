package table

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/core/civil"
)

// tsv turns the spaces of a test's lines into tabs.
func tsv(lines ...string) string { return strings.ReplaceAll(strings.Join(lines, "\n"), " ", "\t") }

func complaints(wrong []Error) (lines []string) {
	for _, e := range wrong {
		lines = append(lines, e.Error())
	}
	return lines
}

// TestParse reads tables with optional columns, empty cells and spreadsheet line ends.
func TestParse(t *testing.T) {
	for name, text := range map[string]string{
		"only what is required": tsv("id jurisdiction tax rate", "a US-TX sales 8.25"),
		"another order":         tsv("rate id tax jurisdiction", "8.25 a sales US-TX"),
		"every column": tsv(
			"id jurisdiction tax categories buyer treatment rate base from to source source_date confidence note postcode",
			"a US-TX sales * any standard 8.25 100 - - x y C z -"),
		"empty cells": tsv("id jurisdiction tax categories buyer treatment rate base from to confidence postcode\n") +
			"a\tUS-TX\tsales\t\t\t\t8.25\t\t\t\t\t",
		"a spreadsheet's line ends": "\ufeff" + tsv("id jurisdiction tax rate\r", "a US-TX sales 8.25\r", "\r", "\r"),
		"spaces around cells":       "id\tjurisdiction\ttax\trate\n a \tUS-TX \t sales\t 8.25\n\n",
		"categories by name": tsv("id jurisdiction tax rate categories",
			"a US-TX sales 8.25 saas,ebook,software,consulting,digital_goods,online_course,professional_service"),
	} {
		table, wrong := Parse(text)
		if wrong != nil {
			t.Errorf("%s: %q", name, complaints(wrong))
			continue
		}
		want := map[string]string{
			"jurisdiction": "US-TX", "tax": "sales", "buyer": "any", "treatment": "standard", "rate": "8.25", "base": "100",
			"from": "-", "to": "-", "confidence": "C",
		}
		r := table.row(0)
		for column, got := range unpack(r) {
			if got != want[column] {
				t.Errorf("%s: %s is %q", name, column, got)
			}
		}
		if r[7] != 0x7f || r.postcode() != "" || table.id(r) != "override:a" || len(table.rows) != ownWidth {
			t.Errorf("%s: %q", name, table.rows)
		}
	}
}

// TestParseRefuses checks that every mistake is reported with its line and column, and that mistakes in one line hide none
// in another.
func TestParseRefuses(t *testing.T) {
	const header = "id jurisdiction tax rate categories buyer treatment base from to confidence postcode"
	row := func(change string) string {
		cells := strings.Fields("a US-TX sales 8.25 * any standard 100 - - B 787")
		for word := range strings.FieldsSeq(change) {
			column, value, _ := strings.Cut(word, "=")
			cells[slices.Index(strings.Fields(header), column)] = value
		}
		return strings.Join(cells, " ")
	}
	badRate := func(cell string) string {
		return `line 2, rate: "` + cell + `" is not a percentage with at most three decimals, or is above 65.535`
	}
	for _, c := range []struct {
		lines []string
		want  []string
	}{
		// The header.
		{[]string{""}, []string{
			"line 1: unknown column", "line 1, id: missing column", "line 1, jurisdiction: missing column",
			"line 1, tax: missing column", "line 1, rate: missing column"}},
		{[]string{"id jurisdiction tax"}, []string{"line 1, rate: missing column"}},
		{[]string{"id jurisdiction tax rate zip", "a US-TX"}, []string{"line 1, zip: unknown column"}},
		{[]string{"id jurisdiction tax rate rate"}, []string{"line 1, rate: duplicate column"}},
		{[]string{"id jurisdiction tax rate Rate"}, []string{"line 1, Rate: unknown column"}},
		{[]string{"a US-TX sales 8.25"}, []string{
			"line 1, a: unknown column", "line 1, US-TX: unknown column", "line 1, sales: unknown column",
			"line 1, 8.25: unknown column", "line 1, id: missing column", "line 1, jurisdiction: missing column",
			"line 1, tax: missing column", "line 1, rate: missing column"}},

		// Cells.
		{[]string{header, "a US-TX sales"}, []string{"line 2: 3 cells, but 12 columns"}},
		{[]string{header, row("") + " "}, []string{"line 2: 13 cells, but 12 columns"}},
		{[]string{header, row("id=")}, []string{"line 2, id: an id is 1 to 64 visible characters of ASCII"}},
		{[]string{header, row("id=café")}, []string{"line 2, id: an id is 1 to 64 visible characters of ASCII"}},
		{[]string{header, row("id=" + strings.Repeat("x", 65))}, []string{"line 2, id: an id is 1 to 64 visible characters of ASCII"}},
		{[]string{header, row("jurisdiction=")}, []string{`line 2, jurisdiction: "" is neither like DE nor like US-TX`}},
		{[]string{header, row("jurisdiction=US_TX")}, []string{`line 2, jurisdiction: "US_TX" is neither like DE nor like US-TX`}},
		{[]string{header, row("jurisdiction=us-tx")}, []string{`line 2, jurisdiction: "us-tx" is neither like DE nor like US-TX`}},
		{[]string{header, row("jurisdiction=Texas")}, []string{`line 2, jurisdiction: "Texas" is neither like DE nor like US-TX`}},
		{[]string{header, row("jurisdiction=US-XX")}, []string{"line 2, jurisdiction: US-XX cannot have a row of sales"}},
		{[]string{header, row("jurisdiction=ZZ")}, []string{"line 2, jurisdiction: ZZ cannot have a row of sales"}},
		{[]string{header, row("jurisdiction=DE-BY")}, []string{"line 2, jurisdiction: DE-BY cannot have a row of sales"}},
		{[]string{header, row("jurisdiction=US")}, []string{"line 2, jurisdiction: US cannot have a row of sales"}},
		{[]string{header, row("jurisdiction=EU")}, []string{"line 2, jurisdiction: EU cannot have a row of sales"}},
		{[]string{header, row("jurisdiction=MC")}, []string{"line 2, jurisdiction: MC cannot have a row of sales"}},
		{[]string{header, row("jurisdiction=PR")}, []string{"line 2, jurisdiction: PR cannot have a row of sales"}},
		{[]string{header, row("tax=supply treatment=seller rate=0")}, []string{
			"line 2, jurisdiction: US-TX cannot have a row of supply"}},
		{[]string{header, row("tax=supply treatment=seller rate=0 jurisdiction=DE")}, []string{
			"line 2, jurisdiction: DE cannot have a row of supply"}},
		{[]string{header, row("tax=supply treatment=seller rate=0 jurisdiction=MC")}, []string{
			"line 2, jurisdiction: MC cannot have a row of supply"}},
		{[]string{header, row("tax=city")}, []string{`line 2, tax: "city" is not a tax`}},
		{[]string{header, row("categories=saas,books")}, []string{`line 2, categories: "books" is not a category, or is a duplicate`}},
		{[]string{header, row("categories=saas,saas")}, []string{`line 2, categories: "saas" is not a category, or is a duplicate`}},
		{[]string{header, row("categories=*-*")}, []string{`line 2, categories: "*" is not a category, or is a duplicate`}},
		{[]string{header, row("categories=*-digital_goods,saas,software,ebook,online_course,consulting,professional_service")},
			[]string{"line 2, categories: no category is left"}},
		{[]string{header, row("buyer=everybody")}, []string{`line 2, buyer: "everybody" is not a kind of buyer`}},
		{[]string{header, row("treatment=taxed")}, []string{`line 2, treatment: "taxed" is not a treatment of "sales"`}},
		{[]string{header, row("treatment=seller")}, []string{`line 2, treatment: "seller" is not a treatment of "sales"`}},
		{[]string{header, row("treatment=not-collecting rate=0")}, []string{
			`line 2, treatment: "not-collecting" is not a treatment of "sales"`}},
		{[]string{header, row("treatment=reverse-charge rate=0")}, []string{
			`line 2, treatment: "reverse-charge" is not a treatment of "sales"`}},
		{[]string{header, row("jurisdiction=GB tax=supply")}, []string{`line 2, treatment: "standard" is not a treatment of "supply"`}},
		{[]string{header, row("rate=")}, []string{badRate("")}},
		{[]string{header, row("rate=8,25")}, []string{badRate("8,25")}},
		{[]string{header, row("rate=8.25%")}, []string{badRate("8.25%")}},
		{[]string{header, row("rate=-1")}, []string{badRate("-1")}},
		{[]string{header, row("rate=8.2555")}, []string{badRate("8.2555")}},
		{[]string{header, row("rate=65.536")}, []string{badRate("65.536")}},
		{[]string{header, row("rate=0")}, []string{"line 2, rate: 0 % cannot be standard"}},
		{[]string{header, row("rate=8.25 treatment=exempt")}, []string{"line 2, rate: 8.25 % cannot be exempt"}},
		{[]string{header, row("base=0")}, []string{`line 2, base: "0" is not a whole percentage from 1 to 100`}},
		{[]string{header, row("base=101")}, []string{`line 2, base: "101" is not a whole percentage from 1 to 100`}},
		{[]string{header, row("base=0.8")}, []string{`line 2, base: "0.8" is not a whole percentage from 1 to 100`}},
		{[]string{header, row("base=18446744073709551716")}, []string{
			`line 2, base: "18446744073709551716" is not a whole percentage from 1 to 100`}},
		{[]string{header, row("base=33")}, []string{
			"line 2, base: the rate on this share of the price is not a whole number of thousandths of a per cent"}},
		{[]string{header, row("from=2026-02-29")}, []string{`line 2, from: "2026-02-29" is not a date between 2000-01-02 and 2179-06-05`}},
		{[]string{header, row("to=1999-12-31")}, []string{`line 2, to: "1999-12-31" is not a date between 2000-01-02 and 2179-06-05`}},
		{[]string{header, row("to=2179-06-06")}, []string{`line 2, to: "2179-06-06" is not a date between 2000-01-02 and 2179-06-05`}},
		{[]string{header, row("from=2026-01-01 to=2026-01-01")}, []string{"line 2, to: the row ends before it begins"}},
		{[]string{header, row("from=2026-01-02 to=2026-01-01")}, []string{"line 2, to: the row ends before it begins"}},
		{[]string{header, row("confidence=D")}, []string{`line 2, confidence: "D" is not A, B, C or X`}},
		{[]string{header, row("confidence=AB")}, []string{`line 2, confidence: "AB" is not A, B, C or X`}},
		{[]string{header, row("postcode=787*")}, []string{`line 2, postcode: "787*" is not up to ten capitals and digits`}},
		{[]string{header, row("postcode=sw1")}, []string{`line 2, postcode: "sw1" is not up to ten capitals and digits`}},
		{[]string{header, row("postcode=12345678901")}, []string{
			`line 2, postcode: "12345678901" is not up to ten capitals and digits`}},

		// Rows together.
		{[]string{header, row(""), "", row("postcode=788")}, []string{"line 4, id: a is also the id of line 2"}},
		{[]string{header, row("id=b"), row("")}, []string{"line 3: the row overlaps line 2"}},
		{[]string{header, row(""), row("id=b postcode=7-8-7")}, []string{"line 3: the row overlaps line 2"}},
		{[]string{header, row("categories=saas"), row("id=b categories=*-ebook"), row("id=c categories=ebook")}, []string{
			"line 3: the row overlaps line 2"}},
		{[]string{header, row("buyer=business"), row("id=b buyer=unregistered"), row("id=c buyer=consumer postcode=")}, []string{
			"line 3: the row overlaps line 2"}},
		{[]string{header, row("from=2026-01-01"), row("id=b to=2026-01-02")}, []string{
			"line 3: the row overlaps line 2"}},

		// Everything at once.
		{[]string{header, row("tax=city rate=x"), "x", row("id=b from=y")}, []string{
			`line 2, tax: "city" is not a tax`,
			badRate("x"),
			"line 3: 1 cells, but 12 columns",
			`line 4, from: "y" is not a date between 2000-01-02 and 2179-06-05`}},
	} {
		table, wrong := Parse(tsv(c.lines...))
		if got := complaints(wrong); !slices.Equal(got, c.want) {
			t.Errorf("%q:\ngot  %q\nwant %q", c.lines[1:], got, c.want)
		}
		if table != (Table{}) {
			t.Errorf("%q: a refused table is not empty", c.lines)
		}
	}
}

// TestParseSplitsNamesAtTabs checks that two names in one cell are not a column.
func TestParseSplitsNamesAtTabs(t *testing.T) {
	_, wrong := Parse("id\tjurisdiction\ttax\trate\tbase from\na\tUS-TX\tsales\t8.25\t100")
	if got := complaints(wrong); !slices.Equal(got, []string{"line 1, base from: unknown column"}) {
		t.Errorf("%q", got)
	}
}

// TestDisjointRows checks that rows that differ in one condition do not overlap.
func TestDisjointRows(t *testing.T) {
	table, wrong := Parse(tsv("id jurisdiction tax rate postcode categories buyer from to",
		"a US-TX sales 1 787 saas consumer - 2026-01-01",
		"b US-TX sales 2 787 saas consumer 2026-01-01 -",
		"c US-TX sales 3 787 saas business - 2026-01-01",
		"d US-TX sales 4 787 ebook consumer - 2026-01-01",
		"e US-TX sales 5 788 saas consumer - 2026-01-01",
		"f US-TX sales 6 78 saas consumer - 2026-01-01",
		"g US-TX local 7 787 saas consumer - 2026-01-01",
		"h US-OK sales 8 787 saas consumer - 2026-01-01",
	))
	if wrong != nil {
		t.Error(complaints(wrong))
	}
	if len(table.rows) != 8*ownWidth {
		t.Errorf("%d bytes", len(table.rows))
	}
}

// TestPackRefuses checks the ids of built-in rows.
func TestPackRefuses(t *testing.T) {
	for id, want := range map[string]string{
		"us-tx-sales-1":   "",
		"us-tx-sales-255": "",
		"us-tx-sales-256": `"us-tx-sales-256" is not us-tx-sales-1 to us-tx-sales-255`,
		"us-tx-sales-0":   `"us-tx-sales-0" is not us-tx-sales-1 to us-tx-sales-255`,
		"us-tx-sales-01":  `"us-tx-sales-01" is not us-tx-sales-1 to us-tx-sales-255`,
		"us-ny-sales-1":   `"us-ny-sales-1" is not us-tx-sales-1 to us-tx-sales-255`,
		"1":               `"1" is not us-tx-sales-1 to us-tx-sales-255`,
	} {
		rules, wrong := Pack(tsv("id jurisdiction tax rate", id+" US-TX sales 6.25"))
		switch {
		case want == "" && (wrong != nil || len(rules) != rowWidth || Row(rules).id() != id):
			t.Errorf("%s is packed as %q, %v", id, rules, wrong)
		case want != "" && (len(wrong) != 1 || wrong[0].Message != want):
			t.Errorf("%s: %v", id, wrong)
		}
	}
}

// TestFindLongestPrefix compares Find with a scan of all rows, for many tables with few postcodes.
func TestFindLongestPrefix(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(words ...string) string { return words[r.IntN(len(words))] }
	digits := func(n int) (s string) {
		for range r.IntN(n + 1) {
			s += pick("0", "1")
		}
		return s
	}
	replaced := 0
	for range 300 {
		rows := []string{"id jurisdiction tax rate postcode categories buyer from"}
		for i := range 60 {
			rows = append(rows, fmt.Sprintf("%d %s %s %d %s %s %s %s", i,
				pick("US-TX", "US-TX", "US-CO", "DE"), pick("vat", "sales", "local"), i+1, digits(4),
				pick("*", "saas", "*-saas"), pick("any", "consumer", "business"), pick("-", "2026-01-01")))
		}
		table, wrong := Parse(tsv(rows...))
		for wrong != nil { // strike the rows that overlap
			struck := map[int]bool{}
			for _, e := range wrong {
				struck[e.Line] = true
			}
			var left []string
			for i, line := range rows {
				if !struck[i+1] {
					left = append(left, line)
				}
			}
			rows = left
			table, wrong = Parse(tsv(rows...))
		}
		for range 200 {
			p := []Territory{{"US", "TX"}, {"US", "CO"}, {"US", "NY"}, {Country: "DE"}, {Country: "US"}}[r.IntN(5)]
			on := date("2025-12-31") + civil.Date(r.IntN(2))
			q := Query{DigitalGoods + Category(r.IntN(2)), Buyers(1 << r.IntN(3)), on, digits(6)}
			got, want := find(&table, p, &q), scan(&table, p, &q)
			if got != want {
				t.Fatalf("%v at %q: %q, not %q, in\n%s", p, q.Postcode, got, want, strings.Join(rows, "\n"))
			}
			for _, r := range got {
				if r.own() && r.postcode() != "" {
					replaced++
				}
			}
		}
	}
	if replaced < 10_000 {
		t.Errorf("%d answers by postcode are too few for this test", replaced)
	}
}

func find(t *Table, in Territory, q *Query) (found Matches) {
	t.Find(&found, in, q)
	return found
}

// scan answers as Find does, by looking at every row.
func scan(t *Table, in Territory, q *Query) (found Matches) {
	for _, r := range packed() {
		if in.compare(r) == 0 && r.answers(q) {
			found[r.tax()] = r
		}
	}
	for i := range len(t.rows) / ownWidth {
		r := t.row(i)
		if in.compare(r) != 0 || !r.answers(q) || !strings.HasPrefix(q.Postcode, r.postcode()) {
			continue
		}
		if before := found[r.tax()]; !before.own() || len(before.postcode()) < len(r.postcode()) {
			found[r.tax()] = r
		}
	}
	return found
}

func date(s string) civil.Date {
	d, ok := civil.ParseDate(s)
	if !ok {
		panic(s)
	}
	return d
}

// FuzzParse checks that a refused table is empty and that every row of an accepted one answers a query.
func FuzzParse(f *testing.F) {
	const header = "id jurisdiction tax rate postcode categories buyer treatment base from to confidence"
	for _, text := range []string{
		"", "\n\n", "\ufeffid", tsv(header),
		tsv(header, "a US-TX sales 8.25 787 * any standard 80 - - A",
			"b US-TX sales 8 78701 *-saas consumer reduced 100 2026-01-01 2027-01-01 X"),
		tsv(header, "a EU Supply 0  saas registered reverse-charge 100 - - A", "b IC vat 7 35 * any standard 100 - 2020-01-01 B"),
		tsv(header, "a PT-20 local 1 9500 ebook,saas business standard 100 - - "),
		"rate\ttax\tjurisdiction\tid\r\n0.001\tvat\tBO\t~\r\n",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		table, wrong := Parse(text)
		if wrong != nil && table != (Table{}) {
			t.Fatalf("%v, but the table has %d bytes", wrong, len(table.rows))
		}
		for _, e := range wrong {
			if e.Line < 1 || e.Message == "" || !strings.HasPrefix(e.Error(), "line ") {
				t.Fatalf("%#v", e)
			}
		}
		for i := range len(table.rows) / ownWidth {
			checkAnswers(t, &table, table.row(i))
		}
	})
}

// checkAnswers queries the table with r's own postcode, which only r answers.
func checkAnswers(t *testing.T, table *Table, r Row) {
	t.Helper()
	whole, part, _ := strings.Cut(r.Jurisdiction(), "-")
	q := Query{Buyer: r.buyers() & -r.buyers(), On: r.from(), Postcode: r.postcode()}
	for q.Category = DigitalGoods; r[7]>>(q.Category-1)&1 == 0; q.Category++ {
	}
	if got := find(table, Territory{whole, part}, &q)[r.tax()]; got != r {
		t.Fatalf("%q for %q, want %q", got, q.Postcode, r)
	}
	if id := table.id(r); !strings.HasPrefix(id, "override:") || len(id) == len("override:") {
		t.Fatalf("invalid id %q", id)
	}
}
