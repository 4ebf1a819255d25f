// Package locale localizes the hosted page: messages, formats of amounts, percentages and dates, and the names and order of
// countries and states.
//
// A [Locale] is one language; [Find] looks it up by its BCP 47 tag. The message catalogs are in messages/, one file per locale;
// web/README.md tells translators how to edit them. gen.mjs writes cldr.json, the data from Unicode CLDR. A regional locale names
// a base and contains only what differs from it.
//
// A [Notation] describes how to format decimals. The page passes it to its script, which does not use Intl: browsers have
// different versions of CLDR, and a total must not change its format when the script updates it.
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

// Locale is a language of the page. It is shared and read-only.
type Locale struct {
	Tag       string // BCP 47, "zh-Hant-HK"
	Name      string // in the language itself, "繁體中文（香港）"
	Direction string // "ltr" or "rtl"

	texts  map[string]string
	states map[country.Code][]State
	facts  facts
}

// English returns the default locale.
func English() *Locale { return loaded().byTag["en"] }

// All returns the locales, sorted by Name in code point order. The slice is shared and read-only.
func All() []*Locale { return loaded().all }

// Find returns the locale for a BCP 47 tag in any case, or nil. It falls back as the lookup of RFC 4647 §3.4 does, from "de-CH"
// to "de", and knows common aliases such as "zh-TW".
func Find(tag string) *Locale {
	const longest = 35 // bytes; RFC 5646 §4.4.1. The tags here are shorter
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

// catalog is a file of messages/.
type catalog struct {
	Name      string            `json:"name"`
	Base      string            `json:"base"`      // tag of the base locale, "" for none
	Also      string            `json:"also"`      // aliases, separated by spaces
	Direction string            `json:"direction"` // "" for "ltr"
	Texts     map[string]string `json:"texts"`
	States    map[string]string `json:"states"` // names of all states by ISO 3166-2 code, "US-CA"; nil for English names
}

// facts is a locale's entry in cldr.json.
type facts struct {
	Decimal    string            `json:"decimal"`
	Group      string            `json:"group"`
	Least      int               `json:"least"`   // digits before the first group separator
	Money      [2]string         `json:"money"`   // prefix and suffix, with ¤ for the symbol
	Percent    [2]string         `json:"percent"` // prefix and suffix
	Date       string            `json:"date"`    // pattern of UTS #35
	Months     []string          `json:"months"`
	YearsAhead int               `json:"yearsAhead"` // offset of the calendar year
	Symbols    map[string]string `json:"symbols"`    // by currency; missing ones use the code
	Names      map[string]string `json:"names"`      // by country
	Order      string            `json:"order"`      // country codes in display order
	States     string            `json:"states"`     // state codes in display order, if the catalog names them
}

//go:embed messages
var messages embed.FS

//go:embed cldr.json
var cldr []byte

type set struct {
	all   []*Locale
	byTag map[string]*Locale // by lower-case tag
}

// loaded parses the files on first use, because most commands do not need them.
var loaded = sync.OnceValue(load)

func load() set {
	s := set{byTag: map[string]*Locale{}}
	files, sources := readCatalogs(), readFacts()
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

type bundle map[string]*catalog

// locale builds a locale. What it lacks comes from its base, and messages that the base lacks from English.
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
	must(json.Unmarshal(sources[tag], &l.facts)) // fields that it lacks keep the base's values
	if file.States != nil {
		l.states = ownStates(file.States, l.facts.States)
	}
	return l
}

func readCatalogs() bundle {
	files := bundle{}
	entries, err := messages.ReadDir("messages")
	must(err)
	for _, entry := range entries {
		text, err := messages.ReadFile("messages/" + entry.Name())
		must(err)
		file := new(catalog)
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

// must panics on an error, which means that the embedded files are broken.
func must(err error) {
	if err != nil {
		panic("locale: " + err.Error())
	}
}
