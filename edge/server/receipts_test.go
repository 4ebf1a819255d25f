package server

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// receiptOf pays an order and returns the URL of its receipt as the webhook has it, and the session's id.
func (s *shop) receiptOf(t *testing.T, merchant *listener, billing map[string]any) (url, session string) {
	t.Helper()
	before := len(merchant.received())
	token, opened := s.Token(t, "user-17"), s.Session(t, nil)
	request := shoptest.OrderFor(opened.SessionID)
	if billing != nil {
		request["billingDetail"] = billing
	}
	s.Pay(t, s.CreateOrder(t, token, request).CheckoutURL(t))
	shoptest.Eventually(t, "the endpoint hears of the order", func() bool { return len(merchant.received()) > before })
	var event struct{ Data struct{ ReceiptURL string } }
	if err := json.Unmarshal([]byte(merchant.received()[before].body), &event); err != nil {
		t.Fatal(err)
	}
	return event.Data.ReceiptURL, opened.SessionID
}

func fetch(t *testing.T, url string) (*http.Response, string) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

func fetchInvoice(t *testing.T, url string) (v invoices.Invoice) {
	t.Helper()
	response, body := fetch(t, url+".json")
	if err := json.Unmarshal([]byte(body), &v); err != nil || response.StatusCode != 200 {
		t.Fatalf("%s: %d, %v: %s", url, response.StatusCode, err, body)
	}
	return v
}

// TestReceipts: each paid order has a receipt with the next number, as a page and as JSON; the webhook and the completion page
// lead to it.
func TestReceipts(t *testing.T) {
	shop, merchant := openShop(t, privateWebhooks), newListener(t)
	shop.addWebhook(t, merchant.URL, "order.completed")
	var urls []string
	for i, billing := range []map[string]any{
		{"country": "DE", "isBusiness": false},
		{"country": "FR", "isBusiness": true, "businessName": "Fieldnotes <SARL>", "taxId": "FR40303265045"},
	} {
		url, session := shop.receiptOf(t, merchant, billing)
		urls = append(urls, url)
		invoice := fetchInvoice(t, url)
		if want := []string{"000001", "000002"}[i]; !strings.HasPrefix(invoice.Code, "TEST-") || !strings.HasSuffix(invoice.Code, "-"+want) {
			t.Errorf("receipt %d has the number %s", i+1, invoice.Code)
		}
		response, page := fetch(t, url)
		if response.StatusCode != 200 || !strings.Contains(page, invoice.Code) {
			t.Errorf("the page of %s: %d %s", invoice.Code, response.StatusCode, page)
		}
		for name, want := range map[string]string{"Cache-Control": "no-store", "X-Robots-Tag": "noindex", "Referrer-Policy": "no-referrer"} {
			if got := response.Header.Get(name); got != want {
				t.Errorf("%s is %q", name, got)
			}
		}
		if policy := response.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") {
			t.Errorf("the policy is %q", policy)
		}
		stored, err := shop.db.Session(t.Context(), session)
		if err != nil {
			t.Fatal(err)
		}
		_, status := fetch(t, stored.PageURL+"/complete")
		if !strings.Contains(status, strings.TrimPrefix(url, shop.PublicURL)) {
			t.Errorf("the completion page does not link %s", url)
		}
		t.Log(page)
	}
	if urls[0] == urls[1] {
		t.Error("two receipts have one URL")
	}
}
