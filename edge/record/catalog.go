package record

import (
	"bytes"
	"fmt"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/catalog"
)

const (
	merchantVersion = 2
	storeVersion    = 3
	productVersion  = 2
	versionVersion  = 1
)

type merchant struct {
	header
	ID        string   `json:"id"`
	Name      string   `json:"name"`
	Keys      []apiKey `json:"keys,omitempty"`
	CreatedAt int64    `json:"createdAt"`
	Revision  uint64   `json:"revision,omitempty"` // since version 2; absent means 1
}

type apiKey struct {
	Environment checkout.Environment `json:"environment"`
	PublicKey   string               `json:"publicKey"`

	// Since version 2.
	ID        string `json:"id,omitempty"` // absent means the key's position
	Name      string `json:"name,omitempty"`
	CreatedAt int64  `json:"createdAt,omitempty"`
	ExpiresAt int64  `json:"expiresAt,omitempty"`
	RevokedAt int64  `json:"revokedAt,omitempty"`
}

type store struct {
	header
	ID         string           `json:"id"`
	MerchantID string           `json:"merchantId"`
	Slug       string           `json:"slug"`
	Name       string           `json:"name"`
	Logo       string           `json:"logo,omitempty"`
	Checkout   checkoutSettings `json:"checkout"`
	Links      links            `json:"links"`
	Seller     seller           `json:"seller"`
	Origins    []string         `json:"origins,omitempty"`
	CreatedAt  int64            `json:"createdAt"`

	// Since version 2.
	Legal     *legal         `json:"legal,omitempty"`
	Status    catalog.Status `json:"status,omitempty"`
	Muted     []string       `json:"muted,omitempty"`
	Revision  uint64         `json:"revision,omitempty"` // absent means 1
	UpdatedAt int64          `json:"updatedAt,omitempty"`
	DeletedAt int64          `json:"deletedAt,omitempty"`

	// Since version 3.
	Frames   []string      `json:"frameOrigins,omitempty"`
	Consents []consentText `json:"consents,omitempty"`
}

// consentText is a consent that a store asks for.
type consentText struct {
	Version   string   `json:"version"`
	Text      string   `json:"text"`
	Countries []string `json:"countries,omitempty"`
	Always    bool     `json:"always,omitempty"`
}

type legal struct {
	Name     string `json:"name,omitempty"`
	Street   string `json:"street,omitempty"`
	Postcode string `json:"postcode,omitempty"`
	City     string `json:"city,omitempty"`
	Region   string `json:"region,omitempty"`
	VATID    string `json:"vatId,omitempty"`
}

type checkoutSettings struct {
	DarkMode *bool             `json:"darkMode,omitempty"`
	Language string            `json:"language,omitempty"`
	Light    theme             `json:"light"`
	Dark     theme             `json:"dark"`
	Continue map[string]string `json:"continue,omitempty"`
}

type theme struct {
	Logo         string `json:"logo,omitempty"`
	Primary      string `json:"primary,omitempty"`
	Background   string `json:"background,omitempty"`
	Card         string `json:"card,omitempty"`
	Text         string `json:"text,omitempty"`
	BorderRadius string `json:"borderRadius,omitempty"`
}

type links struct {
	Website      string `json:"website,omitempty"`
	SupportEmail string `json:"supportEmail,omitempty"`
	Terms        string `json:"terms,omitempty"`
	Refunds      string `json:"refunds,omitempty"`
	Privacy      string `json:"privacy,omitempty"`
}

type catalogProduct struct {
	header
	ID        string               `json:"id"`
	StoreID   string               `json:"storeId"`
	Type      checkout.ProductType `json:"type"`
	Test      listing              `json:"test"`
	Prod      listing              `json:"prod"`
	CreatedAt int64                `json:"createdAt"`
	UpdatedAt int64                `json:"updatedAt"`
	Revision  uint64               `json:"revision,omitempty"` // since version 2; absent means 1
}

type listing struct {
	Version  *productState `json:"version,omitempty"`
	Inactive bool          `json:"inactive,omitempty"`
}

