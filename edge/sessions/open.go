package sessions

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/psp"
)

// Opening is what a create-session call is decided on: the seller, and what was looked up for the request.
type Opening struct {
	Seller

	Product *catalog.Product // the one that the request names, nil if there is none
	Store   *catalog.Store   // the product's, nil with it

	// Amounts is [psp.Checkouts.Amounts] of the environment's provider, nil without a provider.
	Amounts func(money.Currency) (psp.Amounts, bool)

	SessionID string // of the new session
	Now       int64  // Unix milliseconds
}

// roomForTax is the ratio of the provider's maximum to the largest price, so that a price with tax stays below the maximum.
const roomForTax = 10

// commonTax is the tax, in per cent, that may lift a total to the provider's minimum.
const commonTax = 20

// Open turns a create-session request into a checkout session that locks the product's version, its price, its currency and
// the seller's tax terms, or refuses. It reads no clock. The session shares memory with its arguments. The caller
// sets PageURL.
//
// Under a store slug, which anybody may show, the fields that only the merchant may set are ignored, as published. Values that are
// pre-filled for the buyer are kept as given, also incomplete ones, and validated when the order is created.
func Open(o *Opening, r *Request) (*Session, *problem.Problem) {
	if o.MerchantID == "" {
		r = r.public()
	}
	if refused := r.named(); refused != nil {
		return nil, refused
	}
	version := o.sold()
	if version == nil {
		return nil, catalog.ErrProductNotFound
	}
	if !o.Store.Selling() {
		return nil, storeClosed
	}
	hosts := returnHosts(o.Store, version)
	if refused := cmp.Or(checkVersion(version, o.Environment), r.sound(o.Environment), r.feasible(o.Product.Type)); refused != nil {
		return nil, refused
	}
	if o.MerchantID == "" && r.SuccessURL != "" && !ReturnAllowed(r.SuccessURL, o.Environment, hosts) {
		return nil, checkout.InvalidSuccessURL
	}
	terms, refused := o.terms(version, r)
	if refused != nil {
		return nil, refused
	}
	session := &Session{
		Session: checkout.Session{
			ID: o.SessionID, Environment: o.Environment, StoreID: o.Store.ID, Terms: terms,
			Product: checkout.Product{
				ID: o.Product.ID, VersionID: version.ID, Type: o.Product.Type,
				Name: version.Name, Description: version.Description,
			},
			ExpiresAt:  o.Now + r.lifetime()*1000,
			Billing:    r.Billing,
			BuyerEmail: r.BuyerEmail,
			SuccessURL: r.SuccessURL,
		},
		MerchantID: o.Store.MerchantID, Public: o.MerchantID == "", ReturnHosts: hosts,
		CreatedAt:  o.Now,
		LastsUntil: o.Now + min(extensible*r.lifetime(), maxExtended)*1000,
		Address:    r.Address.Clean(),
		Images:     images(version),
		Metadata:   r.Metadata, ExternalID: r.ExternalID, Language: r.Language, DarkMode: r.DarkMode,
	}
	if session.SuccessURL == "" {
		session.SuccessURL = version.SuccessURL
	}
	return session, nil
}

// checkVersion checks the fields of a version that are sent to a provider.
func checkVersion(v *catalog.Version, env checkout.Environment) *problem.Problem {
	seen := func(r rune) bool { return unicode.IsGraphic(r) && !unicode.IsSpace(r) }
	switch {
	case !strings.ContainsFunc(v.Name, seen):
		return nameless
	case v.SuccessURL != "" && !ReturnAllowed(v.SuccessURL, env, nil):
		return nowhereTo
	}
	return nil
}

// maxImages is the number of images that a session has, as many as Stripe shows.
const maxImages = 8

func images(v *catalog.Version) (list []Image) {
	for _, m := range v.Images() {
		if len(list) < maxImages {
			list = append(list, Image{m.URL, m.Alt})
		}
	}
	return list
}

// returnHosts are the hosts of the store's website, origins and frames and, if there is one of these, of the product's success URL.
func returnHosts(s *catalog.Store, v *catalog.Version) []string {
	var hosts []string
	for _, address := range slices.Concat([]string{s.Links.Website}, s.Origins, s.Frames) {
		if host := ReturnHost(address); host != "" {
			hosts = append(hosts, host)
		}
	}
	if host := ReturnHost(v.SuccessURL); len(hosts) > 0 && host != "" {
		hosts = append(hosts, host)
	}
	return hosts
}

// sold is the version that this caller can sell in this environment, nil if there is none. Another merchant's product
// does not count.
func (o *Opening) sold() *catalog.Version {
	if o.Product == nil || o.Store == nil || o.Product.StoreID != o.Store.ID || o.Store.DeletedAt != 0 {
		return nil
	}
	if o.MerchantID != "" && o.Store.MerchantID != o.MerchantID || o.MerchantID == "" && o.Store.ID != o.StoreID {
		return nil
	}
	return o.Product.OnSale(o.Environment)
}

