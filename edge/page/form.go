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
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/sessions"
	"github.com/crepe-checkout/crepe/edge/throttle"
)

// form holds the fields' values as typed. The fields have the API's names.
type form struct {
	Email        string
	Country      string
	State        string
	Postcode     string
	IsBusiness   bool
	BusinessName string
	TaxID        string
	Street       string // of a business, as City
	City         string
	Consents     []string // versions of the texts that are ticked
}

// prefilled returns the form with the session's e-mail address and billing detail.
func (v *visit) prefilled() form {
	f := form{Email: v.session.BuyerEmail}
	if v.session.Billing != nil {
		d, _ := billing.Check(*v.session.Billing)
		f.Country, f.State, f.Postcode = string(d.Country), d.State, d.Postcode
		f.IsBusiness, f.BusinessName, f.TaxID = d.IsBusiness, d.BusinessName, d.TaxID
		f.Street, f.City = v.session.Address.Street, v.session.Address.City
		f.selectState()
	}
	return f
}

// submitted returns the posted form. It copies the values, because fasthttp reuses its buffers after the request.
func (v *visit) submitted() form {
	value := func(name string) string { return string(v.PostArgs().Peek(name)) }
	f := form{
		Email: email.Clip(value("email")), Country: value("country"), Postcode: value("postcode"),
		IsBusiness: v.PostArgs().Has("isBusiness"), BusinessName: value("businessName"), TaxID: value("taxId"),
		Street: value("street"), City: value("city"),
	}
	for _, state := range v.PostArgs().PeekMulti("state") {
		f.chooseState(string(state))
	}
	for _, version := range v.PostArgs().PeekMulti("consent") {
		f.Consents = append(f.Consents, string(version))
	}
	f.selectState()
	return f
}

// chooseState sets State to a state of the chosen country. Without JavaScript the form sends one for every country that has states.
func (f *form) chooseState(state string) {
	if _, ok := f.code().ParseSubdivision(strings.ToUpper(state)); ok {
		f.State = state
	}
}

// selectState sets an empty State to the one that the postcode belongs to.
func (f *form) selectState() {
	if f.State == "" {
		f.State = string(f.code().StateOf(f.Postcode))
	}
}

// input returns the form's billing detail. It omits the state for a country without states: the field is hidden then, but
// without JavaScript the browser submits it.
func (f *form) input() billing.Input {
	state := f.State
	if !f.code().NeedsState() {
		state = ""
	}
	return billing.Input{Country: f.Country, IsBusiness: &f.IsBusiness, Postcode: f.Postcode, State: state,
		BusinessName: f.BusinessName, TaxID: f.TaxID}
}

// address returns the optional address of a business. The fields are hidden for others, but without JavaScript the browser submits
// them.
func (f *form) address() sessions.Address {
	if !f.IsBusiness {
		return sessions.Address{}
	}
	return sessions.Address{Street: f.Street, City: f.City}
}

// code returns the chosen country, or "".
func (f *form) code() country.Code {
	code, _ := country.Parse(f.Country)
	return code
}

// state returns the chosen option of the state field, "US-CA", or "".
func (f *form) state() string {
	state, ok := f.code().ParseSubdivision(strings.ToUpper(f.State))
	if !ok {
		return ""
	}
	return stateValue(f.code(), state)
}

// stateValue returns the option value of a state, "US-CA". It includes the country, because the script has one list for the states of
// every country.
func stateValue(c country.Code, s country.Subdivision) string { return string(c) + "-" + string(s) }

// fields are the names of the form's fields in page order.
var fields = []string{"email", "country", "state", "postcode", "businessName", "taxId", "street", "city",
	consentField(0), consentField(1), consentField(2), consentField(3), consentField(4)}

// fieldErrors maps the name of a field to its error message.
type fieldErrors map[string]string

// add sets a field's message for a problem code. The first one stays, and problems without a field are ignored.
func (f fieldErrors) add(t texts, where country.Code, field, code string) {
	f.say(field, t.In(string(where), code))
}

// say sets a field's message unless it has one.
func (f fieldErrors) say(field, text string) {
	if _, known := f[field]; !known && field != "" {
		f[field] = text
	}
}

// check validates the form with the core's rules and returns all errors at once. d is the normalized detail, as far as it is
// valid.
func (f *form) check(t texts) (d billing.Detail, list problem.List, wrong fieldErrors) {
	wrong = make(fieldErrors)
	switch address, valid := email.Parse(f.Email); {
	case address == "":
		wrong.add(t, "", "email", "buyer-email-required")
	case !valid:
		wrong.add(t, "", "email", "buyer-email-invalid")
	}
	d, list = billing.Check(f.input())
	for _, p := range list {
		wrong.add(t, d.Country, fieldOf(p.Path), p.Code)
	}
	return d, list, wrong
}

// fieldOf returns the field that a problem's path points to, or "" if the form has none.
func fieldOf(path string) string {
	if path == "/buyerEmail" {
		return "email"
	}
	if field, ok := strings.CutPrefix(path, "/billingDetail/"); ok && slices.Contains(fields, field) {
		return field
	}
	return ""
}

