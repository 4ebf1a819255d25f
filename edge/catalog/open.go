package catalog

import (
	"cmp"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/shortid"
)

// Opening is one create-session call: who asks, and what was looked up for it.
type Opening struct {
	Environment checkout.Environment
	MerchantID  string // whose API key signed, empty under a store slug
	StoreID     string // whose slug was shown, empty under an API key

	Product *Product // the one that the request names, nil if there is none
	Store   *Store   // the product's, nil with it

	// Amounts are what the environment's provider can charge in a currency, and whether it can charge it at all. It is nil where
	// no provider is configured.
	Amounts func(money.Currency) (psp.Amounts, bool)

	SessionID string // of the new session
	Now       int64  // Unix milliseconds
}

// Request is a decoded create-session request. A nil pointer or an empty string is a field that was not given.
type Request struct {
	ProductID        string
	Currency         string
	PriceSnapshot    *Snapshot
	ExpiresInSeconds *int64
	Metadata         map[string]string
	ExternalID       string // orderMerchantExternalId
	BuyerEmail       string
	Billing          *billing.Input
	SuccessURL       string
	DarkMode         *bool
	Language         string

	// What the published API has for subscriptions and for other providers: refused where it would change the sale.
	OriginOrderID         string
	WithTrial             *bool
	IncludePaymentMethods []string
	ExcludePaymentMethods []string
}

// Snapshot is a price that replaces the catalogue's.
type Snapshot struct {
	Amount      string // as on the wire, "29.00"
	TaxCategory string
	TaxIncluded bool
}

// The lifetime of a session in seconds, as published, and what a session may carry.
const (
	defaultLifetime = 45 * 60
	maxLifetime     = 7 * 24 * 60 * 60
	extensible      = 10           // how many lifetimes a buyer who needs the time gets (WCAG 2.2, 2.2.1)
	maxExtended     = 24 * 60 * 60 // but no longer than this, by extensions
	maxMetadata     = 50           // pairs
	maxExternalID   = 128          // characters
	maxLanguage     = 35           // bytes; RFC 5646 §4.4.1
)

// roomForTax is the ratio of the provider's maximum to the largest price, so that a price with tax stays below the maximum.
const roomForTax = 10

// commonTax is the tax, in per cent, that may lift a total to the provider's minimum.
const commonTax = 20

// Refusals of a product's id, which issue-session-token gives too.
var (
	ErrProductID = problem.New(problem.Invalid, "product-id-invalid", "/productId",
		"Invalid productId: expected Product Short ID format (PROD_xxx)")
	ErrProductNotFound = problem.New(problem.NotFound, "product-not-found", "/productId", "Product not found")
)

var (
	missingProduct  = problem.New(problem.Invalid, "product-id-required", "/productId", "Missing required field: productId")
	missingCurrency = problem.New(problem.Invalid, "currency-required", "/currency", "Missing required field: currency")
	badCurrency     = problem.New(problem.Invalid, "currency-invalid", "/currency",
		`Invalid currency: expected 3-letter ISO 4217 currency code (e.g., "USD")`)
	missingAmount = problem.New(problem.Invalid, "amount-required", "/priceSnapshot/amount", "Missing required field: priceSnapshot.amount")
	badAmount     = problem.New(problem.Invalid, "amount-invalid", "/priceSnapshot/amount",
		`Invalid priceSnapshot.amount: expected positive numeric string in display format (e.g., "9.99", "1000")`)
	missingCategory = problem.New(problem.Invalid, "tax-category-required", "/priceSnapshot/taxCategory",
		"Missing required field: priceSnapshot.taxCategory")
	badCategory = problem.New(problem.Invalid, "tax-category-invalid", "/priceSnapshot/taxCategory",
		"Invalid priceSnapshot.taxCategory: expected one of [digital_goods, saas, software, ebook, online_course, consulting, "+
			"professional_service]")
	badLifetime = problem.New(problem.Invalid, "expires-in-seconds-invalid", "/expiresInSeconds",
		"Invalid expiresInSeconds: expected positive integer of at most 604800")
	badMetadata   = problem.New(problem.Invalid, "metadata-too-large", "/metadata", "metadata must have at most 50 keys")
	badExternalID = problem.New(problem.Invalid, "external-id-too-long", "/orderMerchantExternalId",
		"orderMerchantExternalId must be at most 128 characters")
	badLanguage = problem.New(problem.Invalid, "language-invalid", "/language", `Invalid language: expected IETF BCP 47 tag (e.g., "pt-BR")`)

	noPlan = problem.New(problem.Invalid, "plan-change-invalid", "/originOrderId",
		"Invalid originOrderId: a plan change needs a subscription product")
	noPlanChange = problem.New(problem.Invalid, "plan-change-unsupported", "/originOrderId", "Invalid originOrderId: plan changes are not supported")
	noTrial      = problem.New(problem.Invalid, "trial-invalid", "/withTrial", "Invalid withTrial: a trial needs a subscription product")
	bothMethods  = problem.New(problem.Invalid, "payment-methods-exclusive", "/excludePaymentMethods",
		"includePaymentMethods and excludePaymentMethods are mutually exclusive")
	noInclude = problem.New(problem.Invalid, "payment-methods-unsupported", "/includePaymentMethods",
		"Invalid includePaymentMethods: the payment provider's settings choose the payment methods")
	noExclude = problem.New(problem.Invalid, "payment-methods-unsupported", "/excludePaymentMethods",
		"Invalid excludePaymentMethods: the payment provider's settings choose the payment methods")

	nameless  = problem.New(problem.Invalid, "product-name-invalid", "/productId", "Product has no name")
	nowhereTo = problem.New(problem.Invalid, "product-success-url-invalid", "/productId", "Product has an invalid successUrl")
)

