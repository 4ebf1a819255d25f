package dashboard

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/sessions"
)

// TestProducts: a store's products are shown as they are in each environment.
func TestProducts(t *testing.T) {
	w := open(t, "")
	w.get("/dashboard/test/products").shows(t, 200, "There is no store yet")
	s := w.store(t, 1)
	w.get("/dashboard/test/products").shows(t, 200, "Shop No. 1", "The store has no products")
	version := &catalog.Version{ID: "PVER_1", Number: 1, Name: "Fieldnotes", Description: "Notes",
		Prices: []catalog.Price{{Amount: money.Amount{Minor: 450000, Currency: "JPY"}, Category: tax.SaaS, TaxIncluded: true}}}
	p := &catalog.Product{ID: "PROD_1", StoreID: s.ID, Type: checkout.OneTime, Test: catalog.Listing{Version: version}}
	if err := w.db.Put(t.Context(), catalog.Change{Products: []*catalog.Product{p}}); err != nil {
		t.Fatal(err)
	}
	w.get("/dashboard/test/products").shows(t, 200, "Fieldnotes", "450,000 JPY", "On sale")
	w.get("/dashboard/prod/products").shows(t, 200, "Fieldnotes", "Not published")
	w.get("/dashboard/test/products/PROD_1").shows(t, 200, "PVER_1", "Saas, tax included", own+"/store/shop-1/product/PROD_1?test=true")
	if a := w.get("/dashboard/prod/products/PROD_1"); a.status != 200 || strings.Contains(a.body, "/product/PROD_1") {
		t.Error("the page has a link where nothing is on sale")
	}
	w.get("/dashboard/test/products/PROD_2").shows(t, 404)
	w.get("/dashboard/test/products?page=-1").shows(t, 200, "Fieldnotes")
	w.get("/dashboard/test/products?page=7").shows(t, 200, "First page")
}

// TestDeletedStore: a page about one store begins with one that exists.
func TestDeletedStore(t *testing.T) {
	w := open(t, "")
	deleted := w.store(t, 1)
	deleted.DeletedAt, deleted.Revision = w.now.UnixMilli(), deleted.Revision+1
	if err := w.db.Put(t.Context(), catalog.Change{Store: deleted}); err != nil {
		t.Fatal(err)
	}
	w.get("/dashboard/test/products").shows(t, 200, "Shop No. 1", "Deleted")
	open := w.store(t, 2)
	for _, path := range []string{"products", "webhooks"} {
		w.get("/dashboard/test/"+path).shows(t, 200, `<option value="`+open.ID+`" selected>Shop No. 2`, `<option value="`+deleted.ID+`">Shop No. 1 (deleted)`)
	}
}

// TestSessions: sessions are listed in their environment, the newest first, by pages.
func TestSessions(t *testing.T) {
	w := open(t, "")
	w.get("/dashboard/test/sessions").shows(t, 200, "There is no session")
	s := w.store(t, 1)
	id := func(n int) string { return fmt.Sprintf("cs_00000000-0000-4000-8000-%012d", n) }
	for n := range pageSize + 1 {
		session := &sessions.Session{Session: checkout.Session{ID: id(n), Environment: checkout.Test, StoreID: s.ID, Product: checkout.Product{Name: "Fieldnotes"},
			ExpiresAt: w.now.Add(time.Hour).UnixMilli()}, CreatedAt: w.now.UnixMilli() + int64(n), Metadata: map[string]string{"campaign": "autumn"}}
		session.Terms.Price = money.Amount{Minor: 2900, Currency: "EUR"}
		if err := w.db.Commit(t.Context(), orders.Change{Session: session}); err != nil {
			t.Fatal(err)
		}
	}
	a := w.get("/dashboard/test/sessions")
	a.shows(t, 200, id(pageSize), id(1), "29.00 EUR", "Open", "Next page")
	if strings.Contains(a.body, id(0)) || strings.Index(a.body, id(2)) < strings.Index(a.body, id(3)) {
		t.Error("the newest is not first")
	}
	w.get("/dashboard/prod/sessions").shows(t, 200, "There is no session")
	w.get("/dashboard/test/sessions/"+id(3)).shows(t, 200, "campaign", "autumn", "Fieldnotes")
	w.get("/dashboard/prod/sessions/"+id(3)).shows(t, 404)
	w.get("/dashboard/test/sessions/cs_x").shows(t, 404)
	w.now = w.now.Add(2 * time.Hour)
	w.get("/dashboard/test/sessions/"+id(3)).shows(t, 200, "Expired")
}
