package e2e

import (
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// isolated are the paths of the API, each with what its request names. A new path needs a row: TestIsolationTable compares the table with
// openapi.yaml. The controls run in the order of the table, so what ends an object stands last.
var isolated = []isolatedPath{
	{path: "/v1/actions/auth/issue-session-token", by: asMerchant, member: "storeId", object: storeOf, scope: ofMerchant,
		body: map[string]any{"buyerIdentity": "taken"}},
	{path: "/v1/actions/auth/issue-session-token", by: asMerchant, member: "productId", object: productOf, scope: ofMerchant,
		body: map[string]any{"buyerIdentity": "taken"}},
	{path: "/v1/actions/auth/issue-shopper-token", by: asVisitor, member: "checkoutSessionId", object: sessionOf, scope: ofStore | ofEnvironment},
	{path: "/v1/actions/checkout/create-session", by: asMerchant, member: "productId", object: productOf, scope: ofMerchant,
		body: map[string]any{"currency": "EUR"}},
	{path: "/v1/actions/checkout/create-session", by: asVisitor, member: "productId", object: productOf, scope: ofStore,
		body: map[string]any{"currency": "EUR"}},
	{path: "/v1/actions/checkout/renew-session", by: asCustomer, member: "checkoutSessionId", object: sessionOf, scope: ofStore | ofEnvironment,
		says: foreignSession},
	{path: "/v1/actions/checkout/renew-session", by: asShopper, member: "checkoutSessionId", object: sessionOf, scope: ofStore | ofEnvironment},
	{path: "/v1/actions/checkout/renew-session", by: asVisitor, member: "checkoutSessionId", object: sessionOf, scope: ofStore | ofEnvironment,
		says: foreignSession},
	{path: "/v1/actions/checkout/quote", by: asCustomer, member: "checkoutSessionId", object: sessionOf, scope: ofStore | ofEnvironment,
		says: foreignSession, body: map[string]any{"billingDetail": billing}},
	{path: "/v1/actions/checkout/quote", by: asShopper, member: "checkoutSessionId", object: sessionOf, scope: ofStore | ofEnvironment,
		body: map[string]any{"billingDetail": billing}},
	{path: "/v1/actions/checkout/quote", by: asVisitor, member: "checkoutSessionId", object: sessionOf, scope: ofStore | ofEnvironment,
		says: foreignSession, body: map[string]any{"billingDetail": billing}},
	{path: shoptest.CreateOrderPath, by: asShopper, member: "checkoutSessionId", object: sessionOf, scope: ofStore | ofEnvironment,
		body: map[string]any{"billingDetail": billing, "buyerEmail": "taken@example.com"}},
	{path: shoptest.CreateOrderPath, by: asCustomer, member: "checkoutSessionId", object: sessionOf, scope: ofStore | ofEnvironment,
		says: foreignSession, body: map[string]any{"billingDetail": billing, "buyerEmail": "taken@example.com"}},
	{path: "/v1/actions/onetime-order/cancel-order", by: asCustomer, member: "orderId", object: orderOf, scope: ofStore | ofEnvironment, ends: true},
	{path: "/v1/actions/onetime-order/cancel-order", by: asStranger, member: "orderId", object: orderOf, scope: ofNobody},
	{path: createTicketPath, by: asMerchant, member: "paymentId", object: paymentOf, scope: ofMerchant | ofEnvironment, body: refund},
	{path: createTicketPath, by: asCustomer, member: "paymentId", object: paymentOf, scope: ofStore | ofEnvironment, body: refund, ends: true},
	{path: createTicketPath, by: asStranger, member: "paymentId", object: paymentOf, scope: ofNobody, body: refund},
	{path: resubmitTicketPath, by: asMerchant, member: "paymentId ticketId", object: ticketOf(0), scope: ofMerchant | ofEnvironment, body: refund},
	{path: resubmitTicketPath, by: asMerchant, member: "ticketId", object: onlyTicketOf(1), with: ticketPayment, scope: ofMerchant | ofStore | ofEnvironment,
		body: refund},
	{path: resubmitTicketPath, by: asMerchant, member: "paymentId", object: ticketPaymentOf, with: onlyTicket(2), scope: ofMerchant | ofEnvironment,
		body: refund},
	{path: resubmitTicketPath, by: asCustomer, member: "paymentId ticketId", object: ticketOf(3), scope: ofStore | ofEnvironment, body: refund, ends: true},
	{path: resubmitTicketPath, by: asStranger, member: "paymentId ticketId", object: ticketOf(3), scope: ofNobody, body: refund},

	{path: "/v1/actions/store/add-webhook", by: asMerchant, member: "storeId", object: storeOf, scope: ofMerchant,
		body: map[string]any{"channel": "http", "url": "https://taken.example.com/hook", "events": []string{"order.completed"}}},
	{path: "/v1/actions/store/update-webhook", by: asMerchant, member: "id", object: webhookOf, scope: ofMerchant | ofEnvironment,
		body: map[string]any{"url": "https://taken.example.com/hook"}},
	{path: "/v1/actions/store/remove-webhook", by: asMerchant, member: "id", object: webhookOf, scope: ofMerchant | ofEnvironment, ends: true},
	{path: "/v1/actions/store/create-store", by: asMerchant, body: map[string]any{"name": "Another"}},
	{path: "/v1/actions/store/update-store", by: asMerchant, member: "id", object: storeOf, scope: ofMerchant,
		body: map[string]any{"name": "Taken"}},
	{path: "/v1/actions/onetime-product/create-product", by: asMerchant, member: "storeId", object: storeOf, scope: ofMerchant,
		body: map[string]any{"name": "Taken", "prices": prices}},
	{path: "/v1/actions/onetime-product/update-product", by: asMerchant, member: "id", object: productOf, scope: ofMerchant,
		body: map[string]any{"name": "Taken"}},
	{path: "/v1/actions/onetime-product/publish-product", by: asMerchant, member: "id", object: productOf, scope: ofMerchant},
	{path: "/v1/actions/onetime-product/update-status", by: asMerchant, member: "id", object: productOf, scope: ofMerchant,
		body: map[string]any{"status": "inactive"}},
	{path: "/v1/actions/store/delete-store", by: asMerchant, member: "id", object: storeOf, scope: ofMerchant, ends: true},
}

// public are the paths that need no credential of ours: their answers are the same for everybody, or the provider signs.
var public = []string{"/healthz", "/readyz", "/v1/client.js", "/v1/webhooks/{provider}/{environment}",
	"/v1/actions/store-merchant/", "/v1/actions/subscription-", "/v1/actions/verification/"} // answer 501 to everybody

var (
	billing = map[string]any{"country": "DE", "isBusiness": false}
	prices  = map[string]any{"EUR": map[string]any{"amount": "9.00", "taxCategory": "saas"}}
)

const (
	createTicketPath   = "/v1/actions/refund-ticket/create-ticket"
	resubmitTicketPath = "/v1/actions/refund-ticket/resubmit-ticket"
)

var refund = map[string]any{"reason": "taken", "requestedAmount": map[string]string{"amount": "0.01", "currency": "EUR"}}

// isolatedPath is one path with one kind of credential, and one kind of object that the request names.
type isolatedPath struct {
	path   string
	by     credential
	member string // of the body, with the object's id; "" if the path names none. Several have their ids, separated by spaces.
	object func(*place) (id, unknown string)
	with   func(*place) (member, id string) // what the request also names, of the caller's own place; nil for nothing
	scope  scope                            // what of the caller's place must be the object's
	body   map[string]any
	ends   bool // the call ends the object

	// says returns what the contract tells the caller at from about the object at to; "" if the object is as an unknown one.
	says func(from, to *place) string
}

// scope is what of two places must be the same for the one to reach the object of the other.
type scope int

const (
	ofMerchant scope = 1 << iota
	ofStore          // which has one merchant
	ofEnvironment
	ofNobody
)

// own reports whether the caller at from reaches the object at to.
func (s scope) own(from, to *place) bool {
	return s&ofNobody == 0 && (s&ofMerchant == 0 || from.merchantID == to.merchantID) && (s&ofStore == 0 || from.storeID == to.storeID) &&
		(s&ofEnvironment == 0 || from.env == to.env)
}

// foreignSession is what create-order is documented to say of a session of another store or environment. Its id is unguessable.
func foreignSession(from, to *place) string {
	if from.storeID != to.storeID {
		return "Session does not belong to this store"
	}
	return "Environment mismatch between request and session"
}

func storeOf(p *place) (id, unknown string)   { return p.storeID, "STO_0000000000000000000000" }
func productOf(p *place) (id, unknown string) { return p.productID, "PROD_0000000000000000000000" }
func orderOf(p *place) (id, unknown string)   { return p.orderID, "ORD_0000000000000000000000" }
func webhookOf(p *place) (id, unknown string) {
	return p.webhookID, "00000000-0000-7000-8000-000000000000"
}
func sessionOf(p *place) (id, unknown string) {
	return p.sessionID, "cs_00000000-0000-4000-8000-000000000000"
}

func ticketPaymentOf(p *place) (id, unknown string) {
	return p.ticketPaymentID, "PAY_0000000000000000000000"
}
func ticketPayment(p *place) (member, id string) { return "paymentId", p.ticketPaymentID }

// onlyTicketOf is the n-th rejected ticket of a place; a ticket can be submitted again once.
func onlyTicketOf(n int) func(*place) (id, unknown string) {
	return func(p *place) (id, unknown string) { return p.ticketIDs[n], "TKT_0000000000000000000000" }
}
func onlyTicket(n int) func(*place) (member, id string) {
	return func(p *place) (member, id string) { return "ticketId", p.ticketIDs[n] }
}

// ticketOf is the n-th rejected ticket of a place with its payment.
func ticketOf(n int) func(*place) (id, unknown string) {
	return func(p *place) (id, unknown string) {
		ticket, unknownTicket := onlyTicketOf(n)(p)
		payment, unknownPayment := ticketPaymentOf(p)
		return payment + " " + ticket, unknownPayment + " " + unknownTicket
	}
}

// TestIsolationTable: the table has every path of the API.
func TestIsolationTable(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../api/openapi.yaml") // a test there compares it with the routes
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{graphPath: true} // has a test of its own
	for _, row := range isolated {
		listed[row.path] = true
	}
	described := regexp.MustCompile(`(?m)^  (/\S+):\n`).FindAllStringSubmatch(string(text), -1)
	if len(described) < len(listed) {
		t.Fatalf("openapi.yaml describes %d paths only", len(described))
	}
	for _, m := range described {
		open := slices.ContainsFunc(public, func(prefix string) bool { return strings.HasPrefix(m[1], prefix) })
		if listed[m[1]] == open {
			t.Errorf("%s needs a row in the table isolated, or is public (and not both)", m[1])
		}
		delete(listed, m[1])
	}
	for path := range listed {
		t.Errorf("%s is not described", path)
	}
}

// TestIsolation: of two merchants with two stores each, in two environments, none reaches what belongs to another place. A foreign id
// has the answer of an unknown one, apart from what the contract says of sessions; a foreign credential is refused; and no record changes.
func TestIsolation(t *testing.T) {
	t.Parallel()
	w := newIsolation(t)
	selling := w.serve(t)
	for _, p := range w.places {
		unpaid := p.orderID
		w.pay(t, p)
		p.paidOrderID, p.orderID = p.orderID, unpaid
		w.rejectTickets(t, p)
		w.readReceipts(t, p)
	}
	selling.kill()
	before := w.records(t)
	running := w.serve(t)
	for i := range isolated {
		row := &isolated[i]
		w.foreignObjects(t, row)
		w.foreignCredentials(t, row)
	}
	w.idempotencyKeys(t)
	w.foreignPages(t)
	w.foreignDocuments(t)
	w.foreignSections(t)
	w.operatorsPaths(t)
	running.kill()
	for id, record := range w.records(t) {
		if !reflect.DeepEqual(record, before[id]) {
			t.Errorf("%s was changed\nfrom %+v\nto   %+v", id, before[id], record)
		}
	}
	w.serve(t)
	for i := range isolated {
		w.controls(t, &isolated[i])
	}
}

// foreignObjects calls a path from each place with the ids of all places that it must not reach.
func (w *isolation) foreignObjects(t *testing.T, row *isolatedPath) {
	t.Helper()
	if row.member == "" {
		return
	}
	foreign := 0
	for _, from := range w.places {
		_, unknownID := row.object(from)
		unknown := w.call(t, row, from, unknownID)
		if unknown.Status/100 != 4 {
			t.Errorf("%s by %s from %s: an unknown id answers %v", row.path, row.by, from, unknown)
		}
		for _, to := range w.places {
			id, _ := row.object(to)
			if row.scope.own(from, to) || row.by == asStranger && !(ofStore|ofEnvironment).own(from, to) {
				continue
			}
			foreign++
			got := w.call(t, row, from, id)
			want := unknown.String()
			if row.says != nil {
				want = row.says(from, to)
				if got.Status/100 == 4 && strings.Contains(got.Body, want) {
					continue
				}
			}
			if got.String() != want {
				t.Errorf("%s by %s from %s with an id of %s:\n%v\nwant\n%s", row.path, row.by, from, to, got, want)
			}
		}
	}
	if foreign < len(w.places)/2 {
		t.Errorf("%s by %s: only %d foreign calls", row.path, row.by, foreign)
	}
}

// foreignCredentials calls a path for the object of each place with credentials that are not those of the place.
func (w *isolation) foreignCredentials(t *testing.T, row *isolatedPath) {
	t.Helper()
	for i, p := range w.places {
		other := w.places[(i+len(w.places)/2)%len(w.places)] // of the other merchant
		body := row.request(p)
		for name, headers := range w.wrongCredentials(t, row, p, other, body) {
			if got := w.shop.Post(t, row.path, body, headers); got.Status != 401 && got.Status != 400 || strings.Contains(got.Body, `"data":{`) {
				t.Errorf("%s for %s with %s: %v", row.path, p, name, got)
			}
		}
	}
}

// wrongCredentials are credentials that no call of the row's path accepts for a place.
func (w *isolation) wrongCredentials(t *testing.T, row *isolatedPath, p, other *place, body string) map[string]map[string]string {
	t.Helper()
	wrong := map[string]map[string]string{"no credential": {}}
	for _, kind := range []credential{asMerchant, asCustomer, asVisitor} {
		if !slices.ContainsFunc(isolated, func(r isolatedPath) bool {
			return r.path == row.path && (r.by == kind || kind == asCustomer && r.by == asShopper)
		}) {
			wrong["the credential of a "+string(kind)] = w.headers(t, kind, p, row.path, body)
		}
	}
	switch row.by {
	case asMerchant:
		signature := w.headers(t, asMerchant, other, row.path, body)
		signature["X-Merchant-Id"] = p.merchantID
		wrong["a key of another merchant"] = signature
		named := w.headers(t, asMerchant, p, row.path, body)
		named["X-Merchant-Id"] = other.merchantID
		wrong["another merchant's name"] = named
	case asCustomer, asShopper, asStranger:
		wrong["a token in the other environment"] = w.headers(t, row.by, p, row.path, body)
		wrong["a token in the other environment"]["X-Environment"] = string(p.otherEnvironment())
	}
	return wrong
}

// idempotencyKeys: the same X-Idempotency-Key in every place replays no answer of another place.
func (w *isolation) idempotencyKeys(t *testing.T) {
	t.Helper()
	row := &isolated[slices.IndexFunc(isolated, func(r isolatedPath) bool { return strings.HasSuffix(r.path, "/create-session") && r.by == asMerchant })]
	seen := make(map[string]*place)
	for _, p := range w.places {
		body := row.request(p)
		headers := w.headers(t, row.by, p, row.path, body)
		headers["X-Idempotency-Key"] = "the-same"
		// A key of the merchant is good in both stores: there the same key with another body is refused.
		got := w.shop.Post(t, row.path, body, headers)
		if other := seen[got.Body]; got.Status == 200 && other != nil {
			t.Errorf("%s replays the answer of %s", p, other)
		}
		if first := p == w.places[0] || !slices.ContainsFunc(w.places[:slices.Index(w.places, p)], func(q *place) bool {
			return (ofMerchant | ofEnvironment).own(p, q)
		}); first != (got.Status == 200) {
			t.Errorf("%s: %v", p, got)
		}
		seen[got.Body] = p
	}
}

// controls: the requests are accepted in their own place.
func (w *isolation) controls(t *testing.T, row *isolatedPath) {
	t.Helper()
	if row.scope == ofNobody {
		return
	}
	for _, p := range w.places {
		if row.ends && row.scope&ofEnvironment == 0 && p.env == checkout.Prod {
			continue // the object is the same in both environments
		}
		id := ""
		if row.member != "" {
			id, _ = row.object(p)
		}
		if got := w.call(t, row, p, id); got.Status != 200 {
			t.Errorf("%s by %s in its own place %s: %v", row.path, row.by, p, got)
		}
	}
}

// request is the body of a valid request for a place's object.
func (r *isolatedPath) request(p *place) string {
	id := ""
	if r.member != "" {
		id, _ = r.object(p)
	}
	return r.requestFor(p, id)
}

func (r *isolatedPath) requestFor(p *place, id string) string {
	request := maps.Clone(r.body)
	if request == nil {
		request = make(map[string]any)
	}
	ids := strings.Fields(id)
	for i, member := range strings.Fields(r.member) {
		request[member] = ids[i]
	}
	if r.with != nil {
		member, own := r.with(p)
		request[member] = own
	}
	if strings.HasSuffix(r.path, "/add-webhook") {
		request["testMode"] = p.env == checkout.Test
	}
	body, err := json.Marshal(request)
	if err != nil {
		panic(err)
	}
	return string(body)
}

// call calls a path from a place with an id.
func (w *isolation) call(t *testing.T, row *isolatedPath, from *place, id string) shoptest.Reply {
	t.Helper()
	body := row.requestFor(from, id)
	got := w.shop.Post(t, row.path, body, w.headers(t, row.by, from, row.path, body))
	got.Header = nil
	return got
}

func (p *place) String() string {
	return fmt.Sprintf("merchant %d, store %d, %s", p.merchant, p.store, p.env)
}
