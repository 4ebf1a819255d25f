package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/edge/demo"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// unanswered has queries of the packages that are refused, by a part of their text, and a part of the refusal.
var unanswered = []struct{ text, refusal string }{
	// The guide, which these contradict, has prices as a list of objects.
	{"onetimeProduct(id: $id) { id name prices }", `must have a selection of subfields`},
	{"onetimeProducts { id name status prices }", `must have a selection of subfields`},
	{"rate(fromCurrency", `Cannot query field "rate"`},
	// Analyses beyond those of the hooks.
	{"timeRange", ""},
}

// TestGraphQLQueries sends every query that the installed packages contain, with the data of an order that was made and paid through
// the API. Each is answered without an error, but for those listed.
func TestGraphQLQueries(t *testing.T) {
	t.Parallel()
	dir, data := npmInstall(t, "testdata/nextjs"), t.TempDir()
	running := start(t, data, freeAddress(t))
	shop := shopOn(t, data)
	token := shop.Token(t, "user-17")
	session := shop.Session(t, map[string]any{"orderMerchantExternalId": "ORDER-2026-00891", "metadata": map[string]string{"plan": "team"}}).SessionID
	shop.Pay(t, shop.CreateOrder(t, token, shoptest.OrderFor(session)).CheckoutURL(t))
	var read struct {
		OnetimeOrders []struct {
			ID, Status string
			Payments   []struct{ ID string }
		}
	}
	shoptest.Eventually(t, "the order is completed", func() bool {
		merchantQuery(t, shop, `{onetimeOrders{id status payments{id}}}`, &read)
		return len(read.OnetimeOrders) == 1 && read.OnetimeOrders[0].Status == "completed"
	})
	if got := shop.Post(t, "/v1/actions/refund-ticket/create-ticket", `{"paymentId":"`+read.OnetimeOrders[0].Payments[0].ID+
		`","reason":"too small","requestedAmount":{"amount":"5.00","currency":"EUR"},"refundTicketMerchantExternalId":"REF-2026-00012"}`,
		shoptest.Bearer(token)); got.Status != 200 {
		t.Fatal(got)
	}
	known, err := json.Marshal(map[string]string{"buyerIdentity": "user-17", "orderId": read.OnetimeOrders[0].ID, "productId": shop.File.Products[0].ID,
		"orderRef": "ORDER-2026-00891", "ticketRef": "REF-2026-00012"})
	if err != nil {
		t.Fatal(err)
	}
	script := exec.Command("node", "read.mjs", filepath.Join(data, demo.FileName), string(known))
	script.Dir, script.Stderr = dir, os.Stderr
	output, err := script.Output()
	if err != nil {
		t.Fatal(err)
	}
	running.kill()
	var queries []struct {
		File, Text string
		Customer   bool
		Answer     struct {
			Data   map[string]any
			Errors []struct{ Message, Layer string }
		}
	}
	if err := json.Unmarshal(output, &queries); err != nil {
		t.Fatal(err)
	}
	answered := 0
	for _, q := range queries {
		refusal, listed := "", false
		for _, u := range unanswered {
			if strings.Contains(q.Text, u.text) {
				refusal, listed = u.refusal, true
			}
		}
		switch {
		case listed && (len(q.Answer.Errors) == 0 || !strings.Contains(q.Answer.Errors[0].Message, refusal) || q.Answer.Errors[0].Layer != "graphql"):
			t.Errorf("%s: %s\nis answered with %+v", q.File, q.Text, q.Answer)
		case !listed && (len(q.Answer.Errors) > 0 || len(q.Answer.Data) == 0):
			t.Errorf("%s: %s\nis answered with %+v", q.File, q.Text, q.Answer)
		case !listed:
			answered++
			checkAnswer(t, q.Text, q.Answer.Data)
		}
	}
	t.Logf("%d of %d queries are answered", answered, len(queries))
	if answered < 30 {
		t.Errorf("%d queries are answered: the test no longer finds them", answered)
	}
}

// checkAnswer looks for what the order has left in an answer.
func checkAnswer(t *testing.T, text string, data map[string]any) {
	t.Helper()
	for _, list := range []string{"onetimeOrders", "payments", "onetimeProducts", "stores", "orders", "refundTickets"} {
		answer, asked := data[list].([]any)
		if asked && len(answer) == 0 && (list == "refundTickets" || !strings.Contains(text, `"pending"`)) {
			t.Errorf("%s: %s is empty", text, list)
		}
	}
	for _, field := range []string{"onetimeOrder", "store", "merchant"} {
		if answer, asked := data[field]; asked && answer == nil {
			t.Errorf("%s: %s is null", text, field)
		}
	}
	if sales, asked := data["paymentStatistics"].(map[string]any); asked && sales["totalSucceededCount"] != 1.0 {
		t.Errorf("the sales are %v", data)
	}
}

// merchantQuery decodes the data of an answer to a query of the demo merchant.
func merchantQuery(t *testing.T, shop *shoptest.Shop, text string, data any) {
	t.Helper()
	body, err := json.Marshal(map[string]string{"query": text})
	if err != nil {
		t.Fatal(err)
	}
	header, err := shop.Merchant.Sign("/v1/graphql", body)
	if err != nil {
		t.Fatal(err)
	}
	reply := shop.Post(t, "/v1/graphql", string(body), header)
	if err := json.Unmarshal([]byte(reply.Body), &struct{ Data any }{data}); err != nil || reply.Status != 200 {
		t.Fatalf("%v: %s", err, reply)
	}
}
