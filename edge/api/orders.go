package api

import (
	"github.com/crepe-checkout/crepe/edge/auth"
	"github.com/crepe-checkout/crepe/edge/orders"
)

// scope is what a caller may see of the orders.
func scope(c auth.Caller) orders.Scope {
	return orders.Scope{Environment: c.Environment, MerchantID: c.MerchantID, StoreID: c.StoreID, Identity: c.Identity}
}

type cancelRequest struct {
	OrderID string `json:"orderId"`
}

type cancelResponse struct {
	OrderID string `json:"orderId"`
	Status  string `json:"status"`
}

func (a *API) cancelOrder(c *call, r *cancelRequest) (*cancelResponse, error) {
	if err := a.config.Orders.Cancel(c.ctx, scope(c.caller), r.OrderID, a.client(c)); err != nil {
		return nil, err
	}
	return &cancelResponse{r.OrderID, "canceled"}, nil
}
