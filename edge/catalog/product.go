package catalog

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/core/tax"
)

// The longest texts of a product, in characters, and the most entries of its lists.
const (
	maxProductName = 64  // as published
	maxSuccessURL  = 512 // as published
	maxDescription = 5000
	maxMedia       = 20
	maxAlt         = 300
)

// ProductChange is a change of a product. The zero value changes nothing. A new product is a change of nothing.
type ProductChange struct {
	Name        Patch[string]
	Description Patch[string]
	Prices      Patch[map[string]PriceInput] // by currency; replaces all prices
	Media       Patch[[]Media]               // replaces all
	SuccessURL  Patch[string]
	Metadata    Patch[map[string]JSON] // replaces all
}

// PriceInput is a [Price] as given.
type PriceInput struct {
	Amount      string
	TaxCategory string
	TaxIncluded bool
	TrialAmount string // of subscriptions
}

// Unchargeable says why an environment's provider cannot charge a price; "" if it can.
type Unchargeable func(checkout.Environment, *Price) string

// Apply returns a version with the content of v and the change, or the first refusal. Its ID, Number and CreatedAt are those of v.
func (c *ProductChange) Apply(v *Version, unchargeable Unchargeable) (*Version, *problem.Problem) {
	changed := *v
	if refused := name(c.Name, &changed.Name, maxProductName); refused != nil {
		return nil, refused
	}
	if refused := text(c.Description, &changed.Description, "/description", maxDescription, true); refused != nil {
		return nil, refused
	}
	if refused := c.applyPrices(&changed, unchargeable); refused != nil {
		return nil, refused
	}
	if refused := c.applyMedia(&changed); refused != nil {
		return nil, refused
	}
	if refused := c.applyReturn(&changed); refused != nil {
		return nil, refused
	}
	if refused := c.applyMetadata(&changed); refused != nil {
		return nil, refused
	}
	return &changed, nil
}

func (c *ProductChange) applyReturn(v *Version) *problem.Problem {
	if !c.SuccessURL.Given {
		return nil
	}
	v.SuccessURL = strings.TrimSpace(c.SuccessURL.Value)
	if utf8.RuneCountInString(v.SuccessURL) > maxSuccessURL {
		return tooLong("/successUrl", maxSuccessURL)
	}
	if v.SuccessURL != "" && !checkout.ValidReturnURL(v.SuccessURL, checkout.Test) {
		return checkout.InvalidSuccessURL
	}
	return nil
}

func (c *ProductChange) applyMetadata(v *Version) *problem.Problem {
	if !c.Metadata.Given {
		return nil
	}
	if !MetadataFits(c.Metadata.Value, MaxMetadataValue+len(`""`)) {
		return ErrMetadata
	}
	v.Metadata = c.Metadata.Value
	if len(v.Metadata) == 0 {
		v.Metadata = nil
	}
	return nil
}

func (c *ProductChange) applyMedia(v *Version) *problem.Problem {
	if !c.Media.Given {
		return nil
	}
	if len(c.Media.Value) > maxMedia {
		return tooMany("/media", maxMedia, "entries")
	}
	v.Media = nil
	for i, m := range c.Media.Value {
		at := "/media/" + strconv.Itoa(i)
		switch {
		case m.Type != Image && m.Type != Video:
			return invalid(at+"/type", "one of [image, video]")
		case m.URL == "":
			return missing(at + "/url")
		case !isImage(m.URL):
			return invalid(at+"/url", "an https URL")
		case m.Thumbnail != "" && !isImage(m.Thumbnail):
			return invalid(at+"/thumbnail", "an https URL")
		}
		if refused := text(Set(m.Alt), &m.Alt, at+"/alt", maxAlt, false); refused != nil {
			return refused
		}
		v.Media = append(v.Media, m)
	}
	return nil
}

func (c *ProductChange) applyPrices(v *Version, unchargeable Unchargeable) *problem.Problem {
	if !c.Prices.Given {
		if len(v.Prices) == 0 {
			return missing("/prices")
		}
		return nil
	}
	if len(c.Prices.Value) == 0 {
		return problem.New(problem.Invalid, "prices-empty", "/prices", "prices must contain at least one currency")
	}
	v.Prices = nil
	for _, code := range slices.Sorted(maps.Keys(c.Prices.Value)) {
		in := c.Prices.Value[code]
		price, refused := in.price(code)
		if refused != nil {
			return refused
		}
		if why := whyNot(unchargeable, checkout.Test, &price); why != "" {
			return notChargeable("/prices/"+code+"/amount", price.Amount.Currency, why)
		}
		v.Prices = append(v.Prices, price)
	}
	return nil
}

