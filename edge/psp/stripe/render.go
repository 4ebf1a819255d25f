package stripe

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"unicode"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/psp"
)

const sessionsPath = "/v1/checkout/sessions"

// The longest texts, in characters (Stripe's OpenAPI description, maxLength).
const (
	maxReference   = 200 // client_reference_id; ours are ASCII
	maxName        = 5000
	maxDescription = 40000
	maxImages      = 8 // https://docs.stripe.com/api/checkout/sessions/create, product_data.images
)

// Render writes the product and, where there is one, the tax as two line items. The order of the parameters is fixed,
// because the bytes are stored and may be sent again.
//
// It refuses what Stripe is certain to refuse. Whether an amount is too small depends on the currency of the account, so that
// only Stripe can tell.
func (g *Provider) Render(p psp.CheckoutParams) (psp.RenderedRequest, error) {
	product := &p.Order.Product
	if p.OrderID == "" || len(p.OrderID) > maxReference || p.SuccessTo == "" || line(product.Name, maxName) == "" {
		return psp.RenderedRequest{}, errors.New("stripe: an order needs an id of at most 200 bytes, a success URL and a product name")
	}
	f := make(form, 0, 2048)
	f.add("mode", "payment")
	if err := f.addLines(p.Order, p.Images); err != nil {
		return psp.RenderedRequest{}, err
	}
	f.add("adaptive_pricing[enabled]", "false") // or the account's setting may change the currency
	f.add("client_reference_id", p.OrderID)
	f.addMetadata("metadata", &p)
	f.addMetadata("payment_intent_data[metadata]", &p) // a session's is not copied to its payment
	f.addIfAny("customer_email", p.Order.BuyerEmail)
	f.add("success_url", p.SuccessTo)
	f.addIfAny("cancel_url", p.CancelTo)
	f.add("expires_at", strconv.FormatInt(p.ExpiresAt.Unix(), 10))
	f.add("locale", locale(p.Language))
	return psp.RenderedRequest{Path: sessionsPath, Body: f}, nil
}

// form is a growing application/x-www-form-urlencoded body. Brackets in keys stay as they are, as in Stripe's own
// libraries.
type form []byte

func (f *form) add(key, value string) {
	if len(*f) > 0 {
		*f = append(*f, '&')
	}
	*f = append(*f, key...)
	*f = append(*f, '=')
	*f = append(*f, url.QueryEscape(value)...)
}

func (f *form) addIfAny(key, value string) {
	if value != "" {
		f.add(key, value)
	}
}

func (f *form) addMetadata(key string, p *psp.CheckoutParams) {
	f.add(key+"[order_id]", p.OrderID)
	f.add(key+"[attempt]", strconv.Itoa(p.Attempt))
	f.add(key+"[checkout_session_id]", p.Order.SessionID)
	f.addIfAny(key+"[deployment]", p.Deployment)
}

// addLines adds the price and the tax, which together must be the total that the buyer has agreed to.
func (f *form) addLines(o *checkout.Order, images []string) error {
	a := &o.Quote.Assessment
	net, okNet := toStripe(a.Subtotal, o.Quote.Currency)
	taxed, okTax := toStripe(a.Tax, o.Quote.Currency)
	total, okTotal := toStripe(a.Total, o.Quote.Currency)
	if !okNet || !okTax || !okTotal || total == 0 || net+taxed != total || taxed > 0 && len(a.Components) == 0 {
		return fmt.Errorf("stripe: cannot charge %d + %d = %d minor units of %s", a.Subtotal, a.Tax, a.Total, o.Quote.Currency)
	}
	currency := strings.ToLower(string(o.Quote.Currency))
	f.addLine("line_items[0]", currency, net, line(o.Product.Name, maxName), line(description(o), maxDescription))
	for i, image := range images[:min(len(images), maxImages)] {
		f.add("line_items[0][price_data][product_data][images]["+strconv.Itoa(i)+"]", image)
	}
	if taxed > 0 {
		f.addLine("line_items[1]", currency, taxed, taxName(a), "")
	}
	return nil
}

// description begins with the discount, which the line's amount is already without.
func description(o *checkout.Order) string {
	d := o.Quote.Discount
	if d.Minor == 0 {
		return o.Product.Description
	}
	off := d.Label + ": −" + money.Amount{Minor: d.Minor, Currency: o.Quote.Currency}.String() + " " + string(o.Quote.Currency)
	return strings.TrimSuffix(off+"\n"+o.Product.Description, "\n")
}

func (f *form) addLine(key, currency string, amount int64, name, description string) {
	f.add(key+"[quantity]", "1")
	f.add(key+"[price_data][currency]", currency)
	f.add(key+"[price_data][unit_amount]", strconv.FormatInt(amount, 10))
	f.add(key+"[price_data][product_data][name]", name)
	f.addIfAny(key+"[price_data][product_data][description]", description)
}

// line is a text as it can be shown: UTF-8 without control characters except line feeds, cut to the longest that Stripe takes.
func line(text string, longest int) string {
	text = strings.TrimSpace(strings.Map(func(r rune) rune {
		if r != '\n' && unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text))
	count := 0
	for i := range text {
		if count++; count > longest {
			return text[:i]
		}
	}
	return text
}

// taxName is what the buyer reads beside the tax: "VAT (DE 19%)", "GST + QST (QC 14.975%)". The last component is that of
// the smallest jurisdiction; only states and provinces have codes that people know, so the Azores' PT-20 is PT.
func taxName(a *tax.Assessment) string {
	place, part, _ := strings.Cut(a.Components[len(a.Components)-1].Jurisdiction, "-")
	if country.Code(place).NeedsState() && part != "" {
		place = part
	}
	return a.Name() + " (" + place + " " + a.Rate().Percent() + "%)"
}
