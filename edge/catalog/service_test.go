package catalog_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/badgerstore"
	"github.com/crepe-checkout/crepe/edge/catalog"
)

const (
	merchant = "MER_2aUyqjCzEIiEcYMKj7TZtw"
	other    = "MER_0000000000000000000001"
)

// world is a service on a real store, with a clock that moves a second with each look.
type world struct {
	*catalog.Service
	db  *badgerstore.DB
	mu  sync.Mutex
	now time.Time
}

func open(t *testing.T, random io.Reader) *world {
	t.Helper()
	db, err := badgerstore.Open(t.TempDir(), badgerstore.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &world{db: db, now: time.UnixMilli(1_800_000_000_000)}
	w.Service = catalog.New(catalog.Config{Records: db, Now: w.tick, Rand: random})
	return w
}

func (w *world) tick() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(time.Second)
	return w.now
}

func (w *world) store(t *testing.T) *catalog.Store {
	t.Helper()
	s, err := w.CreateStore(t.Context(), merchant, "Shop", nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (w *world) product(t *testing.T, storeID string) *catalog.Product {
	t.Helper()
	p, err := w.CreateProduct(t.Context(), merchant, storeID, &catalog.ProductChange{Name: catalog.Set("Guide"), Prices: catalog.Set(prices("1.00"))})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func prices(amount string) map[string]catalog.PriceInput {
	return map[string]catalog.PriceInput{"EUR": {Amount: amount, TaxCategory: "ebook"}}
}

func refused(err error, kind problem.Kind, path, text string) bool {
	p, ok := errors.AsType[*problem.Problem](err)
	return ok && p.Kind == kind && p.Path == path && p.Message == text
}

// TestVersions: a change makes the next version, the same content makes none, publishing copies the version, and the status is that of one
// environment.
func TestVersions(t *testing.T) {
	w := open(t, rand.Reader)
	ctx, first := t.Context(), w.product(t, w.store(t).ID)
	if first.Test.Version.Number != 1 || first.Prod.Version != nil || first.OnSale(checkout.Test) == nil || first.OnSale(checkout.Prod) != nil {
		t.Fatalf("a new product: %+v", first)
	}
	same, err := w.UpdateProduct(ctx, merchant, first.ID, &catalog.ProductChange{Name: catalog.Set(" Guide "), Prices: catalog.Set(prices("1"))})
	if err != nil || same.Test.Version.ID != first.Test.Version.ID || same.UpdatedAt != first.UpdatedAt {
		t.Errorf("the same content: %+v, %v", same, err)
	}
	second, err := w.UpdateProduct(ctx, merchant, first.ID, &catalog.ProductChange{Prices: catalog.Set(prices("2.00"))})
	if err != nil || second.Test.Version.Number != 2 || second.Test.Version.ID == first.Test.Version.ID || second.Test.Version.Name != "Guide" ||
		second.UpdatedAt <= first.UpdatedAt || second.CreatedAt != first.CreatedAt {
		t.Errorf("another price: %+v, %v", second, err)
	}
	if _, err := w.SetProductStatus(ctx, merchant, first.ID, checkout.Prod, "inactive"); !refused(err, problem.Invalid, "/id", "Product is not published") {
		t.Errorf("the status in prod before publishing: %v", err)
	}
	published, err := w.PublishProduct(ctx, merchant, first.ID)
	if err != nil || published.Prod.Version.ID != second.Test.Version.ID {
		t.Errorf("published: %+v, %v", published, err)
	}
	again, err := w.PublishProduct(ctx, merchant, first.ID)
	if err != nil || again.UpdatedAt != published.UpdatedAt {
		t.Errorf("published again: %+v, %v", again, err)
	}
	off, err := w.SetProductStatus(ctx, merchant, first.ID, checkout.Prod, "inactive")
	if err != nil || off.OnSale(checkout.Prod) != nil || off.OnSale(checkout.Test) == nil {
		t.Errorf("off sale in prod: %+v, %v", off, err)
	}
	third, err := w.UpdateProduct(ctx, merchant, first.ID, &catalog.ProductChange{Name: catalog.Set("Guide 2")})
	if err != nil || third.Prod.Version.Number != 2 || !third.Prod.Inactive || third.Test.Version.Number != 3 {
		t.Errorf("the third version: %+v, %v", third, err)
	}
	versions, err := w.db.Versions(ctx, first.ID, 0, 9)
	if err != nil || len(versions) != 3 || versions[0].Name != "Guide 2" || versions[2].Prices[0].Amount.Minor != 100 {
		t.Errorf("versions: %+v, %v", versions, err)
	}
}

// TestPublishChecksProd: what prod does not take is not published.
func TestPublishChecksProd(t *testing.T) {
	w := open(t, rand.Reader)
	p := w.product(t, w.store(t).ID)
	limited := catalog.New(catalog.Config{Records: w.db, Now: w.tick, Rand: rand.Reader,
		Unchargeable: func(env checkout.Environment, _ *catalog.Price) string {
			return map[checkout.Environment]string{checkout.Prod: "expected at least 5.00 EUR"}[env]
		}})
	if _, err := limited.PublishProduct(t.Context(), merchant, p.ID); !refused(err, problem.Invalid, "/id",
		"Product price in EUR cannot be charged: expected at least 5.00 EUR") {
		t.Errorf("a price: %v", err)
	}
	if _, err := w.UpdateProduct(t.Context(), merchant, p.ID, &catalog.ProductChange{SuccessURL: catalog.Set("http://localhost:3000/ok")}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.PublishProduct(t.Context(), merchant, p.ID); !refused(err, problem.Invalid, "/id", "Product has an invalid successUrl") {
		t.Errorf("a success URL: %v", err)
	}
}

// TestConcurrentUpdates: of many updates at once none is lost, and each version has a number of its own.
func TestConcurrentUpdates(t *testing.T) {
	w := open(t, rand.Reader)
	ctx, store := t.Context(), w.store(t)
	p := w.product(t, store.ID)
	const racers = 16
	var all sync.WaitGroup
	for i := range racers {
		all.Go(func() {
			key := "k" + strconv.Itoa(i)
			if _, err := w.UpdateStore(ctx, merchant, store.ID, &catalog.StoreChange{Notify: catalog.NotifyChange{
				Set: map[string]catalog.Patch[bool]{settings[i%len(settings)]: catalog.Set(false)}}}); err != nil {
				t.Error(err)
			}
			if _, err := w.UpdateProduct(ctx, merchant, p.ID, &catalog.ProductChange{Description: catalog.Set(key)}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	versions, err := w.db.Versions(ctx, p.ID, 0, 99)
	if err != nil || len(versions) != racers+1 {
		t.Fatalf("%d versions, %v", len(versions), err)
	}
	seen := make(map[string]bool)
	for i, v := range versions {
		if seen[v.Description] || v.Number != racers+1-i {
			t.Errorf("version %d: %+v", i, v)
		}
		seen[v.Description] = true
	}
	if stored, err := w.db.Store(ctx, store.ID); err != nil || len(stored.Muted) != len(settings) {
		t.Errorf("the settings: %+v, %v", stored, err)
	}
}

var settings = []string{"notifyNewOrders", "notifyChargeback", "emailTrialEnding", "emailUpcomingCharge"}

// TestForeign: another merchant's store and product, those of a deleted store, a subscription and an unknown id are refused alike.
func TestForeign(t *testing.T) {
	w := open(t, rand.Reader)
	ctx, store := t.Context(), w.store(t)
	p := w.product(t, store.ID)
	gone := w.store(t)
	goneProduct := w.product(t, gone.ID)
	deleted, err := w.DeleteStore(ctx, merchant, gone.ID)
	if err != nil || deleted.DeletedAt == 0 {
		t.Fatalf("%+v, %v", deleted, err)
	}
	subscription := &catalog.Product{ID: "PROD_0000000000000000000009", StoreID: store.ID, Type: checkout.Subscription, Test: p.Test}
	if err := w.db.Put(ctx, catalog.Change{Products: []*catalog.Product{subscription}}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ merchant, storeID, productID string }{
		{other, store.ID, p.ID}, {merchant, gone.ID, goneProduct.ID}, {merchant, "STO_0000000000000000000000", "PROD_0000000000000000000000"},
		{merchant, "STO_0000000000000000000000", subscription.ID}, {"", store.ID, p.ID},
	} {
		_, update := w.UpdateStore(ctx, c.merchant, c.storeID, new(catalog.StoreChange))
		_, remove := w.DeleteStore(ctx, c.merchant, c.storeID)
		_, create := w.CreateProduct(ctx, c.merchant, c.storeID, new(catalog.ProductChange))
		_, change := w.UpdateProduct(ctx, c.merchant, c.productID, new(catalog.ProductChange))
		_, publish := w.PublishProduct(ctx, c.merchant, c.productID)
		_, status := w.SetProductStatus(ctx, c.merchant, c.productID, checkout.Test, "inactive")
		if !refused(update, problem.NotFound, "/id", "Store not found") || !refused(remove, problem.NotFound, "/id", "Store not found") ||
			!refused(create, problem.NotFound, "/storeId", "Store not found") {
			t.Errorf("%+v: %v, %v, %v", c, update, remove, create)
		}
		for _, err := range []error{change, publish, status} {
			if !refused(err, problem.NotFound, "/id", "Product not found") {
				t.Errorf("%+v: %v", c, err)
			}
		}
	}
	for id, text := range map[string]string{"": "Missing required field: id", "STO_1": "Invalid id: expected Store Short ID format (STO_xxx)",
		p.ID: "Invalid id: expected Store Short ID format (STO_xxx)"} {
		if _, err := w.UpdateStore(ctx, merchant, id, new(catalog.StoreChange)); !refused(err, problem.Invalid, "/id", text) {
			t.Errorf("%q: %v", id, err)
		}
	}
	if _, err := w.PublishProduct(ctx, merchant, store.ID); !refused(err, problem.Invalid, "/id", "Invalid id: expected Product Short ID format (PROD_xxx)") {
		t.Errorf("a store for a product: %v", err)
	}
	for status, text := range map[string]string{"": "Missing required field: status", "suspended": "Invalid status: expected one of [active, inactive]"} {
		if _, err := w.SetProductStatus(ctx, merchant, p.ID, checkout.Test, status); !refused(err, problem.Invalid, "/status", text) {
			t.Errorf("%q: %v", status, err)
		}
	}
	for given, text := range map[string]string{"": "Missing required field: name", strings.Repeat("x", 49): "name must be at most 48 characters"} {
		if _, err := w.CreateStore(ctx, merchant, given, nil); !refused(err, problem.Invalid, "/name", text) {
			t.Errorf("%q: %v", given, err)
		}
	}
}

// TestSlugTaken: a slug that is taken, also by a deleted store, is made anew.
func TestSlugTaken(t *testing.T) {
	id := func() []byte { b := make([]byte, 16); rand.Read(b); return b }
	var random bytes.Buffer
	for _, part := range [][]byte{id(), {1, 2, 3}, id(), {1, 2, 3}, {1, 2, 3}, {4, 5, 6}} {
		random.Write(part)
	}
	w := open(t, &random)
	first := w.store(t)
	if _, err := w.DeleteStore(t.Context(), merchant, first.ID); err != nil {
		t.Fatal(err)
	}
	if second := w.store(t); first.Slug != "shop-010203" || second.Slug != "shop-040506" {
		t.Errorf("%s and %s", first.Slug, second.Slug)
	}
}