// Open turns a create-session request into a checkout session that locks the product's version, its price, its currency and
// the seller's tax terms, or refuses. It reads no clock; the session shares memory with what it is made of. PageURL is left
// to the caller.
//
// Under a store slug, which anybody may show, the fields that only the merchant may set are dropped without a word, as
// published. What is pre-filled for the buyer is kept as typed and judged when the order is placed: half a billing detail
// is a good start for a form.
func Open(o *Opening, r *Request) (*orders.Session, *problem.Problem) {
	if o.MerchantID == "" {
		r = r.public()
	}
	if refused := r.named(); refused != nil {
		return nil, refused
	}
	version := o.sold()
	if version == nil {
		return nil, ErrProductNotFound
	}
	hosts := o.Store.returnHosts(version)
	if refused := cmp.Or(version.sound(o.Environment), r.sound(o.Environment), r.feasible(o.Product.Type)); refused != nil {
		return nil, refused
	}
	if o.MerchantID == "" && r.SuccessURL != "" && !orders.ReturnAllowed(r.SuccessURL, o.Environment, hosts) {
		return nil, checkout.InvalidSuccessURL
	}
	terms, refused := o.terms(version, r)
	if refused != nil {
		return nil, refused
	}
	session := &orders.Session{
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
		MerchantID: o.Store.MerchantID, ReturnHosts: hosts,
		CreatedAt:  o.Now,
		LastsUntil: o.Now + min(extensible*r.lifetime(), maxExtended)*1000,
		Metadata:   r.Metadata, ExternalID: r.ExternalID, Language: r.Language, DarkMode: r.DarkMode,
	}
	if session.SuccessURL == "" {
		session.SuccessURL = version.SuccessURL
	}
	return session, nil
}

// public is the request without what only the merchant may set.
func (r *Request) public() *Request {
	open := *r
	open.PriceSnapshot, open.ExpiresInSeconds, open.Metadata, open.ExternalID = nil, nil, nil, ""
	open.WithTrial, open.IncludePaymentMethods, open.ExcludePaymentMethods = nil, nil, nil
	return &open
}

// named checks what the request is about.
func (r *Request) named() *problem.Problem {
	if r.ProductID == "" {
		return missingProduct
	}
	if r.Currency == "" {
		return missingCurrency
	}
	if _, ok := shortid.Parse(shortid.Product, r.ProductID); !ok {
		return ErrProductID
	}
	if _, ok := money.ParseCurrency(r.Currency); !ok {
		return badCurrency
	}
	return nil
}

// sound checks the fields that stand for themselves.
func (r *Request) sound(env checkout.Environment) *problem.Problem {
	switch {
	case r.lifetime() < 1 || r.lifetime() > maxLifetime:
		return badLifetime
	case len(r.Metadata) > maxMetadata:
		return badMetadata
	case utf8.RuneCountInString(r.ExternalID) > maxExternalID:
		return badExternalID
	case r.SuccessURL != "" && !orders.ReturnAllowed(r.SuccessURL, env, nil):
		return checkout.InvalidSuccessURL
	case r.Language != "" && !isLanguageTag(r.Language):
		return badLanguage
	}
	return r.overlong()
}

// feasible refuses fields that ask for what is not supported, so that nothing else is sold in its place.
func (r *Request) feasible(sold checkout.ProductType) *problem.Problem {
	switch once := sold == checkout.OneTime; {
	case r.OriginOrderID != "" && once:
		return noPlan
	case r.OriginOrderID != "":
		return noPlanChange
	case r.WithTrial != nil && *r.WithTrial && once:
		return noTrial
	case len(r.IncludePaymentMethods) > 0 && len(r.ExcludePaymentMethods) > 0:
		return bothMethods
	case len(r.IncludePaymentMethods) > 0:
		return noInclude
	case len(r.ExcludePaymentMethods) > 0:
		return noExclude
	}
	return nil
}

