package record

import (
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/sessions"
)

const sessionVersion = 3

type session struct {
	header
	ID          string               `json:"id"`
	Environment checkout.Environment `json:"environment"`
	StoreID     string               `json:"storeId"`
	Product     product              `json:"product"`
	Terms       terms                `json:"terms"`
	ExpiresAt   int64                `json:"expiresAt"`
	Closed      bool                 `json:"closed,omitempty"`
	Billing     *detail              `json:"billing,omitempty"`
	BuyerEmail  string               `json:"buyerEmail,omitempty"`
	SuccessURL  string               `json:"successUrl,omitempty"`
	Version     uint64               `json:"version"` // the compare-and-set number, not the record's version
	MerchantID  string               `json:"merchantId"`
	PageURL     string               `json:"pageUrl"`
	CreatedAt   int64                `json:"createdAt"`
	LastsUntil  int64                `json:"lastsUntil,omitempty"`
	OrderID     string               `json:"orderId,omitempty"`
	Metadata    map[string]string    `json:"metadata,omitempty"`
	ExternalID  string               `json:"externalId,omitempty"`
	Language    string               `json:"language,omitempty"`
	DarkMode    *bool                `json:"darkMode,omitempty"`

	PaidUnmatched bool     `json:"paidUnmatched,omitempty"`
	ReturnHosts   []string `json:"returnHosts,omitempty"`

	Images []image `json:"images,omitempty"` // since version 2

	Address *address `json:"address,omitempty"` // since version 3
	Public  bool     `json:"public,omitempty"`  // since version 3
}

type image struct {
	URL string `json:"url"`
	Alt string `json:"alt,omitempty"`
}

func encodeSession(s *sessions.Session) ([]byte, error) {
	return encode(&session{
		header: header{sessionVersion}, ID: s.ID, Environment: s.Environment, StoreID: s.StoreID, Product: product(s.Product),
		Terms: termsOf(&s.Terms), ExpiresAt: s.ExpiresAt, Closed: s.Closed, Billing: inputOf(s.Billing), BuyerEmail: s.BuyerEmail,
		SuccessURL: s.SuccessURL, Version: s.Version, MerchantID: s.MerchantID, PageURL: s.PageURL, CreatedAt: s.CreatedAt,
		LastsUntil: s.LastsUntil, OrderID: s.OrderID, Metadata: s.Metadata, ExternalID: s.ExternalID, Language: s.Language,
		DarkMode: s.DarkMode, PaidUnmatched: s.PaidUnmatched, ReturnHosts: s.ReturnHosts,
		Images: mapped(s.Images, func(i sessions.Image) image { return image(i) }), Address: addressOf(s.Address), Public: s.Public,
	})
}

func decodeSession(text []byte) (*sessions.Session, error) {
	var r session
	if err := decode(text, &r, sessionVersion); err != nil {
		return nil, err
	}
	return &sessions.Session{
		Session: checkout.Session{ID: r.ID, Environment: r.Environment, StoreID: r.StoreID, Product: checkout.Product(r.Product),
			Terms: r.Terms.domain(), ExpiresAt: r.ExpiresAt, Closed: r.Closed, Billing: r.Billing.input(), BuyerEmail: r.BuyerEmail,
			SuccessURL: r.SuccessURL},
		Version: r.Version, MerchantID: r.MerchantID, PageURL: r.PageURL, CreatedAt: r.CreatedAt, LastsUntil: r.LastsUntil,
		OrderID: r.OrderID, Metadata: r.Metadata, ExternalID: r.ExternalID, Language: r.Language, DarkMode: r.DarkMode, PaidUnmatched: r.PaidUnmatched, ReturnHosts: r.ReturnHosts,
		Images: mapped(r.Images, func(i image) sessions.Image { return sessions.Image(i) }), Address: r.Address.domain(), Public: r.Public,
	}, nil
}
