package graph

import (
	"context"
	"errors"

	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/vies"
)

type vatCheck struct {
	State, VatNumber                                                 string
	RequesterVatNumber, ConsultationNumber, CheckedAt, Name, Address *string
}

// VatCheck is for merchants only: a customer of a store that others share need not learn what VIES says about them.
func (o *order) VatCheck(ctx context.Context) (*vatCheck, error) {
	if !o.v.scope.Merchant() || o.record.Sold().Quote.Assessment.Reason != tax.ReverseCharge {
		return nil, nil
	}
	if err := o.v.spend(1); err != nil {
		return nil, err
	}
	c, err := o.v.config.Records.VATCheck(ctx, o.v.env, o.record.StoreID, o.record.ID)
	if errors.Is(err, vies.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	shown := &vatCheck{State: string(c.State), VatNumber: c.Number, RequesterVatNumber: orNull(c.Requester),
		ConsultationNumber: orNull(c.Consultation), Name: orNull(c.Name), Address: orNull(c.Address)}
	if c.AnsweredAt != 0 {
		shown.CheckedAt = orNull(timestamp(c.AnsweredAt))
	}
	return shown, nil
}
