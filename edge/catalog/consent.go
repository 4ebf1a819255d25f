package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/problem"
)

// MaxConsents is how many consents a store can ask for. The style sheet of the form shows and hides as many.
const MaxConsents = 5

// The longest text of a consent, in characters, and the most countries.
const (
	maxConsent   = 500
	maxCountries = 250
)

// ConsentInput is a consent that a store is to ask for, as given; see [checkout.ConsentText].
type ConsentInput struct {
	Text      string
	Countries []string
	Always    bool
}

func (c *StoreChange) applyConsents(s *Store) *problem.Problem {
	if !c.Consents.Given {
		return nil
	}
	if len(c.Consents.Value) > MaxConsents {
		return tooMany("/consents", MaxConsents, "entries")
	}
	var list []checkout.ConsentText
	for i := range c.Consents.Value {
		path := "/consents/" + strconv.Itoa(i)
		asked, refused := c.Consents.Value[i].check(path)
		if refused != nil {
			return refused
		}
		if slices.ContainsFunc(list, func(t checkout.ConsentText) bool { return t.Version == asked.Version }) {
			return invalid(path+"/text", "each text once")
		}
		list = append(list, asked)
	}
	s.Consents = list
	return nil
}

func (in *ConsentInput) check(path string) (asked checkout.ConsentText, refused *problem.Problem) {
	if refused := text(Set(in.Text), &asked.Text, path+"/text", maxConsent, false); refused != nil {
		return asked, refused
	}
	if asked.Text == "" {
		return asked, missing(path + "/text")
	}
	if len(in.Countries) > maxCountries {
		return asked, tooMany(path+"/countries", maxCountries, "entries")
	}
	for i, c := range in.Countries {
		c = strings.ToUpper(strings.TrimSpace(c))
		if _, known := country.Parse(c); !known && c != "EU" {
			return asked, invalid(path+"/countries/"+strconv.Itoa(i), `"EU" or ISO 3166-1 alpha-2`)
		}
		asked.Countries = append(asked.Countries, c)
	}
	asked.Countries = slices.Compact(slices.Sorted(slices.Values(asked.Countries)))
	asked.Always, asked.Version = in.Always, textVersion(asked.Text)
	return asked, nil
}

// textVersion identifies a text by 64 bits of its hash.
func textVersion(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}
