package page

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-json"
	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/requestid"
	"github.com/crepe-checkout/crepe/web"
)

// Documents is the part of [invoices.Service] that the page uses.
type Documents interface {
	// Document returns a document by its token, or [invoices.ErrNotFound].
	Document(ctx context.Context, token string) (*invoices.Document, error)
	// Corrections returns the documents that correct a document.
	Corrections(ctx context.Context, d *invoices.Document) ([]invoices.Document, error)
	// ReceiptOf returns the receipt of an order, or [invoices.ErrNotFound] while it has none.
	ReceiptOf(ctx context.Context, o *orders.Order) (*invoices.Document, error)
	// JSON returns a document for programs.
	JSON(ctx context.Context, d *invoices.Document) (*invoices.Invoice, error)
}

// splitDocument parses /orders/<token>/receipt and /orders/<token>/receipt.json.
func splitDocument(path string) (token string, asJSON, ok bool) {
	path, isOrder := strings.CutPrefix(path, "/orders/")
	token, file, _ := strings.Cut(path, "/")
	asJSON = file == "receipt.json"
	return token, asJSON, isOrder && (asJSON || file == "receipt")
}

// document serves a receipt or a credit note.
func (h *Handler) document(ctx *fasthttp.RequestCtx, token string, asJSON bool) {
	background, cancel := context.WithTimeout(requestid.Detached(ctx), callTimeout)
	defer cancel()
	d, err := h.config.Documents.Document(background, token)
	switch {
	case errors.Is(err, invoices.ErrNotFound):
		h.show(ctx, fasthttp.StatusNotFound, "message", notFound(ctx))
	case err != nil:
		h.fail(ctx, err)
	case asJSON:
		h.writeDocument(background, ctx, d)
	default:
		h.showDocument(background, ctx, d)
	}
}

func (h *Handler) writeDocument(background context.Context, ctx *fasthttp.RequestCtx, d *invoices.Document) {
	v, err := h.config.Documents.JSON(background, d)
	if err != nil {
		h.fail(ctx, err)
		return
	}
	body, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		h.fail(ctx, err)
		return
	}
	ctx.SetContentType("application/json")
	ctx.SetBody(append(body, '\n'))
}

// documentPage shows a document.
type documentPage struct {
	frame
	Kind        string // message key of the title
	Code        string
	Issued      string
	Supplied    string
	SuppliedKey string // message key of its name
	Preceding   string // the sentence about the corrected receipt, "" for none
	Corrected   string // its URL
	Corrections []correctionView
	Seller      partyView
	Buyer       partyView
	Line        string
	Rows        []taxRow
	ListPrice   string // "" without a discount
	Discount    *discountLine
	Subtotal    string
	Taxes       []taxLine
	Total       string
	Currency    string
	OwnTaxName  string // of the tax in the seller's currency, "" for none
	OwnTax      string
	Notes       []string
	Consents    []consentLine
	Payment     string
	Order       string
	JSON        string // path of the JSON form
}

// partyView is a seller or buyer as lines of text.
type partyView struct {
	texts
	Name       string
	Address    []string
	TaxID      string
	TaxIDLabel string
	Email      string
}

// correctionView is a document that corrects the one that is shown.
type correctionView struct{ URL, Kind, Code, Issued, Total string }

// consentLine is a sentence that the buyer has agreed to, and when.
type consentLine struct{ Agreed, Text string }

// taxRow is one line of the table: the sale under one tax, or under none.
type taxRow struct{ Net, Rate, Tax string }

// Style of the document beside that of all pages.
func (p *documentPage) Paper() *web.Asset { return web.Named("receipt.css") }

// showDocument renders a document in the look of its store, as it is now.
func (h *Handler) showDocument(background context.Context, ctx *fasthttp.RequestCtx, d *invoices.Document) {
	store, err := h.config.Stores.Store(background, d.Series.StoreID)
	if errors.Is(err, catalog.ErrNotFound) {
		store, err = new(catalog.Store), nil
	}
	if err != nil {
		h.fail(ctx, err)
		return
	}
	corrections, err := h.config.Documents.Corrections(background, d)
	if err != nil {
		h.fail(ctx, err)
		return
	}
	t := language(ctx, d.Language, store.Checkout.Language)
	p := policy{images: logoOrigins(store)}
	ctx.Response.Header.Set("Content-Security-Policy", p.String())
	h.show(ctx, fasthttp.StatusOK, "document", t.documentPage(d, store, corrections))
}

