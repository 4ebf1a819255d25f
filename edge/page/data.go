package page

import (
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/civil"
	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/edge/locale"
	"github.com/crepe-checkout/crepe/edge/orders"
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
	Sale        sale                 `json:"sale"`
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

// sale is the input of the module's quote without the buyer; wasm/ABI.md documents it.
type sale struct {
	Price  price  `json:"price"`
	Step   string `json:"step"`
	Seller seller `json:"seller"`
	On     string `json:"on"`
}

type price struct {
	Amount      string         `json:"amount"`
	Currency    money.Currency `json:"currency"`
	TaxCategory string         `json:"taxCategory"`
	TaxIncluded bool           `json:"taxIncluded"`
}

type seller struct {
	Country       country.Code   `json:"country"`
	Everywhere    bool           `json:"everywhere"`
	Registrations []registration `json:"registrations"`
}

type registration struct {
	Jurisdiction string `json:"jurisdiction"`
	From         string `json:"from"`
}

func (h *Handler) data(v *visit) data {
	module := web.Named("checkout.wasm")
	return data{
		Store: v.store.Slug, Merchant: v.store.Name, Session: v.session.ID, Environment: v.session.Environment,
		PayOrigins: append([]string{}, h.config.PayOrigins...),
		Core:       core{module.URL, module.Integrity},
		Now:        v.now, ExpiresAt: v.session.ExpiresAt, Round: v.round(),
		Sale:    saleOf(&v.session.Terms, civil.DateOf(v.now)),
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

func saleOf(t *checkout.Terms, on civil.Date) sale {
	s := sale{
		Price: price{
			Amount: t.Price.String(), Currency: t.Price.Currency,
			TaxCategory: t.Category.String(), TaxIncluded: t.Inclusive,
		},
		Step:   money.Amount{Minor: t.Step, Currency: t.Price.Currency}.String(),
		Seller: seller{Country: t.Seller.Country, Everywhere: t.Seller.Everywhere, Registrations: []registration{}},
		On:     on.String(),
	}
	for _, r := range t.Seller.Registrations {
		s.Seller.Registrations = append(s.Seller.Registrations, registration{r.Jurisdiction, r.From.String()})
	}
	return s
}
