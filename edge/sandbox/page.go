package sandbox

import (
	"bytes"
	"embed"
	"html/template"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/valyala/fasthttp"
)

//go:embed page
var files embed.FS

var (
	pages = template.Must(template.ParseFS(files, "page/*.html"))
	style = must(files.ReadFile("page/style.css"))
)

func must(b []byte, err error) []byte {
	if err != nil {
		panic("sandbox: " + err.Error())
	}
	return b
}

// policy lets the pages load their style sheet and nothing else. A form may lead to any web site, because the buyer's way
// back does, and browsers hold every redirect on it against form-action.
const policy = "default-src 'none'; style-src 'self'; form-action 'self' https: http:; base-uri 'none'; frame-ancestors 'none'"

// Serve is the hosted page, to be mounted at PublicURL's path and all below it.
//
//	GET, POST  /pay/{session}            choose an outcome
//	GET, POST  /pay/{session}/challenge  the bank's question of 3-D Secure
//	GET        /log                      what happened lately
//	POST       /trigger                  make an event happen
//	POST       /faults                   choose what goes wrong next
func (s *Sandbox) Serve(ctx *fasthttp.RequestCtx) {
	header := &ctx.Response.Header
	header.Set("Content-Security-Policy", policy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cache-Control", "no-store")
	path, ok := strings.CutPrefix(string(ctx.Path()), s.path+"/")
	handlers := s.resource(path)
	if get := handlers["GET"]; get != nil {
		handlers["HEAD"] = get // the server leaves the body out
	}
	handle := handlers[string(ctx.Method())]
	switch {
	case !ok || handlers == nil:
		s.problem(ctx, fasthttp.StatusNotFound, textsFor(""))
	case handle == nil:
		header.Set("Allow", strings.Join(slices.Sorted(maps.Keys(handlers)), ", "))
		ctx.SetStatusCode(fasthttp.StatusMethodNotAllowed)
	default:
		handle(ctx)
	}
}

// resource is what can be done at a path, by method.
func (s *Sandbox) resource(path string) map[string]fasthttp.RequestHandler {
	name, rest, _ := strings.Cut(path, "/")
	id, sub, _ := strings.Cut(rest, "/")
	with := func(handle func(*fasthttp.RequestCtx, string)) fasthttp.RequestHandler {
		return func(ctx *fasthttp.RequestCtx) { handle(ctx, id) }
	}
	switch {
	case path == "style.css":
		return map[string]fasthttp.RequestHandler{"GET": serveStyle}
	case path == "log":
		return map[string]fasthttp.RequestHandler{"GET": s.showLog}
	case path == "trigger":
		return map[string]fasthttp.RequestHandler{"POST": s.trigger}
	case path == "faults":
		return map[string]fasthttp.RequestHandler{"POST": s.chooseFaults}
	case name == "pay" && id != "" && sub == "":
		return map[string]fasthttp.RequestHandler{"GET": with(s.showPage), "POST": with(s.choose)}
	case name == "pay" && sub == "challenge":
		return map[string]fasthttp.RequestHandler{"GET": with(s.showChallenge), "POST": with(s.answerChallenge)}
	}
	return nil
}

func serveStyle(ctx *fasthttp.RequestCtx) {
	ctx.Response.Header.Set("Cache-Control", "max-age=300")
	ctx.SetContentType("text/css; charset=utf-8")
	ctx.SetBody(style)
}

func (s *Sandbox) showLog(ctx *fasthttp.RequestCtx) {
	render(ctx, "log", struct {
		Root    string
		Text    texts
		Entries []entry
	}{s.path, textsFor(""), s.journal.latest()})
}

// view is what the pages of a session show.
type view struct {
	Root     string
	Text     texts
	Path     string // of the session's page
	Total    string
	Lines    []shownLine
	Outcomes []shownOutcome // those that most people want
	Others   []shownOutcome
	Failed   string // why the last try to pay was refused
	Cancel   string
	Return   string
	Order    string
	Expires  time.Time
	Complete bool
}

type shownLine struct{ Name, Description, Amount string }

type shownOutcome struct {
	Name, Number string
	outcomeText
}

func (s *Sandbox) view(r *record) view {
	c := &r.Session
	v := view{
		Root: s.path, Text: textsFor(string(c.Locale)), Path: s.path + "/pay/" + c.ID,
		Total: display(c.AmountTotal, c.Currency), Cancel: string(c.CancelURL), Return: returnURL(c),
		Order: string(c.ClientReferenceID), Expires: time.Unix(c.ExpiresAt, 0).UTC(), Complete: c.Status == complete,
	}
	for _, l := range r.Lines {
		v.Lines = append(v.Lines, shownLine{l.Name, l.Description, display(l.Amount, c.Currency)})
	}
	for _, o := range outcomes {
		list := &v.Outcomes
		if o.rare {
			list = &v.Others
		}
		*list = append(*list, shownOutcome{o.Name, o.Number, v.Text.Outcomes[o.Name]})
	}
	if r.Intent != nil && r.Intent.LastError != nil {
		v.Failed = v.Text.failure(r.Intent.LastError)
	}
	return v
}

// returnURL is where a buyer goes after paying.
func returnURL(c *session) string {
	return strings.ReplaceAll(c.SuccessURL, "{CHECKOUT_SESSION_ID}", c.ID)
}

// visit takes a step with the session of a page and then shows or redirects. Nothing is shown of what does not exist.
func (s *Sandbox) visit(ctx *fasthttp.RequestCtx, id string, step func(*turn) (reply func())) {
	var reply func()
	err := s.turn(id, func(t *turn) { reply = step(t) })
	switch err {
	case nil:
		reply()
	case ErrNotFound:
		s.problem(ctx, fasthttp.StatusNotFound, textsFor(""))
	default:
		s.problem(ctx, fasthttp.StatusInternalServerError, textsFor(""))
	}
}

// showPage shows the outcomes, or what became of a session that cannot be paid any more.
func (s *Sandbox) showPage(ctx *fasthttp.RequestCtx, id string) {
	s.visit(ctx, id, func(t *turn) func() {
		v, name := s.view(t.record), "ended"
		if t.payable() {
			name = "pay"
		}
		return func() { render(ctx, name, v) }
	})
}

// choose lets the chosen outcome happen and sends the buyer on: back to the merchant once through, to the bank for a
// challenge, and otherwise to the page again. Choosing twice pays once.
func (s *Sandbox) choose(ctx *fasthttp.RequestCtx, id string) {
	chosen, ok := findOutcome(string(ctx.PostArgs().Peek("outcome")))
	s.visit(ctx, id, func(t *turn) func() {
		if ok {
			t.act(chosen.Name, chosen.step)
		}
		return s.leave(ctx, t)
	})
}

func (s *Sandbox) showChallenge(ctx *fasthttp.RequestCtx, id string) {
	s.visit(ctx, id, func(t *turn) func() {
		if !t.payable() || !t.challenged() {
			return s.leave(ctx, t)
		}
		v := s.view(t.record)
		return func() { render(ctx, "challenge", v) }
	})
}

func (s *Sandbox) answerChallenge(ctx *fasthttp.RequestCtx, id string) {
	passed := string(ctx.PostArgs().Peek("answer")) == "complete"
	s.visit(ctx, id, func(t *turn) func() {
		if t.payable() && t.challenged() {
			if passed {
				t.pass()
				s.note(t, "challenge passed")
			} else {
				t.decline(unauthenticated)
				s.note(t, "challenge failed")
			}
		}
		return s.leave(ctx, t)
	})
}

// leave redirects to where a buyer in the session's state belongs.
func (s *Sandbox) leave(ctx *fasthttp.RequestCtx, t *turn) func() {
	to := s.path + "/pay/" + t.Session.ID
	switch {
	case t.Session.Status == complete:
		to = returnURL(&t.Session)
	case t.payable() && t.challenged():
		to += "/challenge"
	}
	return func() {
		ctx.SetStatusCode(fasthttp.StatusSeeOther)
		ctx.Response.Header.Set("Location", to) // as it is: ctx.Redirect would normalise the merchant's URL
	}
}

func (s *Sandbox) note(t *turn, what string) { s.journal.add(t.now, "Page", what, t.about()) }

// about is a session in the log.
func (r *record) about() string {
	return r.Session.about() + " · " + r.Session.Status + ", " + r.Session.PaymentStatus
}

func (s *session) about() string { return s.ID + ofOrder(string(s.ClientReferenceID)) }

func ofOrder(id string) string {
	if id == "" {
		return ""
	}
	return " · order " + id
}

// problem shows that there is nothing to pay.
func (s *Sandbox) problem(ctx *fasthttp.RequestCtx, status int, text texts) {
	render(ctx, "missing", view{Root: s.path, Text: text})
	ctx.SetStatusCode(status)
}

func render(ctx *fasthttp.RequestCtx, name string, data any) {
	var page bytes.Buffer
	if err := pages.ExecuteTemplate(&page, name, data); err != nil {
		panic("sandbox: " + err.Error()) // a template that does not fit its view
	}
	ctx.SetContentType("text/html; charset=utf-8")
	ctx.SetBody(page.Bytes())
}
