package orders

import (
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/sessions"
)

// TotalChanged refuses a request whose buyer has been shown another total than the order would have now.
var TotalChanged = problem.New(problem.Conflict, "total-changed", "/expectedTotal", "Order total has changed: ask for a quote and show the buyer its total")

// checkTotal refuses a total that the provider would refuse. The price has been checked when the session was created, but tax
// can move the total out of the limits: a price with tax included is paid without it by a business abroad.
func checkTotal(p psp.Checkouts, q *checkout.Quote) *problem.Problem {
	limits, ok := p.Amounts(q.Currency)
	if !ok {
		return refused(psp.RefusesCurrency, q.Currency)
	}
	if why := limits.Why(money.Amount{Minor: q.Assessment.Total, Currency: q.Currency}); why != "" {
		return invalidTotal(why)
	}
	return nil
}

// refused returns the problem that tells the caller of a provider's refusal, nil for what the caller cannot correct.
func refused(r psp.Refusal, c money.Currency) *problem.Problem {
	switch r {
	case psp.RefusesSmallTotal:
		return invalidTotal("below the payment provider's minimum")
	case psp.RefusesLargeTotal:
		return invalidTotal("above the payment provider's maximum")
	case psp.RefusesCurrency:
		return sessions.UnsupportedCurrency("", c)
	case psp.RefusesEmail:
		return checkout.InvalidEmail
	case psp.RefusesSuccessURL:
		return checkout.InvalidSuccessURL
	}
	return nil
}

func invalidTotal(why string) *problem.Problem {
	return problem.New(problem.Invalid, "total-invalid", "", "Order total cannot be charged: "+why)
}
