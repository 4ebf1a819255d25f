package page

import (
	"bytes"
	"compress/gzip"
	"embed"
	"html/template"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/vatid"
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
		h.Log.Error("page not rendered", "page", name, "error", err)
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
	Theme    string // "dark" or "light" where somebody has decided, else the buyer's own
	Test     bool   // no money moves
	Refresh  int    // seconds after which the page asks again, 0 for never
}

func (v *visit) frame(t texts, title string) frame {
	f := frame{texts: t, Title: title, Merchant: v.store.Name, Test: v.session.Environment == checkout.Test}
	dark := v.session.DarkMode
	if dark == nil && v.store.DarkMode {
		dark = &v.store.DarkMode
	}
	switch {
	case dark == nil:
	case *dark:
		f.Theme = "dark"
	default:
		f.Theme = "light"
	}
	return f
}

// Initial stands in for the merchant's logo.
func (f *frame) Initial() string {
	first, _ := utf8.DecodeRuneInString(f.Merchant)
	return strings.ToUpper(string(first))
}

// Style and Script are the page's assets.
func (f *frame) Style() *web.Asset  { return web.Named("checkout.css") }
func (f *frame) Script() *web.Asset { return web.Named("checkout.js") }

// message is a page that only says something.
type message struct {
	frame
	Says string
}

func notFound() *message {
	return &message{frame{texts: english, Title: english.Text("unknown")}, english.Text("unknown.text")}
}

func (v *visit) expired() *message {
	f := v.frame(english, english.Text("expired"))
	return &message{f, f.Text("expired.text", "merchant", f.Merchant)}
}

func (v *visit) broken() *message {
	f := v.frame(english, english.Text("broken.title"))
	return &message{f, f.Text("broken", "merchant", f.Merchant)}
}

// item is what is sold.
type item struct{ Name, Description string }

// formPage is the page with the form.
type formPage struct {
	frame
	Item    item
	Summary *summary
	Form    form
	Faults  faults
	Notice  string // key of a failure, empty where nothing has failed
	Data    data
}

func (h *Handler) formPage(v *visit, f form, s *summary) *formPage {
	return &formPage{
		frame: v.frame(english, english.Text("checkout")),
		Item:  item{v.session.Product.Name, v.session.Product.Description}, Summary: s, Form: f, Data: h.data(v, english),
	}
}

// Label is a field's name in the chosen country.
func (p *formPage) Label(key string) string { return p.In(p.Form.Country, key) }

// Check is the sentence above the wrong fields.
func (p *formPage) Check() string {
	if len(p.Faults) == 1 {
		return p.Text("fields.one")
	}
	return p.Text("fields.many", "n", strconv.Itoa(len(p.Faults)))
}

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
	VAT        bool // VAT IDs can be checked
	NeedsVAT   bool // a business needs one
}

// Countries are all of them, by their English names.
func (p *formPage) Countries() []choice {
	list := make([]choice, 0, 256)
	for c := range country.All() {
		list = append(list, choice{
			Value: string(c), Name: c.Name(), Chosen: c == p.Form.code(), State: c.NeedsState(), NoPostcode: !c.HasPostcode(),
			VAT: vatid.Supported(string(c)), NeedsVAT: c.InEU(),
		})
	}
	sortByName(list)
	return list
}

// unaccented is what an English reader sorts by.
var unaccented = strings.NewReplacer("Å", "A", "ã", "a", "ç", "c", "é", "e", "í", "i", "ô", "o", "ü", "u")

func sortByName(list []choice) {
	slices.SortFunc(list, func(a, b choice) int {
		return strings.Compare(unaccented.Replace(a.Name), unaccented.Replace(b.Name))
	})
}

// states is a country's part of the list of states.
type states struct {
	Country string
	Name    string
	States  []choice
}

// States are the states of every country that needs one.
func (p *formPage) States() []states {
	var list []states
	chosen := p.Form.state()
	for c := range country.All() {
		if !c.NeedsState() {
			continue
		}
		group := states{Country: string(c), Name: c.Name()}
		for s := range c.Subdivisions() {
			value := option(c, s)
			group.States = append(group.States, choice{Value: value, Name: c.SubdivisionName(s), Chosen: value == chosen})
		}
		sortByName(group.States)
		list = append(list, group)
	}
	return list
}

// statusPage says how an order stands.
type statusPage struct {
	frame
	Badge   string // "paid", "pending" or "canceled"
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
		frame: v.frame(english, english.Text(key)), Badge: key, Says: english.Text(key+".text", "merchant", v.store.Name),
		Item:    item{sold.Product.Name, sold.Product.Description},
		Summary: english.taxed(&sold.Quote, total),
		Order:   v.order.ID, Date: time.UnixMilli(v.order.CreatedAt).UTC().Format("2 January 2006"), Email: sold.BuyerEmail,
	}
	switch {
	case key == "pending", key == "processing":
		page.Refresh = refreshSeconds
	case key == "paid":
		page.Return = sold.SuccessURL
	}
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
	case orders.Lapsed, orders.Failed:
		return "canceled", "total"
	default:
		return "pending", "total"
	}
}
