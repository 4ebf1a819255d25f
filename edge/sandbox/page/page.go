// Package page is the HTML of the sandbox: the payment page, the bank's challenge and the log, with the tools that trigger
// events and script faults. It keeps no state; all of it is the [sandbox.Sandbox]'s.
package page

import (
	"bytes"
	"embed"
	"errors"
	"html/template"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/edge/sandbox"
)

//go:embed pages.html style.css
var files embed.FS

var (
	templates = template.Must(template.ParseFS(files, "pages.html"))
	style     = must(files.ReadFile("style.css"))
)

func must(b []byte, err error) []byte {
	if err != nil {
		panic("sandbox/page: " + err.Error())
	}
	return b
}

// policy allows the style sheet and nothing else. Forms may lead to any site: paying redirects to the merchant's, and browsers
// apply form-action to redirects.
const policy = "default-src 'none'; style-src 'self'; form-action 'self' https: http:; base-uri 'none'; frame-ancestors 'none'"

// pages serves the pages of one sandbox.
type pages struct{ sandbox *sandbox.Sandbox }

// Handler serves the pages of a sandbox, to be mounted at its Path and all below it.
//
//	GET, POST  /pay/{session}            choose an outcome
//	GET, POST  /pay/{session}/challenge  the bank's 3-D Secure challenge
//	GET        /log                      the last calls, payments and webhooks
//	POST       /trigger                  trigger an event
//	POST       /faults                   script faults
func Handler(s *sandbox.Sandbox) fasthttp.RequestHandler { return (&pages{s}).serve }

