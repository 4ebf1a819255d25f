package page

import "strings"

// texts is every sentence that a buyer reads, in one language. A key is the code of a problem, or names a place on a page;
// with a dot and a country behind it, it is what buyers there read instead. Slots stand in braces.
type texts map[string]string

// english is the first language.
var english = texts{
	// Problems of one field.
	"buyer-email-required":   "Enter your email",
	"buyer-email-invalid":    "Enter an email like name@example.com",
	"country-required":       "Select your country or region",
	"country-invalid":        "Select your country or region",
	"state-required":         "Select your state",
	"state-required.CA":      "Select your province or territory",
	"state-invalid":          "Select your state",
	"state-invalid.CA":       "Select your province or territory",
	"postcode-invalid":       "Check the postal code",
	"postcode-invalid.US":    "Enter a 5-digit ZIP code",
	"postcode-invalid.CA":    "Enter a postal code like K1A 0B1",
	"postcode-invalid.GB":    "Enter a postcode like SW1A 1AA",
	"business-name-required": "Enter your business name",
	"business-name-invalid":  "Shorten the business name, and use only letters, digits and punctuation",
	"tax-id-required":        "Enter your VAT ID, or untick the business box",
	"tax-id-invalid":         "Check the VAT ID: it is not one of the country you chose",

	// Problems of the whole checkout.
	"fields.one":            "Check one detail to continue",
	"fields.many":           "Check {n} details to continue",
	"failed":                "The payment page isn’t responding",
	"failed.text":           "You haven’t been charged. Try again.",
	"offline":               "There’s no connection",
	"offline.text":          "You haven’t been charged. Try again when you’re back online.",
	"authentication-failed": "Your session ended. Return to {merchant} to start again.",
	"session-wrong-store":   "This checkout link belongs to another store.",
	"broken":                "Something is wrong with this checkout link. Contact {merchant}.",

	// The form.
	"checkout":       "Checkout",
	"error":          "Error: {title}",
	"test":           "Test",
	"form":           "Billing details",
	"form.text":      "Used for your tax, invoice and receipt.",
	"optional":       "Optional",
	"email":          "Email",
	"country":        "Country or region",
	"country.select": "Select a country or region",
	"state":          "State or province",
	"state.US":       "State",
	"state.CA":       "Province or territory",
	"state.select":   "Select",
	"postcode":       "Postal code",
	"postcode.US":    "ZIP code",
	"postcode.GB":    "Postcode",
	"business":       "I’m buying for a business",
	"business.text":  "Adds your business name and tax ID to the invoice.",
	"business-name":  "Business name",
	"tax-id":         "VAT ID",
	"tax-id.checked": "Format and check digits match",
	"continue":       "Continue to payment",
	"continue.busy":  "Opening the payment page…",
	"again":          "Try again",
	"next": "Next, choose how to pay on the payment provider’s secure page. " +
		"You aren’t charged until you confirm there.",
	"sold-by":     "Sold by {merchant}.",
	"checkout-by": "Checkout by",

	// The summary.
	"summary":        "Order summary",
	"subtotal":       "Subtotal",
	"tax":            "Tax",
	"tax.pending":    "Calculated from your address",
	"tax.share":      "{rate}% · {place}",
	"tax.share-of":   "{rate}% of {base}% of the price · {place}",
	"total.before":   "Total before tax",
	"total.due":      "Total due today",
	"total.paid":     "Paid",
	"total":          "Total",
	"total.includes": "{total}, including {tax} tax",

	// What the tax is when there is none, by reason.
	"unsupported":         "No tax is added for your country",
	"zero-rated":          "Zero-rated",
	"exempt":              "Exempt",
	"out-of-scope":        "No tax is due",
	"reverse-charge":      "Reverse charge",
	"reverse-charge.note": "Your business accounts for the tax. The invoice will carry the reverse-charge note.",
	"not-collecting":      "No tax is added here",

	// The other pages.
	"expired":         "This checkout has expired",
	"expired.text":    "You haven’t been charged. Return to {merchant} to start again with the current price.",
	"unknown":         "This checkout link doesn’t work",
	"unknown.text":    "It may be incomplete. You haven’t been charged. Return to the shop and start again.",
	"broken.title":    "This checkout can’t be used",
	"pending":         "Waiting for your payment",
	"pending.text":    "This page updates by itself as soon as the payment is confirmed.",
	"processing":      "Your payment is on its way",
	"processing.text": "You don’t need to do anything. This page updates by itself; it can take a few minutes.",
	"paid":            "Thank you. Your order is complete.",
	"paid.text":       "{merchant} has your order and knows that it is paid.",
	"canceled":        "This order was canceled",
	"canceled.text":   "You haven’t been charged.",
	"order":           "Order",
	"date":            "Date",
	"back":            "Back to checkout",
	"return":          "Return to {merchant}",
}

// Text is the sentence for a key; pairs of slot and value fill it in.
func (t texts) Text(key string, slots ...string) string {
	text := t[key]
	for i := 0; i < len(slots); i += 2 {
		text = strings.ReplaceAll(text, "{"+slots[i]+"}", slots[i+1])
	}
	return text
}

// In is the sentence for a key as buyers in a country read it.
func (t texts) In(country, key string) string {
	if text, ok := t[key+"."+country]; ok {
		return text
	}
	return t[key]
}

// scripted names what the page's script says by itself, with all that has a dot behind these names. It gets the same
// sentences.
var scripted = []string{
	"buyer-email-required", "buyer-email-invalid", "country-required", "country-invalid", "state-required", "state-invalid",
	"postcode-invalid", "business-name-required", "business-name-invalid", "tax-id-required", "tax-id-invalid",
	"fields", "failed", "offline", "authentication-failed", "session-wrong-store", "broken", "error",
	"state", "postcode", "tax-id", "continue", "again", "tax", "total",
	"unsupported", "zero-rated", "exempt", "out-of-scope", "reverse-charge", "not-collecting",
}
