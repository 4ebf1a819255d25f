package server

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/edge/shoptest"
)

const graphPath = "/v1/graphql"

// query sends the body of a query of the demo merchant.
func (s *shop) query(t testing.TB, body string) shoptest.Reply {
	t.Helper()
	header, err := s.Merchant.Sign(graphPath, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return s.Post(t, graphPath, body, header)
}

// queryBody is the body of a query without variables.
func queryBody(query string) string {
	body, _ := json.Marshal(map[string]string{"query": query})
	return string(body)
}

// TestGraphQLInput: what is no query is refused with a text that says why, and every error has a message and the layer.
func TestGraphQLInput(t *testing.T) {
	s := openShop(t)
	scope := fmt.Sprintf("storeId: %q", s.File.StoreID)
	deep := strings.Repeat("store{onetimeProducts{", 4) + "id" + strings.Repeat("}}", 4)
	for _, c := range []struct {
		name, body string
		status     int
		text       string
	}{
		{"not JSON", `{`, 400, `"message":"Invalid JSON body","layer":"gateway"`},
		{"a list", `[]`, 400, `"code":"invalid-json"`},
		{"query is a number", `{"query":7}`, 400, `"path":"/query"`},
		{"variables are a list", `{"query":"{stores{id}}","variables":[]}`, 400, `"path":"/variables"`},
		{"operationName is a number", `{"query":"{stores{id}}","operationName":1}`, 400, `"path":"/operationName"`},
		{"no query", `{}`, 400, `"message":"Missing required field: query","layer":"graphql"`},
		{"null", `{"query":null}`, 400, `"code":"query-required"`},
		{"blank", `{"query":" \n"}`, 400, `"code":"query-required"`},
		{"a comment", queryBody("# nothing"), 400, `"code":"query-invalid"`},
		{"a bad escape", queryBody(`"\70000"`), 400, `"code":"query-invalid"`},
		{"no GraphQL", queryBody("stores"), 400, `"code":"query-invalid"`},
		{"unknown field", queryBody("{stores{secret}}"), 400, `Cannot query field`},
		{"unknown operation", `{"query":"query A{stores{id}}","operationName":"B"}`, 400, `no operation with name`},
		{"two operations", queryBody("query A{stores{id}} query B{stores{id}}"), 400, `more than one operation`},
		{"mutation", queryBody("mutation{x}"), 403, `"layer":"graphql","code":"mutation-unsupported"`},
		{"subscription", queryBody("subscription{x}"), 403, `"code":"subscription-unsupported"`},
		{"too deep", queryBody("{stores{id " + strings.Replace(deep, "store{", "", 1) + "}"), 400, `"code":"query-`},
		{"depth 8", queryBody("{payments{onetimeOrder{store{onetimeProducts{store{onetimeProducts{store{id}}}}}}}}"), 400, `"code":"query-too-large","aiHint":"REDUCE_QUERY_SIZE"`},
		{"depth 7", queryBody("{payments{onetimeOrder{store{onetimeProducts{store{onetimeProducts{id}}}}}}}"), 200, `{"data":{"payments":[]}}`},
		{"too long", queryBody("{stores{id}}" + strings.Repeat(" ", 33<<10)), 400, `maximum allowed query length`},
		{"too many selections", queryBody("{" + aliases(1001, "storesCount") + "}"), 400, `"code":"query-too-large"`},
		{"a missing variable", queryBody("query($id:ID!){store(id:$id){id}}"), 400, `"errors":[{"message":"`},
		{"a variable of another type", `{"query":"query($id:ID!){store(id:$id){id}}","variables":{"id":7}}`, 400, `"errors":[{"message":"`},
		{"an unused variable", queryBody("query($id:ID){storesCount}"), 400, `never used`},
		{"unknown members", `{"query":"{storesCount}","extensions":{},"variables":null}`, 200, `{"data":{"storesCount":1}}`},
		{"limit", queryBody("{stores(limit:101){id}}"), 200, `"message":"Invalid limit: expected 0 to 100","layer":"graphql","code":"limit-invalid","path":["stores"]`},
		{"negative limit", queryBody("{onetimeOrders(limit:-1){id}}"), 200, `limit-invalid`},
		{"offset", queryBody("{payments(offset:10001){id}}"), 200, `offset-invalid`},
		{"limit of 64 bits", queryBody("{stores(limit:99999999999){id}}"), 400, `"errors":[{"message":"`},
		{"bad timestamp", queryBody(`{onetimeOrders(filter:{createdAt:{gt:"yesterday"}}){id}}`), 200, `"code":"filter-time-invalid"`},
		{"long text", queryBody(`{onetimeOrdersCount(filter:{buyerEmail:{eq:"` + strings.Repeat("x", 600) + `"}})}`), 200, `"code":"filter-invalid"`},
		{"unknown filter", queryBody(`{onetimeOrders(filter:{secret:{eq:"x"}}){id}}`), 400, `"code":"query-invalid"`},
		{"an id of another kind", queryBody("{onetimeOrder(id:" + fmt.Sprintf("%q", s.File.StoreID) + "){id}}"), 200, `{"data":{"onetimeOrder":null}}`},
		{"a path as an id", queryBody(`{onetimeOrder(id:"../x"){id} store(id:"x/pr/y"){id} payment(id:""){id}}`), 200, `{"onetimeOrder":null,"store":null,"payment":null}`},
		{"introspection", queryBody("{__schema{queryType{fields{name args{name type{name kind ofType{name}}}}}}}"), 200, `"name":"onetimeOrders"`},
		{"the schema in the schema", queryBody("{__schema{types{fields{type{fields{type{fields{type{fields{type{fields{name}}}}}}}}}}}}"), 400, `"code":"introspection-too-large"`},
		{"deep introspection with data", queryBody("{storesCount __schema{types{fields{type{ofType{ofType{ofType{ofType{name}}}}}}}}}"), 200, `"code":"introspection-too-deep"`},
		{"all of the store", queryBody("{" + aliases(120, "onetimeProducts("+scope+"){id}") + "}"), 200, `"data":{`},
	} {
		got := s.query(t, c.body)
		if got.Status != c.status || !strings.Contains(got.Body, c.text) || strings.Count(got.Body, `"message"`) != strings.Count(got.Body, `"layer"`) {
			t.Errorf("%s: %.400s\nwant %d %s", c.name, got, c.status, c.text)
		}
	}
}

// aliases repeats a field under different names.
func aliases(n int, field string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "f%d:%s ", i, field)
	}
	return b.String()
}

