package admin

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/crepe-checkout/crepe/core/civil"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/catalog"
)

// StoreSettings are settings of a store to set. A nil field leaves the setting as it is, and an empty value clears it.
type StoreSettings struct {
	Name          *string         `json:"name,omitempty"`
	Status        *string         `json:"status,omitempty"`
	Logo          *string         `json:"logo,omitempty"`
	SupportEmail  *string         `json:"supportEmail,omitempty"`
	Website       *string         `json:"website,omitempty"`
	Terms         *string         `json:"terms,omitempty"`
	Refunds       *string         `json:"refunds,omitempty"`
	Privacy       *string         `json:"privacy,omitempty"`
	Origins       *[]string       `json:"origins,omitempty"`
	FrameOrigins  *[]string       `json:"frameOrigins,omitempty"`
	Consents      *[]Consent      `json:"consents,omitempty"`
	Country       *string         `json:"country,omitempty"` // of the seller
	Everywhere    *bool           `json:"everywhere,omitempty"`
	Registrations *[]Registration `json:"registrations,omitempty"`
	LegalName     *string         `json:"legalName,omitempty"`
	Street        *string         `json:"street,omitempty"`
	Postcode      *string         `json:"postcode,omitempty"`
	City          *string         `json:"city,omitempty"`
	Region        *string         `json:"region,omitempty"`
	VATID         *string         `json:"vatId,omitempty"`
}

// Registration is where a seller is registered for tax.
type Registration struct {
	Jurisdiction string `json:"jurisdiction"` // "EU", a country, a state or a province
	From         string `json:"from"`         // the first day, "2026-01-31"; in a request "" is today
}

// Consent is a sentence that buyers must agree to.
type Consent struct {
	Version   string   `json:"version,omitempty"` // of the text; ignored in a request
	Text      string   `json:"text"`
	Countries []string `json:"countries,omitempty"` // "EU" or ISO 3166-1 alpha-2; none is everywhere
	Always    bool     `json:"always,omitempty"`    // also required of callers of the API that state no consent
}

// Store describes a store.
type Store struct {
	ID            string         `json:"id"`
	MerchantID    string         `json:"merchantId"`
	Slug          string         `json:"slug"`
	Name          string         `json:"name"`
	Status        catalog.Status `json:"status"`
	Logo          string         `json:"logo,omitempty"`
	SupportEmail  string         `json:"supportEmail,omitempty"`
	Website       string         `json:"website,omitempty"`
	Terms         string         `json:"terms,omitempty"`
	Refunds       string         `json:"refunds,omitempty"`
	Privacy       string         `json:"privacy,omitempty"`
	Origins       []string       `json:"origins"`
	FrameOrigins  []string       `json:"frameOrigins"`
	Consents      []Consent      `json:"consents"`
	Country       string         `json:"country,omitempty"` // of the seller
	Everywhere    bool           `json:"everywhere"`
	Registrations []Registration `json:"registrations"`
	LegalName     string         `json:"legalName,omitempty"`
	Street        string         `json:"street,omitempty"`
	Postcode      string         `json:"postcode,omitempty"`
	City          string         `json:"city,omitempty"`
	Region        string         `json:"region,omitempty"`
	VATID         string         `json:"vatId,omitempty"`
	CreatedAt     *time.Time     `json:"createdAt"`
	DeletedAt     *time.Time     `json:"deletedAt"` // null while the store exists
}

// CreateStoreRequest asks for a store of a merchant. Settings.Name is required.
type CreateStoreRequest struct {
	MerchantID string        `json:"merchantId,omitempty"` // "" for the only merchant
	Settings   StoreSettings `json:"settings"`
}

func (a *Admin) createStore(ctx context.Context, in CreateStoreRequest) (Store, error) {
	m, err := a.config.Accounts.Find(ctx, in.MerchantID)
	if err != nil {
		return Store{}, err
	}
	change := a.change(&in.Settings)
	name := change.Name.Value
	change.Name = catalog.Patch[string]{} // the name of a new store has a limit of its own
	s, err := a.config.Shops.CreateStore(ctx, m.ID, name, change)
	if err != nil {
		return Store{}, err
	}
	a.config.Log.Info("a store was created", "merchant", m.ID, "store", s.ID)
	return showStore(s), nil
}

// ListStoresRequest asks for a page of a merchant's stores.
type ListStoresRequest struct {
	MerchantID string `json:"merchantId,omitempty"` // "" for the only merchant
	Skip       int    `json:"skip,omitempty"`       // how many to leave out
}

// Stores is a page of a merchant's stores, newest first, deleted ones too.
type Stores struct {
	Items []Store `json:"items"`
	More  bool    `json:"more"` // there may be a further page
}

