package api

import (
	"cmp"
	"slices"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/catalog"
)

type createStoreRequest struct {
	Name string `json:"name"`
}

type idRequest struct {
	ID string `json:"id"`
}

type storeRequest struct {
	ID                   string                                      `json:"id"`
	Name                 optional[string]                            `json:"name"`
	Status               optional[string]                            `json:"status"`
	Logo                 optional[string]                            `json:"logo"`
	SupportEmail         optional[string]                            `json:"supportEmail"`
	Website              optional[string]                            `json:"website"`
	CheckoutSettings     optional[checkoutRequest]                   `json:"checkoutSettings"`
	NotificationSettings optional[map[string]optional[bool]]         `json:"notificationSettings"`
	WebhookSettings      optional[map[string]optional[catalog.JSON]] `json:"webhookSettings"` // of old SDKs: ignored with a warning
	Seller               optional[sellerRequest]                     `json:"seller"`
	Links                linksRequest                                `json:"links"`
	Origins              optional[[]string]                          `json:"origins"`
	FrameOrigins         optional[[]string]                          `json:"frameOrigins"`
	Consents             optional[[]consentRequest]                  `json:"consents"`
}

func (*storeRequest) nested() {}

type checkoutRequest struct {
	DefaultDarkMode optional[bool]         `json:"defaultDarkMode"`
	Light           optional[themeRequest] `json:"light"`
	Dark            optional[themeRequest] `json:"dark"`
}

type themeRequest struct {
	Logo         optional[string] `json:"checkoutLogo"`
	Primary      optional[string] `json:"checkoutColorPrimary"`
	Background   optional[string] `json:"checkoutColorBackground"`
	Card         optional[string] `json:"checkoutColorCard"`
	Text         optional[string] `json:"checkoutColorText"`
	BorderRadius optional[string] `json:"checkoutBorderRadius"`
}

type sellerRequest struct {
	Country       optional[string]                `json:"country"`
	Everywhere    optional[bool]                  `json:"everywhere"`
	Registrations optional[[]registrationRequest] `json:"registrations"`
	LegalName     optional[string]                `json:"legalName"`
	Address       optional[addressRequest]        `json:"address"`
	VATID         optional[string]                `json:"vatId"`
}

type registrationRequest struct {
	Jurisdiction string `json:"jurisdiction"`
	From         string `json:"from"`
}

type addressRequest struct {
	Street   optional[string] `json:"street"`
	Postcode optional[string] `json:"postcode"`
	City     optional[string] `json:"city"`
	Region   optional[string] `json:"region"`
}

type consentRequest struct {
	Text      string   `json:"text"`
	Countries []string `json:"countries"`
	Always    bool     `json:"always"`
}

type linksRequest struct {
	Terms   optional[string] `json:"terms"`
	Refunds optional[string] `json:"refunds"`
	Privacy optional[string] `json:"privacy"`
}

func (r *storeRequest) change() *catalog.StoreChange {
	c := &catalog.StoreChange{
		Name: r.Name.patch(), Status: r.Status.patch(), Logo: r.Logo.patch(), SupportEmail: r.SupportEmail.patch(), Website: r.Website.patch(),
		Checkout: r.CheckoutSettings.Value.change(r.CheckoutSettings.Null),
		Notify:   catalog.NotifyChange{Clear: r.NotificationSettings.Null, Set: make(map[string]catalog.Patch[bool])},
		Seller:   r.Seller.Value.change(r.Seller.Null),
		Links:    catalog.LinksChange{Terms: r.Links.Terms.patch(), Refunds: r.Links.Refunds.patch(), Privacy: r.Links.Privacy.patch()},
		Origins:  r.Origins.patch(), Frames: r.FrameOrigins.patch(),
	}
	c.Consents.Given = r.Consents.Given
	for _, consent := range r.Consents.Value {
		c.Consents.Value = append(c.Consents.Value, catalog.ConsentInput(consent))
	}
	for name, value := range r.NotificationSettings.Value {
		c.Notify.Set[name] = catalog.Patch[bool]{Given: value.Given && !value.Null, Value: value.Value}
	}
	return c
}