// TestGraphQLOrders reads an order through its life: it is there as soon as the buyer has a URL, and it is narrowed by each filter.
func TestGraphQLOrders(t *testing.T) {
	s := openShop(t)
	token := s.Token(t, "user-17")
	session := s.Session(t, map[string]any{"orderMerchantExternalId": "A-1", "metadata": map[string]string{"plan": "team"}}).SessionID
	const list = `{onetimeOrders{status} onetimeOrdersCount payments{status} paymentsCount}`
	expect := func(query, want string) {
		t.Helper()
		if got := s.query(t, queryBody(query)); strings.TrimSpace(got.Body) != `{"data":`+want+`}` {
			t.Errorf("%s: %s\nwant %s", query, got, want)
		}
	}
	expect(list, `{"onetimeOrders":[],"onetimeOrdersCount":0,"payments":[],"paymentsCount":0}`)
	url := s.CreateOrder(t, token, shoptest.OrderFor(session)).CheckoutURL(t)
	expect(list, `{"onetimeOrders":[{"status":"pending"}],"onetimeOrdersCount":1,"payments":[],"paymentsCount":0}`)
	s.Pay(t, url)
	shoptest.Eventually(t, "the order is completed", func() bool {
		return strings.Contains(s.query(t, queryBody(list)).Body, "completed")
	})
	expect(list, `{"onetimeOrders":[{"status":"completed"}],"onetimeOrdersCount":1,"payments":[{"status":"succeeded"}],"paymentsCount":1}`)
	expect(`{onetimeOrders{currency testMode orderMerchantExternalId metadata merchantProvidedBuyerIdentity billingDetail{country isBusiness state}
		priceSnapshot{subtotal taxAmount total taxCategory} productVersion{versionNumber} payments{refundStatus snapshotAmountDetails{total phase} cardInfo{brand last4 expYear}
		failureReason paymentMethod orderMerchantExternalId}}}`,
		`{"onetimeOrders":[{"currency":"EUR","testMode":true,"orderMerchantExternalId":"A-1","metadata":"{\"plan\":\"team\"}","merchantProvidedBuyerIdentity":"user-17",`+
			`"billingDetail":{"country":"DE","isBusiness":false,"state":null},"priceSnapshot":{"subtotal":"27.00","taxAmount":"5.13","total":"32.13","taxCategory":"digital_goods"},`+
			`"productVersion":{"versionNumber":1},"payments":[{"refundStatus":"none","snapshotAmountDetails":{"total":"32.13","phase":null},"cardInfo":{"brand":null,"last4":null,"expYear":null},`+
			`"failureReason":null,"paymentMethod":"card","orderMerchantExternalId":"A-1"}]}]}`)
	for filter, want := range map[string]int{
		`status: {eq: "completed"}`: 1, `status: {eq: "pending"}`: 0, `status: {in: ["pending", "completed"]}`: 1, `status: {ne: "completed"}`: 0,
		`status: {startsWith: "comp"}`: 1, `status: {eq: "unheard"}`: 0, `orderMerchantExternalId: {eq: "A-1"}`: 1, `orderMerchantExternalId: {eq: "A-2"}`: 0,
		`orderMerchantExternalId: {startsWith: "A-"}`: 1, `orderMerchantExternalId: {eq: "A-1", ne: "A-1"}`: 0, `orderMerchantExternalId: {eq: ""}`: 0,
		`buyerEmail: {eq: " Ada@Example.com"}`: 1, `buyerEmail: {eq: "bob@example.com"}`: 0, `buyerEmail: {contains: "@"}`: 1, `currency: {eq: "EUR"}`: 1, `currency: {eq: "USD"}`: 0,
		`totalAmount: {gte: 3213}`: 1, `totalAmount: {gt: 3213}`: 0, `testMode: {eq: true}`: 1, `testMode: {eq: false}`: 0,
		`createdAt: {gt: "2020-01-01"}`: 1, `createdAt: {lt: "2020-01-01"}`: 0, `updatedAt: {gte: "2020-01-01T00:00:00Z"}`: 1,
		`status: {eq: "completed"}, currency: {eq: "EUR"}, createdAt: {gt: "2020-01-01"}`: 1,
	} {
		expect(`{onetimeOrdersCount(filter: {`+filter+`})}`, fmt.Sprintf(`{"onetimeOrdersCount":%d}`, want))
		if got := s.query(t, queryBody(`{onetimeOrders(filter: {`+filter+`}){id}}`)); strings.Count(got.Body, `"ORD_`) != want {
			t.Errorf("%s lists %s", filter, got)
		}
	}
	for filter, want := range map[string]int{
		`status: {eq: "succeeded"}`: 1, `status: {eq: "failed"}`: 0, `status: {ne: "failed"}`: 1, `orderMerchantExternalId: {eq: "A-1"}`: 1,
		`orderMerchantExternalId: {contains: "2"}`: 0, `currency: {eq: "EUR"}`: 1, `amount: {eq: 3213}`: 1, `createdAt: {gt: "2020-01-01"}`: 1,
		`orderId: {eq: "ORD_0000000000000000000000"}`: 0, `orderId: {startsWith: "ORD_"}`: 1,
	} {
		expect(`{paymentsCount(filter: {`+filter+`})}`, fmt.Sprintf(`{"paymentsCount":%d}`, want))
	}
	for query, want := range map[string]string{
		`{onetimeOrders(limit: 0){id} payments(limit: 0){id} stores(limit: 0){id}}`: `{"onetimeOrders":[],"payments":[],"stores":[]}`,
		`{onetimeOrders(offset: 1){id} payments(offset: 1){id}}`:                    `{"onetimeOrders":[],"payments":[]}`,
	} {
		expect(query, want)
	}
}
