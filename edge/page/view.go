package page

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"embed"
	"html/template"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/web"
)

//go:embed templates
var sources embed.FS

var templates = template.Must(template.ParseFS(sources, "templates/*.html"))

// show renders a page, all of it before anything is sent: half a page is never seen.
func (h *Handler) show(ctx *fasthttp.RequestCtx, status int, name string, view any) {
	var page bytes.Buffer
	if err := templates.ExecuteTemplate(&page, name, view); err != nil {
		h.config.Log.Error("page not rendered", "page", name, "error", err)
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

// compressors are kept: a new one costs more than a page.
var compressors = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

// compressed is a quarter of a page, whose list of countries is most of it. There is no secret to be guessed by watching
// the length: whoever can make a browser load this page knows its address, and that opens it.
func compressed(page *bytes.Buffer) (small bytes.Buffer) {
	w := compressors.Get().(*gzip.Writer)
	defer compressors.Put(w)
	w.Reset(&small)
	page.WriteTo(w) // writing to memory does not fail
	w.Close()
	return small
}

// frame is what every page has. Without a merchant it is the page of a link that leads nowhere.
type frame struct {
	texts
	Title    string
	Merchant string
	Links    catalog.Links
	Logo     logo
	Theme    string // "dark" or "light" where somebody has decided, else the buyer's own
	ThemeURL string // the merchant's colours, empty where the page has its own
	Test     bool   // no money moves
	Refresh  int    // seconds after which the page asks again, 0 for never
}

func (v *visit) frame(title string) frame {
	settings := &v.store.Checkout
	f := frame{texts: v.texts, Title: title, Merchant: v.store.Name, Links: v.store.Links, Logo: logoOf(v.store),
		ThemeURL: themeURL(settings), Test: v.session.Environment == checkout.Test}
	switch dark := cmp.Or(v.session.DarkMode, settings.DarkMode); {
	case dark == nil:
	case *dark:
		f.Theme, f.Logo.Light = "dark", f.Logo.Dark
	default:
		f.Theme, f.Logo.Dark = "light", f.Logo.Light
	}
	return f
}

// logo is where a merchant's mark is, in each mode; empty where there is none.
type logo struct{ Light, Dark string }

func logoOf(s *catalog.Store) logo {
	return logo{cmp.Or(s.Checkout.Light.Logo, s.Logo), cmp.Or(s.Checkout.Dark.Logo, s.Logo, s.Checkout.Light.Logo)}
}

// Initial stands in for the merchant's logo.
func (f *frame) Initial() string {
	first, _ := utf8.DecodeRuneInString(f.Merchant)
	return strings.ToUpper(string(first))
}

// Style, Script and Watch are the pages' assets.
func (f *frame) Style() *web.Asset  { return web.Named("checkout.css") }
func (f *frame) Script() *web.Asset { return web.Named("checkout.js") }
func (f *frame) Watch() *web.Asset  { return web.Named("status.js") }

// message is a page that only says something.
type message struct {
	frame
	Badge string // "expired" or "broken"
	Says  string
}

func notFound(ctx *fasthttp.RequestCtx) *message {
	t := language(ctx, "", "")
	return &message{frame{texts: t, Title: t.Text("unknown")}, "broken", t.Text("unknown.text")}
}

func (v *visit) expired() *message {
	f := v.frame(v.Text("expired"))
	return &message{f, "expired", f.Text("expired.text", "merchant", f.Merchant)}
}

func (v *visit) broken() *message {
	f := v.frame(v.Text("broken.title"))
	return &message{f, "broken", f.Text("broken", "merchant", f.Merchant)}
}

// item is what is sold.
type item struct{ Name, Description, Price string }

func (t texts) item(p *checkout.Product, terms *checkout.Terms) item {
	return item{p.Name, p.Description, t.Amount(terms.Price)}
}

// formPage is the page with the form.
type formPage struct {
	frame
	Item     item
	Summary  *summary
	Form     form
	Review   []entry // what the form holds, where the buyer need not type any more
	Faults   faults
	Notice   string // key of a failure, empty where nothing has failed
	Continue string // on the button
	Provider string // whose page comes next
	Guessed  country.Code
	Data     data
}

func (h *Handler) formPage(v *visit, f form, s *summary) *formPage {
	return &formPage{
		frame: v.frame(v.Text("checkout")),
		Item:  v.item(&v.session.Product, &v.session.Terms), Summary: s, Form: f,
		Continue: cmp.Or(v.store.Checkout.Continue[v.Tag], v.Text("continue")), Provider: h.config.Providers[v.session.Environment],
		Guessed: h.guessed(v.RequestCtx), Data: h.data(v),
	}
}

// Digits reports whether a keypad will do for the chosen country's postcodes.
func (p *formPage) Digits() bool { return p.countryOption(p.Form.code()).Digits }

// Label is a field's name in the chosen country.
func (p *formPage) Label(key string) string { return p.In(p.Form.Country, key) }

// Check is the sentence above the wrong fields.
func (p *formPage) Check() string { return p.Count("fields", len(p.Faults)) }

// fault is what is wrong with a field, with an empty text if nothing is.
type fault struct{ Field, Text string }

// Fault is a field's.
func (p *formPage) Fault(field string) fault { return fault{field, p.Faults[field]} }

// Wrong are the faults in the order of the page.
func (p *formPage) Wrong() []fault {
	var list []fault
	for _, field := range fields {
		if p.Faults[field] != "" {
			list = append(list, p.Fault(field))
		}
	}
	return list
}

// choice is one option of a list. Its marks say which fields the place has; the style sheet shows them, with and without
// a script.
type choice struct {
	Value, Name string
	Chosen      bool

	State      bool // an address needs a state
	NoPostcode bool // an address has no postcode
	Digits     bool // its postcode needs no other keys
	VAT        bool // VAT IDs can be checked
	NeedsVAT   bool // a business needs one
}

// countryOption is the option for a country: the form that the core draws for it, as marks.
func (p *formPage) countryOption(c country.Code) choice {
	option := choice{Value: string(c), Name: p.Country(c), Chosen: c == p.Form.code(), NoPostcode: true}
	for _, f := range billing.Fields(c) {
		switch f.Name {
		case "state":
			option.State = true
		case "postcode":
			option.NoPostcode, option.Digits = false, f.InputMode == "numeric"
		case "taxId":
			option.VAT, option.NeedsVAT = true, f.Required
		}
	}
	return option
}

// Choices are all countries, the one that the buyer is probably in before the others.
func (p *formPage) Choices() []choice {
	list := make([]choice, 0, 256)
	for c := range p.Countries() {
		option := p.countryOption(c)
		if list = append(list, option); c == p.Guessed {
			copy(list[1:], list)
			list[0] = option
		}
	}
	return list
}

// states is a country's part of the list of states.
type states struct {
	Country string
	Name    string
	States  []choice
}

// StateChoices are the states of every country that needs one.
func (p *formPage) StateChoices() []states {
	var list []states
	chosen := p.Form.state()
	for c := range country.All() {
		if !c.NeedsState() {
			continue
		}
		group := states{Country: string(c), Name: p.Country(c)}
		for _, s := range p.States(c) {
			value := option(c, s.Code)
			group.States = append(group.States, choice{Value: value, Name: s.Name, Chosen: value == chosen})
		}
		list = append(list, group)
	}
	return list
}

// statusPage says how an order stands.
type statusPage struct {
	frame
	Badge   string // "paid", "pending", "processing", "unpaid" or "canceled"
	Says    string
	Item    item
	Summary *summary
	Order   string
	Date    string
	Email   string
	Return  string // the merchant's page, empty where none is known
	Back    string // the form, empty where there is no way back
}

// status shows how the order of a session stands.
func (h *Handler) status(v *visit) {
	if !v.ordered() {
		v.see(v.url())
		return
	}
	sold := v.order.Sold()
	key, total := v.standing()
	page := &statusPage{
		frame: v.frame(v.Text(key)), Badge: key, Says: v.Text(key+".text", "merchant", v.store.Name),
		Item:    v.item(&sold.Product, &sold.Terms),
		Summary: v.taxed(&sold.Quote, total),
		Order:   v.order.ID, Date: v.Date(time.UnixMilli(v.order.CreatedAt)), Email: sold.BuyerEmail,
	}
	page.Return = v.store.Links.Website
	switch {
	case key == "pending", key == "processing":
		page.Refresh, page.Return = refreshSeconds, ""
	case key == "paid" && sold.SuccessURL != "":
		page.Return = orders.ReturnURL(sold)
	}
	v.Response.Header.Set("X-Order-Standing", key) // what status.js asks for
	if !v.through() && v.open() {
		page.Back = v.url()
	}
	h.show(v.RequestCtx, fasthttp.StatusOK, "status", page)
}

// ordered reports whether there is an order that a buyer may know of.
func (v *visit) ordered() bool {
	if v.order == nil {
		return false
	}
	_, visible := v.order.Published()
	return visible
}

// refreshSeconds is how often a page that waits for a payment asks again.
const refreshSeconds = 3

// standing is the key of the order's status, and of what its total is called.
func (v *visit) standing() (key, total string) {
	switch v.order.State {
	case orders.Paid, orders.PaidLate, orders.RefundDue:
		return "paid", "total.paid"
	case orders.Processing:
		return "processing", "total"
	case orders.Lapsed:
		return "canceled", "total"
	case orders.Failed:
		return "unpaid", "total"
	default:
		return "pending", "total"
	}
}
