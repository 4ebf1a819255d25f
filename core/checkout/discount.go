package checkout

import (
	"unicode/utf8"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/civil"
	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/email"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/core/tax/table"
)

// Discount is what a store's rules take off the price before the tax is computed. Minor is 0 for none.
type Discount struct {
	Label string // what the buyer reads beside the amount, in the language of the rules
	Minor int64  // in minor units of the price's currency; it contains tax if the price does
}

// maxLabel is the longest label of a discount, in characters.
const maxLabel = 80

var invalidDiscount = problem.New(problem.Invalid, "discount-invalid", "", "Invalid discount")

// Valid reports whether the discount can be taken off a price: it is none, or it leaves something to pay and has a label of 1 to 80
// characters on one line, without control characters and without spaces around it.
func (d Discount) Valid(price money.Amount) bool {
	return d.Minor == 0 || d.Minor > 0 && d.Minor < price.Minor && validLabel(d.Label)
}

func validLabel(s string) bool {
	return s != "" && utf8.ValidString(s) && utf8.RuneCountInString(s) <= maxLabel && billing.Readable(s, maxLabel*utf8.UTFMax) && email.Trim(s) == s
}

// chargeable rounds the discount down to whole steps, so that the price less the discount can be charged if the price can.
func (d Discount) chargeable(step int64) Discount {
	if step > 0 {
		d.Minor -= d.Minor % step
	}
	if d.Minor == 0 {
		return Discount{}
	}
	return d
}

// QuoteLess is [Terms.Quote] of the price less a discount, which is rounded down to whole steps. It refuses a discount that is not valid.
func (t *Terms) QuoteLess(off Discount, d *billing.Detail, ipCountry country.Code, on civil.Date, rates *table.Table) (Quote, *problem.Problem) {
	if !off.Valid(t.Price) {
		return Quote{}, invalidDiscount
	}
	off = off.chargeable(t.Step)
	less := *t
	less.Price.Minor -= off.Minor
	q, p := less.Quote(d, ipCountry, on, rates)
	if off.Minor != 0 {
		q.ListPrice, q.Discount = t.Price.Minor, off
	}
	return q, p
}