// checkout shows the form or processes a submitted one. A session that accepts no order gets a page that says why.
func (h *Handler) checkout(v *visit) {
	switch {
	case v.paidOrProcessing():
		h.status(v)
	case !v.open():
		h.show(v.RequestCtx, fasthttp.StatusGone, "message", h.expired(v))
	case v.session.Product.Type != checkout.OneTime:
		h.show(v.RequestCtx, fasthttp.StatusBadRequest, "message", v.broken())
	case v.IsPost():
		h.submit(v)
	default:
		f := v.prefilled()
		page, _, wrong, refused := h.checked(v, f)
		if len(wrong) == 0 && !ruled(refused) {
			page.Review = f.review(v.texts)
		}
		h.show(v.RequestCtx, fasthttp.StatusOK, "form", page)
	}
}

// checked returns the page with a form, the form's country, its errors, which the page does not show yet, and the refusal of an
// order.
func (h *Handler) checked(v *visit, f form) (*formPage, country.Code, fieldErrors, error) {
	d, list, wrong := f.check(v.texts)
	summary, refused := h.quote(v, h.request(v, &f), &d, list)
	return h.formPage(v, f, summary), d.Country, wrong, refused
}

// ruled reports whether the store's own rules refuse the order.
func ruled(refused error) bool {
	return slices.ContainsFunc(problem.Of(refused), orders.OfRule)
}

// submit processes the form of a buyer without JavaScript. It creates the order as an anonymous buyer and redirects to the payment
// provider if the buyer has seen the total that the order has, tax included. Otherwise it shows the total.
func (h *Handler) submit(v *visit) {
	f := v.submitted()
	v.Response.Header.Set(fasthttp.HeaderCacheControl, "private, no-cache") // the way back from the payment page needs the stored answer
	page, where, wrong, refused := h.checked(v, f)
	v.addConsents(wrong, &f, where)
	switch {
	case v.PostArgs().Has("translate"):
		h.show(v.RequestCtx, fasthttp.StatusOK, "form", page)
		return
	case len(wrong) > 0:
		h.showErrors(v, page, wrong)
		return
	case ruled(refused):
		h.orderFailed(v, page, where, refused)
		return
	case page.Summary.Confirm != string(v.PostArgs().Peek("confirm")):
		page.confirm()
		h.show(v.RequestCtx, fasthttp.StatusOK, "form", page)
		return
	}
	url, err := h.order(v, &f, page.Summary.Expected)
	switch {
	case err == nil:
		v.redirect(url)
	case errors.Is(err, orders.TotalChanged):
		page, _, _, _ = h.checked(v, f)
		page.confirm()
		h.show(v.RequestCtx, fasthttp.StatusOK, "form", page)
	default:
		h.orderFailed(v, page, where, err)
	}
}

// request returns the request that the form makes as an anonymous buyer.
func (h *Handler) request(v *visit, f *form) *orders.Request {
	input := f.input()
	return &orders.Request{Address: f.address(), Request: checkout.Request{
		Caller:    checkout.Caller{Environment: v.session.Environment, StoreID: v.store.ID, SessionID: v.session.ID},
		SessionID: v.session.ID, Billing: &input, BuyerEmail: f.Email,
		IPCountry: h.config.GeoIP.Country("", v.RemoteIP(), v.forwarded()),
		Rates:     h.config.Rates, Consents: v.consents(f),
	}}
}

// forwarded returns the values of X-Forwarded-For.
func (v *visit) forwarded() [][]byte { return v.Request.Header.PeekAll(fasthttp.HeaderXForwardedFor) }

// order creates the order with the total that the buyer has confirmed, and returns the payment page's URL.
func (h *Handler) order(v *visit, f *form, total string) (string, error) {
	client := h.config.GeoIP.Client(v.RemoteIP(), v.forwarded())
	if err := h.config.Throttle.Admit(v.store.ID, client, h.config.Now()); err != nil {
		return "", err
	}
	r := h.request(v, f)
	r.Total = total
	return h.config.Orders.Create(v.ctx, r, client, nil)
}

// orderFailed answers an error of [Orders.Create] with the form and a message. On a conflict the session has changed since it
// was read, so it redirects to the page of the current state.
func (h *Handler) orderFailed(v *visit, page *formPage, where country.Code, err error) {
	list := problem.Of(err)
	switch {
	case len(list) == 0:
		h.config.Log.ErrorContext(v.ctx, "order failed", "store", v.store.ID, "error", err)
		fallthrough
	case list[0].Kind == problem.Unavailable:
		page.Notice = "failed"
		after := throttle.RetryAfter(err)
		if errors.Is(err, orders.Crowded) {
			page.Notice, page.Wait = "queue", after
		}
		v.Response.Header.Set(fasthttp.HeaderRetryAfter, after)
		h.show(v.RequestCtx, fasthttp.StatusServiceUnavailable, "form", page)
		return
	case list[0].Kind == problem.Conflict:
		v.redirect(v.url())
		return
	}
	wrong := make(fieldErrors)
	for _, p := range list {
		switch field := fieldOf(p.Path); {
		case !orders.OfRule(p):
			wrong.add(page.texts, where, field, p.Code)
		case field != "":
			wrong.say(field, p.Message)
		default:
			page.Refusals = append(page.Refusals, p.Message)
		}
	}
	if len(wrong)+len(page.Refusals) == 0 {
		h.show(v.RequestCtx, fasthttp.StatusBadRequest, "message", v.broken())
		return
	}
	h.showErrors(v, page, wrong)
}

// showErrors shows the form with the messages of its wrong fields, with status 400.
func (h *Handler) showErrors(v *visit, page *formPage, wrong fieldErrors) {
	page.Errors = wrong
	page.Title = page.Text("error", "title", page.Title)
	h.show(v.RequestCtx, fasthttp.StatusBadRequest, "form", page)
}
