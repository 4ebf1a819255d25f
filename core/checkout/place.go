package checkout

import (
	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/email"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/core/tax"
)

// The refusals of the published error table, in its order, and after them our own. Each is a list so that it can be
// returned as it is.
var (
	missingSessionID = refuse(problem.Invalid, "checkout-session-id-required", "/checkoutSessionId",
		"Missing required field: checkoutSessionId")
	foreignToken   = refuse(problem.Unauthenticated, "authentication-failed", "", "Authentication failed")
	invalidSession = refuse(problem.Conflict, "session-invalid", "",
		"Checkout session invalid, please re-enter checkout")
	foreignStore   = refuse(problem.Forbidden, "session-wrong-store", "", "Session does not belong to this store")
	wrongType      = refuse(problem.Invalid, "product-type-mismatch", "", "Session product type mismatch: expected onetime")
	wrongEnv       = refuse(problem.Invalid, "environment-mismatch", "", "Environment mismatch between request and session")
	missingBilling = refuse(problem.Invalid, "billing-detail-required", "/billingDetail",
		"Missing billingDetail: provide in request body or pre-fill in checkout session")
	missingEmail = refuse(problem.Invalid, "buyer-email-required", "/buyerEmail",
		"Missing buyerEmail: provide in request body or pre-fill in checkout session")
	badEmail      = refuse(problem.Invalid, "buyer-email-invalid", "/buyerEmail", "Invalid buyerEmail")
	badIP         = refuse(problem.Invalid, "buyer-ip-invalid", "/buyerIp", "Invalid buyerIp")
	badSuccessURL = refuse(problem.Invalid, "success-url-invalid", "/successUrl", "Invalid successUrl")
)

// InvalidSession is the refusal of a session that cannot be ordered from any more; the edge answers with it too when it
// learns so after Place, from the PSP.
func InvalidSession() problem.List { return invalidSession }

// Place turns a session and a request into an order, or refuses. s is nil when no session has the request's id. The
// order of the checks is the published one: the first that fails answers, except that a billing detail reports all of
// its problems, the first of them first.
//
// Place reads no clock: now is the instant of the request, and its UTC day selects the tax rules.
func Place(s *Session, r *Request, now int64) (Order, problem.List) {
	detail, refused := admitBuyer(s, r, now)
	if refused != nil {
		return Order{}, refused
	}
	buyer, refused := effectiveEmail(s, r)
	if refused != nil {
		return Order{}, refused
	}
	if r.BuyerIP != "" && !validIP(r.BuyerIP) {
		return Order{}, badIP
	}
	success := r.SuccessURL
	if success == "" {
		success = s.SuccessURL
	} else if !ValidReturnURL(success, s.Environment) {
		return Order{}, badSuccessURL
	}
	quote, p := s.Terms.Quote(&detail, r.IPCountry, tax.DateOf(now), r.Rates)
	if p != nil {
		return Order{}, problem.List{p}
	}
	return Order{
		SessionID: s.ID, Environment: s.Environment, StoreID: s.StoreID,
		Product: s.Product, Terms: s.Terms, Quote: quote, Billing: detail,
		BuyerEmail: buyer, BuyerIdentity: r.Caller.Identity, BuyerIP: r.BuyerIP,
		SuccessURL: success, PlacedAt: now,
	}, nil
}

// admitBuyer is what comes before a quote: a caller who may order here, and where the buyer is.
func admitBuyer(s *Session, r *Request, now int64) (billing.Detail, problem.List) {
	if refused := Admit(s, r, now); refused != nil {
		return billing.Detail{}, refused
	}
	return effectiveBilling(s, r)
}

// Admit decides whether this caller may order from this session at all. A token that is bound to another session is no
// token here; an unknown session is told from another store's only after it has been found, as the document has it.
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

// effectiveBilling takes the request's billing detail before the session's.
func effectiveBilling(s *Session, r *Request) (billing.Detail, problem.List) {
	in := r.Billing
	if in == nil {
		in = s.Billing
	}
	if in == nil {
		return billing.Detail{}, missingBilling
	}
	return billing.Check(*in)
}

// effectiveEmail takes the token's e-mail before the request's before the session's, normalised. A token identity that is
// no e-mail address stays the order's owner and says nothing about where to write to.
func effectiveEmail(s *Session, r *Request) (string, problem.List) {
	if known := r.Caller.Email(); known != "" {
		return known, nil
	}
	buyer := email.Normalize(r.BuyerEmail)
	if buyer == "" {
		buyer = email.Normalize(s.BuyerEmail)
	}
	switch {
	case buyer == "":
		return "", missingEmail
	case !email.Valid(buyer):
		return "", badEmail
	}
	return buyer, nil
}

func refuse(kind problem.Kind, code, path, message string) problem.List {
	return problem.List{{Kind: kind, Code: code, Path: path, Message: message}}
}
