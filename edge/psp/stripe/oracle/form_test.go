package oracle

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	stripego "github.com/stripe/stripe-go/v85"
	"pgregory.net/rapid"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/psp"
)

func TestForm(t *testing.T) { rapid.Check(t, checkForm) }

func FuzzForm(f *testing.F) {
	seed(f)
	f.Fuzz(rapid.MakeFuzz(checkForm))
}

func checkForm(t *rapid.T) {
	p := order.Draw(t, "order")
	sameForm(t, &p)
}

// Every currency that can be charged, most of which a few random orders miss.
func TestCurrencies(t *testing.T) {
	for _, currency := range chargeable {
		p := plain()
		p.Order.Quote = checkout.Quote{Currency: currency, Assessment: tax.Assessment{Subtotal: 12_300, Total: 12_300}}
		sameForm(t, &p)
	}
}

// failer is what *testing.T and *rapid.T have in common.
type failer interface {
	Errorf(format string, args ...any)
	Fatal(args ...any)
}

// sameForm: the adapter sends what stripe-go sends for the same parameters, byte for byte except for the order of the
// pairs, which is normalised. Since both escape alike, the same pairs are the same before decoding as after.
func sameForm(t failer, p *psp.CheckoutParams) {
	wire, err := adapter.Render(*p)
	if err != nil {
		t.Fatal(err)
	}
	var sent request
	if _, err := stripeGo(&sent).V1CheckoutSessions.Create(context.Background(), params(p)); err != nil {
		t.Fatal(err)
	}
	if ours, theirs := pairs(string(wire.Body)), pairs(sent.body); wire.Path != sent.path || !slices.Equal(ours, theirs) {
		t.Errorf("ours %s\n%s\nstripe-go's %s\n%s", wire.Path, strings.Join(ours, "\n"), sent.path, strings.Join(theirs, "\n"))
	}
	values, err := url.ParseQuery(string(wire.Body))
	if err != nil {
		t.Fatal(err)
	}
	for key, all := range values {
		if len(all) != 1 {
			t.Errorf("%s is there %d times", key, len(all))
		}
	}
	if name := values.Get("line_items[0][price_data][product_data][name]"); name != p.Order.Product.Name {
		t.Errorf("name %q became %q", p.Order.Product.Name, name)
	}
	if to := values.Get("success_url"); to != p.SuccessTo {
		t.Errorf("success URL %q became %q", p.SuccessTo, to)
	}
}

func pairs(body string) []string {
	all := strings.Split(body, "&")
	slices.Sort(all)
	return all
}

// request is what went out of stripe-go.
type request struct{ path, query, body string }

// RoundTrip keeps a request instead of sending it.
func (r *request) RoundTrip(sent *http.Request) (*http.Response, error) {
	*r = request{path: sent.URL.Path, query: sent.URL.RawQuery}
	if sent.Body != nil {
		body, err := io.ReadAll(sent.Body)
		if err != nil {
			return nil, err
		}
		r.body = string(body)
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("{}"))}, nil
}

func stripeGo(transport http.RoundTripper) *stripego.Client {
	return stripego.NewClient(apiKey, stripego.WithBackends(stripego.NewBackendsWithConfig(&stripego.BackendConfig{
		HTTPClient:        &http.Client{Transport: transport},
		URL:               stripego.String("http://stripe.invalid"),
		MaxNetworkRetries: stripego.Int64(0),
		EnableTelemetry:   stripego.Bool(false),
	})))
}

// params is an order in stripe-go's words, written without a look at the adapter.
func params(p *psp.CheckoutParams) *stripego.CheckoutSessionCreateParams {
	metadata := map[string]string{
		"order_id": p.OrderID, "attempt": strconv.Itoa(p.Attempt), "checkout_session_id": p.Order.SessionID,
	}
	q := &p.Order.Quote
	items := []*stripego.CheckoutSessionCreateLineItemParams{
		item(q.Currency, q.Assessment.Subtotal, p.Order.Product.Name, p.Order.Product.Description, p.Images[:min(len(p.Images), 8)]...),
	}
	if q.Assessment.Tax > 0 {
		items = append(items, item(q.Currency, q.Assessment.Tax, taxName(&q.Assessment), ""))
	}
	return &stripego.CheckoutSessionCreateParams{
		Mode:              stripego.String(stripego.CheckoutSessionModePayment),
		LineItems:         items,
		AdaptivePricing:   &stripego.CheckoutSessionCreateAdaptivePricingParams{Enabled: stripego.Bool(false)},
		ClientReferenceID: &p.OrderID,
		Metadata:          metadata,
		PaymentIntentData: &stripego.CheckoutSessionCreatePaymentIntentDataParams{Metadata: metadata},
		CustomerEmail:     given(p.Order.BuyerEmail),
		SuccessURL:        &p.SuccessTo,
		CancelURL:         given(p.CancelTo),
		ExpiresAt:         stripego.Int64(p.ExpiresAt.Unix()),
		Locale:            stripego.String(locales[p.Language]),
	}
}

func item(currency money.Currency, minor int64, name, description string, images ...string) *stripego.CheckoutSessionCreateLineItemParams {
	return &stripego.CheckoutSessionCreateLineItemParams{
		Quantity: stripego.Int64(1),
		PriceData: &stripego.CheckoutSessionCreateLineItemPriceDataParams{
			Currency:   stripego.String(strings.ToLower(string(currency))),
			UnitAmount: stripego.Int64(units(minor, currency)),
			ProductData: &stripego.CheckoutSessionCreateLineItemPriceDataProductDataParams{
				Name: &name, Description: given(description), Images: list(images),
			},
		},
	}
}

// units: Stripe counts these three currencies in other units than ISO 4217 (https://docs.stripe.com/currencies).
func units(minor int64, currency money.Currency) int64 {
	switch currency {
	case "ISK", "UGX":
		return minor * 100
	case "MGA":
		return minor / 100
	}
	return minor
}

func taxName(a *tax.Assessment) string {
	place := a.Components[len(a.Components)-1].Jurisdiction
	switch place[:2] {
	case "US", "CA":
		place = place[len(place)-2:] // the state
	default:
		place = place[:2]
	}
	return fmt.Sprintf("%s (%s %s%%)", a.Name(), place, a.Rate().Percent())
}

// list is nil for an empty list, which stripe-go would send as an empty text.
func list(texts []string) []*string {
	if len(texts) == 0 {
		return nil
	}
	return stripego.StringSlice(texts)
}

func given(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
