package checkout

import (
	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/civil"
	"github.com/crepe-checkout/crepe/core/email"
	"github.com/crepe-checkout/crepe/core/problem"
)

// The refusals of the published error table, in its order, followed by our own. Each is a list so that it can be returned as
// is.
var (
	missingSessionID = problem.List{MissingSessionID}
	foreignToken     = problem.List{AuthenticationFailed}
	invalidSession   = problem.List{problem.New(problem.Conflict, "session-invalid", "",
		"Checkout session invalid, please re-enter checkout")}
	foreignStore = problem.List{problem.New(problem.Forbidden, "session-wrong-store", "", "Session does not belong to this store")}
	wrongType    = problem.List{problem.New(problem.Invalid, "product-type-mismatch", "",
		"Session product type mismatch: expected onetime")}
	wrongEnv = problem.List{problem.New(problem.Invalid, "environment-mismatch", "",
		"Environment mismatch between request and session")}
	missingBilling = problem.List{problem.New(problem.Invalid, "billing-detail-required", "/billingDetail",
		"Missing billingDetail: provide in request body or pre-fill in checkout session")}
	missingEmail = problem.List{problem.New(problem.Invalid, "buyer-email-required", "/buyerEmail",
		"Missing buyerEmail: provide in request body or pre-fill in checkout session")}
	badEmail      = problem.List{InvalidEmail}
	badIP         = problem.List{problem.New(problem.Invalid, "buyer-ip-invalid", "/buyerIp", "Invalid buyerIp")}
	badSuccessURL = problem.List{InvalidSuccessURL}
)

// Refusals that the API returns elsewhere too.
var (
	MissingSessionID = problem.New(problem.Invalid, "checkout-session-id-required", "/checkoutSessionId",
		"Missing required field: checkoutSessionId")
	AuthenticationFailed = problem.New(problem.Unauthenticated, "authentication-failed", "", "Authentication failed")
	InvalidEmail         = problem.New(problem.Invalid, "buyer-email-invalid", "/buyerEmail", "Invalid buyerEmail")
	InvalidSuccessURL    = problem.New(problem.Invalid, "success-url-invalid", "/successUrl", "Invalid successUrl")
)

// InvalidSession is the refusal of a session that has expired or is closed. The server also returns it if the PSP reports
// so after Place.
func InvalidSession() problem.List { return invalidSession }

// Place turns a session and a request into an order without a discount, or refuses. s is nil if there is no session with the request's
// id. The checks run in the published order and stop at the first that fails; only an invalid billing detail reports all of its
// problems.
//
// Place reads no clock: now is the instant of the request, and its UTC day selects the tax rules.
func Place(s *Session, r *Request, now int64) (*Order, problem.List) {
	o, refused := Prepare(s, r, now)
	if refused != nil {
		return nil, refused
	}
	if refused = o.Freeze(r, Discount{}); refused != nil {
		return nil, refused
	}
	return o, nil
}

// Prepare makes the checks of [Place] and returns the order without its quote.
func Prepare(s *Session, r *Request, now int64) (*Order, problem.List) {
	o, refused := draft(s, r, now)
	if refused != nil {
		return nil, refused
	}
	if refused := o.address(s, r); refused != nil {
		return nil, refused
	}
	if r.BuyerIP != "" && !validIP(r.BuyerIP) {
		return nil, badIP
	}
	o.SuccessURL = r.SuccessURL
	if o.SuccessURL == "" {
		o.SuccessURL = s.SuccessURL
	} else if !ValidReturnURL(o.SuccessURL, s.Environment) {
		return nil, badSuccessURL
	}
	return o, nil
}

// draft returns an order with the caller's identity and the billing detail.
func draft(s *Session, r *Request, now int64) (*Order, problem.List) {
	if refused := Admit(s, r, now); refused != nil {
		return nil, refused
	}
	o := &Order{
		SessionID: s.ID, Environment: s.Environment, StoreID: s.StoreID, Product: s.Product, Terms: s.Terms,
		BuyerIdentity: r.Caller.Identity, BuyerIP: r.BuyerIP, PlacedAt: now,
	}
	return o, o.bill(s, r)
}

// Freeze computes the order's quote, with a discount, for the request that the order was prepared from. It refuses a discount that is
// not valid, and what the tax rules refuse. After a refusal the order is unchanged.
func (o *Order) Freeze(r *Request, d Discount) problem.List {
	quote, p := o.Terms.QuoteLess(d, &o.Billing, r.IPCountry, civil.DateOf(o.PlacedAt), r.Rates)
	if p != nil {
		return problem.List{p}
	}
	o.Quote = quote
	return nil
}

// Admit checks whether the caller may order from the session. A token that is bound to another session is invalid here. As
// documented, an unknown session and one of another store are different refusals.
func Admit(s *Session, r *Request, now int64) problem.List {
	switch {
	case r.SessionID == "":
		return missingSessionID
	case r.Caller.SessionID != "" && r.Caller.SessionID != r.SessionID:
		return foreignToken
	case s == nil || s.Closed || now >= s.ExpiresAt:
		return invalidSession
	case s.StoreID != r.Caller.StoreID:
		return foreignStore
	case s.Product.Type != OneTime:
		return wrongType
	case s.Environment != r.Caller.Environment:
		return wrongEnv
	}
	return nil
}

// bill uses the request's billing detail, otherwise the session's.
func (o *Order) bill(s *Session, r *Request) (refused problem.List) {
	in := r.Billing
	if in == nil {
		in = s.Billing
	}
	if in == nil {
		return missingBilling
	}
	o.Billing, refused = billing.Check(*in)
	return refused
}

// address sets the normalised e-mail address: the token's, otherwise the request's, otherwise the session's. A token
// identity that is not an e-mail address identifies the order's owner only.
func (o *Order) address(s *Session, r *Request) problem.List {
	if o.BuyerEmail = r.Caller.Email(); o.BuyerEmail != "" {
		return nil
	}
	var valid bool
	if o.BuyerEmail, valid = email.Parse(r.BuyerEmail); o.BuyerEmail == "" {
		o.BuyerEmail, valid = email.Parse(s.BuyerEmail)
	}
	switch {
	case o.BuyerEmail == "":
		return missingEmail
	case !valid:
		return badEmail
	}
	return nil
}
