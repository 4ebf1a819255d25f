package admin

import (
	"context"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/vies"
)

// VATCheck is the check of a buyer's VAT number that VIES does not know, or has not confirmed.
type VATCheck struct {
	At                 *time.Time           `json:"at"` // of the answer; of the last try if there is none
	Environment        checkout.Environment `json:"environment"`
	StoreID            string               `json:"storeId"`
	OrderID            string               `json:"orderId"`
	Number             string               `json:"number"`
	Requester          string               `json:"requester,omitempty"` // the seller's number
	State              vies.State           `json:"state"`               // invalid or failed
	ConsultationNumber string               `json:"consultationNumber,omitempty"`
	Error              string               `json:"error,omitempty"` // of the last try
}

func (a *Admin) listVATChecks(ctx context.Context, in ListRequest) (List[VATCheck], error) {
	return list(ctx, in, a.config.VATChecks.VATChecksToReview, func(c *vies.Check) VATCheck {
		at := c.AnsweredAt
		if at == 0 {
			at = c.UpdatedAt
		}
		return VATCheck{At: moment(at), Environment: c.Environment, StoreID: c.StoreID, OrderID: c.OrderID, Number: c.Number, Requester: c.Requester,
			State: c.State, ConsultationNumber: c.Consultation, Error: c.LastError}
	})
}
