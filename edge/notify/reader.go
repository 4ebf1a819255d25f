package notify

import (
	"context"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/psp"
)

// Reader is the part of [Store] that reads endpoints and deliveries.
type Reader interface {
	Endpoints(ctx context.Context, env checkout.Environment, storeID string) (*Endpoints, error)
	Delivery(ctx context.Context, env checkout.Environment, id string) (*Delivery, error)
	Deliveries(ctx context.Context, env checkout.Environment, storeID, after string, limit int) (psp.Page[Delivery], error)
	CountDeliveriesOf(ctx context.Context, env checkout.Environment, storeID string) (int, error)
}
