package page

import (
	"strings"

	"github.com/crepe-checkout/crepe/edge/locale"
)

// texts is the page's locale. A message key is a problem code or names an element of the page; a key with a country suffix,
// "postcode.US", overrides it for that country. Placeholders are in braces.
type texts struct{ *locale.Locale }

// textPart is a piece of a message: text, or the name of a placeholder for markup.
type textPart struct{ Text, Slot string }

// Parts splits the message for a key at its placeholders.
func (t texts) Parts(key string) []textPart {
	var list []textPart
	for rest := t.Text(key); rest != ""; {
		text, slot, found := strings.Cut(rest, "{")
		rest = ""
		list = append(list, textPart{Text: text})
		if found {
			slot, rest, _ = strings.Cut(slot, "}")
			list = append(list, textPart{Slot: slot})
		}
	}
	return list
}

// scripted are the keys of the messages that the script needs. A name stands also for every key with a dot after it.
var scripted = []string{
	"buyer-email-required", "buyer-email-invalid", "country-required", "country-invalid", "state-required", "state-invalid",
	"postcode-invalid", "business-name-required", "consent-required", "business-name-invalid", "tax-id-required", "tax-id-invalid",
	"fields", "failed", "queue", "offline", "authentication-failed", "session-wrong-store", "broken", "error",
	"state", "postcode", "tax-id", "vat-id", "continue", "again", "suggest", "expires", "tax", "total", "check-total",
	"unsupported", "zero-rated", "exempt", "out-of-scope", "reverse-charge", "not-collecting",
}
