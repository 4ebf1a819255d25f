// Package rulebook explains what package tax decides: it holds each rule as it is written, with the law behind it, its
// source and how far that is trusted ([Rule]). An assessment names its rules by their ids, and [Find] looks them up, also
// those that have since turned out to be wrong, so that the oldest order can be explained.
//
// It is the one package below core that is not pure, with the data that it embeds: it is for the server and the command
// line. The WebAssembly module names the rules and leaves the explaining to them.
package rulebook

import (
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/crepe-checkout/crepe/core/tax/data"
)

// Rule is a row of core/tax/data, cell by cell; [table.Parse] says what the words of a column mean.
type Rule struct {
	ID           string // "us-tx-sales-3"
	Jurisdiction string // "DE", "US-TX"; "EU" for what all member states share
	Tax          string // "vat"; "supply" for a rule about where a supply is taxed and who owes the tax
	Categories   string // "*", "saas,ebook", or "*-saas,ebook" for all but these
	Buyer        string // "any", "consumer", "business", "registered" or "unregistered"
	Treatment    string // "standard", "exempt", "reverse-charge", …
	Rate         string // per cent, "9.975"
	Base         string // per cent of the price that is taxable, nearly always "100"
	From         string // first day, "2026-01-01"; "-" is open
	To           string // first day on which it holds no more; "-" is open
	Source       string // URL
	SourceDate   string // the day of the source, or the day on which it was read
	Confidence   string // "A" official text, "B" sources agree, "C" one source, "X" sources conflict
	Note         string // the law, and what the row decides where the sources leave it open
}

// Find looks a built-in rule up by its id. An operator's own rows, "override:…", are in the operator's own file.
func Find(id string) (Rule, bool) {
	r, ok := read().byID[id]
	return r, ok
}

// All yields the rules that decide today, ordered by file and line.
func All() iter.Seq[Rule] {
	return func(yield func(Rule) bool) {
		for _, f := range files {
			for _, r := range read().byFile[f] {
				if !yield(r) {
					return
				}
			}
		}
	}
}

// files are those whose rules decide; a retired rule only explains.
var files = []string{"eu.tsv", "territories.tsv", "world.tsv", "ca.tsv", "us.tsv"}

const retired = "retired.tsv"

type book struct {
	byFile map[string][]Rule
	byID   map[string]Rule
}

// read reads the files once. The generator and the tests of package tax have checked their form.
var read = sync.OnceValue(func() book {
	b := book{map[string][]Rule{}, map[string]Rule{}}
	for _, f := range append(slices.Clip(files), retired) {
		for _, c := range rows(f) {
			r := Rule{c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9], c[10], c[11], c[12], c[13]}
			b.byFile[f] = append(b.byFile[f], r)
			b.byID[r.ID] = r
		}
	}
	return b
})

// rows are the cells of a file below its header.
func rows(file string) (rows [][]string) {
	text, err := data.Files.ReadFile(file)
	if err != nil {
		panic(err) // embedded, and named above
	}
	_, body, _ := strings.Cut(string(text), "\n")
	for line := range strings.Lines(body) {
		rows = append(rows, strings.Split(strings.TrimSuffix(line, "\n"), "\t"))
	}
	return rows
}
