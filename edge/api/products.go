package api

import (
	"maps"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/catalog"
)

type productRequest struct {
	ID          string                            `json:"id"`      // of an update
	StoreID     string                            `json:"storeId"` // of a new product
	Name        optional[string]                  `json:"name"`
	Description optional[string]                  `json:"description"`
	Prices      optional[map[string]priceRequest] `json:"prices"`
	Media       optional[[]mediaView]             `json:"media"`
	SuccessURL  optional[string]                  `json:"successUrl"`
	Metadata    optional[map[string]catalog.JSON] `json:"metadata"`
}

func (*productRequest) nested() {}

type priceRequest struct {
	Amount      string `json:"amount"`
	TaxCategory string `json:"taxCategory"`
	TaxIncluded bool   `json:"taxIncluded"`
	TrialAmount string `json:"trialAmount"`
}

type mediaView struct {
	Type      catalog.MediaType `json:"type"`
	URL       string            `json:"url"`
	Alt       string            `json:"alt,omitempty"`
	Thumbnail string            `json:"thumbnail,omitempty"`
}

// change reads a request. A name or prices that are null count as absent.
func (r *productRequest) change() *catalog.ProductChange {
	c := &catalog.ProductChange{Description: r.Description.patch(), SuccessURL: r.SuccessURL.patch(), Metadata: r.Metadata.patch()}
	c.Name = catalog.Patch[string]{Given: r.Name.Given && !r.Name.Null, Value: r.Name.Value}
	if c.Prices.Given = r.Prices.Given && !r.Prices.Null; c.Prices.Given {
		c.Prices.Value = make(map[string]catalog.PriceInput)
		for currency, p := range r.Prices.Value {
			c.Prices.Value[currency] = catalog.PriceInput(p)
		}
	}
	c.Media.Given = r.Media.Given
	for _, m := range r.Media.Value {
		c.Media.Value = append(c.Media.Value, catalog.Media(m))
	}
	return c
}

type statusRequest struct {
	ID     string `json:"id"`
	Status string `json:"status"`
}

type productResponse struct {
	Product productView `json:"product"`
}

type productView struct {
	ID          string                  `json:"id"`
	StoreID     string                  `json:"storeId"`
	Name        string                  `json:"name"`
	Description *string                 `json:"description"`
	Prices      map[string]priceView    `json:"prices"`
	Media       []mediaView             `json:"media"`
	SuccessURL  *string                 `json:"successUrl"`
	Metadata    map[string]catalog.JSON `json:"metadata"`
	Status      catalog.Status          `json:"status"`
	CreatedAt   string                  `json:"createdAt"`
	UpdatedAt   string                  `json:"updatedAt"`
}

type priceView struct {
	Amount      string `json:"amount"`
	TaxCategory string `json:"taxCategory"`
	TaxIncluded bool   `json:"taxIncluded,omitempty"`
}

// productAnswer shows a product as it is in an environment.
func productAnswer(env checkout.Environment, p *catalog.Product, err error) (*productResponse, error) {
	if err != nil {
		return nil, err
	}
	listing := p.In(env)
	version := listing.Version
	v := productView{ID: p.ID, StoreID: p.StoreID, Name: version.Name, Description: orNull(version.Description), Prices: make(map[string]priceView),
		Media: []mediaView{}, SuccessURL: orNull(version.SuccessURL), Metadata: make(map[string]catalog.JSON), Status: catalog.Active,
		CreatedAt: timestamp(p.CreatedAt), UpdatedAt: timestamp(p.UpdatedAt)}
	for _, price := range version.Prices {
		v.Prices[string(price.Amount.Currency)] = priceView{price.Amount.String(), price.Category.String(), price.TaxIncluded}
	}
	for _, m := range version.Media {
		v.Media = append(v.Media, mediaView(m))
	}
	maps.Copy(v.Metadata, version.Metadata)
	if listing.Inactive {
		v.Status = catalog.Inactive
	}
	return &productResponse{v}, nil
}

func (a *API) createProduct(c *call, r *productRequest) (*productResponse, error) {
	p, err := a.config.Shops.CreateProduct(c.ctx, c.caller.MerchantID, r.StoreID, r.change())
	return productAnswer(checkout.Test, p, err)
}

func (a *API) updateProduct(c *call, r *productRequest) (*productResponse, error) {
	p, err := a.config.Shops.UpdateProduct(c.ctx, c.caller.MerchantID, r.ID, r.change())
	return productAnswer(checkout.Test, p, err)
}

func (a *API) publishProduct(c *call, r *idRequest) (*productResponse, error) {
	p, err := a.config.Shops.PublishProduct(c.ctx, c.caller.MerchantID, r.ID)
	return productAnswer(checkout.Prod, p, err)
}

func (a *API) setProductStatus(c *call, r *statusRequest) (*productResponse, error) {
	p, err := a.config.Shops.SetProductStatus(c.ctx, c.caller.MerchantID, r.ID, c.caller.Environment, r.Status)
	return productAnswer(c.caller.Environment, p, err)
}
