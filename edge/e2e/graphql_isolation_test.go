package e2e

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// graphPath is the path of reads; TestGraphQLIsolation is its row in the table isolated.
const graphPath = "/v1/graphql"

// graphRead is one field of the schema that takes an id, and what of two places must be the same for a caller at the one to read the object
// of the other.
type graphRead struct {
	query    string // with %q for the id
	object   func(*place) (id, unknown string)
	merchant scope
	customer scope
}

const ofOrder = ofStore | ofEnvironment

var graphReads = []graphRead{
	{`{store(id: %q){id name}}`, storeOf, ofMerchant, ofStore},
	{`{stores(filter: {id: {eq: %q}}){id}}`, storeOf, ofMerchant, ofStore},
	{`{store(id: %q){storeWebhooks{id}}}`, storeOf, ofMerchant, ofStore},
	{`{onetimeProducts(storeId: %q){id}}`, storeOf, ofMerchant, ofStore},
	{`{onetimeProductsCount(storeId: %q)}`, storeOf, ofMerchant, ofStore},
	{`{onetimeProduct(id: %q){name}}`, productOf, ofMerchant, ofStore},
	{`{onetimeProducts(filter: {id: {eq: %q}}){id}}`, productOf, ofMerchant, ofStore},
	{`{onetimeProductVersions(productId: %q){id}}`, productOf, ofMerchant, ofStore},
	{`{onetimeProductVersionsCount(productId: %q)}`, productOf, ofMerchant, ofStore},
	{`{onetimeOrders(storeId: %q){status}}`, storeOf, ofMerchant, ofStore},
	{`{orders(storeId: %q){status}}`, storeOf, ofMerchant, ofStore},
	{`{onetimeOrdersCount(storeId: %q)}`, storeOf, ofMerchant, ofStore},
	{`{onetimeOrder(id: %q){status}}`, orderOf, ofMerchant | ofEnvironment, ofOrder},
	{`{onetimeOrders(filter: {id: {eq: %q}}){status}}`, orderOf, ofMerchant | ofEnvironment, ofOrder},
	{`{payments(filter: {orderId: {eq: %q}}){id}}`, orderOf, ofMerchant | ofEnvironment, ofOrder},
	{`{payments(storeId: %q){status}}`, storeOf, ofMerchant, ofStore},
	{`{paymentsCount(storeId: %q)}`, storeOf, ofMerchant, ofStore},
	{`{payment(id: %q){status}}`, paymentOf, ofMerchant | ofEnvironment, ofOrder},
	{`{refundTickets(storeId: %q){reason}}`, storeOf, ofMerchant, ofStore},
	{`{refundTicketsCount(storeId: %q)}`, storeOf, ofMerchant, ofStore},
	{`{refundTickets(filter: {paymentId: {eq: %q}}){id}}`, paymentOf, ofMerchant | ofEnvironment, ofOrder},
	{`{refunds(storeId: %q){status}}`, storeOf, ofMerchant, ofStore},
	{`{refundsCount(storeId: %q)}`, storeOf, ofMerchant, ofStore},
	{`{webhookDeliveries(storeId: %q){id payload}}`, storeOf, ofMerchant, ofNobody},
	{`{webhookDeliveriesCount(storeId: %q)}`, storeOf, ofMerchant, ofNobody},
	{`{merchant(id: %q){name storeMerchants{store{id}} apiKeys{id}}}`, func(p *place) (string, string) { return p.merchantID, "MER_0000000000000000000000" }, ofMerchant, ofNobody},
	{`{orderStatistics(storeId: %q){totalCount}}`, storeOf, ofMerchant, ofNobody},
	{`{paymentStatistics(storeId: %q){totalSucceededCount}}`, storeOf, ofMerchant, ofNobody},
	{`{customerAnalysis(storeId: %q){totalCustomers}}`, storeOf, ofMerchant, ofNobody},
	{`{trendAnalysis(storeId: %q){revenueByPeriod{amount}}}`, storeOf, ofMerchant, ofNobody},
}

func paymentOf(p *place) (id, unknown string) { return p.paymentID, "PAY_0000000000000000000000" }

// noObject are the fields that need no row: they count what is the caller's own, or there is nothing to read.
var noObject = []string{"storeMerchantsCount", "apiKeysCount", "emailDeliveries", "emailDeliveriesCount"}

