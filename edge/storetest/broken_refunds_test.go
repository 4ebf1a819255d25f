package storetest_test

import (
	"context"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp"
)

// eitherEnvironment finds a payment in either environment, and oneTicketPage has no second page.
type eitherEnvironment struct{ base }

func (s eitherEnvironment) OrderOf(ctx context.Context, _ checkout.Environment, id string) (*orders.Order, error) {
	o, err := s.base.OrderOf(ctx, checkout.Test, id)
	if err == nil {
		return o, nil
	}
	return s.base.OrderOf(ctx, checkout.Prod, id)
}

type oneTicketPage struct{ base }

func (s oneTicketPage) OpenTickets(ctx context.Context, env checkout.Environment, after string, limit int) (psp.Page[orders.OpenTicket], error) {
	page, err := s.base.OpenTickets(ctx, env, after, limit)
	page.Next = ""
	return page, err
}
