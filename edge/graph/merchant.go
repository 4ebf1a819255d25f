package graph

import (
	"context"
	"errors"

	graphql "github.com/graph-gophers/graphql-go"

	"github.com/crepe-checkout/crepe/edge/catalog"
)

// Merchant is the merchant of the API key; every other id is unknown.
func (q *query) Merchant(ctx context.Context, args idArgs) (*merchant, error) {
	v, err := merchantOf(ctx)
	if err != nil || args.ID != v.scope.MerchantID {
		return nil, err
	}
	return v.merchant(ctx)
}

func (v *viewer) merchant(ctx context.Context) (*merchant, error) {
	record, err := v.config.Records.Merchant(ctx, v.scope.MerchantID)
	if errors.Is(err, catalog.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &merchant{v, record}, v.spend(1)
}

func (q *query) StoreMerchantsCount(ctx context.Context) (int32, error) {
	v, err := merchantOf(ctx)
	if err != nil {
		return 0, err
	}
	stores, err := v.storesMatching(ctx, nil)
	return int32(len(stores)), err
}

func (q *query) APIKeysCount(ctx context.Context) (int32, error) {
	v, err := merchantOf(ctx)
	if err != nil {
		return 0, err
	}
	m, err := v.merchant(ctx)
	if err != nil || m == nil {
		return 0, err
	}
	return int32(len(m.APIKeys())), nil
}

// merchant resolves the merchant of its viewer.
type merchant struct {
	v      *viewer
	record *catalog.Merchant
}

func (m *merchant) ID() graphql.ID { return graphql.ID(m.record.ID) }
func (m *merchant) Name() string   { return m.record.Name }
func (m *merchant) Email() *string { return nil } // a merchant has none on record
func (m *merchant) Status() string { return string(catalog.Active) }

type storeMerchant struct {
	Role  string
	Store *store
}

// StoreMerchants are the stores of the merchant, which is the only member of each.
func (m *merchant) StoreMerchants(ctx context.Context) ([]storeMerchant, error) {
	v, err := merchantOf(ctx)
	if err != nil {
		return nil, err
	}
	stores, err := v.storesMatching(ctx, nil)
	var list []storeMerchant
	for _, s := range v.storeList(stores) {
		list = append(list, storeMerchant{"owner", s})
	}
	return list, err
}

type apiKey struct {
	ID           graphql.ID
	Nickname     *string
	Environment  string
	RecentlyUsed *string
	CreatedAt    *string
}

func (m *merchant) APIKeys() (list []apiKey) {
	for i := range m.record.Keys {
		if k := &m.record.Keys[i]; k.Environment == m.v.env && k.Live(m.v.config.Now()) {
			list = append(list, apiKey{graphql.ID(k.ID), orNull(k.Name), string(k.Environment), nil, timeOrNull(k.CreatedAt)})
		}
	}
	return list
}