func (r *checkoutRequest) change(clear bool) catalog.CheckoutChange {
	c := catalog.CheckoutChange{Clear: clear, Light: r.Light.Value.change(r.Light.Null), Dark: r.Dark.Value.change(r.Dark.Null)}
	if c.DarkMode.Given = r.DefaultDarkMode.Given; !r.DefaultDarkMode.Null {
		c.DarkMode.Value = &r.DefaultDarkMode.Value
	}
	return c
}

func (r *themeRequest) change(clear bool) catalog.ThemeChange {
	return catalog.ThemeChange{Clear: clear, Logo: r.Logo.patch(), Primary: r.Primary.patch(), Background: r.Background.patch(),
		Card: r.Card.patch(), Text: r.Text.patch(), BorderRadius: r.BorderRadius.patch()}
}

func (r *sellerRequest) change(clear bool) catalog.SellerChange {
	a := &r.Address.Value
	c := catalog.SellerChange{Clear: clear, Country: r.Country.patch(), Everywhere: r.Everywhere.patch(), LegalName: r.LegalName.patch(), VATID: r.VATID.patch(),
		Address: catalog.AddressChange{Clear: r.Address.Null, Street: a.Street.patch(), Postcode: a.Postcode.patch(), City: a.City.patch(), Region: a.Region.patch()}}
	c.Registrations.Given = r.Registrations.Given
	for _, registration := range r.Registrations.Value {
		c.Registrations.Value = append(c.Registrations.Value, catalog.RegistrationInput(registration))
	}
	return c
}

type storeResponse struct {
	Store storeView `json:"store"`

	ignored []notice
}

func (r *storeResponse) warnings() []notice { return r.ignored }

type storeView struct {
	ID                   string          `json:"id"`
	Name                 string          `json:"name"`
	Status               catalog.Status  `json:"status"`
	Logo                 *string         `json:"logo"`
	SupportEmail         *string         `json:"supportEmail"`
	Website              *string         `json:"website"`
	Slug                 string          `json:"slug"`
	ProdEnabled          bool            `json:"prodEnabled"`
	NotificationSettings map[string]bool `json:"notificationSettings"`
	CheckoutSettings     checkoutView    `json:"checkoutSettings"`
	Seller               sellerView      `json:"seller"`
	Links                linksView       `json:"links"`
	Origins              []string        `json:"origins"`
	FrameOrigins         []string        `json:"frameOrigins"`
	Consents             []consentView   `json:"consents"`
	DeletedAt            *string         `json:"deletedAt"`
	CreatedAt            string          `json:"createdAt"`
	UpdatedAt            string          `json:"updatedAt"`
}

type checkoutView struct {
	DefaultDarkMode bool      `json:"defaultDarkMode"`
	Light           themeView `json:"light"`
	Dark            themeView `json:"dark"`
}

type themeView struct {
	Logo         *string `json:"checkoutLogo"`
	Primary      string  `json:"checkoutColorPrimary"`
	Background   string  `json:"checkoutColorBackground"`
	Card         string  `json:"checkoutColorCard"`
	Text         string  `json:"checkoutColorText"`
	BorderRadius string  `json:"checkoutBorderRadius"`
}

type sellerView struct {
	Country       *string               `json:"country"`
	Everywhere    bool                  `json:"everywhere"`
	Registrations []registrationRequest `json:"registrations"`
	LegalName     *string               `json:"legalName"`
	Address       addressView           `json:"address"`
	VATID         *string               `json:"vatId"`
}

type addressView struct {
	Street   *string `json:"street"`
	Postcode *string `json:"postcode"`
	City     *string `json:"city"`
	Region   *string `json:"region"`
}

type linksView struct {
	Terms   *string `json:"terms"`
	Refunds *string `json:"refunds"`
	Privacy *string `json:"privacy"`
}

type consentView struct {
	Version   string   `json:"version"`
	Text      string   `json:"text"`
	Countries []string `json:"countries"`
	Always    bool     `json:"always"`
}

