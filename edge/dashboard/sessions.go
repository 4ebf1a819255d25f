package dashboard

import (
	"errors"

	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/sessions"
)

// sessionsPage is a page of a list of checkout sessions.
type sessionsPage struct {
	rows[sessionRow]
	Stores []option
}

type sessionRow struct {
	ID, Path  string
	Product   string
	Email     string
	Price     string
	Status    status
	CreatedAt int64
}

func (h *Handler) sessions(v *visit) (page, error) {
	listed, err := h.config.Sessions.Sessions(v.ctx, v.env, v.stores.ids(), v.query("after"), pageSize)
	p := &sessionsPage{Stores: v.stores.options()}
	p.rows = rowsOf(v, listed, func(s *sessions.Session) sessionRow {
		return sessionRow{ID: s.ID, Path: v.path("sessions", s.ID), Product: s.Product.Name, Email: s.BuyerEmail, Price: amount(s.Terms.Price),
			Status: h.sessionStatus(s), CreatedAt: s.CreatedAt}
	})
	return page{template: "sessions", title: "Sessions", data: p}, err
}

// sessionStatus says whether an order can be placed from a session.
func (h *Handler) sessionStatus(s *sessions.Session) status {
	switch {
	case s.PaidUnmatched:
		return status{"Payment in quarantine", "danger"}
	case s.Closed:
		return status{"Closed", ""}
	case h.config.Now().UnixMilli() >= s.ExpiresAt:
		return status{"Expired", ""}
	case s.OrderID != "":
		return status{"Ordered", "ok"}
	}
	return status{"Open", "ok"}
}

// sessionPage shows a session.
type sessionPage struct {
	Status          status
	Price           string
	CreatedAt       int64
	ExpiresAt       int64
	Facts, Metadata []fact
}

func (h *Handler) session(v *visit) (page, error) {
	s, err := h.config.Sessions.Session(v.ctx, v.id)
	if errors.Is(err, sessions.ErrNotFound) || err == nil && s.Environment != v.env {
		return page{}, errNotFound
	}
	if err != nil {
		return page{}, err
	}
	p := &sessionPage{Status: h.sessionStatus(s), Price: amount(s.Terms.Price), CreatedAt: s.CreatedAt, ExpiresAt: s.ExpiresAt, Metadata: metadata(s.Metadata)}
	order := fact{}
	if _, err := h.config.Orders.Order(v.ctx, v.env, s.OrderID); err == nil {
		order = fact{"Order", s.OrderID, true, v.path("orders", s.OrderID)}
	} else if !errors.Is(err, orders.ErrNotFound) {
		return page{}, err
	}
	p.Facts = facts(
		fact{"Session", s.ID, true, ""}, order, fact{"Product", s.Product.Name, false, v.path("products", s.Product.ID)},
		fact{"Version", s.Product.VersionID, true, ""}, fact{"Store", v.stores.name(s.StoreID), false, ""}, fact{"E-mail", s.BuyerEmail, false, ""},
		fact{"External id", s.ExternalID, true, ""}, fact{"Success URL", s.SuccessURL, false, ""}, fact{"Language", s.Language, false, ""},
	)
	return page{template: "session", title: "Session of " + s.Product.Name, data: p}, nil
}
