// Package catalog holds merchants with their API keys, their stores, and products in immutable versions.
//
// The types: [Merchant], [Store] and [Product] are the records, [Records] is the port to a database. [Accounts] changes merchants
// and their API keys. [NewDemo] makes the merchant that `crepe dev` shows.
//
// A merchant and a store exist in both environments at once; what is on sale, and for how much, differs between them.
package catalog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/core/tax"
)

// Store is a merchant's shop: what buyers see, and the seller for tax purposes.
type Store struct {
	ID         string // "STO_…"
	MerchantID string
	Slug       string // its name in URLs, unique: "my-digital-store-a1b2c3"
	Name       string
	Logo       string // URL, empty for none
	Checkout   CheckoutSettings
	Links      Links
	Seller     tax.Seller
	Legal      Legal
	Origins    []string               // of the pages elsewhere that may call the API in a buyer's browser, each a [ValidOrigin]
	Frames     []string               // the origins of the pages that may show the checkout in a frame, each a [ValidOrigin]; nil for none
	Consents   []checkout.ConsentText // that buyers must agree to
	Status     Status
	Muted      []string // the notification settings that are off, by their API names, sorted
	Revision   uint64   // see [Records.Put]
	CreatedAt  int64    // Unix milliseconds
	UpdatedAt  int64    // Unix milliseconds; 0 in records of older versions
	DeletedAt  int64    // Unix milliseconds; 0 while the store exists
}

// Clone returns a copy that shares with the store only what is replaced as a whole and never changed in place.
func (s *Store) Clone() *Store {
	c := *s
	return &c
}

// Selling reports whether new checkout sessions can be opened in the store.
func (s *Store) Selling() bool { return s.DeletedAt == 0 && s.Status.Active() }

// Status is the status of a store or of a product in one environment. The empty status is Active.
type Status string

const (
	Active    Status = "active"
	Inactive  Status = "inactive"
	Suspended Status = "suspended" // of stores only
)

// Active reports whether s is Active.
func (s Status) Active() bool { return s == Active || s == "" }

// Legal names the seller on receipts and invoices. The country is that of [tax.Seller].
type Legal struct {
	Name    string
	Address Address
	VATID   string // in the canonical form of package vatid where that knows the country, else as typed
}

// Address is a postal address without its country.
type Address struct{ Street, Postcode, City, Region string }

// CheckoutSettings is how a store's hosted checkout looks. The zero value is the default look.
type CheckoutSettings struct {
	DarkMode    *bool  // where a session does not say; nil leaves it to the buyer's browser
	Language    string // BCP 47, where neither buyer nor session says; empty for English
	Light, Dark Theme

	// Continue is what the button says, by language ("de", "pt-BR"), if it differs from the default: laws prescribe different
	// texts for order buttons.
	Continue map[string]string
}

// Theme is a store's colours in one mode, "#0f5c4a". An empty field is the default. Package page corrects colours with
// too little contrast.
type Theme struct {
	Logo         string // URL, empty for the store's
	Primary      string
	Background   string
	Card         string
	Text         string
	BorderRadius string // "8px"
}

// DefaultLight and DefaultDark are the checkout's own look, for the fields that a store leaves empty.
var (
	DefaultLight = Theme{Primary: "#17181c", Background: "#ffffff", Card: "#f6f6f4", Text: "#17181c", BorderRadius: "8px"}
	DefaultDark  = Theme{Primary: "#f1f1ef", Background: "#141518", Card: "#1c1d21", Text: "#f1f1ef", BorderRadius: "8px"}
)

// Check refuses a logo that is neither an https URL nor a path of this server, and invalid checkout settings. Its error names the
// field.
func (s *Store) Check() error {
	if !isLogo(s.Logo) {
		return fmt.Errorf("logo %q: expected an https URL", s.Logo)
	}
	return s.Checkout.Check()
}

// Check refuses a logo that is neither an https URL nor a path of this server, and an invalid colour. Its error names the field.
func (s *CheckoutSettings) Check() error {
	return cmp.Or(s.Light.check("light"), s.Dark.check("dark"))
}

func (t *Theme) check(mode string) error {
	if !isLogo(t.Logo) {
		return fmt.Errorf("%s.checkoutLogo %q: expected an https URL", mode, t.Logo)
	}
	for _, field := range []struct{ name, colour string }{
		{"Primary", t.Primary}, {"Background", t.Background}, {"Card", t.Card}, {"Text", t.Text},
	} {
		if !isColour(field.colour) {
			return fmt.Errorf("%s.checkoutColor%s %q: expected a colour such as #0f5c4a", mode, field.name, field.colour)
		}
	}
	return nil
}

