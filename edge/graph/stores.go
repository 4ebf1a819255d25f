package graph

import (
	"cmp"
	"context"

	graphql "github.com/graph-gophers/graphql-go"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/notify"
)

// query is the root of the schema. Its methods are in the files of what they read.
type query struct{}

type idArgs struct{ ID string }

type storeFilter struct {
	ID, Name, Slug, Status *stringFilter
	ProdEnabled            *booleanFilter
	CreatedAt, UpdatedAt   *dateTimeFilter
}

func (f *storeFilter) match(v *viewer, s *catalog.Store) bool {
	return f == nil || f.ID.match(s.ID) && f.Name.match(s.Name) && f.Slug.match(s.Slug) && f.Status.match(storeStatus(s)) &&
		f.ProdEnabled.match(v.config.ProdEnabled) && f.CreatedAt.match(s.CreatedAt) && f.UpdatedAt.match(updated(s))
}

func (f *storeFilter) check() error {
	if f == nil {
		return nil
	}
	return checked(f.ID, f.Name, f.Slug, f.Status, f.CreatedAt, f.UpdatedAt)
}

type storesArgs struct {
	paging
	Filter *storeFilter
}

// Stores lists the stores that have not been deleted.
func (q *query) Stores(ctx context.Context, args storesArgs) ([]*store, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return nil, err
	}
	matching, err := v.storesMatching(ctx, args.Filter)
	if err != nil {
		return nil, err
	}
	matching, err = page(args.paging, matching)
	if err == nil {
		err = v.spend(len(matching))
	}
	return v.storeList(matching), err
}

func (q *query) StoresCount(ctx context.Context, args struct{ Filter *storeFilter }) (int32, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return 0, err
	}
	matching, err := v.storesMatching(ctx, args.Filter)
	return int32(len(matching)), err
}

func (v *viewer) storesMatching(ctx context.Context, f *storeFilter) (matching []*catalog.Store, err error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	all, err := v.storesIn(ctx, nil)
	for _, s := range all {
		if s.DeletedAt == 0 && f.match(v, s) {
			matching = append(matching, s)
		}
	}
	return matching, err
}

func (q *query) Store(ctx context.Context, args idArgs) (*store, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return nil, err
	}
	return v.store(ctx, args.ID)
}

// store reads a store that the viewer may see; nil for every other id.
func (v *viewer) store(ctx context.Context, id string) (*store, error) {
	found, err := v.storesIn(ctx, &id)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &store{v, found[0]}, nil
}

func (v *viewer) storeList(list []*catalog.Store) []*store {
	stores := make([]*store, len(list))
	for i, s := range list {
		stores[i] = &store{v, s}
	}
	return stores
}

// store resolves a store that its viewer may see.
type store struct {
	v      *viewer
	record *catalog.Store
}

func storeStatus(s *catalog.Store) string { return string(cmp.Or(s.Status, catalog.Active)) }

func updated(s *catalog.Store) int64 { return cmp.Or(s.UpdatedAt, s.CreatedAt) }

func (s *store) ID() graphql.ID        { return graphql.ID(s.record.ID) }
func (s *store) Name() string          { return s.record.Name }
func (s *store) Slug() string          { return s.record.Slug }
func (s *store) Status() string        { return storeStatus(s.record) }
func (s *store) Logo() *string         { return orNull(s.record.Logo) }
func (s *store) SupportEmail() *string { return orNull(s.record.Links.SupportEmail) }
func (s *store) Website() *string      { return orNull(s.record.Links.Website) }
func (s *store) ProdEnabled() bool     { return s.v.config.ProdEnabled }
func (s *store) CreatedAt() string     { return timestamp(s.record.CreatedAt) }
func (s *store) UpdatedAt() string     { return timestamp(updated(s.record)) }
func (s *store) DeletedAt() *string    { return timeOrNull(s.record.DeletedAt) }

func (s *store) OnetimeProducts(ctx context.Context, args struct {
	paging
	Filter *productFilter
}) ([]*product, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return nil, err
	}
	return v.products(ctx, &s.record.ID, args.paging, args.Filter)
}

func (s *store) SubscriptionProducts(paging) []*subscriptionProduct { return nil }

func (s *store) StoreWebhooks(ctx context.Context) ([]*webhook, error) {
	v, err := merchantOf(ctx)
	if err == errMerchantOnly {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	endpoints, err := v.config.Records.Endpoints(ctx, v.env, s.record.ID)
	if err != nil {
		return nil, err
	}
	var webhooks []*webhook
	for i := range endpoints.Items {
		webhooks = append(webhooks, &webhook{&endpoints.Items[i]})
	}
	return webhooks, v.spend(1)
}

type webhook struct{ record *notify.Endpoint }

func (w *webhook) ID() graphql.ID      { return graphql.ID(w.record.ID) }
func (w *webhook) StoreID() graphql.ID { return graphql.ID(w.record.StoreID) }
func (w *webhook) Channel() string     { return "http" }
func (w *webhook) URL() string         { return w.record.URL }
func (w *webhook) Events() []string    { return w.record.Events }
func (w *webhook) TestMode() bool      { return w.record.Environment == checkout.Test }
func (w *webhook) CreatedAt() string   { return timestamp(w.record.CreatedAt) }
func (w *webhook) UpdatedAt() string   { return timestamp(w.record.UpdatedAt) }