type productState struct {
	ID          string             `json:"id"`
	Number      int                `json:"number"`
	Name        string             `json:"name"`
	Description string             `json:"description,omitempty"`
	Prices      []price            `json:"prices"`
	SuccessURL  string             `json:"successUrl,omitempty"`
	Metadata    map[string]rawJSON `json:"metadata,omitempty"` // strings before version 2
	CreatedAt   int64              `json:"createdAt"`
	Media       []media            `json:"media,omitempty"` // since version 2
}

// rawJSON is a JSON value as it is, without white space.
type rawJSON string

func (r rawJSON) MarshalJSON() ([]byte, error) { return []byte(r), nil }

func (r *rawJSON) UnmarshalJSON(text []byte) error {
	var compact bytes.Buffer
	err := json.Compact(&compact, text)
	*r = rawJSON(compact.String())
	return err
}

type media struct {
	Type      catalog.MediaType `json:"type"`
	URL       string            `json:"url"`
	Alt       string            `json:"alt,omitempty"`
	Thumbnail string            `json:"thumbnail,omitempty"`
}

type price struct {
	Amount      amount   `json:"amount"`
	Category    category `json:"category"`
	TaxIncluded bool     `json:"taxIncluded,omitempty"`
}

func encodeMerchant(m *catalog.Merchant) ([]byte, error) {
	return encode(&merchant{header{merchantVersion}, m.ID, m.Name, mapped(m.Keys, apiKeyOf), m.CreatedAt, m.Revision})
}

func decodeMerchant(text []byte) (*catalog.Merchant, error) {
	var r merchant
	if err := decode(text, &r, merchantVersion); err != nil {
		return nil, err
	}
	m := &catalog.Merchant{ID: r.ID, Name: r.Name, CreatedAt: r.CreatedAt, Revision: max(r.Revision, 1), Keys: mapped(r.Keys, apiKey.domain)}
	for i := range m.Keys {
		if k := &m.Keys[i]; k.ID == "" {
			k.ID = fmt.Sprintf("%s_%022d", catalog.APIKeyPrefix, i+1)
		}
	}
	return m, nil
}

func apiKeyOf(k catalog.APIKey) apiKey {
	return apiKey{k.Environment, k.PublicKey, k.ID, k.Name, k.CreatedAt, k.ExpiresAt, k.RevokedAt}
}

func (k apiKey) domain() catalog.APIKey {
	return catalog.APIKey{ID: k.ID, Name: k.Name, Environment: k.Environment, PublicKey: k.PublicKey, CreatedAt: k.CreatedAt,
		ExpiresAt: k.ExpiresAt, RevokedAt: k.RevokedAt}
}

func encodeStore(s *catalog.Store) ([]byte, error) {
	c := &s.Checkout
	r := &store{header: header{storeVersion}, ID: s.ID, MerchantID: s.MerchantID, Slug: s.Slug, Name: s.Name, Logo: s.Logo,
		Checkout: checkoutSettings{c.DarkMode, c.Language, theme(c.Light), theme(c.Dark), c.Continue},
		Links:    links(s.Links), Seller: sellerOf(&s.Seller), Origins: s.Origins, CreatedAt: s.CreatedAt,
		Status: s.Status, Muted: s.Muted, Revision: s.Revision, UpdatedAt: s.UpdatedAt, DeletedAt: s.DeletedAt,
		Frames: s.Frames, Consents: mapped(s.Consents, func(t checkout.ConsentText) consentText { return consentText(t) })}
	if l, a := &s.Legal, &s.Legal.Address; *l != (catalog.Legal{}) {
		r.Legal = &legal{l.Name, a.Street, a.Postcode, a.City, a.Region, l.VATID}
	}
	return encode(r)
}

