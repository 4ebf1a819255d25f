package dashboard

import (
	"github.com/crepe-checkout/crepe/edge/shortid"
)

// ordersPage finds orders.
type ordersPage struct {
	Query   string
	Missing bool // nothing was found
}

// orders finds an order by its id.
func (h *Handler) orders(v *visit) (page, error) {
	p := &ordersPage{Query: v.query("q")}
	if _, ok := shortid.Parse(shortid.Order, p.Query); ok {
		return page{to: v.path("orders", p.Query)}, nil
	}
	p.Missing = p.Query != ""
	return page{template: "orders", title: "Orders", data: p}, nil
}
