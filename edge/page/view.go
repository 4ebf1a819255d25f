package page

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"embed"
	"errors"
	"html/template"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/sessions"
	"github.com/crepe-checkout/crepe/web"
)

//go:embed templates
var templateFiles embed.FS

var templates = template.Must(template.ParseFS(templateFiles, "templates/*.html"))

// show renders a whole page before it sends anything. If rendering fails, it answers 500.
func (h *Handler) show(ctx *fasthttp.RequestCtx, status int, name string, view any) {
	var page bytes.Buffer
	if err := templates.ExecuteTemplate(&page, name, view); err != nil {
		h.config.Log.ErrorContext(ctx, "page not rendered", "page", name, "error", err)
		ctx.SetStatusCode(fasthttp.StatusInternalServerError)
		return
	}
	ctx.SetStatusCode(status)
	ctx.SetContentType("text/html; charset=utf-8")
	ctx.Response.Header.Set(fasthttp.HeaderVary, fasthttp.HeaderAcceptEncoding)
	if web.Accepts(string(ctx.Request.Header.Peek(fasthttp.HeaderAcceptEncoding)), "gzip") {
		page = compressed(&page)
		ctx.Response.Header.Set(fasthttp.HeaderContentEncoding, "gzip")
	}
	ctx.Response.SetBodyRaw(page.Bytes())
}

// compressors are pooled, because creating one costs more than compressing a page.
var compressors = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

// compressed returns the page in gzip, about a quarter of its size. The length reveals no secret (BREACH): an attacker who can
// make a browser load the page knows its URL, which already grants access.
func compressed(page *bytes.Buffer) (small bytes.Buffer) {
	w := compressors.Get().(*gzip.Writer)
	defer compressors.Put(w)
	w.Reset(&small)
	page.WriteTo(w) // writing to memory does not fail
	w.Close()
	return small
}

// frame is the common part of all pages. Merchant is empty on the page for invalid links.
type frame struct {
	texts
	Title    string
	Merchant string
	Links    catalog.Links
	Logo     logo
	Theme    string // "dark" or "light"; "" to follow the buyer's system
	ThemeURL string // the store's style sheet, "" for the default look
	Test     bool   // in the test environment no money moves
	Frames   string // the origins that may frame the page, separated by spaces; "" for none
	Refresh  int    // seconds until the page reloads, 0 for never
	Restart  string // permanent link that opens another session, "" for none
}

func (v *visit) frame(title string) frame {
	settings := &v.store.Checkout
	f := frame{texts: v.texts, Title: title, Merchant: v.store.Name, Links: v.store.Links, Logo: logoOf(v.store),
		ThemeURL: themeURL(settings), Test: v.session.Environment == checkout.Test, Frames: v.frames()}
	switch dark := cmp.Or(v.session.DarkMode, settings.DarkMode); {
	case dark == nil:
	case *dark:
		f.Theme, f.Logo.Light = "dark", f.Logo.Dark
	default:
		f.Theme, f.Logo.Dark = "light", f.Logo.Light
	}
	return f
}

// frames returns the origins that may frame the store's checkout, as [frame] has them.
func (v *visit) frames() string { return strings.Join(v.store.Frames, " ") }

// logo holds the URLs of a store's logo in each mode, "" for none.
type logo struct{ Light, Dark string }

func logoOf(s *catalog.Store) logo {
	return logo{cmp.Or(s.Checkout.Light.Logo, s.Logo), cmp.Or(s.Checkout.Dark.Logo, s.Logo, s.Checkout.Light.Logo)}
}

// Initial returns the letter that replaces a missing logo.
func (f *frame) Initial() string {
	first, _ := utf8.DecodeRuneInString(f.Merchant)
	return strings.ToUpper(string(first))
}

// Release names the build, for crepe verify-page.
func (f *frame) Release() string { return Release() }

// Style, Script and Watch are the pages' assets.
func (f *frame) Style() *web.Asset  { return web.Named("checkout.css") }
func (f *frame) Script() *web.Asset { return web.Named("checkout.js") }
func (f *frame) Watch() *web.Asset  { return web.Named("status.js") }

// message is a page with a text and no form.
type message struct {
	frame
	Badge  string // "expired" or "broken"
	Body   string
	Detail string // for the merchant's developers, in English; "" in prod
}

func notFound(ctx *fasthttp.RequestCtx) *message {
	t := language(ctx, "", "")
	return &message{frame{texts: t, Title: t.Text("unknown")}, "broken", t.Text("unknown.text"), ""}
}

func (h *Handler) expired(v *visit) *message {
	f := v.frame(v.Text("expired"))
	f.Restart = h.restart(v)
	return &message{f, "expired", f.Ended(), ""}
}

