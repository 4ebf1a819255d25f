package dashboard

import (
	"bytes"
	"embed"
	"html/template"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/web"
)

//go:embed templates
var templateFiles embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{"moment": moment, "iso": iso}).ParseFS(templateFiles, "templates/*.html"))

// frame is the common part of all pages. Of the pages without access only Title is set.
type frame struct {
	Title        string
	Environment  checkout.Environment
	Environments []link
	Sections     []link
	ListPath     string // of the section, which actions are sent to
	FormToken    string
	Logout       bool   // whether the visitor has logged in
	Done         string // what the last action has done
	Data         any
}

// link is a link of the navigation.
type link struct {
	Name, Path string
	Current    bool
	Count      int // what waits there for a person
}

// Style is the style sheet.
func (frame) Style() *web.Asset { return web.Named("dashboard.css") }

// Waiting and Handled are the states of what a person has to handle.
func (frame) Waiting() status { return status{"Waiting", "warn"} }
func (frame) Handled() status { return status{"Handled", ""} }

// frame returns a page with its navigation.
func (h *Handler) frame(v *visit, p page) (*frame, error) {
	unhandled, err := h.config.Orders.Unhandled(v.ctx, v.env)
	if err != nil {
		return nil, err
	}
	f := &frame{Title: p.title, Environment: v.env, ListPath: v.path(v.section.name, ""), FormToken: v.login.formToken, Logout: h.config.Token != "", Data: p.data,
		Done: doneTexts[v.query("done")]}
	for _, env := range []checkout.Environment{checkout.Test, checkout.Prod} {
		other := *v
		other.env = env
		f.Environments = append(f.Environments, link{Name: strings.ToUpper(string(env[:1])) + string(env[1:]), Path: other.path(v.section.name, ""), Current: env == v.env})
	}
	waiting := map[string]int{"quarantine": unhandled.Quarantined, "refund-due": unhandled.RefundDue}
	for _, s := range sections() {
		f.Sections = append(f.Sections, link{s.title, v.path(s.name, ""), s.name == v.section.name, waiting[s.name]})
	}
	return f, nil
}

// doneTexts are what a page says after an action, by the parameter "done".
var doneTexts = map[string]string{
	"handled": "Marked as handled.",
	"approve": "The refund is approved and has been sent to the provider. The page of the order shows its outcome.",
	"reject":  "The ticket is rejected. Who asked for it can submit it again.",
	"refund":  "The refund is recorded and sent to the provider. It is listed below with its outcome.",
	"resend":  "It is sent again now, and up to three times more if it is not taken.",
	"test":    "A test event is sent now.",
}

// render renders a whole page before it sends anything.
func (h *Handler) render(ctx *fasthttp.RequestCtx, status int, name string, view any) {
	var page bytes.Buffer
	if err := templates.ExecuteTemplate(&page, name, view); err != nil {
		h.config.Log.ErrorContext(ctx, "a page of the dashboard was not rendered", "page", name, "error", err)
		ctx.SetStatusCode(fasthttp.StatusInternalServerError)
		return
	}
	ctx.SetStatusCode(status)
	ctx.SetContentType("text/html; charset=utf-8")
	ctx.Response.SetBodyRaw(page.Bytes())
}

// refuse answers with a page that says why.
func (h *Handler) refuse(ctx *fasthttp.RequestCtx, status int, title, text string) {
	h.render(ctx, status, "message", &frame{Title: title, Data: text})
}

// moment formats Unix milliseconds for a person, in UTC.
func moment(milli int64) string { return time.UnixMilli(milli).UTC().Format("2 Jan 2006, 15:04") }

// iso formats Unix milliseconds for a machine.
func iso(milli int64) string { return time.UnixMilli(milli).UTC().Format(time.RFC3339) }

// amount formats an amount with its currency and groups of three digits: "12,345.00 USD".
func amount(a money.Amount) string { return grouped(a.String()) + " " + string(a.Currency) }

func grouped(number string) string {
	whole, fraction, _ := strings.Cut(number, ".")
	start := len(whole) - len(strings.TrimLeft(whole, "-"))
	for i := len(whole) - 3; i > start; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if fraction == "" {
		return whole
	}
	return whole + "." + fraction
}
