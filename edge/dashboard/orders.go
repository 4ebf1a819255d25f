package dashboard

import (
	"errors"
	"strings"

	"github.com/crepe-checkout/crepe/core/email"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/sessions"
	"github.com/crepe-checkout/crepe/edge/shortid"
)

// ordersPage is a page of a list of orders.
type ordersPage struct {
	rows[orderRow]
	Query    string
	Statuses []option
	Stores   []option
	Narrowed bool // by the search, a status or a store
}

// orderRow is an order in a list.
type orderRow struct {
	ID, Path  string
	CreatedAt int64
	Status    status
	VAT       *status // of a VAT number that a person should see; nil for none
	Email     string
	Product   string
	Store     string // "" where there is one store only
	Total     string
}

func (h *Handler) orderRow(v *visit, o *orders.Order) (r orderRow, err error) {
	sold := o.Sold()
	r = orderRow{ID: o.ID, Path: v.path("orders", o.ID), CreatedAt: o.CreatedAt, Status: statusOf(o), Email: sold.BuyerEmail,
		Product: sold.Product.Name, Total: amount(totalOf(soldAttempt(o)))}
	if len(v.stores.shown()) > 1 {
		r.Store = v.stores.name(o.StoreID)
	}
	r.VAT, err = h.vatMark(v, o)
	return r, err
}

// published are the statuses of an order in the API.
var published = []option{{"", "All", false}, {"pending", "Pending", false}, {"completed", "Completed", false}, {"canceled", "Canceled", false}}

func (h *Handler) orders(v *visit) (page, error) {
	p := &ordersPage{Query: v.query("q"), Stores: v.stores.options()}
	wanted := v.query("status")
	for _, one := range published {
		one.Chosen = one.Value == wanted
		p.Statuses = append(p.Statuses, one)
	}
	p.Narrowed = p.Query != "" || wanted != "" || v.stores.chosen != nil
	id, err := h.orderNamed(v, p.Query)
	if err != nil || id != "" {
		return page{to: v.path("orders", id)}, err
	}
	list := orders.List{Environment: v.env, Stores: v.stores.ids(), Limit: pageSize, After: v.query("after")}
	if wanted != "" {
		list.Statuses = []string{wanted}
	}
	listed, err := h.search(v, list, p.Query)
	if err != nil {
		return page{}, err
	}
	for _, o := range listed.Orders {
		row, err := h.orderRow(v, o)
		if err != nil {
			return page{}, err
		}
		p.Items = append(p.Items, row)
	}
	if list.After != "" {
		p.First = v.path("orders", "", "q", p.Query, "status", wanted)
	}
	if listed.Next != "" {
		p.Next = v.path("orders", "", "q", p.Query, "status", wanted, "after", listed.Next)
	}
	return page{template: "orders", title: "Orders", data: p}, nil
}

// orderNamed returns the id of the order that a search names by the id of the order, a payment or a session; "" if it names none
// of the visit's environment.
func (h *Handler) orderNamed(v *visit, query string) (string, error) {
	switch {
	case parses(shortid.Order, query):
		_, err := h.config.Orders.Order(v.ctx, v.env, query)
		return found(query, err)
	case parses(shortid.Payment, query):
		o, err := h.config.Orders.OrderOfPayment(v.ctx, v.env, query)
		if err != nil {
			return found("", err)
		}
		return o.ID, nil
	case strings.HasPrefix(query, "cs_"):
		s, err := h.config.Sessions.Session(v.ctx, query)
		if err != nil || s.Environment != v.env {
			return found("", err)
		}
		return s.OrderID, nil
	}
	return "", nil
}

func parses(prefix, id string) bool {
	_, ok := shortid.Parse(prefix, id)
	return ok
}

// found turns the error for a record that does not exist into the id "".
func found(id string, err error) (string, error) {
	switch {
	case errors.Is(err, orders.ErrNotFound), errors.Is(err, sessions.ErrNotFound):
		return "", nil
	case err != nil:
		return "", err
	}
	return id, nil
}

// search lists the orders of a list that a text names: the buyer's e-mail address, the merchant's name for the order or for the
// buyer. "" names all.
func (h *Handler) search(v *visit, list orders.List, query string) (orders.OrderPage, error) {
	narrowed := []func(*orders.List){func(*orders.List) {}}
	byIdentity := func(l *orders.List) { l.Identity = query }
	switch {
	case email.Valid(email.Normalize(query)):
		narrowed = []func(*orders.List){func(l *orders.List) { l.Email = email.Normalize(query) }, byIdentity}
	case query != "":
		narrowed = []func(*orders.List){func(l *orders.List) { l.ExternalID = query }, byIdentity}
	}
	for _, narrow := range narrowed {
		one := list
		narrow(&one)
		listed, err := h.config.Orders.Orders(v.ctx, one)
		if err != nil || len(listed.Orders) > 0 {
			return listed, err
		}
	}
	return orders.OrderPage{}, nil
}
