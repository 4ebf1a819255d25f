package orders

import (
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/problem"
)

// Amounts are the amounts that a provider can charge in a currency: the multiples of Step from Min to Max, in minor units of
// ISO 4217. Step is 1 for most currencies and 10 for KWD.
type Amounts struct{ Step, Min, Max int64 }

// Why says why an amount cannot be charged, and is empty for one that can be. The text names the limit that was missed, as in
// "expected at least 0.50 USD".
func (l Amounts) Why(a money.Amount) string {
	in := func(minor int64) string {
		return money.Amount{Minor: minor, Currency: a.Currency}.String() + " " + string(a.Currency)
	}
	switch {
	case a.Minor < l.Min:
		return "expected at least " + in(l.Min)
	case a.Minor > l.Max:
		return "expected at most " + in(l.Max)
	case a.Minor%l.Step != 0:
		return "expected a multiple of " + in(l.Step)
	}
	return ""
}

// checkTotal refuses a total that the provider would refuse. The price has been checked when the session was created, but tax
// can take the total out of the limits: a price with tax included is paid without it by a business abroad.
func checkTotal(g Gateway, q *checkout.Quote) *problem.Problem {
	limits, ok := g.Amounts(q.Currency)
	if !ok {
		return RefusesCurrency.problem(q.Currency)
	}
	if why := limits.Why(money.Amount{Minor: q.Assessment.Total, Currency: q.Currency}); why != "" {
		return invalidTotal(why)
	}
	return nil
}

// Refusal is what a provider refuses of an order that its caller can mend. The zero Refusal is none of these.
type Refusal uint8

const (
	RefusesSmallTotal Refusal = iota + 1 // less than the account may charge
	RefusesLargeTotal                    // more than the account may charge
	RefusesCurrency                      // the account cannot charge it
	RefusesEmail
	RefusesSuccessURL
)

// problem is a refusal as the caller is told it, nil for what the caller cannot mend.
func (r Refusal) problem(c money.Currency) *problem.Problem {
	switch r {
	case RefusesSmallTotal:
		return invalidTotal("below the payment provider's minimum")
	case RefusesLargeTotal:
		return invalidTotal("above the payment provider's maximum")
	case RefusesCurrency:
		return UnsupportedCurrency("", c)
	case RefusesEmail:
		return checkout.InvalidEmail
	case RefusesSuccessURL:
		return checkout.InvalidSuccessURL
	}
	return nil
}

func invalidTotal(why string) *problem.Problem {
	return problem.New(problem.Invalid, "total-invalid", "", "Order total cannot be charged: "+why)
}

// UnsupportedCurrency refuses a currency that the payment provider cannot charge.
func UnsupportedCurrency(path string, c money.Currency) *problem.Problem {
	return problem.New(problem.Invalid, "currency-unsupported", path, "Unsupported currency: "+string(c))
}

// ProviderMissing refuses an environment without a payment provider: a new session with [problem.Invalid], an order with
// [problem.Unavailable].
func ProviderMissing(kind problem.Kind, env checkout.Environment) *problem.Problem {
	return problem.New(kind, "provider-missing", "", "No payment provider is configured for environment "+string(env))
}
