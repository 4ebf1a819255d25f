package checkout

import (
	"github.com/crepe-checkout/crepe/core/civil"
	"github.com/crepe-checkout/crepe/core/problem"
)

// Preview computes the quote that an order of this request would freeze now. It makes the checks of Place, in the same
// order, up to the one of the buyer's e-mail address, which it does not need.
func Preview(s *Session, r *Request, now int64) (Quote, problem.List) {
	if refused := Admit(s, r, now); refused != nil {
		return Quote{}, refused
	}
	var o Order
	if refused := o.bill(s, r); refused != nil {
		return Quote{}, refused
	}
	if r.BuyerIP != "" && !validIP(r.BuyerIP) {
		return Quote{}, badIP
	}
	quote, p := s.Terms.Quote(&o.Billing, r.IPCountry, civil.DateOf(now), r.Rates)
	if p != nil {
		return Quote{}, problem.List{p}
	}
	return quote, nil
}