// TestGraphQLIsolationTable: graphReads and lists have every field of the schema's Query. Those of subscriptions read nothing.
func TestGraphQLIsolationTable(t *testing.T) {
	t.Parallel()
	schema, err := os.ReadFile("../graph/schema.graphql")
	must(t, err)
	_, root, _ := strings.Cut(string(schema), "type Query {")
	root, _, _ = strings.Cut(root, "\n}")
	fields := regexp.MustCompile(`(?m)^  (\w+)[(:]`).FindAllStringSubmatch(root, -1)
	if len(fields) < 20 {
		t.Fatalf("the schema has %d fields only", len(fields))
	}
	known := append(regexp.MustCompile(`\w+`).FindAllString(lists, -1), noObject...)
	for _, r := range graphReads {
		known = append(known, regexp.MustCompile(`\w+`).FindString(r.query))
	}
	for _, f := range fields {
		if !slices.Contains(known, f[1]) && !strings.HasPrefix(f[1], "subscription") {
			t.Errorf("the field %s of GraphQL's Query needs a row in graphReads", f[1])
		}
	}
}

// TestGraphQLIsolation: of two merchants with two stores each, in two environments, none reads what belongs to another place, and no
// buyer what is another's. A foreign id has the answer of an unknown one.
func TestGraphQLIsolation(t *testing.T) {
	t.Parallel()
	w := newIsolation(t)
	w.serve(t)
	for _, p := range w.places {
		w.pay(t, p)
	}
	for _, from := range w.places {
		for _, r := range graphReads {
			w.readFrom(t, from, r, asMerchant, r.merchant)
			w.readFrom(t, from, r, asCustomer, r.customer)
		}
		w.readLists(t, from)
		w.readAsStranger(t, from)
		w.readWithWrongCredentials(t, from)
	}
}

// pay makes another order of the place's buyer and pays it.
func (w *isolation) pay(t *testing.T, p *place) {
	t.Helper()
	session, err := p.key.CreateSession(p.productID, "")
	must(t, err)
	body, err := json.Marshal(shoptest.OrderFor(session.SessionID))
	must(t, err)
	w.shop.Pay(t, w.shop.Post(t, shoptest.CreateOrderPath, string(body), w.headers(t, asCustomer, p, "", "")).CheckoutURL(t))
	shoptest.Eventually(t, "the payment is there", func() bool {
		type payment struct {
			ID, OrderID  string
			OnetimeOrder struct{ CheckoutSessionID string }
		}
		var read struct{ Data struct{ Payments []payment } }
		got := w.ask(t, p, asMerchant, fmt.Sprintf(`{payments(storeId: %q){id orderId onetimeOrder{checkoutSessionId}}}`, p.storeID))
		must(t, json.Unmarshal([]byte(got.Body), &read))
		i := slices.IndexFunc(read.Data.Payments, func(m payment) bool { return m.OnetimeOrder.CheckoutSessionID == session.SessionID })
		if i >= 0 {
			p.paymentID, p.orderID = read.Data.Payments[i].ID, read.Data.Payments[i].OrderID
		}
		return i >= 0
	})
	ticket := fmt.Sprintf(`{"paymentId":%q,"reason":"of %s","requestedAmount":{"amount":"1.00","currency":"EUR"}}`, p.paymentID, p)
	const path = "/v1/actions/refund-ticket/create-ticket"
	if got := w.shop.Post(t, path, ticket, w.headers(t, asMerchant, p, path, ticket)); got.Status != 200 {
		t.Fatalf("%s: %v", p, got)
	}
}

// ask sends a query with a credential of a place.
func (w *isolation) ask(t *testing.T, from *place, by credential, query string) shoptest.Reply {
	t.Helper()
	body, err := json.Marshal(map[string]string{"query": query})
	must(t, err)
	return w.shop.Post(t, graphPath, string(body), w.headers(t, by, from, graphPath, string(body)))
}

