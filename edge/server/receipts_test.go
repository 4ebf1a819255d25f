package server

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/shoptest"
	"github.com/crepe-checkout/crepe/edge/smtp"
	"github.com/crepe-checkout/crepe/edge/smtp/smtptest"
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

// TestReceiptByEmail: the receipt of a prod order is sent once over the operator's server, with TLS and a login; none is sent for a
// test order.
func TestReceiptByEmail(t *testing.T) {
	post := smtptest.Open(t, false)
	shop := openShop(t, func(c *Config) {
		settings, err := smtp.Parse(fmt.Sprintf("smtp://%s:correct%%20horse@localhost:%d?from=receipts@example.com", smtptest.User, post.Port))
		if err != nil {
			t.Fatal(err)
		}
		settings.Roots = post.Roots
		c.SMTP = settings
	})
	testSession, prodSession := shop.Session(t, nil).SessionID, shop.ProdSession(t)
	shop.Pay(t, shop.CreateOrder(t, shop.Token(t, "user-17"), shoptest.OrderFor(testSession)).CheckoutURL(t))
	page, err := shop.db.Session(t.Context(), prodSession)
	if err != nil {
		t.Fatal(err)
	}
	shop.payOnPage(t, page.PageURL)
	shoptest.Eventually(t, "the receipt arrives", func() bool { return len(post.Received()) > 0 })
	time.Sleep(1500 * time.Millisecond) // a second one would come within a second
	got := post.Received()
	if len(got) != 1 || !strings.Contains(got[0], "To: <ada@example.com>") || strings.Contains(got[0], "TEST-") {
		t.Errorf("%d e-mails: %s", len(got), got)
	}
}

// payOnPage orders with the form of a checkout page, without JavaScript, and pays.
func (s *shop) payOnPage(t *testing.T, page string) {
	t.Helper()
	r := s.SubmitForm(t, page, url.Values{"email": {"ada@example.com"}, "country": {"DE"}}, nil)
	s.Pay(t, r.Header.Get("Location"))
}

// TestCreditNotes: the credit notes of two refunds are together the receipt, to the minor unit.
func TestCreditNotes(t *testing.T) {
	shop, merchant := openShop(t, privateWebhooks), newListener(t)
	shop.addWebhook(t, merchant.URL, "order.completed")
	url, session := shop.receiptOf(t, merchant, nil)
	stored, err := shop.db.Session(t.Context(), session)
	if err != nil {
		t.Fatal(err)
	}
	var sums [3]int64
	receipt := &invoices.Document{}
	for i, amount := range []string{"10.00", "22.13"} {
		var answer struct{ Ticket struct{ ID string } }
		order, err := shop.db.Order(t.Context(), stored.Environment, stored.OrderID)
		if err != nil {
			t.Fatal(err)
		}
		if receipt, err = shop.invoices.ReceiptOf(t.Context(), order); err != nil {
			t.Fatal(err)
		}
		err = shop.Merchant.Call("/v1/actions/refund-ticket/create-ticket", map[string]any{"paymentId": order.Payments[0].ID, "reason": "changed my mind",
			"requestedAmount": map[string]string{"amount": amount, "currency": "EUR"}}, &answer)
		if err != nil {
			t.Fatal(err)
		}
		var note *invoices.Document
		shoptest.Eventually(t, "the refund has a credit note", func() bool {
			order, err := shop.db.Order(t.Context(), stored.Environment, stored.OrderID)
			if err != nil || len(order.Refunds) <= i {
				return false
			}
			note, err = shop.db.DocumentOf(t.Context(), order.Environment, order.ID, order.Refunds[i].ID)
			return err == nil
		})
		sums[0], sums[1], sums[2] = sums[0]+note.Subtotal, sums[1]+note.Tax, sums[2]+note.Total
		_, page := fetch(t, shop.PublicURL+note.Path())
		if !strings.Contains(page, "<h1>Credit note</h1>") || !strings.Contains(page, "Corrects "+receipt.Code()) || !strings.Contains(page, strings.TrimPrefix(url, shop.PublicURL)) ||
			!strings.Contains(page, "Date of refund") || !strings.Contains(page, "€"+amount) {
			t.Errorf("the credit note is %s", page)
		}
	}
	if want := [3]int64{receipt.Subtotal, receipt.Tax, receipt.Total}; sums != want {
		t.Errorf("the credit notes are %v together, the receipt is %v", sums, want)
	}
}
