package graph

import (
	"cmp"
	"context"

	graphql "github.com/graph-gophers/graphql-go"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/catalog"
)

type productFilter struct {
	ID, Name, Status     *stringFilter
	CreatedAt, UpdatedAt *dateTimeFilter
}

func (f *productFilter) match(v *viewer, p *catalog.Product) bool {
	listing := p.In(v.env)
	return f == nil || f.ID.match(p.ID) && f.Name.match(listing.Version.Name) && f.Status.match(listingStatus(listing)) &&
		f.CreatedAt.match(p.CreatedAt) && f.UpdatedAt.match(p.UpdatedAt)
}

func (f *productFilter) check() error {
	if f == nil {
		return nil
	}
	return checked(f.ID, f.Name, f.Status, f.CreatedAt, f.UpdatedAt)
}

type productsArgs struct {
	StoreID *string
	paging
	Filter *productFilter
}

func (q *query) OnetimeProducts(ctx context.Context, args productsArgs) ([]*product, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return nil, err
	}
	return v.products(ctx, args.StoreID, args.paging, args.Filter)
}

func (q *query) OnetimeProductsCount(ctx context.Context, args struct {
	StoreID *string
	Filter  *productFilter
}) (int32, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return 0, err
	}
	matching, err := v.productsMatching(ctx, args.StoreID, args.Filter)
	return int32(len(matching)), err
}

func (v *viewer) products(ctx context.Context, storeID *string, p paging, f *productFilter) ([]*product, error) {
	matching, err := v.productsMatching(ctx, storeID, f)
	if err != nil {
		return nil, err
	}
	matching, err = page(p, matching)
	list := make([]*product, len(matching))
	for i, record := range matching {
		list[i] = &product{v, record, record.In(v.env)}
	}
	return list, err
}

func (v *viewer) productsMatching(ctx context.Context, storeID *string, f *productFilter) (matching []*catalog.Product, err error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	stores, err := v.storesIn(ctx, storeID)
	if err != nil {
		return nil, err
	}
	for _, s := range stores {
		if s.DeletedAt != 0 {
			continue
		}
		products, err := all(func(skip int) ([]*catalog.Product, error) {
			return v.config.Records.Products(ctx, s.ID, skip, chunk)
		})
		if err := cmp.Or(err, v.spend(len(products))); err != nil {
			return nil, err
		}
		for _, p := range products {
			if v.shows(p) && f.match(v, p) {
				matching = append(matching, p)
			}
		}
	}
	return matching, nil
}

func (q *query) OnetimeProduct(ctx context.Context, args idArgs) (*product, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return nil, err
	}
	record, err := v.product(ctx, args.ID)
	if err != nil || record == nil {
		return nil, err
	}
	return &product{v, record, record.In(v.env)}, nil
}

// product resolves a product that its viewer may see, in the viewer's environment.
type product struct {
	v       *viewer
	record  *catalog.Product
	listing *catalog.Listing
}

func listingStatus(l *catalog.Listing) string {
	if l.Inactive {
		return string(catalog.Inactive)
	}
	return string(catalog.Active)
}

func (p *product) ID() graphql.ID            { return graphql.ID(p.record.ID) }
func (p *product) StoreID() graphql.ID       { return graphql.ID(p.record.StoreID) }
func (p *product) Name() string              { return p.listing.Version.Name }
func (p *product) Description() *string      { return orNull(p.listing.Version.Description) }
func (p *product) Prices() []currencyPrice   { return pricesOf(p.listing.Version) }
func (p *product) Media() []mediaItem        { return mediaOf(p.listing.Version) }
func (p *product) SuccessURL() *string       { return orNull(p.listing.Version.SuccessURL) }
func (p *product) Metadata() (string, error) { return object(p.listing.Version.Metadata) }
func (p *product) Status() string            { return listingStatus(p.listing) }
func (p *product) HasProdVersion() bool      { return p.record.Prod.Version != nil }
func (p *product) CreatedAt() string         { return timestamp(p.record.CreatedAt) }
func (p *product) UpdatedAt() string         { return timestamp(p.record.UpdatedAt) }

func (p *product) Store(ctx context.Context) (*store, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return nil, err
	}
	return v.store(ctx, p.record.StoreID)
}

type currencyPrice struct {
	Currency  string
	PriceInfo priceInfo
}

type priceInfo struct {
	Amount, TaxCategory string
	TaxIncluded         bool
}

func pricesOf(version *catalog.Version) []currencyPrice {
	prices := make([]currencyPrice, len(version.Prices))
	for i, p := range version.Prices {
		prices[i] = currencyPrice{string(p.Amount.Currency), priceInfo{p.Amount.String(), p.Category.String(), p.TaxIncluded}}
	}
	return prices
}

type mediaItem struct {
	Type, URL      string
	Alt, Thumbnail *string
}

func mediaOf(version *catalog.Version) []mediaItem {
	media := make([]mediaItem, len(version.Media))
	for i, m := range version.Media {
		media[i] = mediaItem{string(m.Type), m.URL, orNull(m.Alt), orNull(m.Thumbnail)}
	}
	return media
}

type versionsArgs struct {
	ProductID string
	paging
}

func (q *query) OnetimeProductVersions(ctx context.Context, args versionsArgs) ([]*version, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return nil, err
	}
	p, all, err := v.versionsOn(ctx, args.ProductID)
	if err != nil {
		return nil, err
	}
	all, err = page(args.paging, all)
	list := make([]*version, len(all))
	for i, record := range all {
		list[i] = &version{p, record}
	}
	return list, err
}

func (q *query) OnetimeProductVersionsCount(ctx context.Context, args struct{ ProductID string }) (int32, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return 0, err
	}
	_, all, err := v.versionsOn(ctx, args.ProductID)
	return int32(len(all)), err
}

// versionsOn reads the versions of a product that the viewer may see. A customer sees the one on sale.
func (v *viewer) versionsOn(ctx context.Context, productID string) (*catalog.Product, []*catalog.Version, error) {
	p, err := v.product(ctx, productID)
	if err != nil || p == nil {
		return nil, nil, err
	}
	if !v.scope.Merchant() {
		return p, []*catalog.Version{p.In(v.env).Version}, nil
	}
	versions, err := all(func(skip int) ([]*catalog.Version, error) {
		return v.config.Records.Versions(ctx, p.ID, skip, chunk)
	})
	return p, versions, cmp.Or(err, v.spend(len(versions)))
}

type version struct {
	product *catalog.Product
	record  *catalog.Version
}

func (p *version) ID() graphql.ID            { return graphql.ID(p.record.ID) }
func (p *version) VersionNumber() int32      { return int32(p.record.Number) }
func (p *version) Name() string              { return p.record.Name }
func (p *version) Description() *string      { return orNull(p.record.Description) }
func (p *version) Prices() []currencyPrice   { return pricesOf(p.record) }
func (p *version) Media() []mediaItem        { return mediaOf(p.record) }
func (p *version) SuccessURL() *string       { return orNull(p.record.SuccessURL) }
func (p *version) Metadata() (string, error) { return object(p.record.Metadata) }
func (p *version) IsTestVersion() bool       { return p.is(checkout.Test) }
func (p *version) IsProdVersion() bool       { return p.is(checkout.Prod) }
func (p *version) CreatedAt() string         { return timestamp(p.record.CreatedAt) }

func (p *version) is(env checkout.Environment) bool {
	current := p.product.In(env).Version
	return current != nil && current.ID == p.record.ID
}