// orNull is nil for the empty text.
func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func (a *API) storeView(s *catalog.Store) storeView {
	v := storeView{
		ID: s.ID, Name: s.Name, Status: cmp.Or(s.Status, catalog.Active), Logo: orNull(s.Logo), SupportEmail: orNull(s.Links.SupportEmail),
		Website: orNull(s.Links.Website), Slug: s.Slug, ProdEnabled: a.config.Providers[checkout.Prod] != nil,
		NotificationSettings: make(map[string]bool), CheckoutSettings: checkoutViewOf(&s.Checkout), Seller: sellerViewOf(s),
		Links:   linksView{orNull(s.Links.Terms), orNull(s.Links.Refunds), orNull(s.Links.Privacy)},
		Origins: append([]string{}, s.Origins...), FrameOrigins: append([]string{}, s.Frames...), Consents: []consentView{}, CreatedAt: timestamp(s.CreatedAt), UpdatedAt: timestamp(cmp.Or(s.UpdatedAt, s.CreatedAt)),
	}
	for name := range catalog.NotificationSettings {
		v.NotificationSettings[name] = !slices.Contains(s.Muted, name)
	}
	for _, t := range s.Consents {
		v.Consents = append(v.Consents, consentView{t.Version, t.Text, append([]string{}, t.Countries...), t.Always})
	}
	if s.DeletedAt != 0 {
		v.DeletedAt = orNull(timestamp(s.DeletedAt))
	}
	return v
}

func checkoutViewOf(c *catalog.CheckoutSettings) checkoutView {
	return checkoutView{c.DarkMode != nil && *c.DarkMode, themeViewOf(c.Light, catalog.DefaultLight), themeViewOf(c.Dark, catalog.DefaultDark)}
}

// themeViewOf shows a theme as buyers see it, with the checkout's own where the store has none.
func themeViewOf(t, fallback catalog.Theme) themeView {
	return themeView{orNull(t.Logo), cmp.Or(t.Primary, fallback.Primary), cmp.Or(t.Background, fallback.Background),
		cmp.Or(t.Card, fallback.Card), cmp.Or(t.Text, fallback.Text), cmp.Or(t.BorderRadius, fallback.BorderRadius)}
}

func sellerViewOf(s *catalog.Store) sellerView {
	address := &s.Legal.Address
	v := sellerView{Country: orNull(string(s.Seller.Country)), Everywhere: s.Seller.Everywhere, Registrations: []registrationRequest{},
		LegalName: orNull(s.Legal.Name), VATID: orNull(s.Legal.VATID),
		Address: addressView{orNull(address.Street), orNull(address.Postcode), orNull(address.City), orNull(address.Region)}}
	for _, r := range s.Seller.Registrations {
		v.Registrations = append(v.Registrations, registrationRequest{r.Jurisdiction, r.From.String()})
	}
	return v
}

func (a *API) createStore(c *call, r *createStoreRequest) (*storeResponse, error) {
	return a.storeAnswer(a.config.Shops.CreateStore(c.ctx, c.caller.MerchantID, r.Name, nil))
}

func (a *API) updateStore(c *call, r *storeRequest) (*storeResponse, error) {
	change := r.change()
	answer, err := a.storeAnswer(a.config.Shops.UpdateStore(c.ctx, c.caller.MerchantID, r.ID, change))
	if err != nil {
		return nil, err
	}
	for _, name := range change.Notify.Dropped() {
		answer.ignored = append(answer.ignored, notice{Message: "notificationSettings." + name + " is managed by the platform and was ignored",
			Layer: layerStore, Code: "setting-ignored", Path: "/notificationSettings/" + name})
	}
	if r.WebhookSettings.Given {
		answer.ignored = append(answer.ignored, notice{Message: "webhookSettings field ignored", Layer: layerStore, Code: "webhook-settings-ignored",
			Path: "/webhookSettings", AIHint: "Switch to client.webhooks.add / update / remove"})
	}
	return answer, nil
}

func (a *API) deleteStore(c *call, r *idRequest) (*storeResponse, error) {
	return a.storeAnswer(a.config.Shops.DeleteStore(c.ctx, c.caller.MerchantID, r.ID))
}

func (a *API) storeAnswer(s *catalog.Store, err error) (*storeResponse, error) {
	if err != nil {
		return nil, err
	}
	return &storeResponse{Store: a.storeView(s)}, nil
}
