// Package rulebook explains the built-in rows of the tax table: [Find] returns a [Rule] as it is written in the data files,
// with the law behind it, its source and the confidence in it. An assessment names its rules by their ids. Retired rules
// can be found too, so that any stored order can be explained.
//
// The package embeds the data files and is for native programs. The WebAssembly module returns the ids only.
package rulebook

import (
	"slices"
	"strings"
	"sync"

	"github.com/crepe-checkout/crepe/core/tax/data"
)

// Rule is a row of core/tax/data, cell by cell. The comment of table.Parse documents the columns.
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
	To           string // first day on which it no longer holds; "-" is open
	Source       string // URL
	SourceDate   string // the day of the source, or the day on which it was read
	Confidence   string // "A" official text, "B" sources agree, "C" one source, "X" sources conflict
	Note         string // the law, and what the row decides where the sources leave it open
}

// Find looks up a built-in rule by its id. It does not know an operator's own rows, whose ids start with "override:".
func Find(id string) (Rule, bool) {
	r, ok := read().byID[id]
	return r, ok
}

// files have the rules that decide. Retired rules only explain old orders.
var files = []string{"eu.tsv", "territories.tsv", "world.tsv", "ca.tsv", "us.tsv"}

const retired = "retired.tsv"

type book struct {
	byFile map[string][]Rule
	byID   map[string]Rule
}

// read parses the files once. The generator of package table has checked their form.
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

// rows returns the cells of a file without its header.
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