func (t texts) documentPage(d *invoices.Document, store *catalog.Store, corrections []invoices.Document) *documentPage {
	kind := d.TitleKey()
	notation := t.Money(d.Currency)
	amount := func(minor int64) string {
		return notation.Write(money.Amount{Minor: minor, Currency: d.Currency}.String())
	}
	p := &documentPage{
		frame: frame{texts: t, Title: t.Text(kind) + " " + d.Code(), Merchant: d.StoreRef.Name, Links: store.Links, Logo: logoOf(store),
			ThemeURL: themeURL(&store.Checkout), Test: d.Series.Environment == checkout.Test, Theme: "light"},
		Kind: kind, Code: d.Code(), Issued: t.date(d.IssuedAt), Supplied: t.date(d.SuppliedAt),
		Seller: t.party(&d.Seller), Buyer: t.party(&d.Buyer), Line: d.Line.Name,
		Subtotal: amount(d.Subtotal), Total: amount(d.Total), Currency: t.code(d.Currency),
		Order: d.OrderID, JSON: d.Path() + ".json", Payment: d.Payment.Last4,
	}
	p.Logo.Dark = p.Logo.Light
	if p.Discount = t.discountLine(d.Discount, amount); p.Discount != nil {
		p.ListPrice = amount(d.ListPrice)
	}
	p.SuppliedKey = "document.supplied"
	if d.Series.Kind == invoices.CreditNote {
		p.SuppliedKey, p.Payment = "document.refunded", ""
	}
	for i := range d.Components {
		c := &d.Components[i]
		line := t.taxLine(c, amount)
		p.Taxes = append(p.Taxes, line)
		p.Rows = append(p.Rows, taxRow{amount(c.Taxable), line.Name + " " + t.rate(c), amount(c.Amount)})
	}
	if len(p.Rows) == 0 {
		p.Rows = []taxRow{{amount(d.Subtotal), t.Text(d.Reason.String()), amount(0)}}
	}
	p.Notes = t.documentNotes(d)
	for _, c := range d.Consents {
		p.Consents = append(p.Consents, consentLine{t.Text("document.consent", "date", t.date(c.At)), c.Text})
	}
	if e := d.Exchange; e != nil {
		p.OwnTaxName, p.OwnTax = t.Text("document.tax-in", "currency", string(e.Currency)), t.Amount(money.Amount{Minor: e.Tax(), Currency: e.Currency})
	}
	if r := d.Preceding; r != nil {
		p.Preceding = t.Text("document.corrects", "number", r.Code, "date", t.date(r.IssuedAt))
		p.Corrected = "/orders/" + r.Token + "/receipt"
	}
	for i := range corrections {
		c := &corrections[i]
		p.Corrections = append(p.Corrections, correctionView{c.Path(), t.Text(c.TitleKey()), c.Code(), t.date(c.IssuedAt), amount(c.Total)})
	}
	return p
}

// rate is a tax's rate, and how much of the price it applies to unless that is all of it.
func (t texts) rate(c *tax.Component) string {
	percent := t.Percent()
	if c.Base == 100 {
		return percent.Write(c.Rate.Percent())
	}
	return percent.Write(c.Rate.Percent()) + " × " + percent.Write(strconv.Itoa(int(c.Base)))
}

// documentNotes are the sentences below the amounts.
func (t texts) documentNotes(d *invoices.Document) (notes []string) {
	if d.Series.Environment == checkout.Test {
		notes = append(notes, t.Text("document.test"))
	}
	if d.Exchange != nil {
		notes = append(notes, t.exchangeRate(d.Exchange, d.Currency))
	}
	switch {
	case d.Reason == tax.ReverseCharge && d.Seller.Country.InEU() && d.Buyer.Country.InEU():
		notes = append(notes, t.Text(d.Reason.String())+" \u2066(2006/112/EC, Art. 196)\u2069")
	case len(d.Components) == 0 && d.Reason != tax.Unsupported:
		notes = append(notes, t.Text(d.Reason.String()))
	}
	return notes
}

// exchangeRate is the sentence about the rates of a document: "1 EUR = 1.0832 USD".
func (t texts) exchangeRate(e *invoices.Exchange, sold money.Currency) string {
	number := t.Percent()
	number.Before, number.After = "", ""
	rates := "1 " + string(e.Base)
	for _, r := range []struct {
		rate     invoices.ExchangeRate
		currency money.Currency
	}{{e.Sold, sold}, {e.Own, e.Currency}} {
		if r.currency != e.Base {
			rates += " = " + number.Write(r.rate.String()) + " " + string(r.currency)
		}
	}
	on, _ := time.Parse(time.DateOnly, e.On.String())
	return t.Text("document.rate", "date", t.Date(on), "source", "\u2068"+e.Source+"\u2069", "rate", "\u2066"+rates+"\u2069")
}

func (t texts) date(milliseconds int64) string { return t.Date(time.UnixMilli(milliseconds)) }

// party lists name and address in the order of most countries: street, postal code and city, state, country.
func (t texts) party(p *invoices.Party) partyView {
	v := partyView{texts: t, Name: p.Name, TaxID: p.TaxID, TaxIDLabel: t.Locale.TaxID(string(p.Country)), Email: p.Email}
	state := p.State
	if name := t.Territory(string(p.Country) + "-" + p.State); p.State != "" && p.Country.NeedsState() {
		state = name
	}
	for _, line := range []string{p.Street, strings.TrimSpace(p.Postcode + " " + p.City), state, t.Country(p.Country)} {
		if line != "" {
			v.Address = append(v.Address, line)
		}
	}
	return v
}
