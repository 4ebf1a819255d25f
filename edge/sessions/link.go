package sessions

import (
	"context"
	"errors"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/catalog"
)

// Link is a permanent link to a product, which anybody can open. Empty texts are parameters that are absent.
type Link struct {
	ProductID  string
	Currency   string
	BuyerEmail string
	Country    string
	IsBusiness string // "true" or "false"
	SuccessURL string
	Test       string // "true" or "false"

	// Near is where the buyer seems to be. It chooses the currency where the link names none.
	Near country.Code
}

var badLinkCountry = problem.New(problem.Invalid, "country-invalid", "/country", "Invalid country: expected ISO 3166-1 alpha-2")

func badFlag(name string) *problem.Problem {
	return problem.New(problem.Invalid, "link-parameter-invalid", "/"+name, "Invalid "+name+": expected true or false")
}

// Environment is the environment of the link's sale: prod unless it says test.
func (l *Link) Environment() checkout.Environment {
	if l.Test == "true" {
		return checkout.Test
	}
	return checkout.Prod
}

// OpenLink opens a session by a permanent link of a store, as a visitor of the store, and stores it. Refusals are a [*problem.Problem].
func (s *Service) OpenLink(ctx context.Context, store *catalog.Store, l *Link) (*Session, error) {
	session, err := s.followLink(ctx, store, l)
	if err != nil {
		return nil, err
	}
	return session, s.config.Store.WriteSession(ctx, session)
}

// CheckLink returns the error that OpenLink would return, and stores nothing.
func (s *Service) CheckLink(ctx context.Context, store *catalog.Store, l *Link) error {
	_, err := s.followLink(ctx, store, l)
	return err
}

func (s *Service) followLink(ctx context.Context, store *catalog.Store, l *Link) (*Session, error) {
	r, refused := l.request()
	if refused != nil {
		return nil, refused
	}
	seller := Seller{Environment: l.Environment(), StoreID: store.ID}
	if r.Currency == "" {
		product, err := s.config.Catalog.Product(ctx, l.ProductID)
		if errors.Is(err, catalog.ErrNotFound) || err == nil && (product.StoreID != store.ID || product.OnSale(seller.Environment) == nil) {
			return nil, catalog.ErrProductNotFound
		}
		if err != nil {
			return nil, err
		}
		r.Currency = string(usualCurrency(product.OnSale(seller.Environment).Prices, l.Near))
	}
	return s.open(ctx, seller, r)
}

// request reads the parameters. What is pre-filled for the buyer is kept as it is: the form shows what is wrong with it.
func (l *Link) request() (*Request, *problem.Problem) {
	isTrue := func(s string) (value, ok bool) { return s == "true", s == "" || s == "true" || s == "false" }
	if _, ok := isTrue(l.Test); !ok {
		return nil, badFlag("test")
	}
	business, ok := isTrue(l.IsBusiness)
	if !ok {
		return nil, badFlag("is_business")
	}
	r := &Request{ProductID: l.ProductID, Currency: l.Currency, BuyerEmail: l.BuyerEmail, SuccessURL: l.SuccessURL}
	if l.Country == "" && l.IsBusiness == "" {
		return r, nil
	}
	if _, ok := country.Parse(l.Country); l.Country != "" && !ok {
		return nil, badLinkCountry
	}
	r.Billing = &billing.Input{Country: l.Country, IsBusiness: &business}
	return r, nil
}

// CurrencyOf returns the currency of a country, "" where it is not known here.
func CurrencyOf(c country.Code) money.Currency {
	if currency := currencies[c]; currency != "" || !c.InEU() {
		return currency
	}
	return "EUR"
}

// currencies are the currencies of some countries. Those of the EU that are absent have the euro.
var currencies = map[country.Code]money.Currency{
	"AU": "AUD", "BR": "BRL", "CA": "CAD", "CH": "CHF", "CN": "CNY", "CZ": "CZK", "DK": "DKK", "GB": "GBP", "HK": "HKD", "HU": "HUF", "ID": "IDR", "IL": "ILS",
	"IN": "INR", "IS": "ISK", "JP": "JPY", "KR": "KRW", "LI": "CHF", "MX": "MXN", "MY": "MYR", "NO": "NOK", "NZ": "NZD", "PH": "PHP", "PL": "PLN", "RO": "RON", "SE": "SEK", "SG": "SGD",
	"TH": "THB", "TR": "TRY", "TW": "TWD", "US": "USD", "VN": "VND", "ZA": "ZAR",
}

// usualCurrency chooses the currency of a buyer's country, else the euro in the EU, else the US dollar, else the first. The product has a
// price in it.
func usualCurrency(prices []catalog.Price, near country.Code) money.Currency {
	wishes := []money.Currency{CurrencyOf(near)}
	if near.InEU() {
		wishes = append(wishes, "EUR")
	}
	for _, wish := range append(wishes, "USD") {
		for _, p := range prices {
			if p.Amount.Currency == wish {
				return wish
			}
		}
	}
	if len(prices) == 0 {
		return ""
	}
	return prices[0].Amount.Currency
}
