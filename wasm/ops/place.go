package ops

import (
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/core/tax/table"
)

// Place checks a create-order request. It returns the first documented refusal, or what the order would freeze.
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
//	  "rates": "",
//	  "discount": {"label":"Welcome", "amount":"5.00"}
//	}
//
// price, step, seller, ipCountry, rates and discount are those of [Instance.Quote], the request is the API's body, the caller is the
// holder of the credential, and instants are Unix milliseconds. Without a session the answer is that the session is unknown.
// Mistakes of the host are reported first: invalid terms of the session, invalid rates, or a missing instant. Place does not know
// which consents a store asks for: a host that sells with consents checks them itself.
//
//	{"data":{"buyerEmail":"…","successUrl":"…","billingDetail":{…},"quote":{…}}}
func (i *Instance) Place(input string) []byte {
	var in [7]string
	r := read(input, "session{ caller{ request{ ipCountry now0 rates discount{", in[:])
	session, wrong := r.session(in[0])
	request := r.request(in[2], in[1])
	request.IPCountry, _ = country.Parse(in[3])
	own, sound := i.table(in[5])
	request.Rates = &own
	now := r.integer(in[4])
	var terms checkout.Terms
	if session != nil {
		terms = session.Terms
	}
	discount := r.discount(in[6], &terms)
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
	order, problems := checkout.Prepare(session, request, now)
	if problems == nil {
		problems = order.Freeze(request, discount)
	}
	if problems != nil {
		return refusal(problems)
	}
	w := data()
	w.member("buyerEmail", order.BuyerEmail)
	w.optional("successUrl", order.SuccessURL)
	w.begin("billingDetail", '{')
	w.detail(&order.Billing)
	w.raw("}")
	w.begin("quote", '{')
	w.quote(&order.Quote)
	w.raw("}")
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

// Load sets the instance's own rates of an operator, which apply to all quotes and orders that come without rates:
// {"rates":"…"} → {"data":{"module":"1.3","dataVersion":"…"}}. They replace the previous ones. After an error the instance
// has none; an empty text removes them. They are at most [MaxRates] bytes of text from [table.Table.Text].
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

// MaxRates is the largest text of an operator's rates that an instance keeps, in bytes.
const MaxRates = 16 << 10

// table returns the rates of a call, otherwise the instance's.
func (i *Instance) table(text string) (own table.Table, sound bool) {
	if text == "" {
		text = i.Rates
	}
	return table.FromText(text)
}

// Version returns {"data":{"module":"1.3","dataVersion":"2026-11-23-…"}}. The data version includes that of the instance's
// own rates.
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
