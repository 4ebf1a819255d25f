package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/admin"
	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// soldAtDiscount is what GraphQL, the quote and an event tell of a discounted order.
type soldAtDiscount struct {
	ListPrice, Subtotal, TaxAmount, Total string
	Discount                              struct{ Label, Amount, ListPrice string }
}

// TestDiscountedOrder: an order with a coupon is quoted, ordered, paid and refunded in two parts. Everything that tells of it has the same
// amounts, and after the refunds the report has none.
func TestDiscountedOrder(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	start(t, data, freeAddress(t))
	r := &ruled{shopOn(t, data), t, []string{"--data", data}}
	events := receiveEvents(r)
	sum := sha256.Sum256([]byte("ada@example.com"))
	r.publish(r.upload("coupon", `{"label":"Spring coupon","percent":10,"addresses":["`+hex.EncodeToString(sum[:8])+`"]}`, "--in-page"), checkout.Test)
	session := r.Session(t, nil)
	if out, err := exec.Command(binary.path, "verify-page", "--quiet", session.CheckoutURL).CombinedOutput(); err != nil {
		t.Errorf("verify-page: %v %s", err, out)
	}
	request := shoptest.OrderFor(session.SessionID)
	request["buyerEmail"] = "Ada@example.com"
	quoted := r.quote(request)
	if quoted.ListPrice != "27.00" || quoted.Discount.Amount != "2.70" || quoted.Discount.Label != "Spring coupon" || quoted.Subtotal != "24.30" || quoted.TaxAmount != "4.62" || quoted.Total != "28.92" {
		t.Errorf("quoted %+v", quoted)
	}
	token := r.Token(t, "user-1")
	request["expectedTotal"] = "32.13"
	r.want("the total without the coupon", r.CreateOrder(t, token, request), 409, `"code":"total-changed"`)
	request["expectedTotal"] = quoted.Total
	url := r.CreateOrder(t, token, request).CheckoutURL(t)
	if again := r.CreateOrder(t, token, request).CheckoutURL(t); again != url {
		t.Errorf("the same request again: %s, not %s", again, url)
	}
	r.want("the provider's page", r.page(url), 200, "28.92")
	r.Pay(t, url)

	event := <-events
	if event.ChargedAmount != "28.92" || event.Discount.Label != "Spring coupon" || event.Discount.Amount != "2.70" || event.Subtotal != "24.30" {
		t.Errorf("the event has %+v", event)
	}
	var read struct {
		OnetimeOrder struct {
			PriceSnapshot soldAtDiscount
			Payments      []struct{ ID string }
		}
	}
	query := map[string]any{"query": `query ($id: ID!) {onetimeOrder(id: $id) {payments {id} priceSnapshot {subtotal taxAmount total discount {label amount listPrice}}}}`,
		"variables": map[string]string{"id": event.OrderID}}
	if err := r.Merchant.Call("/v1/graphql", query, &read); err != nil {
		t.Fatal(err)
	}
	if s := read.OnetimeOrder.PriceSnapshot; s.Total != "28.92" || s.Subtotal != "24.30" || s.Discount.Amount != "2.70" || s.Discount.ListPrice != "27.00" {
		t.Errorf("GraphQL has %+v", s)
	}
	receipt := r.page(event.ReceiptURL + ".json")
	var invoice invoices.Invoice
	if err := json.Unmarshal([]byte(receipt.Body), &invoice); err != nil || invoice.Totals.Payable != "28.92" || invoice.Lines[0].Item.Price != "27.00" || invoice.Lines[0].Discounts[0].Amount != "2.70" {
		t.Errorf("the receipt is %s, %v", receipt, err)
	}
	for _, amount := range []string{"10.00", "18.92"} {
		var made ticketLine
		ask := map[string]any{"paymentId": read.OnetimeOrder.Payments[0].ID, "reason": "Goodwill", "requestedAmount": map[string]string{"amount": amount, "currency": "EUR"}}
		if err := r.Merchant.Call("/v1/actions/refund-ticket/create-ticket", ask, &made); err != nil || made.Ticket.Status != "succeeded" {
			t.Errorf("refunding %s: %+v, %v", amount, made, err)
		}
	}
	today := time.Now().UTC().Format(time.DateOnly)
	shoptest.Eventually(t, "the credit notes are together the receipt", func() bool {
		report := operateJSON[admin.TaxReport](t, "report", "tax", "--env", "test", "--from", "2026-01-01", "--to", today, "--data", data)
		return len(report.Totals) == 1 && report.Totals[0].Sales == 1 && report.Totals[0].SalesNet == "24.30" && report.Totals[0].SalesTax == "4.62" &&
			report.Totals[0].Refunds == 2 && report.Totals[0].RefundsNet == "24.30" && report.Totals[0].RefundsTax == "4.62"
	})
}

// quote asks what an order would cost.
func (r *ruled) quote(request map[string]any) (quoted soldAtDiscount) {
	r.Helper()
	body, err := json.Marshal(request)
	must(r.T, err)
	reply := r.Post(r, "/v1/actions/checkout/quote", string(body), r.Visitor())
	var answer struct{ Data soldAtDiscount }
	if err := json.Unmarshal([]byte(reply.Body), &answer); err != nil || reply.Status != 200 {
		r.Fatalf("%s, %v", reply, err)
	}
	return answer.Data
}

// page gets a page by its URL.
func (r *ruled) page(url string) shoptest.Reply {
	r.Helper()
	response, err := http.Get(url)
	must(r.T, err)
	return shoptest.Read(r, response)
}

// discountedEvent is a part of the data of order.completed.
type discountedEvent struct {
	OrderID, ChargedAmount, ReceiptURL string
	soldAtDiscount
}

// receiveEvents starts a merchant's endpoint and registers it.
func receiveEvents(r *ruled) <-chan discountedEvent {
	r.Helper()
	events := make(chan discountedEvent, 10)
	merchant := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		var event struct{ Data json.RawMessage }
		var data discountedEvent
		if json.Unmarshal(body, &event) == nil && !strings.Contains(string(body), `"refund.`) {
			// listPrice is an object in an event
			json.Unmarshal([]byte(strings.ReplaceAll(string(event.Data), `"listPrice":{`, `"list":{`)), &data)
			events <- data
		}
	}))
	r.Cleanup(merchant.Close)
	must(r.T, r.Merchant.Call("/v1/actions/store/add-webhook", map[string]any{"storeId": r.File.StoreID, "channel": "http", "url": merchant.URL,
		"events": []string{"order.completed"}, "testMode": true, "secret": "hunter2hunter2"}, new(struct{})))
	return events
}
