package stripe

import (
	"slices"
	"time"

	"github.com/crepe-checkout/crepe/edge/psp"
)

// Endpoint is a webhook endpoint of the account. Stripe does not tell its signing secret.
type Endpoint struct {
	URL     string
	Enabled bool
	Missing []string // the types of events that a server needs and the endpoint is not sent
}

// ListEndpoints lists the webhook endpoints (https://docs.stripe.com/api/webhook_endpoints/list). A restricted key may not be allowed to:
// the error then has the status 403.
func (g *Provider) ListEndpoints(deadline time.Time, after string) (psp.Page[Endpoint], *psp.CallError) {
	return call(g, deadline, outgoing{method: "GET", path: "/v1/webhook_endpoints" + pageQuery(after)}, func(body []byte) (psp.Page[Endpoint], error) {
		return readPage(body, func(e *endpoint) (string, Endpoint) { return e.ID, e.read() })
	})
}

// endpoint is Stripe's object.
type endpoint struct {
	ID            string   `json:"id"`
	URL           string   `json:"url"`
	Status        string   `json:"status"`
	EnabledEvents []string `json:"enabled_events"`
}

func (e *endpoint) read() Endpoint {
	read := Endpoint{URL: e.URL, Enabled: e.Status == "enabled"}
	if slices.Contains(e.EnabledEvents, "*") {
		return read
	}
	for _, k := range kinds {
		if k.name != olderRefunds && !slices.Contains(e.EnabledEvents, k.name) {
			read.Missing = append(read.Missing, k.name)
		}
	}
	return read
}

// olderRefunds is the type of event with which older versions of the API report a changed refund.
const olderRefunds = "charge.refund.updated"
