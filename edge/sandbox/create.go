package sandbox

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/crepe-checkout/crepe/edge/sandbox/fault"
)

// createParams are the known parameters of a new session.
var createParams = []string{
	"mode", "client_reference_id", "customer_email", "success_url", "cancel_url", "expires_at", "locale",
	"adaptive_pricing[enabled]", "metadata[*]", "payment_intent_data[metadata][*]",
	"line_items[#][quantity]", "line_items[#][price_data][currency]", "line_items[#][price_data][unit_amount]",
	"line_items[#][price_data][product_data][name]", "line_items[#][price_data][product_data][description]",
	"line_items[#][price_data][product_data][images][#]",
}

// languages are the allowed values of locale (Stripe's OpenAPI description, version 2026-08-26.dahlia).
var languages = strings.Fields("auto bg cs da de el en en-GB es es-419 et fi fil fr fr-CA hr hu id it ja ko lt lv ms mt nb nl " +
	"pl pt pt-BR ro ru sk sl sv th tr vi zh zh-HK zh-TW")

// Limits of a session's time to live, in seconds.
const (
	minTTL = 30 * 60
	maxTTL = 24 * 60 * 60
)

// Limits of a product's images.
const (
	maxImages   = 8
	maxImageURL = 2048
)

func createSession(r *request, in *reader) func() response {
	record := r.readSession(in)
	return func() response { return r.open(record) }
}

// open persists the new session, its expiry task and the response, atomically.
func (r *request) open(record *record) response {
	s := &record.Session
	record.Key = r.key
	a := sessionResponse(s)
	a.note += " · " + display(s.AmountTotal, s.Currency) + " · " + maskEmail(string(s.CustomerEmail))
	var c change
	c.put("cs/"+s.ID, record)
	if s.ClientReferenceID != "" {
		c.link("or/"+string(s.ClientReferenceID)+"/"+s.ID, s.ID)
	}
	c.link(dueKey(s.ExpiresAt*1000, "expire", s.ID), s.ID)
	r.save(&c, a)
	if err := r.sandbox.apply(c); err != nil {
		return storeFailure()
	}
	return a
}

// readSession reads the parameters in the order in which Stripe reports errors, as far as that is known.
func (r *request) readSession(in *reader) *record {
	s := session{
		Object: "checkout.session", UIMode: "hosted_page", Status: open, PaymentMethods: []string{"card"}, PaymentStatus: unpaid,
		Livemode: r.sandbox.config.Live, Created: r.now.Unix(),
	}
	s.Mode = in.required("mode", 20)
	in.oneOf("mode", s.Mode, []string{"payment"})
	s.SuccessURL = in.required("success_url", 5000)
	in.address("success_url", s.Livemode)
	s.CancelURL = nullable(in.address("cancel_url", s.Livemode))
	s.ClientReferenceID = nullable(in.text("client_reference_id", 200))
	s.CustomerEmail = nullable(in.text("customer_email", 512))
	if name, domain, _ := strings.Cut(string(s.CustomerEmail), "@"); in.given("customer_email") && (name == "" || domain == "") {
		in.refuse("email_invalid", "customer_email", "Invalid email address.")
	}
	s.Locale = nullable(in.text("locale", 20))
	in.oneOf("locale", string(s.Locale), languages)
	s.AdaptivePricing.Enabled = in.boolean("adaptive_pricing[enabled]")
	s.Metadata = in.metadata("metadata")
	checkFaults(in, s.Metadata[fault.MetadataKey])
	s.ExpiresAt = in.integer("expires_at", 0, 1<<40, s.Created+maxTTL)
	checkTTL(in, s.ExpiresAt-s.Created)
	record := &record{Metadata: in.metadata("payment_intent_data[metadata]")}
	record.Lines, s.Currency = readLines(in)
	for _, l := range record.Lines {
		s.AmountTotal = min(s.AmountTotal+l.Amount, maximum+1)
	}
	checkTotal(in, s.AmountTotal, s.Currency)
	s.AmountSubtotal = s.AmountTotal
	s.ID = r.sandbox.newID(sessionPrefix(s.Livemode))
	s.URL = nullable(r.sandbox.config.PublicURL + "/pay/" + s.ID)
	record.Session = s
	return record
}

func checkFaults(in *reader, metadata string) {
	for word := range strings.SplitSeq(metadata, "+") {
		if _, err := fault.Spec(word).Parse(); metadata != "" && err != nil {
			in.refuse("", "metadata["+fault.MetadataKey+"]", "Invalid fault: "+word)
		}
	}
}

func sessionPrefix(live bool) string {
	if live {
		return "cs_live_"
	}
	return "cs_test_"
}

func checkTTL(in *reader, seconds int64) {
	switch {
	case seconds < minTTL:
		in.refuse("", "expires_at", "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.")
	case seconds > maxTTL:
		in.refuse("", "expires_at", "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.")
	}
}

func checkTotal(in *reader, total int64, currency string) {
	switch {
	case total > maximum:
		in.refuse("amount_too_large", "", "The Checkout Session's total amount must be no more than "+display(maximum, currency)+".")
	case total < minimum(currency):
		in.refuse("amount_too_small", "", "The Checkout Session's total amount due must add up to at least "+
			display(minimum(currency), currency)+".")
	}
}

// readLines reads up to 100 line items, all of one currency.
func readLines(in *reader) (lines []line, currency string) {
	indices := make(map[int]bool)
	for name := range in.params {
		if rest, ok := strings.CutPrefix(name, "line_items["); ok {
			digits, _, _ := strings.Cut(rest, "]")
			if n, err := strconv.Atoi(digits); err == nil {
				indices[n] = true
			}
		}
	}
	if len(indices) == 0 {
		in.refuse("parameter_missing", "line_items", "Missing required param: line_items.")
	}
	if len(indices) > 100 {
		in.refuse("", "line_items", "A Checkout Session has at most 100 line items.")
	}
	for _, n := range slices.Sorted(maps.Keys(indices)) {
		l, code := readLine(in, "line_items["+strconv.Itoa(n)+"]")
		if currency != "" && code != currency {
			in.refuse("", "line_items", "All line items must have the same currency.")
		}
		lines, currency = append(lines, l), code
	}
	return lines, currency
}

func readLine(in *reader, name string) (line, string) {
	price := name + "[price_data]"
	currency := strings.ToLower(in.required(price+"[currency]", 3))
	if !slices.Contains(currencies, currency) {
		in.refuse("", price+"[currency]", "Invalid currency: "+currency+".")
	}
	in.required(price+"[unit_amount]", 40)
	unit := in.integer(price+"[unit_amount]", 0, maximum, 0)
	if in.invalid == nil && unit%increment(currency) != 0 {
		in.refuse("parameter_invalid_integer", price+"[unit_amount]", "Invalid amount: "+strings.ToUpper(currency)+
			" must be charged in multiples of "+strconv.FormatInt(increment(currency), 10)+".")
	}
	for i := 0; in.given(price + "[product_data][images][" + strconv.Itoa(i) + "]"); i++ {
		image := price + "[product_data][images][" + strconv.Itoa(i) + "]"
		if i == maxImages {
			in.refuse("", price+"[product_data][images]", "A product has at most 8 images.")
		}
		in.text(image, maxImageURL)
		in.address(image, false)
	}
	in.required(name+"[quantity]", 40)
	quantity := in.integer(name+"[quantity]", 1, 999_999, 1)
	return line{
		Name:        in.required(price+"[product_data][name]", 5000),
		Description: in.text(price+"[product_data][description]", 40_000),
		Quantity:    quantity,
		Amount:      unit * quantity,
	}, currency
}
