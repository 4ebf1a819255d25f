package checkout

import "github.com/crepe-checkout/crepe/core/problem"

// Preview returns the draft of the order that this request would make now, to be quoted with [Order.Freeze]. It makes the checks of
// Place, in the same order, up to the one of the buyer's e-mail address, which it does not need: BuyerEmail is empty while no valid
// address is known.
func Preview(s *Session, r *Request, now int64) (*Order, problem.List) {
	o, refused := draft(s, r, now)
	if refused != nil {
		return nil, refused
	}
	if o.address(s, r) != nil {
		o.BuyerEmail = ""
	}
	if r.BuyerIP != "" && !validIP(r.BuyerIP) {
		return nil, badIP
	}
	return o, nil
}