func whyNot(u Unchargeable, env checkout.Environment, p *Price) string {
	if u == nil {
		return ""
	}
	return u(env, p)
}

// price reads a price. An amount beyond an int64 is the largest.
func (in *PriceInput) price(code string) (Price, *problem.Problem) {
	path := "/prices/" + code
	currency, ok := money.ParseCurrency(code)
	if !ok {
		return Price{}, problem.New(problem.Invalid, "currency-invalid", path,
			`Invalid currency: expected 3-letter ISO 4217 currency code (e.g., "USD")`)
	}
	amount, refused := readAmount(in.Amount, currency, path+"/amount")
	if refused != nil {
		return Price{}, refused
	}
	if in.TaxCategory == "" {
		return Price{}, missing(path + "/taxCategory")
	}
	category, ok := tax.ParseCategory(in.TaxCategory)
	switch {
	case !ok:
		return Price{}, invalid(path+"/taxCategory",
			"one of [digital_goods, saas, software, ebook, online_course, consulting, professional_service]")
	case in.TrialAmount != "":
		return Price{}, problem.New(problem.Invalid, "trial-invalid", path+"/trialAmount",
			"Invalid trial: it needs a subscription product")
	}
	return Price{Amount: amount, Category: category, TaxIncluded: in.TaxIncluded}, nil
}

func readAmount(s string, c money.Currency, path string) (money.Amount, *problem.Problem) {
	if s == "" {
		return money.Amount{}, missing(path)
	}
	positive := invalid(path, `positive numeric string in display format (e.g., "9.99", "1000")`)
	whole, fraction, point := strings.Cut(s, ".")
	if whole == "" || point && fraction == "" || strings.Trim(whole+fraction, "0123456789") != "" {
		return money.Amount{}, positive
	}
	if len(fraction) > c.Digits() {
		return money.Amount{}, invalid(path, "at most "+strconv.Itoa(c.Digits())+" decimals in "+string(c))
	}
	amount, ok := money.ParseAmount(s, c)
	if !ok {
		return money.Amount{Minor: math.MaxInt64, Currency: c}, nil
	}
	if amount.Minor == 0 {
		return money.Amount{}, positive
	}
	return amount, nil
}

// sameContent reports whether two versions differ in nothing that a buyer or a merchant sees.
func sameContent(a, b *Version) bool {
	return a.Name == b.Name && a.Description == b.Description && a.SuccessURL == b.SuccessURL && samePrices(a.Prices, b.Prices) &&
		slices.Equal(a.Media, b.Media) && maps.Equal(a.Metadata, b.Metadata)
}

// samePrices compares prices in any order.
func samePrices(a, b []Price) bool {
	byCurrency := func(x, y Price) int { return cmp.Compare(x.Amount.Currency, y.Amount.Currency) }
	return slices.Equal(slices.SortedFunc(slices.Values(a), byCurrency), slices.SortedFunc(slices.Values(b), byCurrency))
}

// notChargeable refuses a price that the provider of an environment cannot charge.
func notChargeable(path string, c money.Currency, why string) *problem.Problem {
	return problem.New(problem.Invalid, "price-not-chargeable", path, "Product price in "+string(c)+" cannot be charged: "+why)
}

// publish returns the product with its test version on sale in prod, or why it cannot be.
func (p *Product) publish(unchargeable Unchargeable) (*Product, *problem.Problem) {
	v := p.Test.Version
	for i := range v.Prices {
		if why := whyNot(unchargeable, checkout.Prod, &v.Prices[i]); why != "" {
			return nil, notChargeable("/id", v.Prices[i].Amount.Currency, why)
		}
	}
	if v.SuccessURL != "" && !checkout.ValidReturnURL(v.SuccessURL, checkout.Prod) {
		return nil, problem.New(problem.Invalid, "product-success-url-invalid", "/id", "Product has an invalid successUrl")
	}
	published := *p
	published.Prod.Version = v
	return &published, nil
}