func (w *isolation) readFrom(t *testing.T, from *place, r graphRead, by credential, s scope) {
	t.Helper()
	_, unknownID := r.object(from)
	unknown := w.ask(t, from, by, fmt.Sprintf(r.query, unknownID))
	if unknown.Status != 200 {
		t.Errorf("%s by the %s from %s with an unknown id: %v", r.query, by, from, unknown)
	}
	for _, to := range w.places {
		id, _ := r.object(to)
		got := w.ask(t, from, by, fmt.Sprintf(r.query, id))
		if own := s.own(from, to); own == (got.Body == unknown.Body) || got.Status != 200 || own && strings.Contains(got.Body, "errors") {
			t.Errorf("%s by the %s from %s with an id of %s:\n%v\nan unknown id:\n%v", r.query, by, from, to, got, unknown)
		}
	}
}

// lists has every list of the schema, with all ids that it shows.
const lists = `{stores{id onetimeProducts{id} storeWebhooks{id}} onetimeProducts{id storeId} onetimeOrders{id storeId checkoutSessionId payments{id}}
	payments{id orderId onetimeOrder{store{id}}} storesCount onetimeProductsCount onetimeOrdersCount paymentsCount}`

// readLists: a list has what belongs to its reader, and the id of nothing else.
func (w *isolation) readLists(t *testing.T, from *place) {
	t.Helper()
	for _, c := range []struct {
		by                          credential
		store, order, webhook       scope
		stores, products, its, paid int
	}{
		{asMerchant, ofMerchant, ofMerchant | ofEnvironment, ofMerchant | ofEnvironment, 2, 2, 4, 2},
		{asCustomer, ofStore, ofOrder, ofNobody, 1, 1, 2, 1},
	} {
		got := w.ask(t, from, c.by, lists)
		for _, to := range w.places {
			for id, s := range map[string]scope{to.storeID: c.store, to.productID: c.store, to.orderID: c.order, to.sessionID: c.order,
				to.paymentID: c.order, to.webhookID: c.webhook} {
				if s.own(from, to) != strings.Contains(got.Body, `"`+id+`"`) {
					t.Errorf("the lists of the %s at %s and %s of %s: %v", c.by, from, id, to, got)
				}
			}
		}
		counts := fmt.Sprintf(`"storesCount":%d,"onetimeProductsCount":%d,"onetimeOrdersCount":%d,"paymentsCount":%d`, c.stores, c.products, c.its, c.paid)
		if !strings.Contains(got.Body, counts) {
			t.Errorf("the lists of the %s at %s have not %s: %v", c.by, from, counts, got)
		}
	}
}

// readAsStranger: another buyer of the store reads no order.
func (w *isolation) readAsStranger(t *testing.T, from *place) {
	t.Helper()
	got := w.ask(t, from, asStranger, fmt.Sprintf(`{onetimeOrders{id} payments{id} refundTickets{id} refunds{id} onetimeOrdersCount paymentsCount onetimeOrder(id: %q){id} payment(id: %q){id}}`,
		from.orderID, from.paymentID))
	const nothing = `{"data":{"onetimeOrders":[],"payments":[],"refundTickets":[],"refunds":[],"onetimeOrdersCount":0,"paymentsCount":0,"onetimeOrder":null,"payment":null}}`
	if strings.TrimSpace(got.Body) != nothing {
		t.Errorf("a stranger at %s: %v", from, got)
	}
}

func (w *isolation) readWithWrongCredentials(t *testing.T, p *place) {
	t.Helper()
	const body = `{"query":"{stores{id}}"}`
	other := w.places[0]
	if p.merchant == 0 {
		other = w.places[len(w.places)-1]
	}
	foreign := w.headers(t, asMerchant, other, graphPath, body)
	foreign["X-Merchant-Id"] = p.merchantID
	elsewhere := maps.Clone(w.headers(t, asCustomer, p, graphPath, body))
	elsewhere["X-Environment"] = string(p.otherEnvironment())
	for name, headers := range map[string]map[string]string{
		"no credential": {}, "a store's slug": w.headers(t, asVisitor, p, graphPath, body), "a shopper's token": w.headers(t, asShopper, p, graphPath, body),
		"a key of another merchant": foreign, "a token in the other environment": elsewhere,
		"a signature of another body": w.headers(t, asMerchant, p, graphPath, body+" "),
	} {
		if got := w.shop.Post(t, graphPath, body, headers); got.Status != 401 || !strings.Contains(got.Body, `{"data":null,"errors":[`) {
			t.Errorf("%s at %s: %v", name, p, got)
		}
	}
}
