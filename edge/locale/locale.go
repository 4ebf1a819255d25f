// Package locale knows the languages of the hosted page: what it says in each, how amounts, percentages and dates are
// written there, and what countries and states are called and in which order they are listed.
//
// A [Locale] is one language, [Find] looks one up by its BCP 47 tag. What the page says lies in messages/, one file for each
// language, for translators to edit; web/README.md tells how. How a language writes numbers, dates and names is
// Unicode CLDR's, in cldr.json, written by gen.mjs. A regional language names a base and has of its own only what differs.
//
// A [Notation] is all there is to writing an amount. The page hands it to its script instead of leaving the work to Intl:
// browsers come with different editions of CLDR, and a total must not change its look when the script takes over.
package locale

import (
	"cmp"
	"embed"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/crepe-checkout/crepe/core/country"
)

//go:generate node gen.mjs

// Locale is a language of the page. It is shared: nobody may write to it.
type Locale struct {
	Tag       string // BCP 47, "zh-Hant-HK"
	Name      string // in the language itself, "繁體中文（香港）"
	Direction string // "ltr" or "rtl"

	texts  map[string]string
	states map[country.Code][]State
	facts  facts
}

// English is the language of those whom nobody knows any better.
func English() *Locale { return loaded().byTag["en"] }

// All are the languages, sorted by their own names: scripts of the West before those of the East.
func All() []*Locale { return loaded().all }

// Find is the language for a tag in any case: itself, or the one that it falls back to by the lookup of RFC 4647 §3.4,
// "de-CH" to "de"; nil if there is none. Who writes zh-TW or es-AR is understood.
func Find(tag string) *Locale {
	const longest = 35 // bytes of a tag, RFC 5646 §4.4.1; ours are shorter
	if len(tag) > longest {
		tag = parent(tag[:longest+1])
	}
	for tag = strings.ToLower(tag); tag != ""; tag = parent(tag) {
		if l := loaded().byTag[tag]; l != nil {
			return l
		}
	}
	return nil
}

func parent(tag string) string {
	return tag[:max(strings.LastIndexByte(tag, '-'), 0)]
}

// catalogue is a file of messages/.
type catalogue struct {
	Name      string            `json:"name"`
	Base      string            `json:"base"`      // the language that this one differs from, empty for none
	Also      string            `json:"also"`      // further tags that this language is for
	Direction string            `json:"direction"` // empty for "ltr"
	Texts     map[string]string `json:"texts"`
	States    map[string]string `json:"states"` // all of them by code of ISO 3166-2, "US-CA"; empty for English names
}

// facts are a language's entry in cldr.json.
type facts struct {
	Decimal    string            `json:"decimal"`
	Group      string            `json:"group"`
	Least      int               `json:"least"` // digits before the first separator of groups
	Money      [2]string         `json:"money"` // what stands before and after the digits, ¤ for the symbol
	Percent    [2]string         `json:"percent"`
	Date       string            `json:"date"` // pattern of UTS #35
	Months     []string          `json:"months"`
	YearsAhead int               `json:"yearsAhead"` // of the common era
	Symbols    map[string]string `json:"symbols"`    // by currency; of all others it is the code
	Names      map[string]string `json:"names"`      // by country
	Order      string            `json:"order"`      // of the countries
	States     string            `json:"states"`     // their order, where they have own names
}

//go:embed messages
var catalogues embed.FS

//go:embed cldr.json
var cldr []byte

type set struct {
	all   []*Locale
	byTag map[string]*Locale // tags in lower case
}

// loaded reads the files when a page is first shown: the other commands do without.
var loaded = sync.OnceValue(load)

func load() set {
	s := set{byTag: map[string]*Locale{}}
	files, sources := readCatalogues(), readFacts()
	for tag, file := range files {
		l := files.locale(tag, sources)
		s.all = append(s.all, l)
		for _, name := range append(strings.Fields(file.Also), tag) {
			s.byTag[strings.ToLower(name)] = l
		}
	}
	slices.SortFunc(s.all, func(a, b *Locale) int { return cmp.Compare(a.Name, b.Name) })
	return s
}

type bundle map[string]*catalogue

// locale puts a language together. What it lacks is its base's, and a text that even that lacks is English.
func (b bundle) locale(tag string, sources map[string]json.RawMessage) *Locale {
	file := b[tag]
	l := &Locale{texts: map[string]string{}, Direction: "ltr"}
	switch {
	case file.Base != "":
		l = b.locale(file.Base, sources)
	case tag == "en":
		l.states = englishStates()
	default:
		english := b.locale("en", sources)
		l.texts, l.states = english.texts, english.states
	}
	l.Tag, l.Name, l.Direction = tag, file.Name, cmp.Or(file.Direction, l.Direction)
	maps.Copy(l.texts, file.Texts)
	must(json.Unmarshal(sources[tag], &l.facts)) // what it does not have stays the base's
	if file.States != nil {
		l.states = ownStates(file.States, l.facts.States)
	}
	return l
}

func readCatalogues() bundle {
	files := bundle{}
	entries, err := catalogues.ReadDir("messages")
	must(err)
	for _, entry := range entries {
		text, err := catalogues.ReadFile("messages/" + entry.Name())
		must(err)
		file := new(catalogue)
		must(json.Unmarshal(text, file))
		files[strings.TrimSuffix(entry.Name(), ".json")] = file
	}
	return files
}

func readFacts() map[string]json.RawMessage {
	var file struct{ Locales map[string]json.RawMessage }
	must(json.Unmarshal(cldr, &file))
	return file.Locales
}

// must panics: the binary was built from a broken tree.
func must(err error) {
	if err != nil {
		panic("locale: " + err.Error())
	}
}