// sound checks what a provider must be told of a version.
func (v *Version) sound(env checkout.Environment) *problem.Problem {
	seen := func(r rune) bool { return unicode.IsGraphic(r) && !unicode.IsSpace(r) }
	switch {
	case !strings.ContainsFunc(v.Name, seen):
		return nameless
	case v.SuccessURL != "" && !orders.ReturnAllowed(v.SuccessURL, env, nil):
		return nowhereTo
	}
	return nil
}

// returnHosts are the hosts of the store's website and origins and, if there is one of these, of the product's success URL.
func (s *Store) returnHosts(v *Version) []string {
	var hosts []string
	for _, address := range append([]string{s.Links.Website}, s.Origins...) {
		if host := orders.ReturnHost(address); host != "" {
			hosts = append(hosts, host)
		}
	}
	if host := orders.ReturnHost(v.SuccessURL); len(hosts) > 0 && host != "" {
		hosts = append(hosts, host)
	}
	return hosts
}

func (r *Request) lifetime() int64 {
	if r.ExpiresInSeconds == nil {
		return defaultLifetime
	}
	return *r.ExpiresInSeconds
}

// sold is the version that this caller can sell in this environment, nil if there is none. Another merchant's product is
// no product.
func (o *Opening) sold() *Version {
	if o.Product == nil || o.Store == nil || o.Product.StoreID != o.Store.ID {
		return nil
	}
	if o.MerchantID != "" && o.Store.MerchantID != o.MerchantID || o.MerchantID == "" && o.Store.ID != o.StoreID {
		return nil
	}
	return o.Product.OnSale(o.Environment)
}

func (o *Opening) terms(v *Version, r *Request) (checkout.Terms, *problem.Problem) {
	currency, _ := money.ParseCurrency(r.Currency)
	if o.Amounts == nil {
		return checkout.Terms{}, orders.ProviderMissing(problem.Invalid, o.Environment)
	}
	limits, ok := o.Amounts(currency)
	if !ok {
		return checkout.Terms{}, orders.UnsupportedCurrency("/currency", currency)
	}
	limits.Max = limits.Max / roomForTax / limits.SmallestUnit * limits.SmallestUnit
	price, refused := price(v, r.PriceSnapshot, currency, limits)
	return checkout.Terms{
		Price: price.Amount, Inclusive: price.TaxIncluded, Category: price.Category, Seller: o.Store.Seller, Step: limits.SmallestUnit,
	}, refused
}

// price is the snapshot's before the catalogue's. One that the provider cannot charge is refused, with the limit that it misses.
func price(v *Version, snapshot *Snapshot, c money.Currency, limits psp.Amounts) (Price, *problem.Problem) {
	if snapshot == nil {
		price, ok := v.Price(c)
		if !ok {
			return Price{}, problem.New(problem.Invalid, "price-missing", "/currency", "Product has no price in "+string(c))
		}
		if why := price.whyNot(limits); why != "" {
			return Price{}, problem.New(problem.Invalid, "price-not-chargeable", "/currency", "Product price cannot be charged: "+why)
		}
		return price, nil
	}
	if snapshot.Amount == "" {
		return Price{}, missingAmount
	}
	amount, refused := snapshot.amount(c)
	if refused != nil {
		return Price{}, refused
	}
	price := Price{Amount: amount, TaxIncluded: snapshot.TaxIncluded}
	if why := price.whyNot(limits); why != "" {
		return Price{}, amountOutside(why)
	}
	if snapshot.TaxCategory == "" {
		return Price{}, missingCategory
	}
	var ok bool
	if price.Category, ok = tax.ParseCategory(snapshot.TaxCategory); !ok {
		return Price{}, badCategory
	}
	return price, nil
}

// whyNot says why a price cannot be charged, and is empty for one that can be. The provider's minimum applies to the total: a
// price without tax may lie below it by as much as the tax of most places adds, and the total is checked with the order.
func (p *Price) whyNot(limits psp.Amounts) string {
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

// isLanguageTag reads the outline of RFC 5646 §2.1: a language of letters, then subtags of letters and digits, none longer
// than eight. Whether the page speaks it is the page's business.
func isLanguageTag(s string) bool {
	if len(s) > maxLanguage {
		return false
	}
	language, rest, more := strings.Cut(s, "-")
	if len(language) < 2 || !isSubtag(language) || strings.ContainsAny(language, "0123456789") {
		return false
	}
	for more {
		var subtag string
		subtag, rest, more = strings.Cut(rest, "-")
		if !isSubtag(subtag) {
			return false
		}
	}
	return true
}

func isSubtag(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !('0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z') {
			return false
		}
	}
	return 1 <= len(s) && len(s) <= 8
}
