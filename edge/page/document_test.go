package page

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/locale"
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

// TestDocumentCorrections: a receipt leads to its credit notes, and each of them back.
func TestDocumentCorrections(t *testing.T) {
	s := openShop(t)
	path := s.receipt(t, ottawa())
	note := s.refund(t, strings.Split(path, "/")[2])
	expect(t, s.get(path), fasthttp.StatusOK, `<li><a href="`+note+`">Credit note <bdi>TEST-A1B2C3-2099-CN000001</bdi></a> · <bdi>November 23, 2099</bdi> · <span class="amount">$11.30</span></li>`)
	expect(t, s.get(path+".json"), fasthttp.StatusOK, `"code": "TEST-A1B2C3-2099-CN000001"`, `"payable": "11.30"`, note+`"`)
	expect(t, s.get(note), fasthttp.StatusOK, `<p class="preceding"><a href="`+path+`">Corrects TEST-A1B2C3-2099-000001 of November 23, 2099</a></p>`)
}

// TestDocumentExchange: a document in another currency than that of the seller's country has the tax in the latter, too.
func TestDocumentExchange(t *testing.T) {
	s := openShop(t)
	s.exchange = "Date, USD, \n20 November 2099, 1.0832, \n"
	path := s.receipt(t, ottawa())
	expect(t, s.get(path), fasthttp.StatusOK, "<div><dt>Tax in EUR</dt><dd>€15.48</dd></div>",
		"Exchange rate of November 20, 2099, \u2068European Central Bank\u2069: \u20661 EUR = 1.0832 USD\u2069")
	expect(t, s.get(path+".json"), fasthttp.StatusOK, `"tax_accounting_currency": "EUR"`, `"tax_in_accounting_currency": "15.48"`, `"amount": "1.0832"`)
	note := s.refund(t, strings.Split(path, "/")[2])
	s.exchange = ""
	golden(t, "document-exchange", s.get(path+"?language=ja-JP"))
	golden(t, "document-exchange-credit", s.get(note+"?language=ar"))
}

// refund records a refund of a receipt's payment and returns the path of its credit note.
func (s *shop) refund(t *testing.T, token string) string {
	t.Helper()
	receipt, err := s.db.Document(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	order, err := s.db.Order(t.Context(), receipt.Series.Environment, receipt.OrderID)
	if err != nil {
		t.Fatal(err)
	}
	order.Refunds = []orders.Refund{{ID: "REF_1", PaymentID: receipt.EventID, State: orders.RefundSucceeded, Amount: 1130,
		Split: orders.Split{Net: 1000, Tax: 130, Parts: []orders.SplitPart{{Taxable: 1000, Amount: 130}}}}}
	err = s.db.Commit(t.Context(), orders.Change{Order: order, Facts: []orders.Fact{{Kind: orders.RefundHasSucceeded, Environment: order.Environment,
		StoreID: order.StoreID, OrderID: order.ID, EventID: "REF_1", At: s.now.UnixMilli()}}})
	if err != nil {
		t.Fatal(err)
	}
	s.issue(t)
	note, err := s.db.DocumentOf(t.Context(), order.Environment, order.ID, "REF_1")
	if err != nil {
		t.Fatal(err)
	}
	return note.Path()
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

// TestPartyNamesItsTaxID checks that a receipt calls a tax ID what the party's country calls it.
func TestPartyNamesItsTaxID(t *testing.T) {
	for nation, want := range map[country.Code]string{"US": "EIN", "DE": "VAT ID", "JP": "Registration number", "HK": "Tax ID"} {
		var page strings.Builder
		v := texts{locale.English()}.party(&invoices.Party{Country: nation, TaxID: "12-3456789"})
		if err := templates.ExecuteTemplate(&page, "party", v); err != nil || !strings.Contains(page.String(), "<span>"+want+" 12-3456789</span>") {
			t.Errorf("%s: %s, %v", nation, &page, err)
		}
	}
}
