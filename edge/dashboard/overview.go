package dashboard

import "github.com/crepe-checkout/crepe/edge/orders"

// overviewPage is the first page of an environment.
type overviewPage struct {
	Waiting        orders.Unhandled
	QuarantinePath string
	RefundDuePath  string
}

func (h *Handler) overview(v *visit) (page, error) {
	waiting, err := h.config.Orders.Unhandled(v.ctx, v.env)
	return page{template: "overview", title: "Overview", data: &overviewPage{Waiting: waiting,
		QuarantinePath: v.path("quarantine", ""), RefundDuePath: v.path("refund-due", "")}}, err
}