func (o *Opening) terms(v *catalog.Version, r *Request) (checkout.Terms, *problem.Problem) {
	currency, _ := money.ParseCurrency(r.Currency)
	if o.Amounts == nil {
		return checkout.Terms{}, ProviderMissing(problem.Invalid, o.Environment)
	}
	limits, ok := o.Amounts(currency)
	if !ok {
		return checkout.Terms{}, UnsupportedCurrency("/currency", currency)
	}
	limits = roomy(limits)
	price, refused := price(v, r.PriceSnapshot, currency, limits)
	return checkout.Terms{
		Price: price.Amount, Inclusive: price.TaxIncluded, Category: price.Category, Seller: o.Store.Seller, Step: limits.SmallestUnit,
	}, refused
}

// price returns the snapshot's price, or else the catalog's. One that the provider cannot charge is refused, with the limit that it
// misses.
func price(v *catalog.Version, snapshot *Snapshot, c money.Currency, limits psp.Amounts) (catalog.Price, *problem.Problem) {
	if snapshot == nil {
		price, ok := v.Price(c)
		if !ok {
			return catalog.Price{}, problem.New(problem.Invalid, "price-missing", "/currency", "Product has no price in "+string(c))
		}
		if why := whyNot(&price, limits); why != "" {
			return catalog.Price{}, problem.New(problem.Invalid, "price-not-chargeable", "/currency", "Product price in "+string(c)+" cannot be charged: "+why)
		}
		return price, nil
	}
	if snapshot.Amount == "" {
		return catalog.Price{}, missingAmount
	}
	amount, refused := snapshot.amount(c)
	if refused != nil {
		return catalog.Price{}, refused
	}
	price := catalog.Price{Amount: amount, TaxIncluded: snapshot.TaxIncluded}
	if why := whyNot(&price, limits); why != "" {
		return catalog.Price{}, amountOutside(why)
	}
	if snapshot.TaxCategory == "" {
		return catalog.Price{}, missingCategory
	}
	var ok bool
	if price.Category, ok = tax.ParseCategory(snapshot.TaxCategory); !ok {
		return catalog.Price{}, badCategory
	}
	return price, nil
}

// roomy leaves room for tax below the provider's maximum.
func roomy(limits psp.Amounts) psp.Amounts {
	limits.Max = limits.Max / roomForTax / limits.SmallestUnit * limits.SmallestUnit
	return limits
}

// Unchargeable returns the rule for the prices of products: those from which no session could be opened. In an environment without a
// provider any price will do.
func Unchargeable(providers map[checkout.Environment]psp.Provider) catalog.Unchargeable {
	return func(env checkout.Environment, p *catalog.Price) string {
		provider := providers[env]
		if provider == nil {
			return ""
		}
		limits, ok := provider.Amounts(p.Amount.Currency)
		if !ok {
			return "the payment provider does not support " + string(p.Amount.Currency)
		}
		return whyNot(p, roomy(limits))
	}
}

// whyNot says why a price cannot be charged, and is empty for one that can be. The provider's minimum applies to the total: a
// price without tax may lie below it by the tax of most jurisdictions, and the total is checked with the order.
func whyNot(p *catalog.Price, limits psp.Amounts) string {
	if n := p.Amount.Minor; !p.TaxIncluded && n < limits.Min && n+n*commonTax/100 >= limits.Min {
		limits.Min = limits.SmallestUnit
	}
	return limits.Why(p.Amount)
}

// amount reads the snapshot's amount. One beyond an int64 is the largest.
func (s *Snapshot) amount(c money.Currency) (money.Amount, *problem.Problem) {
	whole, fraction, point := strings.Cut(s.Amount, ".")
	if whole == "" || point && fraction == "" || strings.Trim(whole+fraction, "0123456789") != "" {
		return money.Amount{}, badAmount
	}
	if len(fraction) > c.Digits() {
		return money.Amount{}, amountOutside("expected at most " + strconv.Itoa(c.Digits()) + " decimals in " + string(c))
	}
	amount, ok := money.ParseAmount(s.Amount, c)
	if !ok {
		return money.Amount{Minor: math.MaxInt64, Currency: c}, nil
	}
	if amount.Minor == 0 {
		return amount, badAmount
	}
	return amount, nil
}

func amountOutside(why string) *problem.Problem {
	return problem.New(problem.Invalid, "amount-not-chargeable", "/priceSnapshot/amount", "Invalid priceSnapshot.amount: "+why)
}

// UnsupportedCurrency refuses a currency that the payment provider cannot charge.
func UnsupportedCurrency(path string, c money.Currency) *problem.Problem {
	return problem.New(problem.Invalid, "currency-unsupported", path, "Unsupported currency: "+string(c))
}

// ProviderMissing refuses an environment without a payment provider: a new session with [problem.Invalid], an order with
// [problem.Unavailable].
func ProviderMissing(kind problem.Kind, env checkout.Environment) *problem.Problem {
	return problem.New(kind, "provider-missing", "", "No payment provider is configured for environment "+string(env))
}