// isLogo accepts an https URL, a path of this server and "". Browsers read "/\\host" as "//host", another server.
func isLogo(s string) bool {
	if strings.HasPrefix(s, "/") && !strings.HasPrefix(s, "//") && !strings.Contains(s, `\`) {
		s = "https://here.example" + s
	}
	return s == "" || checkout.ValidReturnURL(s, checkout.Prod)
}

// isColour accepts "#fff", "#0f5c4a" and "".
func isColour(s string) bool {
	digits, marked := strings.CutPrefix(s, "#")
	return s == "" || marked && (len(digits) == 3 || len(digits) == 6) && strings.Trim(digits, "0123456789abcdefABCDEF") == ""
}

// Links are the store's own pages, as URLs; each may be empty.
type Links struct {
	Website      string
	SupportEmail string // an address, no URL
	Terms        string
	Refunds      string
	Privacy      string
}

// Product is what a store sells. Its listings in the two environments are independent.
type Product struct {
	ID        string // "PROD_…"
	StoreID   string
	Type      checkout.ProductType
	Test      Listing
	Prod      Listing
	Revision  uint64 // see [Records.Put]
	CreatedAt int64  // Unix milliseconds
	UpdatedAt int64
}

// In returns the product's listing in an environment.
func (p *Product) In(env checkout.Environment) *Listing {
	if env == checkout.Prod {
		return &p.Prod
	}
	return &p.Test
}

// Listing is a product in one environment.
type Listing struct {
	Version  *Version // nil: never published here
	Inactive bool     // taken off sale by the merchant
}

// OnSale is the version that can be bought in an environment, nil if there is none.
func (p *Product) OnSale(env checkout.Environment) *Version {
	listing := p.In(env)
	if listing.Inactive {
		return nil
	}
	return listing.Version
}

// Version is an immutable state of a product; a change makes a new one.
type Version struct {
	ID          string // "PVER_…"
	Number      int    // from 1
	Name        string
	Description string
	Prices      []Price // one for each currency
	Media       []Media
	SuccessURL  string // where buyers return to if the session names no other place, empty for none
	Metadata    map[string]JSON
	CreatedAt   int64 // Unix milliseconds
}

// JSON is a JSON value without insignificant white space.
type JSON string

// MarshalJSON returns the value itself.
func (j JSON) MarshalJSON() ([]byte, error) { return []byte(j), nil }

// Media is an image or a video of a product.
type Media struct {
	Type      MediaType
	URL       string // https
	Alt       string // what the image shows, for those who cannot see it
	Thumbnail string // https, of a video; empty for none
}

// MediaType is the type of a [Media].
type MediaType string

const (
	Image MediaType = "image"
	Video MediaType = "video"
)

// Images returns the images of the version.
func (v *Version) Images() (images []Media) {
	for _, m := range v.Media {
		if m.Type == Image {
			images = append(images, m)
		}
	}
	return images
}

// Price is what a product costs in one currency.
type Price struct {
	Amount      money.Amount
	Category    tax.Category
	TaxIncluded bool // the amount is the gross
}

// Price finds the price in a currency.
func (v *Version) Price(c money.Currency) (Price, bool) {
	for _, p := range v.Prices {
		if p.Amount.Currency == c {
			return p, true
		}
	}
	return Price{}, false
}

// Records stores the catalog. A read accepts any string as an id or a slug and returns [ErrNotFound] if no record has it. The
// result belongs to the caller.
type Records interface {
	Merchant(ctx context.Context, id string) (*Merchant, error)
	// Merchants returns the merchants whose ids sort after one, "" for the first, in the order of their ids, which is that of
	// their creation; limit at most.
	Merchants(ctx context.Context, after string, limit int) ([]*Merchant, error)
	Store(ctx context.Context, id string) (*Store, error)
	StoreBySlug(ctx context.Context, slug string) (*Store, error)
	Product(ctx context.Context, id string) (*Product, error)

	// Version reads a version of a product, on sale or not.
	Version(ctx context.Context, productID, id string) (*Version, error)

	// Put writes a change as a whole or not at all. A merchant, store or product whose Revision is not the stored one has been
	// written since it was read: the error is [ErrStale]. Revision 0 is a new one. The stored copy carries the next revision. The error is
	// [ErrSlugTaken] when another store has the slug, or had it.
	Put(ctx context.Context, c Change) error
}

// Lists lists the catalogue, the newest first. skip is how many to leave out, limit the most to return. It follows [Records.Put] at
// once. What does not exist has an empty list.
type Lists interface {
	// Stores lists a merchant's stores, deleted ones too.
	Stores(ctx context.Context, merchantID string, skip, limit int) ([]*Store, error)
	// Products lists the products of a store.
	Products(ctx context.Context, storeID string, skip, limit int) ([]*Product, error)
	// Versions lists the versions of a product.
	Versions(ctx context.Context, productID string, skip, limit int) ([]*Version, error)
}

// Change is what one Put writes. Nil fields write nothing.
type Change struct {
	Merchant *Merchant
	Store    *Store
	Products []*Product
}

var (
	// ErrNotFound: nothing has that id or slug.
	ErrNotFound = errors.New("catalog: not found")
	// ErrSlugTaken: another store has the slug.
	ErrSlugTaken = errors.New("catalog: slug taken")
	// ErrStale: a record of the change has been written since it was read.
	ErrStale = errors.New("catalog: the record was written since it was read")
)

// Refusals of an id, which other services give too.
var (
	ErrStoreID   = problem.New(problem.Invalid, "store-id-invalid", "/storeId", "Invalid storeId: expected Store Short ID format (STO_xxx)")
	ErrProductID = problem.New(problem.Invalid, "product-id-invalid", "/productId",
		"Invalid productId: expected Product Short ID format (PROD_xxx)")
	ErrProductNotFound = problem.New(problem.NotFound, "product-not-found", "/productId", "Product not found")
)

// StoreNotFound refuses a store that does not exist or is not the caller's.
func StoreNotFound(path string) *problem.Problem {
	return problem.New(problem.NotFound, "store-not-found", path, "Store not found")
}
