package page

import (
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/civil"
	"github.com/crepe-checkout/crepe/edge/locale"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/sessions"
	"github.com/crepe-checkout/crepe/wasm/ops"
	"github.com/crepe-checkout/crepe/web"
)

// data is the JSON block in the page that the script reads.
type data struct {
	Store       string               `json:"store"` // slug
	Merchant    string               `json:"merchant"`
	Session     string               `json:"session"`
	Environment checkout.Environment `json:"environment"`
	PayOrigins  []string             `json:"payOrigins"`              // where the buyer may be sent, besides this origin
	Returns     []string             `json:"returnOrigins,omitempty"` // where a buyer may return from the provider, of those that may frame the page
	Now         int64                `json:"now"`                     // Unix milliseconds, server time
	ExpiresAt   int64                `json:"expiresAt"`
	Round       int                  `json:"round"` // ended payment attempts; the idempotency key changes with it
	Core        core                 `json:"core"`
	Sale        ops.Sale             `json:"sale"`
	Rates       string               `json:"rates,omitempty"` // URL prefix of the operator's own rates, a file for each territory
	Rules       *rules               `json:"rules,omitempty"` // nil for a store without rules
	Money       locale.Notation      `json:"money"`
	Percent     locale.Notation      `json:"percent"`
	Texts       map[string]string    `json:"texts"`
}

// core identifies the WebAssembly module.
type core struct {
	URL       string `json:"url"`
	Integrity string `json:"integrity"`
}

func (h *Handler) data(v *visit) data {
	module := web.Named("checkout.wasm")
	return data{
		Store: v.store.Slug, Merchant: v.store.Name, Session: v.session.ID, Environment: v.session.Environment,
		PayOrigins: append([]string{}, h.config.PayOrigins...),
		Returns:    v.returnOrigins(),
		Core:       core{module.URL, module.Integrity},
		Now:        v.now, ExpiresAt: v.session.ExpiresAt, Round: v.round(),
		Sale:    ops.Sale{Terms: ops.TermsOf(&v.session.Terms), On: civil.DateOf(v.now).String()},
		Rates:   v.ratesURL(),
		Rules:   h.rules(v),
		Money:   v.Money(v.session.Terms.Price.Currency),
		Percent: v.Percent(),
		Texts:   v.Texts(scripted),
	}
}

// returnOrigins returns the origins that may frame the page and to which the session lets a buyer return after paying.
func (v *visit) returnOrigins() (list []string) {
	for _, origin := range v.store.Frames {
		if sessions.ReturnAllowed(origin, v.session.Environment, v.session.ReturnHosts) {
			list = append(list, origin)
		}
	}
	return list
}

// round returns the number of the order's ended payment attempts.
func (v *visit) round() (n int) {
	if v.order == nil {
		return 0
	}
	for _, a := range v.order.Attempts {
		if a.State == orders.Ended {
			n++
		}
	}
	return n
}
