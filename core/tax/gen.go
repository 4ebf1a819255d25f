//go:build ignore

// Gen packs the rows of data/*.tsv into the table that the package searches. It refuses a row that is not well formed or
// says nothing about its source; whether the rows together leave gaps or overlap is the package's test. Run it with go
// generate, with -o to write elsewhere.
//
// A row of a rules file is one fact, and exactly one must answer each question about a jurisdiction's tax:
//
//	id            jurisdiction, tax and a number, "us-tx-sales-3"; it is stored with orders, so it is never used again
//	jurisdiction  "DE", "US-TX"; "EU" for what all member states share
//	tax           one of taxes; supply rows say where a supply is taxed and who owes the tax
//	categories    "*", "saas,ebook", or "*-saas,ebook" for all but these
//	buyer         consumer, business, or any; registered for a business with a tax number that holds in another country
//	              than the seller's, unregistered for everybody else
//	treatment     one of treatments
//	rate, base    percentages: the rate, and how much of the price is taxable
//	from, to      the first day, and the first on which it holds no more; "-" is open
//	source        where the fact can be read
//	source_date   the day of the source, or the day on which it was read
//	confidence    A official text, B sources agree, C one source, X sources conflict
//	note          the law, and what the row decides where the sources leave it open
//
// A row of places.tsv moves addresses of a country, or those whose postcode begins so, to another jurisdiction.
package main

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"flag"
	"fmt"
	"go/format"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/crepe-checkout/crepe/core/money"
)

// asOf is the day up to which the sources have been followed.
const asOf = "2026-11-23"

// The words of the columns; their places are what is packed.
var (
	taxes      = []string{"supply", "vat", "gst", "hst", "jct", "pst", "qst", "rst", "sales"}
	categories = []string{"digital_goods", "saas", "software", "ebook", "online_course", "consulting", "professional_service"}
	treatments = []string{"unsupported", "standard", "reduced", "zero-rated", "exempt", "out-of-scope", "reverse-charge",
		"not-collecting", "customer", "seller"}
	buyers      = map[string]int{"any": 7, "consumer": 1, "business": 6, "unregistered": 3, "registered": 4}
	confidences = []string{"A", "B", "C", "X"}
)

// The columns of the two kinds of files, in this order.
const (
	ruleColumns = "id\tjurisdiction\ttax\tcategories\tbuyer\ttreatment\trate\tbase\tfrom\tto\tsource\tsource_date\t" +
		"confidence\tnote"
	placeColumns = "country\tpostcode\tjurisdiction\tsource\tsource_date\tconfidence\tnote"
)

func main() {
	log.SetFlags(0)
	out := flag.String("o", "table_gen.go", "the file to write")
	flag.Parse()
	files, err := filepath.Glob("data/*.tsv")
	check(err)
	var rules, places []record
	for _, file := range files {
		if filepath.Base(file) == "places.tsv" {
			places = read(file, placeColumns, packPlace)
		} else {
			rules = append(rules, read(file, ruleColumns, packRule)...)
		}
	}
	slices.SortFunc(rules, func(a, b record) int { return cmp.Compare(a.order, b.order) })
	slices.SortStableFunc(places, func(a, b record) int {
		return cmp.Or(cmp.Compare(a.packed[:2], b.packed[:2]), cmp.Compare(b.packed[2:7], a.packed[2:7]))
	})
	for i := range rules[1:] {
		if rules[i].order == rules[i+1].order {
			log.Fatalf("two rows are called %s", rules[i].id)
		}
	}
	write(*out, rules, places)
}

// record is a row packed, with the name that its line gets and its place among the others.
type record struct{ packed, id, order string }

// row is a line of a file, its cells by column.
type row struct {
	at    string // file and line, for complaints
	cells map[string]string
}

func read(file, columns string, pack func(row) record) (records []record) {
	text, err := os.Open(file)
	check(err)
	defer text.Close()
	lines := bufio.NewScanner(text)
	names := strings.Split(columns, "\t")
	for number := 1; lines.Scan(); number++ {
		r := row{at: fmt.Sprintf("%s:%d", file, number), cells: map[string]string{}}
		cells := strings.Split(lines.Text(), "\t")
		if len(cells) != len(names) {
			r.fatal("%d columns, not %d", len(cells), len(names))
		}
		if number == 1 {
			if lines.Text() != columns {
				r.fatal("the columns are not %q", columns)
			}
			continue
		}
		for i, name := range names {
			r.cells[name] = cells[i]
		}
		r.checkSource()
		records = append(records, pack(r))
	}
	check(lines.Err())
	return records
}

func (r row) fatal(format string, args ...any) {
	log.Fatalf(r.at+": "+format, args...)
}

func (r row) checkSource() {
	if !strings.HasPrefix(r.cells["source"], "https://") {
		r.fatal("no source")
	}
	if _, err := time.Parse(time.DateOnly, r.cells["source_date"]); err != nil || r.cells["source_date"] > asOf {
		r.fatal("no date of the source, or one after %s", asOf)
	}
}

// packRule follows the layout that table.go draws.
func packRule(r row) record {
	jurisdiction, tax, ordinal := r.cells["jurisdiction"], r.cells["tax"], r.ordinal()
	packed := []byte(fmt.Sprintf("%-5s", jurisdiction))
	packed = append(packed,
		byte(r.word("tax", taxes)|r.word("confidence", confidences)<<6),
		byte(ordinal),
		r.categories(),
		byte(r.buyers()|r.treatment()<<3),
	)
	rate, base := r.rate()
	packed = append(packed, byte(base))
	packed = binary.BigEndian.AppendUint16(packed, rate)
	packed = binary.BigEndian.AppendUint16(packed, r.day("from", 0))
	packed = binary.BigEndian.AppendUint16(packed, r.day("to", 0xffff))
	return record{
		packed: string(packed),
		id:     r.cells["id"],
		order:  fmt.Sprintf("%-5s%02d%03d", jurisdiction, slices.Index(taxes, tax), ordinal),
	}
}

