package page

import (
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/locale"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/web"
)

// data is what the script gets, as a block of JSON in the page: facts and sentences, no logic.
type data struct {
	Store       string               `json:"store"` // its slug
	Merchant    string               `json:"merchant"`
	Session     string               `json:"session"`
	Environment checkout.Environment `json:"environment"`
	PayOrigins  []string             `json:"payOrigins"` // where the buyer may be sent, besides here
	Now         int64                `json:"now"`        // Unix milliseconds, by the server's clock
	ExpiresAt   int64                `json:"expiresAt"`
	Round       int                  `json:"round"` // changes when the same order asked for again is not the same any more
	Core        core                 `json:"core"`
	Sale        sale                 `json:"sale"`
	Rates       string               `json:"rates,omitempty"` // where the operator's own rates lie, a file for each place
	Money       locale.Notation      `json:"money"`
	Percent     locale.Notation      `json:"percent"`
	Texts       map[string]string    `json:"texts"`
}

// core is the WebAssembly module.
type core struct {
	URL       string `json:"url"`
	Integrity string `json:"integrity"`
}

// sale is what the module's quote reads, besides the buyer; wasm/ABI.md has its shape.
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
		Sale:    saleOf(&v.session.Terms, tax.DateOf(v.now)),
		Rates:   v.ratesURL(),
		Money:   v.Money(v.session.Terms.Price.Currency),
		Percent: v.Percent(),
		Texts:   v.Texts(scripted),
	}
}

// round counts the payment pages of this session that have come to an end.
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

func saleOf(t *checkout.Terms, on tax.Date) sale {
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