// Ended returns what a buyer can do whose session has ended.
func (f *frame) Ended() string {
	if f.Restart != "" {
		return f.Text("restart.text")
	}
	return f.Text("expired.text", "merchant", f.Merchant)
}

func (v *visit) broken() *message {
	f := v.frame(v.Text("broken.title"))
	return &message{f, "broken", f.Text("broken", "merchant", f.Merchant), ""}
}

// item is the product on the receipt.
type item struct {
	Name, Description, Price string
	Images                   []sessions.Image
}

// More returns the images after the first.
func (i *item) More() []sessions.Image { return i.Images[min(1, len(i.Images)):] }

func (v *visit) item(p *checkout.Product, terms *checkout.Terms) *item {
	return &item{p.Name, p.Description, v.Amount(terms.Price), v.session.Images}
}

// formPage is the page with the form.
type formPage struct {
	frame
	asked    []checkout.ConsentText // of the store
	Heading  string
	Lead     string // "" for the total
	Item     *item
	Summary  *summary
	Form     form
	Review   []reviewLine // the form as text, if the session already has all details
	Errors   fieldErrors
	Refusals []string // of the store's own rules, about no field
	Notice   string   // message key of a failure, or ""
	Wait     string   // seconds until it is the buyer's turn, or ""
	Continue string   // label of the button
	Provider string   // name of the payment provider
	Mailed   bool     // the receipt is sent by e-mail
	Guessed  country.Code
	Data     data
}

func (h *Handler) formPage(v *visit, f form, s *summary) *formPage {
	page := &formPage{
		frame: v.frame(v.Text("checkout")), asked: v.store.Consents, Heading: v.Text("form"), Lead: v.Text("form.text"),
		Item: v.item(&v.session.Product, &v.session.Terms), Summary: s, Form: f,
		Continue: cmp.Or(v.store.Checkout.Continue[v.Tag], v.Text("continue")), Provider: h.config.Providers[v.session.Environment],
		Guessed: h.likelyCountry(v.RequestCtx), Data: h.data(v),
	}
	page.Restart = h.restart(v)
	page.Mailed = slices.Contains(h.config.MailIn, v.session.Environment)
	return page
}

// Digits reports whether the chosen country's postcodes have digits only.
func (p *formPage) Digits() bool { return p.countryOption(p.Form.code()).Digits }

// Label returns a field's label in the chosen country.
func (p *formPage) Label(key string) string { return p.In(p.Form.Country, key) }

// Check returns the heading of the list of errors.
func (p *formPage) Check() string { return p.Count("fields", len(p.Errors)) }

// fieldError is a field's error message, "" for none.
type fieldError struct {
	Field, Text string
	Hint        bool // the field has a text of its own below it
}

// Error returns a field's error.
func (p *formPage) Error(field string) fieldError {
	return fieldError{field, p.Errors[field], field == "email" && p.Mailed}
}

// Described returns the ids of the texts below the field.
func (e fieldError) Described() string {
	var ids []string
	if e.Text != "" {
		ids = append(ids, e.Field+"-error")
	}
	if e.Hint {
		ids = append(ids, e.Field+"-hint")
	}
	return strings.Join(ids, " ")
}

// Wrong returns the errors in page order.
func (p *formPage) Wrong() []fieldError {
	var list []fieldError
	for _, field := range fields {
		if p.Errors[field] != "" {
			list = append(list, p.Error(field))
		}
	}
	return list
}

// option is an option of a list. The flags of a country's option say which fields the country has; the style sheet shows and
// hides fields by them, with and without the script.
type option struct {
	Value, Name string
	Chosen      bool

	State      bool   // the address has a state
	NoPostcode bool   // the address has no postcode
	Digits     bool   // the postcode has digits only
	VAT        bool   // the tax ID is a VAT ID
	NeedsVAT   bool   // a business must fill it in
	TaxID      string // the country's own name of the tax ID, or ""
	Consents   string // the numbers of the boxes that it has, " 0 2"
}

// countryOption returns the option for a country, with the core's fields as flags.
func (p *formPage) countryOption(c country.Code) option {
	o := option{Value: string(c), Name: p.Country(c), Chosen: c == p.Form.code(), NoPostcode: true, TaxID: p.LocalTaxID(string(c)), Consents: p.consentNumbers(c)}
	for _, f := range billing.Fields(c) {
		switch f.Name {
		case "state":
			o.State = true
		case "postcode":
			o.NoPostcode, o.Digits = false, f.InputMode == "numeric"
		case "taxId":
			o.VAT, o.NeedsVAT = f.Label == "vat-id", f.Required
		}
	}
	return o
}