// word is the place of a cell among the words of its column.
func (r row) word(column string, words []string) int {
	i := slices.Index(words, r.cells[column])
	if i < 0 {
		r.fatal("%s is %q, none of %q", column, r.cells[column], words)
	}
	return i
}

// ordinal is the number in the id, whose rest must be the jurisdiction and the tax.
func (r row) ordinal() int {
	prefix := strings.ToLower(r.cells["jurisdiction"]) + "-" + r.cells["tax"] + "-"
	n, err := strconv.Atoi(strings.TrimPrefix(r.cells["id"], prefix))
	if err != nil || n < 1 || n > 255 || r.cells["id"] != prefix+strconv.Itoa(n) {
		r.fatal("the id is not %s1 to %[1]s255", prefix)
	}
	return n
}

// categories reads "*", "saas,ebook" and "*-saas,ebook", all but these.
func (r row) categories() (mask byte) {
	list, except := strings.CutPrefix(r.cells["categories"], "*-")
	if list == "*" {
		return 1<<len(categories) - 1
	}
	for name := range strings.SplitSeq(list, ",") {
		i := slices.Index(categories, name)
		if i < 0 || mask>>i&1 == 1 {
			r.fatal("%q is no category, or there twice", name)
		}
		mask |= 1 << i
	}
	if except {
		mask ^= 1<<len(categories) - 1
	}
	return mask
}

func (r row) buyers() int {
	mask, ok := buyers[r.cells["buyer"]]
	if !ok {
		r.fatal("%q is no kind of buyer", r.cells["buyer"])
	}
	return mask
}

// treatment must suit the tax: where a supply is taxed is one thing, how it is taxed another.
func (r row) treatment() int {
	t := r.word("treatment", treatments)
	place := t == slices.Index(treatments, "reverse-charge") || t >= slices.Index(treatments, "customer")
	if place != (r.cells["tax"] == "supply") || r.cells["treatment"] == "not-collecting" {
		r.fatal("%s is no treatment of %s", r.cells["treatment"], r.cells["tax"])
	}
	return t
}

// rate is above nothing for what is taxed and nothing for all else. Its share of the base must be a whole number of 1e-5,
// so that an amount is rounded once.
func (r row) rate() (rate uint16, base int) {
	parsed, ok := money.ParseRate(r.cells["rate"])
	taxed := r.cells["treatment"] == "standard" || r.cells["treatment"] == "reduced"
	if !ok || parsed > 0xffff || taxed != (parsed > 0) {
		r.fatal("a rate of %s %% cannot be %s", r.cells["rate"], r.cells["treatment"])
	}
	base, err := strconv.Atoi(r.cells["base"])
	if err != nil || base < 1 || base > 100 || int(parsed)*base%100 != 0 {
		r.fatal("the base %s %% is out of range, or the rate on it not a whole number of 1e-5", r.cells["base"])
	}
	return uint16(parsed), base
}

// day counts from 2000-01-01; "-" is open.
func (r row) day(column string, open uint16) uint16 {
	if r.cells[column] == "-" {
		return open
	}
	t, err := time.Parse(time.DateOnly, r.cells[column])
	days := int(t.Sub(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)).Hours() / 24)
	if err != nil || days < 1 || days >= 0xffff {
		r.fatal("%s is no date within reach", column)
	}
	return uint16(days)
}

func packPlace(r row) record {
	country, postcode, jurisdiction := r.cells["country"], r.cells["postcode"], r.cells["jurisdiction"]
	if postcode == "-" {
		postcode = ""
	}
	if len(country) != 2 || len(postcode) > 5 || len(jurisdiction) != 2 && len(jurisdiction) != 5 {
		r.fatal("a place does not fit")
	}
	r.word("confidence", confidences)
	return record{packed: fmt.Sprintf("%s%-5s%-5s", country, postcode, jurisdiction)}
}

func write(file string, rules, places []record) {
	hash := sha256.New()
	for _, r := range slices.Concat(rules, places) {
		hash.Write([]byte(r.packed))
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "// Code generated by gen.go; DO NOT EDIT.\n\npackage tax\n\n")
	fmt.Fprintf(&out, "// DataVersion names the table: the day up to which its sources have been followed, and a hash of it.\n")
	fmt.Fprintf(&out, "const DataVersion = \"%s-%x\"\n\n", asOf, hash.Sum(nil)[:4])
	fmt.Fprintf(&out, "const rules = \"\"")
	for _, r := range rules {
		fmt.Fprintf(&out, " +\n\t\"%s\"", escape(r.packed))
	}
	fmt.Fprintf(&out, "\n\nconst exceptions = \"\"")
	for _, p := range places {
		fmt.Fprintf(&out, " +\n\t%q", p.packed)
	}
	fmt.Fprintln(&out)
	source, err := format.Source(out.Bytes())
	check(err)
	check(os.WriteFile(file, source, 0o644))
}

// escape writes bytes as a Go string; strconv would read them as UTF-8.
func escape(packed string) string {
	var out strings.Builder
	for _, c := range []byte(packed) {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			fmt.Fprintf(&out, `\x%02x`, c)
		} else {
			out.WriteByte(c)
		}
	}
	return out.String()
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
