package sessions

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/shortid"
)

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
	Address          Address
	SuccessURL       string
	DarkMode         *bool
	Language         string

	// Fields of the published API for subscriptions and for other providers. They are refused where they would change the sale.
	OriginOrderID         string
	WithTrial             *bool
	IncludePaymentMethods []string
	ExcludePaymentMethods []string
}

// Snapshot is a price that replaces the catalog's.
type Snapshot struct {
	Amount      string // as on the wire, "29.00"
	TaxCategory string
	TaxIncluded bool
}

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
	badExternalID = problem.New(problem.Invalid, "external-id-too-long", "/orderMerchantExternalId",
		"orderMerchantExternalId must be at most 128 characters")
	badLanguage = problem.New(problem.Invalid, "language-invalid", "/language", `Invalid language: expected IETF BCP 47 tag (e.g., "pt-BR")`)

	noPlan = problem.New(problem.Invalid, "plan-change-invalid", "/originOrderId",
		"Invalid originOrderId: a plan change needs a subscription product")
	noPlanChange = problem.New(problem.Invalid, "plan-change-unsupported", "/originOrderId", "Invalid originOrderId: plan changes are not supported")
	noTrial      = problem.New(problem.Invalid, "trial-invalid", "/withTrial", "Invalid trial: it needs a subscription product")
	bothMethods  = problem.New(problem.Invalid, "payment-methods-exclusive", "/excludePaymentMethods",
		"includePaymentMethods and excludePaymentMethods are mutually exclusive")

	storeClosed = problem.New(problem.Invalid, "store-not-active", "", "Store is not active")

	nameless  = problem.New(problem.Invalid, "product-name-invalid", "/productId", "Product has no name")
	nowhereTo = problem.New(problem.Invalid, "product-success-url-invalid", "/productId", "Product has an invalid successUrl")
)

// public is the request without what only the merchant may set.
func (r *Request) public() *Request {
	open := *r
	open.PriceSnapshot, open.ExpiresInSeconds, open.Metadata, open.ExternalID = nil, nil, nil, ""
	open.WithTrial, open.IncludePaymentMethods, open.ExcludePaymentMethods = nil, nil, nil
	return &open
}

// named checks the fields that name the product and the currency.
func (r *Request) named() *problem.Problem {
	if r.ProductID == "" {
		return missingProduct
	}
	if r.Currency == "" {
		return missingCurrency
	}
	if _, ok := shortid.Parse(shortid.Product, r.ProductID); !ok {
		return catalog.ErrProductID
	}
	if _, ok := money.ParseCurrency(r.Currency); !ok {
		return badCurrency
	}
	return nil
}

// sound checks the fields that depend on no other record.
func (r *Request) sound(env checkout.Environment) *problem.Problem {
	switch {
	case r.lifetime() < 1 || r.lifetime() > maxLifetime:
		return badLifetime
	case !catalog.MetadataFits(r.Metadata, catalog.MaxMetadataValue):
		return catalog.ErrMetadata
	case utf8.RuneCountInString(r.ExternalID) > maxExternalID:
		return badExternalID
	case r.SuccessURL != "" && !ReturnAllowed(r.SuccessURL, env, nil):
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
		return noMethods("includePaymentMethods")
	case len(r.ExcludePaymentMethods) > 0:
		return noMethods("excludePaymentMethods")
	}
	return nil
}

// noMethods refuses a list of payment methods.
func noMethods(field string) *problem.Problem {
	return problem.New(problem.Invalid, "payment-methods-unsupported", "/"+field,
		"Invalid "+field+": the payment provider's settings choose the payment methods")
}

// isLanguageTag reads the outline of RFC 5646 §2.1: a language of letters, then subtags of letters and digits, none longer
// than eight. Whether there is a translation is decided by the page.
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

// The longest texts that a session keeps, in bytes: those that create-order takes. A pre-filled text is otherwise kept as
// given.
const (
	maxEmail        = 254
	maxCountry      = 20 // two letters, and room for white space
	maxState        = 100
	maxPostcode     = 20
	maxBusinessName = 300
	maxTaxID        = 40
)

// What else a session may carry.
const (
	maxExternalID = 128 // characters
	maxLanguage   = 35  // bytes; RFC 5646 §4.4.1
)

// overlong finds a text that is longer than a session keeps.
func (r *Request) overlong() *problem.Problem {
	if len(r.BuyerEmail) > maxEmail {
		return checkout.InvalidEmail
	}
	if r.Billing == nil {
		return nil
	}
	for _, field := range []struct {
		name, value string
		most        int
	}{
		{"country", r.Billing.Country, maxCountry}, {"state", r.Billing.State, maxState}, {"postcode", r.Billing.Postcode, maxPostcode},
		{"businessName", r.Billing.BusinessName, maxBusinessName}, {"taxId", r.Billing.TaxID, maxTaxID},
	} {
		if len(field.value) > field.most {
			return problem.New(problem.Invalid, "billing-detail-too-long", "/billingDetail/"+field.name,
				fmt.Sprintf("billingDetail.%s must be at most %d bytes", field.name, field.most))
		}
	}
	return nil
}