// Choices returns all countries, the likely one first.
func (p *formPage) Choices() []option {
	list := make([]option, 0, 256)
	for c := range p.Countries() {
		o := p.countryOption(c)
		if list = append(list, o); c == p.Guessed {
			copy(list[1:], list)
			list[0] = o
		}
	}
	return list
}

// states is the field with the states of a country. The style sheet shows the one of the chosen country; the script makes them one
// field.
type states struct {
	ID      string // "state" is the field of the chosen country, or the first one
	Country string
	Label   string
	States  []option
	Error   fieldError
}

// StateFields returns the fields of all countries whose addresses have a state.
func (p *formPage) StateFields() []states {
	var list []states
	chosen := p.Form.state()
	main := country.Code("US")
	if p.Form.code().NeedsState() {
		main = p.Form.code()
	}
	for c := range country.All() {
		if !c.NeedsState() {
			continue
		}
		group := states{ID: "state-" + string(c), Country: string(c), Label: p.In(string(c), "state")}
		if c == main {
			group.ID, group.Error = "state", p.Error("state")
		}
		for _, s := range p.States(c) {
			value := stateValue(c, s.Code)
			group.States = append(group.States, option{Value: value, Name: s.Name, Chosen: value == chosen})
		}
		list = append(list, group)
	}
	return list
}

// statusPage shows the status of an order.
type statusPage struct {
	frame
	Badge    string // "paid", "pending", "processing", "unpaid" or "canceled"
	Standing string // changes when the page is to be loaded anew
	Body     string
	Item     *item
	Summary  *summary
	Order    string
	Date     string
	Email    string
	Receipt  string // path of the receipt, "" while there is none
	Return   string // URL of the merchant's page, or ""
	Back     string // URL of the form, "" if the session accepts no order
}

// status shows the order of a session, or redirects to the form while there is none.
func (h *Handler) status(v *visit) {
	if !v.ordered() {
		v.redirect(v.url())
		return
	}
	sold := v.order.Sold()
	key, total := v.standing()
	page := &statusPage{
		frame: v.frame(v.Text(key)), Badge: key, Standing: key, Body: v.Text(key+".text", "merchant", v.store.Name),
		Item:    v.item(&sold.Product, &sold.Terms),
		Summary: v.taxed(&sold.Quote, sold.Billing.Country, total),
		Order:   v.order.ID, Date: v.Date(time.UnixMilli(v.order.CreatedAt)), Email: sold.BuyerEmail,
	}
	page.Return = v.store.Links.Website
	switch {
	case key == "pending", key == "processing":
		page.Refresh, page.Return = refreshSeconds, ""
	case key == "paid" && sold.SuccessURL != "":
		page.Return = sessions.ReturnURL(sold)
	}
	if key == "paid" {
		if err := h.linkReceipt(v, page); err != nil {
			h.fail(v.RequestCtx, err)
			return
		}
	}
	v.Response.Header.Set("X-Order-Standing", page.Standing) // status.js polls it
	if !v.paidOrProcessing() && v.open() {
		page.Back = v.url()
	}
	h.show(v.RequestCtx, fasthttp.StatusOK, "status", page)
}

// receiptWithin is how long after a payment the page waits for the receipt.
const receiptWithin = time.Minute

// linkReceipt adds the link of the receipt to the page of a paid order. The receipt is issued shortly after the payment; until then
// the page polls.
func (h *Handler) linkReceipt(v *visit, page *statusPage) error {
	receipt, err := h.config.Documents.ReceiptOf(v.ctx, v.order)
	switch {
	case errors.Is(err, invoices.ErrNotFound) && v.now-v.order.UpdatedAt < receiptWithin.Milliseconds():
		page.Standing, page.Refresh = "paid-without-receipt", refreshSeconds
		return nil
	case errors.Is(err, invoices.ErrNotFound):
		return nil
	case err != nil:
		return err
	}
	page.Receipt = receipt.Path()
	return nil
}

// ordered reports whether there is an order that may be shown to the buyer.
func (v *visit) ordered() bool {
	if v.order == nil {
		return false
	}
	_, visible := v.order.Published()
	return visible
}

// refreshSeconds is the polling interval of a page that waits for a payment.
const refreshSeconds = 3

// standing returns the message keys of the order's status and of its total's label.
func (v *visit) standing() (key, total string) {
	switch v.order.State {
	case orders.Paid, orders.PaidLate, orders.RefundDue:
		return "paid", "total.paid"
	case orders.Processing:
		return "processing", "total"
	case orders.Expired, orders.Canceled:
		return "canceled", "total"
	case orders.Failed:
		return "unpaid", "total"
	default:
		return "pending", "total"
	}
}
