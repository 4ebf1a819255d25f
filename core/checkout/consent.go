package checkout

import (
	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/problem"
)

// ConsentText is a sentence that a store asks buyers to agree to before they order, such as that the download of digital goods
// begins before the right of withdrawal ends (Directive 2011/83/EU, Art. 16(m)).
type ConsentText struct {
	Version   string   // identifies the text: a hash of it
	Text      string   // without markup
	Countries []string // the billing countries where it is asked, ISO 3166-1 alpha-2 or "EU"; nil for all
	Always    bool     // required of every request, also of one that mentions no consents
}

// Applies reports whether the sentence is asked for in a billing country.
func (t *ConsentText) Applies(where country.Code) bool {
	for _, c := range t.Countries {
		if c == string(where) || c == "EU" && where.InEU() {
			return true
		}
	}
	return t.Countries == nil
}

// Consent is a sentence that a buyer has agreed to. It never changes: the text is that of the instant.
type Consent struct {
	Version string
	Text    string
	At      int64 // Unix milliseconds
}

// Consents are what a request says about the sentences of its store.
type Consents struct {
	Asked  []ConsentText // of the store
	Agreed []string      // the versions that the buyer has agreed to
	Stated bool          // the request mentions consents; the published one has no member for them
}

// In returns the consents of an order from a billing country, or a refusal for each that is missing. The published request cannot
// state a consent, so one that does not mention consents needs only those that are always required.
func (c *Consents) In(where country.Code, now int64) (given []Consent, missing problem.List) {
	for i := range c.Asked {
		t := &c.Asked[i]
		switch {
		case !t.Applies(where):
		case c.hasAgreed(t.Version):
			given = append(given, Consent{t.Version, t.Text, now})
		case c.Stated || t.Always:
			missing = append(missing, problem.New(problem.Invalid, "consent-required", "/consents",
				"Consent required: ask the buyer, then add \""+t.Version+"\" to consents"))
		}
	}
	return given, missing
}

func (c *Consents) hasAgreed(version string) bool {
	for _, v := range c.Agreed {
		if v == version {
			return true
		}
	}
	return false
}
