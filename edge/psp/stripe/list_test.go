package stripe

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/edge/psp"
)

// lister answers every request with a body and remembers the last path.
func lister(t *testing.T, body string) (g *Provider, asked func() string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	paths := make(chan string, 1)
	front := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		paths <- r.Method + " " + r.RequestURI
		io.WriteString(w, body)
	})}
	go front.Serve(listener)
	t.Cleanup(func() { front.Close() })
	return New(Config{Key: key, BaseURL: "http://" + listener.Addr().String()}), func() string { return <-paths }
}

func TestCheckouts(t *testing.T) {
	const others = `{"id":"cs_test_0","object":"checkout.session","status":"open","metadata":{}}`
	g, asked := lister(t, `{"object":"list","has_more":true,"data":[`+openSession+`,`+others+`]}`)
	page, callErr := g.ListCheckouts(soon(), psp.Span{Since: time.Unix(1_795_000_000, 0), Until: time.Unix(1_795_000_300, 0)}, "cs/1&x")
	if callErr != nil || len(page.Items) != 2 || page.Next != "cs_test_0" {
		t.Fatalf("got %+v, %v", page, callErr)
	}
	if first, second := page.Items[0], page.Items[1]; first.Ref != "cs_test_1" || first.OrderID != "ORD_1" || second.OrderID != "" {
		t.Errorf("got %+v", page.Items)
	}
	if got := asked(); got != "GET /v1/checkout/sessions?limit=50&starting_after=cs%2F1%26x&created[gte]=1795000000&created[lte]=1795000300" {
		t.Errorf("asked %s", got)
	}
}

func TestUndelivered(t *testing.T) {
	g, asked := lister(t, `{"object":"list","has_more":false,"data":[`+envelope("checkout.session.completed", paidSession)+`,`+
		envelope("checkout.session.completed", `{"id":7}`)+`]}`)
	page, callErr := g.UndeliveredEvents(soon(), "")
	if callErr != nil || len(page.Items) != 2 || page.Next != "" {
		t.Fatalf("got %+v, %v", page, callErr)
	}
	if first := page.Items[0]; first.Kind != psp.EventCompleted || !first.Checkout.Paid || first.ID != "evt_1" {
		t.Errorf("got %+v", first)
	}
	if second := page.Items[1]; second != (psp.Event{ID: "evt_1"}) {
		t.Errorf("an event that cannot be read became %+v", second)
	}
	want := "GET /v1/events?limit=50&delivery_success=false&types[]=checkout.session.completed" +
		"&types[]=checkout.session.async_payment_succeeded&types[]=checkout.session.async_payment_failed" +
		"&types[]=checkout.session.expired&types[]=payment_intent.payment_failed" +
		"&types[]=refund.created&types[]=refund.updated&types[]=refund.failed&types[]=charge.refund.updated" +
		"&types[]=charge.refunded&types[]=charge.dispute.created&types[]=charge.dispute.updated&types[]=charge.dispute.closed"
	if got := asked(); got != want {
		t.Errorf("asked %s", got)
	}
}

func TestNoList(t *testing.T) {
	for _, body := range []string{
		``, `[]`, `{}`, openSession, `{"object":"list","data":[{]}`, `{"object":"list","data":{}}`,
		`{"object":"list","data":[],"has_more":true}`,
		`{"object":"list","data":[` + strings.Replace(openSession, "cs_test_1", "", 1) + `],"has_more":true}`,
	} {
		g, _ := lister(t, body)
		if page, callErr := g.ListCheckouts(soon(), psp.Span{Since: time.Now()}, ""); callErr == nil || callErr.Class != psp.Unknown || page.Next != "" {
			t.Errorf("%s became %+v, %v", body, page, callErr)
		}
	}
}

// TestEndpoints: which events an endpoint is not sent, and whether it is enabled.
func TestEndpoints(t *testing.T) {
	all := make([]string, 0, len(kinds))
	for _, k := range kinds {
		if k.name != olderRefunds {
			all = append(all, `"`+k.name+`"`)
		}
	}
	object := func(status string, events ...string) string {
		return `{"id":"we_1","object":"webhook_endpoint","status":"` + status + `","url":"https://pay.example.com/v1/webhooks/stripe/prod","enabled_events":[` + strings.Join(events, ",") + `]}`
	}
	g, asked := lister(t, `{"object":"list","has_more":true,"data":[`+object("enabled", all...)+`,`+object("disabled", `"*"`)+`,`+object("enabled", all[1:]...)+`]}`)
	page, callErr := g.ListEndpoints(soon(), "")
	if callErr != nil || len(page.Items) != 3 || page.Next != "we_1" {
		t.Fatalf("got %+v, %v", page, callErr)
	}
	if first := page.Items[0]; !first.Enabled || first.Missing != nil || first.URL != "https://pay.example.com/v1/webhooks/stripe/prod" {
		t.Errorf("got %+v", first)
	}
	if second := page.Items[1]; second.Enabled || second.Missing != nil {
		t.Errorf("got %+v", second)
	}
	if third := page.Items[2]; len(third.Missing) != 1 || third.Missing[0] != kinds[0].name {
		t.Errorf("got %+v", third)
	}
	if got := asked(); got != "GET /v1/webhook_endpoints?limit=50" {
		t.Errorf("asked %s", got)
	}
}
