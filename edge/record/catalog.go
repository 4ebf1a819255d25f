package record

import (
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/catalog"
)

const (
	merchantVersion = 1
	storeVersion    = 1
	productVersion  = 1
)

type merchant struct {
	header
	ID        string   `json:"id"`
	Name      string   `json:"name"`
	Keys      []apiKey `json:"keys,omitempty"`
	CreatedAt int64    `json:"createdAt"`
}

type apiKey struct {
	Environment checkout.Environment `json:"environment"`
	PublicKey   string               `json:"publicKey"`
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
}

type listing struct {
	Version  *productState `json:"version,omitempty"`
	Inactive bool          `json:"inactive,omitempty"`
}

type productState struct {
	ID          string            `json:"id"`
	Number      int               `json:"number"`
	Name        string            `json:"name"`
	Description string            `json:"description,omitempty"`
	Prices      []price           `json:"prices"`
	SuccessURL  string            `json:"successUrl,omitempty"`
	Metadata    map[string]string `json:"metadata,omitempty"`
	CreatedAt   int64             `json:"createdAt"`
}

type price struct {
	Amount      amount   `json:"amount"`
	Category    category `json:"category"`
	TaxIncluded bool     `json:"taxIncluded,omitempty"`
}

func encodeMerchant(m *catalog.Merchant) ([]byte, error) {
	return encode(&merchant{header{merchantVersion}, m.ID, m.Name,
		mapped(m.Keys, func(k catalog.APIKey) apiKey { return apiKey(k) }), m.CreatedAt})
}

func decodeMerchant(text []byte) (*catalog.Merchant, error) {
	var r merchant
	if err := decode(text, &r, merchantVersion); err != nil {
		return nil, err
	}
	return &catalog.Merchant{ID: r.ID, Name: r.Name, CreatedAt: r.CreatedAt,
		Keys: mapped(r.Keys, func(k apiKey) catalog.APIKey { return catalog.APIKey(k) })}, nil
}

func encodeStore(s *catalog.Store) ([]byte, error) {
	c := &s.Checkout
	return encode(&store{header{storeVersion}, s.ID, s.MerchantID, s.Slug, s.Name, s.Logo,
		checkoutSettings{c.DarkMode, c.Language, theme(c.Light), theme(c.Dark), c.Continue},
		links(s.Links), sellerOf(&s.Seller), s.Origins, s.CreatedAt})
}

func decodeStore(text []byte) (*catalog.Store, error) {
	var r store
	if err := decode(text, &r, storeVersion); err != nil {
		return nil, err
	}
	c := &r.Checkout
	return &catalog.Store{ID: r.ID, MerchantID: r.MerchantID, Slug: r.Slug, Name: r.Name, Logo: r.Logo,
		Checkout: catalog.CheckoutSettings{DarkMode: c.DarkMode, Language: c.Language, Light: catalog.Theme(c.Light),
			Dark: catalog.Theme(c.Dark), Continue: c.Continue},
		Links: catalog.Links(r.Links), Seller: r.Seller.domain(), Origins: r.Origins, CreatedAt: r.CreatedAt}, nil
}

func encodeProduct(p *catalog.Product) ([]byte, error) {
	return encode(&catalogProduct{header{productVersion}, p.ID, p.StoreID, p.Type, listingOf(p.Test), listingOf(p.Prod), p.CreatedAt, p.UpdatedAt})
}

func decodeProduct(text []byte) (*catalog.Product, error) {
	var r catalogProduct
	if err := decode(text, &r, productVersion); err != nil {
		return nil, err
	}
	return &catalog.Product{ID: r.ID, StoreID: r.StoreID, Type: r.Type, Test: r.Test.domain(), Prod: r.Prod.domain(),
		CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt}, nil
}

func listingOf(l catalog.Listing) listing {
	r := listing{Inactive: l.Inactive}
	if v := l.Version; v != nil {
		r.Version = &productState{v.ID, v.Number, v.Name, v.Description, mapped(v.Prices, priceOf), v.SuccessURL, v.Metadata, v.CreatedAt}
	}
	return r
}

func (r *listing) domain() catalog.Listing {
	l := catalog.Listing{Inactive: r.Inactive}
	if v := r.Version; v != nil {
		l.Version = &catalog.Version{ID: v.ID, Number: v.Number, Name: v.Name, Description: v.Description,
			Prices: mapped(v.Prices, price.domain), SuccessURL: v.SuccessURL, Metadata: v.Metadata, CreatedAt: v.CreatedAt}
	}
	return l
}

func priceOf(p catalog.Price) price {
	return price{amount(p.Amount), category(p.Category.String()), p.TaxIncluded}
}

func (p price) domain() catalog.Price {
	return catalog.Price{Amount: money.Amount(p.Amount), Category: value[tax.Category](string(p.Category)), TaxIncluded: p.TaxIncluded}
}
