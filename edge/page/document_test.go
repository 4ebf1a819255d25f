package page

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp"
)

// receipt pays for an order by a form and returns the path of the receipt.
func (s *shop) receipt(t *testing.T, form url.Values) string {
	t.Helper()
	s.offer(t, nil)
	placed := s.orderBy(t, form)
	s.report(t, placed, psp.EventCompleted, true)
	order, err := s.db.Order(t.Context(), placed.Environment, placed.ID)
	if err != nil {
		t.Fatal(err)
	}
	d, err := s.invoices.ReceiptOf(t.Context(), order)
	if err != nil {
		t.Fatal(err)
	}
	return d.Path()
}

func TestDocument(t *testing.T) {
	s := openShop(t)
	path := s.receipt(t, ottawa())
	page := s.get(path)
	expect(t, page, fasthttp.StatusOK, "<h1>Receipt</h1>", "TEST-A1B2C3-2099-000001", "$129.00", "HST 13%", "$16.77", "$145.77", "•••• 4242",
		"Test document: no money has moved.")
	golden(t, "document", page)
	for name, want := range map[string]string{"Cache-Control": "no-store", "X-Robots-Tag": "noindex", "Referrer-Policy": "no-referrer"} {
		if got := string(page.Header.Peek(name)); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if policy := string(page.Header.Peek("Content-Security-Policy")); !strings.Contains(policy, "default-src 'none'") {
		t.Errorf("policy %q", policy)
	}
	expect(t, s.get(path+".json"), fasthttp.StatusOK, `"code": "TEST-A1B2C3-2099-000001"`, `"total_with_tax": "145.77"`)
	expect(t, s.get(path+"?language=de"), fasthttp.StatusOK, "<h1>Beleg</h1>", `lang="de"`)
	expect(t, s.get(path+"?language=xx"), fasthttp.StatusOK, "<h1>Receipt</h1>")
	expect(t, s.do("POST", path, nil), fasthttp.StatusMethodNotAllowed)
	expect(t, s.get(pageURL+"/complete"), fasthttp.StatusOK, `href="`+path+`"`, "View the receipt")
}

// TestDocumentUnknown: nothing but a whole token finds a document, and every other path shows the same.
func TestDocumentUnknown(t *testing.T) {
	s := openShop(t)
	path := s.receipt(t, ottawa())
	token := strings.Split(path, "/")[2]
	want := string(s.get("/orders/" + strings.Repeat("a", len(token)) + "/receipt").Body())
	for _, other := range []string{"/orders//receipt", "/orders/" + token[1:] + "/receipt", "/orders/" + token + "a/receipt", "/orders/" + token,
		"/orders/" + token + "/", "/orders/" + token + "/receipt/", "/orders/" + token + "/receipt.xml", "/orders/" + strings.ToUpper(token) + "/receipt",
		"/orders/" + session + "/receipt", "/orders/%2e%2e/receipt", "/orders/" + token[:31] + "%00/receipt", "/orders/a/b/receipt"} {
		page := s.get(other)
		if page.StatusCode() != fasthttp.StatusNotFound || string(page.Body()) != want {
			t.Errorf("%s: %d", other, page.StatusCode())
		}
	}
	expect(t, s.get("/orders/"+strings.Repeat("a", len(token))+"/receipt.json"), fasthttp.StatusNotFound)
}

// TestDocumentAwaited: the page of a paid order waits for the receipt, for a while.
func TestDocumentAwaited(t *testing.T) {
	s := openShop(t)
	s.offer(t, nil)
	s.Handler.config.Documents = noDocuments{}
	s.report(t, s.order(t), psp.EventCompleted, true)
	expect(t, s.get(pageURL+"/complete"), fasthttp.StatusOK, `data-standing="paid-without-receipt" data-refresh="3"`, "Your order is complete")
	s.now = s.now.Add(receiptWithin)
	expect(t, s.get(pageURL+"/complete"), fasthttp.StatusOK, `data-standing="paid">`, "Your order is complete")
}

type noDocuments struct{ Documents }

func (noDocuments) ReceiptOf(_ context.Context, _ *orders.Order) (*invoices.Document, error) {
	return nil, invoices.ErrNotFound
}

// reverseCharge is the mention of Directive 2006/112/EC, Art. 226(11a), in its language versions that the page has.
var reverseCharge = map[string]string{
	"de": "Steuerschuldnerschaft des Leistungsempfängers", "en": "Reverse charge", "es": "Inversión del sujeto pasivo", "fr": "Autoliquidation",
	"it": "Inversione contabile", "nl": "Btw verlegd", "pl-PL": "Odwrotne obciążenie", "pt-BR": "Autoliquidação",
}

// TestDocumentReverseCharge: the document of a business that owes the tax itself says so in the words of the directive.
func TestDocumentReverseCharge(t *testing.T) {
	s := openShop(t)
	path := s.receipt(t, url.Values{"email": {"ada@fieldnotes.example"}, "country": {"DE"}, "isBusiness": {"on"},
		"businessName": {"Fieldnotes <GmbH>"}, "taxId": {"DE 136 695 976"}})
	for tag, mention := range reverseCharge {
		expect(t, s.get(path+"?language="+tag), fasthttp.StatusOK, `<p class="note">`+mention+" \u2066(2006/112/EC, Art. 196)\u2069</p>",
			"DE136695976", "Fieldnotes &lt;GmbH&gt;")
	}
	expect(t, s.get(path+".json"), fasthttp.StatusOK, `"untdid-tax-category": "AE"`, `"cef-vatex": "VATEX-EU-AE"`, `"key": "reverse-charge"`)
	golden(t, "document-arabic", s.get(path+"?language=ar"))
}

// TestDocumentIsFrozen: a later change of the store changes the look of a document, and nothing that it says.
func TestDocumentIsFrozen(t *testing.T) {
	s := openShop(t)
	path := s.receipt(t, ottawa())
	before := string(s.get(path + ".json").Body())
	store, err := s.db.StoreBySlug(t.Context(), slug)
	if err != nil {
		t.Fatal(err)
	}
	store.Name, store.Checkout = "Southline", decorated.Checkout
	if err := s.db.Put(t.Context(), catalog.Change{Store: store}); err != nil {
		t.Fatal(err)
	}
	if after := string(s.get(path + ".json").Body()); after != before {
		t.Errorf("%s\nbecame\n%s", before, after)
	}
	page := s.get(path)
	expect(t, page, fasthttp.StatusOK, "Northline", "/theme/")
	if strings.Contains(string(page.Body()), "Southline") {
		t.Error("the document has the store's new name")
	}
}

// TestDocumentEnvironment: the documents of the environments are numbered apart, and only those of test are marked.
func TestDocumentEnvironment(t *testing.T) {
	var test, prod invoices.Document
	test.Series.Environment, prod.Series.Environment = checkout.Test, checkout.Prod
	if test.Code() == prod.Code() {
		t.Errorf("both are %s", test.Code())
	}
}
