package page

import (
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/civil"
	"github.com/crepe-checkout/crepe/edge/locale"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/wasm/ops"
	"github.com/crepe-checkout/crepe/web"
)

// data is the JSON block in the page that the script reads.
type data struct {
	Store       string               `json:"store"` // slug
	Merchant    string               `json:"merchant"`
	Session     string               `json:"session"`
	Environment checkout.Environment `json:"environment"`
	PayOrigins  []string             `json:"payOrigins"` // where the buyer may be sent, besides this origin
	Now         int64                `json:"now"`        // Unix milliseconds, server time
	ExpiresAt   int64                `json:"expiresAt"`
	Round       int                  `json:"round"` // ended payment attempts; the idempotency key changes with it
	Core        core                 `json:"core"`
	Sale        ops.Sale             `json:"sale"`
	Rates       string               `json:"rates,omitempty"` // URL prefix of the operator's own rates, a file for each territory
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
		Core:       core{module.URL, module.Integrity},
		Now:        v.now, ExpiresAt: v.session.ExpiresAt, Round: v.round(),
		Sale:    ops.Sale{Terms: ops.TermsOf(&v.session.Terms), On: civil.DateOf(v.now).String()},
		Rates:   v.ratesURL(),
		Money:   v.Money(v.session.Terms.Price.Currency),
		Percent: v.Percent(),
		Texts:   v.Texts(scripted),
	}
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
