package dashboard

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/orders"
)

// store stores a merchant with a store.
func (w *world) store(t *testing.T, n int) *catalog.Store {
	t.Helper()
	m := &catalog.Merchant{ID: fmt.Sprintf("MER_%d", n), Name: fmt.Sprintf("Merchant %d", n)}
	s := &catalog.Store{ID: fmt.Sprintf("STO_%d", n), MerchantID: m.ID, Slug: fmt.Sprintf("shop-%d", n), Name: fmt.Sprintf("Shop No. %d", n)}
	if err := w.db.Put(t.Context(), catalog.Change{Merchant: m, Store: s}); err != nil {
		t.Fatal(err)
	}
	return s
}

// orderID is the id of the n-th order.
func orderID(n int) string { return fmt.Sprintf("ORD_%022d", n) }

// paid makes an order paid.
func paid(o *orders.Order) {
	o.State, o.Attempts[0].State = orders.Paid, orders.Settled
	o.Payments = []orders.Payment{{ID: "PAY_" + o.ID[4:], Attempt: 1, Status: orders.Succeeded, At: o.CreatedAt}}
}

// in puts an order into a store.
func in(s *catalog.Store, change func(*orders.Order)) func(*orders.Order) {
	return func(o *orders.Order) {
		o.StoreID, o.MerchantID, o.Attempts[0].Placed.StoreID = s.ID, s.MerchantID, s.ID
		change(o)
	}
}

// TestScope: a page shows the orders of its environment, and of the chosen store; the sums are those of the same orders.
func TestScope(t *testing.T) {
	w := open(t, "")
	one, two := w.store(t, 1), w.store(t, 2)
	w.ordered(t, checkout.Test, orderID(1), in(one, paid))
	w.ordered(t, checkout.Test, orderID(2), in(two, paid))
	w.ordered(t, checkout.Prod, orderID(3), in(one, paid))
	for _, c := range []struct {
		env, store, total, other string
		want                     []int
	}{
		{"test", "", "69.02 EUR", "/dashboard/prod", []int{1, 2}},
		{"test", "?store=STO_1", "34.51 EUR", "/dashboard/prod?store=STO_1", []int{1}},
		{"test", "?store=STO_2", "34.51 EUR", "/dashboard/prod?store=STO_2", []int{2}},
		{"prod", "", "34.51 EUR", "/dashboard/test", []int{3}},
		{"prod", "?store=STO_2", "Nothing was sold", "/dashboard/test?store=STO_2", nil},
	} {
		overview := w.get("/dashboard/" + c.env + c.store)
		overview.shows(t, 200, c.total, `href="`+c.other+`"`)
		for name, a := range map[string]answer{"overview": overview, "orders": w.get("/dashboard/" + c.env + "/orders" + c.store)} {
			for n := 1; n <= 3; n++ {
				if shown := strings.Contains(a.body, orderID(n)); a.status != 200 || shown != slices.Contains(c.want, n) {
					t.Errorf("%s of %s%s: %d, shows order %d: %t", name, c.env, c.store, a.status, n, shown)
				}
			}
		}
	}
	for _, path := range []string{"/dashboard/test?store=STO_3", "/dashboard/test/orders?store=x", "/dashboard/test/orders?store=%2e%2e"} {
		w.get(path).shows(t, 404)
	}
	w.get("/dashboard/test/orders/"+orderID(3)).shows(t, 404)
}

// TestOrdersSearch: an order is found by each of its names, in its environment only.
func TestOrdersSearch(t *testing.T) {
	w := open(t, "")
	s := w.store(t, 1)
	w.ordered(t, checkout.Test, orderID(1), in(s, paid))
	w.ordered(t, checkout.Test, orderID(2), in(s, func(o *orders.Order) { o.Attempts[0].Placed.BuyerEmail = "bob@example.com" }))
	to := "/dashboard/test/orders/" + orderID(1)
	for _, query := range []string{orderID(1), "PAY_" + orderID(1)[4:], "cs_" + orderID(1), "+" + orderID(1) + "+"} {
		if a := w.get("/dashboard/test/orders?q=" + query); a.status != 303 || a.to() != to {
			t.Errorf("%s: %d to %s", query, a.status, a.to())
		}
		w.get("/dashboard/prod/orders?q="+query).shows(t, 200, "No order matches")
	}
	for _, query := range []string{"ADA@example.com", "user-1"} {
		a := w.get("/dashboard/test/orders?q=" + query)
		a.shows(t, 200, orderID(1))
		if strings.Contains(a.body, orderID(2)) && query != "user-1" {
			t.Errorf("%s finds the order of another buyer", query)
		}
	}
	w.get("/dashboard/test/orders?status=completed").shows(t, 200, orderID(1), `value="completed" selected`)
	if a := w.get("/dashboard/test/orders?status=pending"); strings.Contains(a.body, orderID(1)) || !strings.Contains(a.body, orderID(2)) {
		t.Error("the status does not narrow the list")
	}
	for _, query := range []string{"nobody@example.com", "ORD_x", "%3Cscript%3E", strings.Repeat("x", 1000), "cs_"} {
		a := w.get("/dashboard/test/orders?q=" + query)
		a.shows(t, 200, "No order matches")
		if strings.Contains(a.body, "<script>") || len(a.body) > 20_000 {
			t.Errorf("%.20s is written into the page as it is", query)
		}
	}
	w.get("/dashboard/test/orders?status=nothing").shows(t, 200, "No order matches")
	w.get("/dashboard/test/orders?after=nonsense&q=%ff").shows(t, 200)
}

// TestOrderPages: the pages of a list have every order once, and keep the search.
func TestOrderPages(t *testing.T) {
	w := open(t, "")
	s := w.store(t, 1)
	const n = 2*pageSize + 3
	for i := range n {
		w.now = w.now.Add(time.Minute)
		w.ordered(t, checkout.Test, orderID(i), in(s, paid))
	}
	next := regexp.MustCompile(`href="([^"]+)">Next page`)
	seen, pages := map[string]bool{}, 0
	for path := "/dashboard/test/orders?status=completed"; path != ""; pages++ {
		body := w.get(path).body
		for _, part := range strings.Split(body, "<code>ORD_")[1:] {
			seen[part[:22]] = true
		}
		path = ""
		if found := next.FindStringSubmatch(body); found != nil {
			if path = strings.ReplaceAll(found[1], "&amp;", "&"); !strings.Contains(path, "status=completed") {
				t.Fatalf("the next page %s forgets the status", path)
			}
		}
	}
	if len(seen) != n || pages != 3 {
		t.Errorf("%d orders on %d pages", len(seen), pages)
	}
}

// TestManyStores: a page reads no more stores than its bound, and one beyond it can be chosen.
func TestManyStores(t *testing.T) {
	w := open(t, "")
	for i := range maxStores + 5 {
		w.store(t, 100+i)
	}
	a := w.get("/dashboard/test/orders")
	a.shows(t, 200, "The first 100 stores")
	if n := strings.Count(a.body, "<option"); n > maxStores+10 {
		t.Errorf("%d options", n)
	}
	last := fmt.Sprintf("STO_%d", 100+maxStores+4)
	w.get("/dashboard/test/orders?store="+last).shows(t, 200, `value="`+last+`" selected`)
}