func (p *pages) serve(ctx *fasthttp.RequestCtx) {
	header := &ctx.Response.Header
	header.Set("Content-Security-Policy", policy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cache-Control", "no-store")
	path, ok := strings.CutPrefix(string(ctx.Path()), p.sandbox.Path()+"/")
	handlers := p.resource(path)
	if get := handlers["GET"]; get != nil {
		handlers["HEAD"] = get // fasthttp omits the body
	}
	handle := handlers[string(ctx.Method())]
	switch {
	case !ok || handlers == nil:
		p.missing(ctx, fasthttp.StatusNotFound)
	case handle == nil:
		header.Set("Allow", strings.Join(slices.Sorted(maps.Keys(handlers)), ", "))
		ctx.SetStatusCode(fasthttp.StatusMethodNotAllowed)
	default:
		handle(ctx)
	}
}

// resource returns the handlers of a path by method; nil for an unknown path.
func (p *pages) resource(path string) map[string]fasthttp.RequestHandler {
	name, rest, _ := strings.Cut(path, "/")
	id, sub, _ := strings.Cut(rest, "/")
	with := func(handle func(*fasthttp.RequestCtx, string)) fasthttp.RequestHandler {
		return func(ctx *fasthttp.RequestCtx) { handle(ctx, id) }
	}
	switch {
	case path == "style.css":
		return map[string]fasthttp.RequestHandler{"GET": serveStyle}
	case path == "log":
		return map[string]fasthttp.RequestHandler{"GET": p.showLog}
	case path == "trigger":
		return map[string]fasthttp.RequestHandler{"POST": p.trigger}
	case path == "faults":
		return map[string]fasthttp.RequestHandler{"POST": p.chooseFaults}
	case name == "pay" && id != "" && sub == "":
		return map[string]fasthttp.RequestHandler{"GET": with(p.showPayment), "POST": with(p.choose)}
	case name == "pay" && sub == "challenge":
		return map[string]fasthttp.RequestHandler{"GET": with(p.showChallenge), "POST": with(p.answerChallenge)}
	}
	return nil
}

func serveStyle(ctx *fasthttp.RequestCtx) {
	ctx.Response.Header.Set("Cache-Control", "max-age=300")
	ctx.SetContentType("text/css; charset=utf-8")
	ctx.SetBody(style)
}

func (p *pages) showLog(ctx *fasthttp.RequestCtx) {
	render(ctx, "log", struct {
		Root    string
		Text    texts
		Entries []sandbox.Entry
	}{p.sandbox.Path(), textsFor(""), p.sandbox.Log()})
}

// view is the data of the pages of a session.
type view struct {
	Root     string
	Text     texts
	Path     string // of the session's page
	Total    string
	Lines    []sandbox.Line
	Outcomes []shownOutcome // the common ones
	Others   []shownOutcome
	Failed   string // why the last try to pay was declined
	Cancel   string
	Return   string
	Order    string
	Expires  time.Time
	Complete bool
}

type shownOutcome struct {
	Name, Number string
	outcomeText
}

func (p *pages) view(c *sandbox.Checkout) view {
	root := p.sandbox.Path()
	v := view{
		Root: root, Text: textsFor(c.Locale), Path: root + "/pay/" + c.ID, Total: c.Total, Lines: c.Lines, Cancel: c.CancelURL,
		Return: c.ReturnURL, Order: c.Order, Expires: c.ExpiresAt, Complete: c.Complete,
	}
	for _, o := range sandbox.Outcomes() {
		list := &v.Outcomes
		if o.Rare {
			list = &v.Others
		}
		*list = append(*list, shownOutcome{o.Name, o.Number, v.Text.Outcomes[o.Name]})
	}
	if c.Failure != nil {
		v.Failed = v.Text.failure(c.Failure)
	}
	return v
}

// showPayment shows the outcomes to choose from, or that the session is complete or expired.
func (p *pages) showPayment(ctx *fasthttp.RequestCtx, id string) {
	c, err := p.sandbox.Checkout(id)
	switch {
	case err != nil:
		p.fail(ctx, err)
	case c.Payable:
		render(ctx, "pay", p.view(&c))
	default:
		render(ctx, "ended", p.view(&c))
	}
}

// choose makes the chosen outcome happen and redirects the buyer. Choosing twice pays once.
func (p *pages) choose(ctx *fasthttp.RequestCtx, id string) {
	p.redirect(ctx, id, p.sandbox.Choose(id, string(ctx.PostArgs().Peek("outcome"))))
}

func (p *pages) showChallenge(ctx *fasthttp.RequestCtx, id string) {
	c, err := p.sandbox.Checkout(id)
	if err != nil || !c.Challenged {
		p.redirect(ctx, id, err)
		return
	}
	render(ctx, "challenge", p.view(&c))
}

func (p *pages) answerChallenge(ctx *fasthttp.RequestCtx, id string) {
	p.redirect(ctx, id, p.sandbox.AnswerChallenge(id, string(ctx.PostArgs().Peek("answer")) == "complete"))
}

// redirect redirects the buyer by the state of the session: to the merchant when it is complete, to a challenge that waits, and
// otherwise to the payment page. err is the result of the buyer's action.
func (p *pages) redirect(ctx *fasthttp.RequestCtx, id string, err error) {
	if err != nil && !errors.Is(err, sandbox.ErrNotPayable) && !errors.Is(err, sandbox.ErrNoOutcome) {
		p.fail(ctx, err)
		return
	}
	c, err := p.sandbox.Checkout(id)
	if err != nil {
		p.fail(ctx, err)
		return
	}
	to := p.sandbox.Path() + "/pay/" + c.ID
	switch {
	case c.Complete:
		to = c.ReturnURL
	case c.Challenged:
		to += "/challenge"
	}
	ctx.SetStatusCode(fasthttp.StatusSeeOther)
	ctx.Response.Header.Set("Location", to) // ctx.Redirect would normalise the merchant's URL
}

// fail responds 404 for an unknown session and 500 for a store that failed.
func (p *pages) fail(ctx *fasthttp.RequestCtx, err error) {
	status := fasthttp.StatusInternalServerError
	if errors.Is(err, sandbox.ErrNotFound) {
		status = fasthttp.StatusNotFound
	}
	p.missing(ctx, status)
}

// missing shows the page for an unknown session.
func (p *pages) missing(ctx *fasthttp.RequestCtx, status int) {
	render(ctx, "missing", view{Root: p.sandbox.Path(), Text: textsFor("")})
	ctx.SetStatusCode(status)
}

func render(ctx *fasthttp.RequestCtx, name string, data any) {
	var page bytes.Buffer
	if err := templates.ExecuteTemplate(&page, name, data); err != nil {
		panic("sandbox/page: " + err.Error()) // the template does not match its data
	}
	ctx.SetContentType("text/html; charset=utf-8")
	ctx.SetBody(page.Bytes())
}