func decodeStore(text []byte) (*catalog.Store, error) {
	var r store
	if err := decode(text, &r, storeVersion); err != nil {
		return nil, err
	}
	c := &r.Checkout
	s := &catalog.Store{ID: r.ID, MerchantID: r.MerchantID, Slug: r.Slug, Name: r.Name, Logo: r.Logo,
		Checkout: catalog.CheckoutSettings{DarkMode: c.DarkMode, Language: c.Language, Light: catalog.Theme(c.Light),
			Dark: catalog.Theme(c.Dark), Continue: c.Continue},
		Links: catalog.Links(r.Links), Seller: r.Seller.domain(), Origins: r.Origins, CreatedAt: r.CreatedAt,
		Status: r.Status, Muted: r.Muted, Revision: max(r.Revision, 1), UpdatedAt: r.UpdatedAt, DeletedAt: r.DeletedAt,
		Frames: r.Frames, Consents: mapped(r.Consents, func(t consentText) checkout.ConsentText { return checkout.ConsentText(t) })}
	if l := r.Legal; l != nil {
		s.Legal = catalog.Legal{Name: l.Name, VATID: l.VATID,
			Address: catalog.Address{Street: l.Street, Postcode: l.Postcode, City: l.City, Region: l.Region}}
	}
	return s, nil
}

func encodeProduct(p *catalog.Product) ([]byte, error) {
	return encode(&catalogProduct{header{productVersion}, p.ID, p.StoreID, p.Type, listingOf(p.Test), listingOf(p.Prod), p.CreatedAt, p.UpdatedAt, p.Revision})
}

func decodeProduct(text []byte) (*catalog.Product, error) {
	var r catalogProduct
	if err := decode(text, &r, productVersion); err != nil {
		return nil, err
	}
	return &catalog.Product{ID: r.ID, StoreID: r.StoreID, Type: r.Type, Test: r.Test.domain(), Prod: r.Prod.domain(),
		CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt, Revision: max(r.Revision, 1)}, nil
}

// productRelease is one version of a product, kept for good.
type productRelease struct {
	header
	Version productState `json:"version"`
}

func encodeVersion(v *catalog.Version) ([]byte, error) {
	return encode(&productRelease{header{versionVersion}, *stateOf(v)})
}

func decodeVersion(text []byte) (*catalog.Version, error) {
	var r productRelease
	if err := decode(text, &r, versionVersion); err != nil {
		return nil, err
	}
	return r.Version.domain(), nil
}

func listingOf(l catalog.Listing) listing {
	r := listing{Inactive: l.Inactive}
	if l.Version != nil {
		r.Version = stateOf(l.Version)
	}
	return r
}

func stateOf(v *catalog.Version) *productState {
	return &productState{v.ID, v.Number, v.Name, v.Description, mapped(v.Prices, priceOf), v.SuccessURL,
		converted[catalog.JSON, rawJSON](v.Metadata), v.CreatedAt, mapped(v.Media, func(m catalog.Media) media { return media(m) })}
}

func (r *listing) domain() catalog.Listing {
	l := catalog.Listing{Inactive: r.Inactive}
	if r.Version != nil {
		l.Version = r.Version.domain()
	}
	return l
}

func (v *productState) domain() *catalog.Version {
	return &catalog.Version{ID: v.ID, Number: v.Number, Name: v.Name, Description: v.Description, Prices: mapped(v.Prices, price.domain),
		SuccessURL: v.SuccessURL, Metadata: converted[rawJSON, catalog.JSON](v.Metadata), CreatedAt: v.CreatedAt,
		Media: mapped(v.Media, func(m media) catalog.Media { return catalog.Media(m) })}
}

// converted converts the values of a map; nil stays nil.
func converted[From, To ~string](from map[string]From) map[string]To {
	if from == nil {
		return nil
	}
	to := make(map[string]To, len(from))
	for key, value := range from {
		to[key] = To(value)
	}
	return to
}

func priceOf(p catalog.Price) price {
	return price{amount(p.Amount), category(p.Category.String()), p.TaxIncluded}
}

func (p price) domain() catalog.Price {
	return catalog.Price{Amount: money.Amount(p.Amount), Category: value[tax.Category](string(p.Category)), TaxIncluded: p.TaxIncluded}
}
