package page

import (
	"slices"
	"strings"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/web"
)

// data is what the script gets, as a block of JSON in the page: facts and sentences, no logic.
type data struct {
	Store       string               `json:"store"` // its slug
	Merchant    string               `json:"merchant"`
	Session     string               `json:"session"`
	Environment checkout.Environment `json:"environment"`
	PayOrigins  []string             `json:"payOrigins"` // where the buyer may be sent, besides here
	Core        core                 `json:"core"`
	Sale        sale                 `json:"sale"`
	Rates       string               `json:"rates,omitempty"` // where the operator's own rates lie, a file for each place
	Digits      int                  `json:"digits"`
	Texts       texts                `json:"texts"`
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

func (h *Handler) data(v *visit, t texts) data {
	module := web.Named("checkout.wasm")
	return data{
		Store: v.store.Slug, Merchant: v.store.Name, Session: v.session.ID, Environment: v.session.Environment,
		PayOrigins: append([]string{}, h.PayOrigins...),
		Core:       core{module.URL, module.Integrity},
		Sale:       saleOf(&v.session.Terms, tax.DateOf(v.now)),
		Rates:      v.ratesURL(),
		Digits:     v.session.Terms.Price.Currency.Digits(),
		Texts:      t.scripted(),
	}
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

// scripted is the sentences that the script says too.
func (t texts) scripted() texts {
	some := texts{}
	for key, text := range t {
		name, _, _ := strings.Cut(key, ".")
		if slices.Contains(scripted, name) {
			some[key] = text
		}
	}
	return some
}