func (a *Admin) listStores(ctx context.Context, in ListStoresRequest) (Stores, error) {
	m, err := a.config.Accounts.Find(ctx, in.MerchantID)
	if err != nil {
		return Stores{}, err
	}
	stores, err := a.config.Lists.Stores(ctx, m.ID, max(in.Skip, 0), pageSize)
	listed := Stores{Items: make([]Store, len(stores)), More: len(stores) == pageSize}
	for i, s := range stores {
		listed.Items[i] = showStore(s)
	}
	return listed, err
}

// SetStoreRequest changes a store of any merchant.
type SetStoreRequest struct {
	ID       string        `json:"id"`
	Settings StoreSettings `json:"settings"`
}

func (a *Admin) setStore(ctx context.Context, in SetStoreRequest) (Store, error) {
	s, err := a.liveStore(ctx, in.ID)
	if err != nil {
		return Store{}, err
	}
	if s, err = a.config.Shops.UpdateStore(ctx, s.MerchantID, s.ID, a.change(&in.Settings)); err != nil {
		return Store{}, err
	}
	a.config.Log.Info("a store was changed", "merchant", s.MerchantID, "store", s.ID)
	return showStore(s), nil
}

// liveStore returns a store that has not been deleted.
func (a *Admin) liveStore(ctx context.Context, id string) (*catalog.Store, error) {
	s, err := a.config.Accounts.Records.Store(ctx, id)
	if errors.Is(err, catalog.ErrNotFound) || err == nil && s.DeletedAt != 0 {
		err = refusef(problem.NotFound, "there is no store %q, or it has been deleted; crepe store list has them", id)
	}
	return s, err
}

// change converts settings to a change.
func (a *Admin) change(in *StoreSettings) *catalog.StoreChange {
	c := &catalog.StoreChange{
		Name: patch(in.Name), Status: patch(in.Status), Logo: patch(in.Logo), SupportEmail: patch(in.SupportEmail), Website: patch(in.Website),
		Links:   catalog.LinksChange{Terms: patch(in.Terms), Refunds: patch(in.Refunds), Privacy: patch(in.Privacy)},
		Origins: patch(in.Origins), Frames: patch(in.FrameOrigins),
		Seller: catalog.SellerChange{Country: patch(in.Country), Everywhere: patch(in.Everywhere), LegalName: patch(in.LegalName), VATID: patch(in.VATID),
			Address: catalog.AddressChange{Street: patch(in.Street), Postcode: patch(in.Postcode), City: patch(in.City), Region: patch(in.Region)}},
	}
	if in.Consents != nil {
		c.Consents.Given = true
		for _, consent := range *in.Consents {
			c.Consents.Value = append(c.Consents.Value, catalog.ConsentInput{Text: consent.Text, Countries: consent.Countries, Always: consent.Always})
		}
	}
	if in.Registrations == nil {
		return c
	}
	c.Seller.Registrations.Given = true
	today := civil.DateOf(a.config.Accounts.Now().UnixMilli()).String()
	for _, r := range *in.Registrations {
		c.Seller.Registrations.Value = append(c.Seller.Registrations.Value, catalog.RegistrationInput{Jurisdiction: r.Jurisdiction, From: cmp.Or(r.From, today)})
	}
	return c
}

func patch[T any](p *T) (patch catalog.Patch[T]) {
	if p != nil {
		patch = catalog.Set(*p)
	}
	return patch
}

func showStore(s *catalog.Store) Store {
	address := &s.Legal.Address
	shown := Store{ID: s.ID, MerchantID: s.MerchantID, Slug: s.Slug, Name: s.Name, Status: cmp.Or(s.Status, catalog.Active), Logo: s.Logo,
		SupportEmail: s.Links.SupportEmail, Website: s.Links.Website, Terms: s.Links.Terms, Refunds: s.Links.Refunds, Privacy: s.Links.Privacy,
		Origins: append([]string{}, s.Origins...), FrameOrigins: append([]string{}, s.Frames...), Consents: []Consent{}, Country: string(s.Seller.Country), Everywhere: s.Seller.Everywhere, Registrations: []Registration{},
		LegalName: s.Legal.Name, Street: address.Street, Postcode: address.Postcode, City: address.City, Region: address.Region, VATID: s.Legal.VATID,
		CreatedAt: moment(s.CreatedAt), DeletedAt: moment(s.DeletedAt)}
	for _, r := range s.Seller.Registrations {
		shown.Registrations = append(shown.Registrations, Registration{r.Jurisdiction, r.From.String()})
	}
	for _, t := range s.Consents {
		shown.Consents = append(shown.Consents, Consent(t))
	}
	return shown
}
