package page

import (
	"strings"

	"github.com/crepe-checkout/crepe/edge/locale"
)

// texts is the language that a page speaks. What it says lies in edge/locale/messages: a key is the code of a problem, or
// names a place on a page; with a dot and a country behind it, it is what buyers there read instead. Slots stand in braces.
type texts struct{ *locale.Locale }

// part is a piece of a sentence: some text, or the name of a slot for something that is more than text.
type part struct{ Text, Slot string }

// Parts takes the sentence for a key apart at its slots.
func (t texts) Parts(key string) []part {
	var list []part
	for rest := t.Text(key); rest != ""; {
		text, slot, found := strings.Cut(rest, "{")
		rest = ""
		list = append(list, part{Text: text})
		if found {
			slot, rest, _ = strings.Cut(slot, "}")
			list = append(list, part{Slot: slot})
		}
	}
	return list
}

// scripted names what the page's script says by itself, with all that has a dot behind these names. It gets the same
// sentences.
var scripted = []string{
	"buyer-email-required", "buyer-email-invalid", "country-required", "country-invalid", "state-required", "state-invalid",
	"postcode-invalid", "business-name-required", "business-name-invalid", "tax-id-required", "tax-id-invalid",
	"fields", "failed", "offline", "authentication-failed", "session-wrong-store", "broken", "error",
	"state", "postcode", "tax-id", "continue", "again", "suggest", "expires", "tax", "total",
	"unsupported", "zero-rated", "exempt", "out-of-scope", "reverse-charge", "not-collecting",
}
