package page

import (
	"errors"
	"slices"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/email"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/throttle"
)

// form is what the fields of the page hold, as typed. Their names are those of the API.
type form struct {
	Email        string
	Country      string
	State        string
	Postcode     string
	IsBusiness   bool
	BusinessName string
	TaxID        string
}

// prefilled is what the session knows already.
func (v *visit) prefilled() form {
	f := form{Email: v.session.BuyerEmail}
	if v.session.Billing != nil {
		d, _ := billing.Check(*v.session.Billing)
		f.Country, f.State, f.Postcode = string(d.Country), d.State, d.Postcode
		f.IsBusiness, f.BusinessName, f.TaxID = d.IsBusiness, d.BusinessName, d.TaxID
		f.selectState()
	}
	return f
}

// sent is what a browser without JavaScript has sent. It copies: fasthttp's bytes do not outlive the request.
func (v *visit) sent() form {
	value := func(name string) string { return string(v.PostArgs().Peek(name)) }
	f := form{
		Email: email.Clip(value("email")), Country: value("country"), State: value("state"), Postcode: value("postcode"),
		IsBusiness: v.PostArgs().Has("isBusiness"), BusinessName: value("businessName"), TaxID: value("taxId"),
	}
	f.selectState()
	return f
}

// selectState sets an empty State to the one that the postcode belongs to.
func (f *form) selectState() {
	if f.State == "" {
		f.State = string(f.code().StateOf(f.Postcode))
	}
}

// input is the billing detail in the form. The page hides the state where an address has none, but without JavaScript it
// cannot keep the browser from sending it.
func (f *form) input() billing.Input {
	state := f.State
	if !f.code().NeedsState() {
		state = ""
	}
	return billing.Input{Country: f.Country, IsBusiness: &f.IsBusiness, Postcode: f.Postcode, State: state,
		BusinessName: f.BusinessName, TaxID: f.TaxID}
}

// code is the chosen country, empty while there is none.
func (f *form) code() country.Code {
	code, _ := country.Parse(f.Country)
	return code
}

// state is the chosen option of the state field, "US-CA".
func (f *form) state() string {
	state, ok := f.code().ParseSubdivision(strings.ToUpper(f.State))
	if !ok {
		return ""
	}
	return option(f.code(), state)
}

// option is how the state field names a state: whole, because the list holds those of all countries until the script
// shortens it.
func option(c country.Code, s country.Subdivision) string { return string(c) + "-" + string(s) }

// fields are the names of the form's fields, in their order on the page.
var fields = []string{"email", "country", "state", "postcode", "businessName", "taxId"}

// faults is the sentence at each wrong field.
type faults map[string]string

func (f faults) add(t texts, where country.Code, field, code string) {
	if _, known := f[field]; !known && field != "" {
		f[field] = t.In(string(where), code)
	}
}

// check finds everything that is wrong with the form, with the core's rules, so that a buyer sees it all at once. The
// detail is what could be made of the rest.
func (f *form) check(t texts) (d billing.Detail, list problem.List, wrong faults) {
	wrong = make(faults)
	switch address := email.Normalize(f.Email); {
	case address == "":
		wrong.add(t, "", "email", "buyer-email-required")
	case !email.Valid(address):
		wrong.add(t, "", "email", "buyer-email-invalid")
	}
	d, list = billing.Check(f.input())
	for _, p := range list {
		wrong.add(t, d.Country, fieldOf(p.Path), p.Code)
	}
	return d, list, wrong
}

// fieldOf is the name of the field that a problem's path points to, empty where the page has no such field.
func fieldOf(path string) string {
	if path == "/buyerEmail" {
		return "email"
	}
	if field, ok := strings.CutPrefix(path, "/billingDetail/"); ok && slices.Contains(fields, field) {
		return field
	}
	return ""
}

// problems are what an error of create-order refuses, none if it is no refusal.
func problems(err error) problem.List {
	var list problem.List
	var single *problem.Problem
	switch {
	case errors.As(err, &list):
	case errors.As(err, &single):
		list = problem.List{single}
	}
	if len(list) > 0 && list[0].Kind == problem.Internal {
		return nil
	}
	return list
}

// checkout shows or takes the form, or shows what has become of a session that can no longer be ordered from.
func (h *Handler) checkout(v *visit) {
	switch {
	case v.through():
		h.status(v)
	case !v.open():
		h.show(v.RequestCtx, fasthttp.StatusGone, "message", v.expired())
	case v.session.Product.Type != checkout.OneTime:
		h.show(v.RequestCtx, fasthttp.StatusBadRequest, "message", v.broken())
	case v.IsPost():
		h.submit(v)
	default:
		f := v.prefilled()
		d, list, wrong := f.check(v.texts)
		page := h.formPage(v, f, v.quote(&d, list))
		if len(wrong) == 0 {
			page.Review = f.review(v.texts)
		}
		h.show(v.RequestCtx, fasthttp.StatusOK, "form", page)
	}
}

// submit orders as an anonymous buyer and sends the browser to the payment provider.
func (h *Handler) submit(v *visit) {
	f := v.sent()
	d, list, wrong := f.check(v.texts)
	page := h.formPage(v, f, v.quote(&d, list))
	if len(wrong) > 0 {
		h.refuse(v, page, wrong)
		return
	}
	url, err := h.order(v, &f)
	if err == nil {
		v.see(url)
		return
	}
	h.refused(v, page, d.Country, err)
}

// order places the order of a form.
func (h *Handler) order(v *visit, f *form) (string, error) {
	forwarded := v.Request.Header.PeekAll(fasthttp.HeaderXForwardedFor)
	client := h.config.GeoIP.Client(v.RemoteIP(), forwarded)
	if err := h.config.Throttle.Admit(v.store.ID, client, h.config.Now()); err != nil {
		return "", err
	}
	input := f.input()
	return h.config.Orders.Create(v, &checkout.Request{
		Caller:    checkout.Caller{Environment: v.session.Environment, StoreID: v.store.ID, SessionID: v.session.ID},
		SessionID: v.session.ID, Billing: &input, BuyerEmail: f.Email,
		IPCountry: h.config.GeoIP.Country("", v.RemoteIP(), forwarded),
		Rates:     h.config.Rates,
	}, client, nil)
}

// refused shows the form again with what create-order said. A conflict means that the session has changed since it was
// read: the browser comes again and sees into what.
func (h *Handler) refused(v *visit, page *formPage, where country.Code, err error) {
	list := problems(err)
	switch {
	case len(list) == 0:
		h.config.Log.Error("order failed", "store", v.store.ID, "error", err)
		fallthrough
	case list[0].Kind == problem.Unavailable:
		page.Notice = "failed"
		v.Response.Header.Set(fasthttp.HeaderRetryAfter, throttle.RetryAfter(err))
		h.show(v.RequestCtx, fasthttp.StatusServiceUnavailable, "form", page)
		return
	case list[0].Kind == problem.Conflict:
		v.see(v.url())
		return
	}
	wrong := make(faults)
	for _, p := range list {
		wrong.add(page.texts, where, fieldOf(p.Path), p.Code)
	}
	if len(wrong) == 0 {
		h.show(v.RequestCtx, fasthttp.StatusBadRequest, "message", v.broken())
		return
	}
	h.refuse(v, page, wrong)
}

// refuse shows the form again with what is wrong in it.
func (h *Handler) refuse(v *visit, page *formPage, wrong faults) {
	page.Faults = wrong
	page.Title = page.Text("error", "title", page.Title)
	h.show(v.RequestCtx, fasthttp.StatusBadRequest, "form", page)
}
