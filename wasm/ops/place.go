package ops

import (
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/core/tax/table"
)

// Place decides about a create-order request: the documented refusals in the documented order, or what the order would
// freeze.
//
//	{
//	  "session": {
//	    "id": "cs_1", "environment": "test", "storeId": "STO_1", "productType": "onetime",
//	    "price": {…}, "step": "0.01", "seller": {…},
//	    "expiresAt": 1795442400000, "closed": false,
//	    "billingDetail": {…}, "buyerEmail": "", "successUrl": ""
//	  },
//	  "caller": {"environment": "test", "storeId": "STO_1", "identity": "", "sessionId": ""},
//	  "request": {"checkoutSessionId": "cs_1", "billingDetail": {…}, "buyerEmail": "…", "buyerIp": "", "successUrl": ""},
//	  "ipCountry": "DE",
//	  "now": 1795438800000,
//	  "rates": ""
//	}
//
// price, step, seller, ipCountry and rates are those of [Instance.Quote], the request is the API's body, the caller is whom
// the credential speaks for, and instants are Unix milliseconds. A session that is absent is one that nobody has heard of.
// Before all else it refuses what the host has got wrong: a session's terms, rates, or an instant that is missing.
//
//	{"data":{"buyerEmail":"…","successUrl":"…","billingDetail":{…},"quote":{…}}}
func (i *Instance) Place(input string) []byte {
	var in [6]string
	r := read(input, "session{ caller{ request{ ipCountry now0 rates", in[:])
	session, wrong := r.session(in[0])
	request := r.request(in[2], in[1])
	request.IPCountry, _ = country.Parse(in[3])
	own, sound := i.table(in[5])
	request.Rates = &own
	now := r.integer(in[4])
	switch {
	case r.faulty:
		return refuse(InvalidJSON)
	case wrong != nil:
		return refuse(wrong)
	case !sound:
		return refuse(invalidRates)
	case in[4] == "":
		return refuse(invalidDate)
	}
	order, problems := checkout.Place(session, request, now)
	if problems != nil {
		return refusal(problems)
	}
	w := data()
	w.member("buyerEmail", order.BuyerEmail)
	w.optional("successUrl", order.SuccessURL)
	w.name("billingDetail")
	w.open('{')
	w.detail(&order.Billing)
	w.close("}")
	w.name("quote")
	w.open('{')
	w.quote(&order.Quote)
	w.close("}")
	return w.end()
}

func (r *reader) session(object string) (*checkout.Session, *problem.Problem) {
	if object == "" {
		return nil, nil
	}
	var m [12]string
	r.members(object, "id environment storeId productType price{ step seller{ expiresAt0 closed? billingDetail{ buyerEmail successUrl", m[:])
	s := &checkout.Session{
		ID: m[0], Environment: checkout.Environment(m[1]), StoreID: m[2], Product: checkout.Product{Type: checkout.ProductType(m[3])},
		ExpiresAt: r.integer(m[7]), Closed: m[8] == "true", Billing: r.billing(m[9]), BuyerEmail: m[10], SuccessURL: m[11],
	}
	return s, r.terms(&s.Terms, m[4], m[5], m[6])
}

func (r *reader) request(object, caller string) *checkout.Request {
	var m [5]string
	r.members(object, "checkoutSessionId billingDetail{ buyerEmail buyerIp successUrl", m[:])
	var c [4]string
	r.members(caller, "environment storeId identity sessionId", c[:])
	return &checkout.Request{
		Caller:    checkout.Caller{Environment: checkout.Environment(c[0]), StoreID: c[1], Identity: c[2], SessionID: c[3]},
		SessionID: m[0], Billing: r.billing(m[1]), BuyerEmail: m[2], BuyerIP: m[3], SuccessURL: m[4],
	}
}

// Load gives the instance an operator's own rates, for all its quotes and orders that come without: {"rates":"…"} →
// {"data":{"module":"1.1","dataVersion":"…"}}. They replace what it had, and after an error it has none; an empty text takes
// them away. They are at most [MaxRates] bytes of what [table.Table.Text] writes.
func (i *Instance) Load(input string) []byte {
	var in [1]string
	r := read(input, "rates", in[:])
	i.Rates = ""
	if r.faulty {
		return refuse(InvalidJSON)
	}
	if _, sound := table.FromText(in[0]); !sound || len(in[0]) > MaxRates {
		return refuse(invalidRates)
	}
	i.Rates = in[0]
	return i.Version("{}")
}

// MaxRates is how much of an operator's rates an instance keeps, in bytes.
const MaxRates = 16 << 10

// table is the rates of a call or, if it comes without, the instance's.
func (i *Instance) table(text string) (own table.Table, sound bool) {
	if text == "" {
		text = i.Rates
	}
	return table.FromText(text)
}

// Version says what answers: {"data":{"module":"1.1","dataVersion":"2026-11-23-…"}}, the version of the data with that of the
// instance's own rates.
func (i *Instance) Version(input string) []byte {
	if read(input, "", nil).faulty {
		return refuse(InvalidJSON)
	}
	own, _ := i.table("")
	w := data()
	w.member("module", Release)
	w.member("dataVersion", own.DataVersion())
	return w.end()
}
