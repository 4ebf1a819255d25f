package graph

import (
	"context"
	"errors"
	"sync"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/auth"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/sessions"
)

// viewer is who a query runs for, and what it has read so far. Everything that a query may see is decided here.
type viewer struct {
	*Service
	env   checkout.Environment
	scope orders.Scope

	mu       sync.Mutex
	records  int   // read so far
	failed   error // of a read in a filter, which cannot return it
	stores   map[string]*catalog.Store
	owned    []*catalog.Store // of the scope, newest first; nil before they are read
	sessions map[string]*sessions.Session
	versions map[string]*catalog.Version
}

func (s *Service) newViewer(c *auth.Caller) *viewer {
	return &viewer{Service: s, env: c.Environment,
		scope:  orders.Scope{Environment: c.Environment, MerchantID: c.MerchantID, StoreID: c.StoreID, Identity: c.Identity},
		stores: map[string]*catalog.Store{}, sessions: map[string]*sessions.Session{}, versions: map[string]*catalog.Version{}}
}

type viewerKey struct{}

func withViewer(ctx context.Context, v *viewer) context.Context {
	return context.WithValue(ctx, viewerKey{}, v)
}

var (
	errSchemaOnly   = problem.New(problem.Invalid, "introspection-too-deep", "", "A query of the schema with a depth of more than 7 reads no data")
	errMerchantOnly = problem.New(problem.Forbidden, "api-key-required", "", "This field needs an API key")
)

// viewerOf returns the viewer of a query; an error in a query of the schema alone.
func viewerOf(ctx context.Context) (*viewer, error) {
	v, ok := ctx.Value(viewerKey{}).(*viewer)
	if !ok {
		return nil, errSchemaOnly
	}
	return v, nil
}

// merchantOf is viewerOf for what a customer may not see.
func merchantOf(ctx context.Context) (*viewer, error) {
	v, err := viewerOf(ctx)
	if err == nil && !v.scope.Merchant() {
		err = errMerchantOnly
	}
	return v, err
}

// spend counts records that are read, and stops a query that reads too many.
func (v *viewer) spend(records int) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.records += records; v.records > maxRecords {
		return errTooCostly
	}
	return nil
}

// storesIn returns the stores that the viewer may see, or with an id the one with it; a foreign id has none, as an unknown one.
// The stores of a merchant include deleted ones: what they have sold remains the merchant's.
func (v *viewer) storesIn(ctx context.Context, id *string) ([]*catalog.Store, error) {
	if id == nil {
		return v.allStores(ctx)
	}
	if !v.scope.Merchant() && *id != v.scope.StoreID {
		return nil, nil
	}
	store, err := v.storeRecord(ctx, *id)
	if err != nil || store == nil || v.scope.Merchant() && store.MerchantID != v.scope.MerchantID {
		return nil, err
	}
	return []*catalog.Store{store}, nil
}

// storeRecord reads any store; nil if there is none.
func (v *viewer) storeRecord(ctx context.Context, id string) (*catalog.Store, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if known, ok := v.stores[id]; ok {
		return known, nil
	}
	store, err := v.config.Records.Store(ctx, id)
	if errors.Is(err, catalog.ErrNotFound) {
		store, err = nil, nil
	}
	if err == nil {
		v.stores[id] = store
	}
	return store, err
}

func (v *viewer) allStores(ctx context.Context) ([]*catalog.Store, error) {
	if !v.scope.Merchant() {
		return v.storesIn(ctx, &v.scope.StoreID)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.owned != nil {
		return v.owned, nil
	}
	owned, err := all(func(skip int) ([]*catalog.Store, error) {
		return v.config.Records.Stores(ctx, v.scope.MerchantID, skip, chunk)
	})
	v.owned = owned
	return owned, err
}

// listIn is the list of the orders that the viewer may see, in the store with an id or, without one, in all of its stores.
func (v *viewer) listIn(ctx context.Context, storeID *string) (orders.List, error) {
	stores, err := v.storesIn(ctx, storeID)
	l := orders.List{Environment: v.env, Identity: v.scope.Identity}
	for _, store := range stores {
		l.Stores = append(l.Stores, store.ID)
	}
	return l, err
}

// order reads an order that the viewer may see; nil for every other id.
func (v *viewer) order(ctx context.Context, id string) (*orders.Order, error) {
	return v.visible(v.config.Records.Order(ctx, v.env, id))
}

// orderOfPayment reads the order of a payment that the viewer may see; nil for every other id.
func (v *viewer) orderOfPayment(ctx context.Context, id string) (*orders.Order, error) {
	return v.visible(v.config.Records.OrderOfPayment(ctx, v.env, id))
}

func (v *viewer) visible(o *orders.Order, err error) (*orders.Order, error) {
	if errors.Is(err, orders.ErrNotFound) || err == nil && !v.scope.Sees(o) {
		return nil, v.spend(1)
	}
	if err != nil {
		return nil, err
	}
	return o, v.spend(1)
}

// product reads a product that the viewer may see, with its version; nil for every other id. A product that has never been
// published in the environment cannot be seen there, nor by a customer one that is off sale.
func (v *viewer) product(ctx context.Context, id string) (*catalog.Product, error) {
	p, err := v.config.Records.Product(ctx, id)
	if errors.Is(err, catalog.ErrNotFound) {
		return nil, v.spend(1)
	}
	if err != nil {
		return nil, err
	}
	stores, err := v.storesIn(ctx, &p.StoreID)
	if err != nil || len(stores) == 0 || !v.shows(p) {
		return nil, err
	}
	return p, v.spend(1)
}

// shows reports whether the viewer may see a product of a store that it may see. Products of other types than one-time are not there.
func (v *viewer) shows(p *catalog.Product) bool {
	listing := p.In(v.env)
	return p.Type == checkout.OneTime && listing.Version != nil && (v.scope.Merchant() || !listing.Inactive)
}

// session reads the session of an order that the viewer may see; nil if it is no longer kept.
func (v *viewer) session(ctx context.Context, o *orders.Order) (*sessions.Session, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if known, ok := v.sessions[o.SessionID]; ok {
		return known, nil
	}
	session, err := v.config.Records.Session(ctx, o.SessionID)
	if errors.Is(err, sessions.ErrNotFound) {
		session, err = nil, nil
	}
	if v.records++; v.records > maxRecords {
		err = errTooCostly
	}
	if err == nil {
		v.sessions[o.SessionID] = session
	}
	return session, err
}

// filterFailed returns the error of a read in a filter.
func (v *viewer) filterFailed() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.failed
}

// version reads a version of a product that the viewer may see or has an order of; nil if it is not on record.
func (v *viewer) version(ctx context.Context, productID, id string) (*catalog.Version, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if known, ok := v.versions[id]; ok {
		return known, nil
	}
	version, err := v.config.Records.Version(ctx, productID, id)
	if errors.Is(err, catalog.ErrNotFound) {
		version, err = nil, nil
	}
	if v.records++; v.records > maxRecords {
		err = errTooCostly
	}
	if err == nil {
		v.versions[id] = version
	}
	return version, err
}

// chunk is how many records are read at once where all are needed.
const chunk = 500

// all reads a whole list in chunks. A list of more than maxRecords makes the query too costly.
func all[T any](read func(skip int) ([]T, error)) (list []T, err error) {
	for {
		some, err := read(len(list))
		if err != nil {
			return nil, err
		}
		if list = append(list, some...); len(some) < chunk {
			return list, nil
		}
		if len(list) > maxRecords {
			return nil, errTooCostly
		}
	}
}
