package dashboard

import (
	"context"
	"errors"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/vies"
)

// VATChecks reads what VIES has answered about the VAT numbers of buyers.
type VATChecks interface {
	// VATCheck returns the check of an order of a store, or [vies.ErrNotFound].
	VATCheck(ctx context.Context, env checkout.Environment, storeID, orderID string) (*vies.Check, error)
}

var vatStates = map[vies.State]status{
	vies.Pending: {"VAT number not confirmed yet", ""},
	vies.Valid:   {"VAT number registered", "ok"},
	vies.Invalid: {"VAT number not registered", "danger"},
	vies.Failed:  {"VAT number not confirmed", "warn"},
}

// vatAdvice says what to do about a check that needs a person.
var vatAdvice = map[vies.State]string{
	vies.Invalid: "No tax was charged, and VIES does not know the number. Ask the buyer for one that is registered. Otherwise refund the order, or pay the tax.",
	vies.Failed:  "No tax was charged, and VIES has not confirmed the number. Ask it by hand, and keep its answer.",
}

// vatCheck is a check on the page of an order.
type vatCheck struct {
	Status status
	Advice string
	Facts  []fact
}

// vatCheckOf reads the check of an order; nil if it has none. Only an order without tax by reverse charge can have one.
func (h *Handler) vatCheckOf(v *visit, o *orders.Order) (*vies.Check, error) {
	if o.Sold().Quote.Assessment.Reason != tax.ReverseCharge {
		return nil, nil
	}
	c, err := h.config.VATChecks.VATCheck(v.ctx, v.env, o.StoreID, o.ID)
	if errors.Is(err, vies.ErrNotFound) {
		return nil, nil
	}
	return c, err
}

func vatCheckView(c *vies.Check) *vatCheck {
	return &vatCheck{Status: vatStates[c.State], Advice: vatAdvice[c.State], Facts: facts(
		fact{"Number", c.Number, true, ""}, fact{"Asked for", c.Requester, true, ""}, fact{"Consultation number", c.Consultation, true, ""},
		fact{"Answer of", instant(c.AnsweredAt), false, ""}, fact{"Name", c.Name, false, ""}, fact{"Address", c.Address, false, ""},
		fact{"Next question", instant(c.DueAt), false, ""}, fact{"Last error", c.LastError, true, ""},
	)}
}

// vatMark is the status beside an order whose VAT number a person should see; nil for any other.
func (h *Handler) vatMark(v *visit, o *orders.Order) (*status, error) {
	c, err := h.vatCheckOf(v, o)
	if c == nil || !c.NeedsReview() {
		return nil, err
	}
	mark := vatStates[c.State]
	return &mark, nil
}

// instant writes Unix milliseconds; "" for 0.
func instant(milli int64) string {
	if milli == 0 {
		return ""
	}
	return time.UnixMilli(milli).UTC().Format("2006-01-02 15:04 UTC")
}
