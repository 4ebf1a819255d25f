package page

import (
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/sessions"
)

// sell puts a product of the shop on sale in the test environment.
func (s *shop) sell(t *testing.T) {
	t.Helper()
	store, err := s.db.StoreBySlug(t.Context(), slug)
	if err != nil {
		t.Fatal(err)
	}
	product := &catalog.Product{ID: "PROD_2aUyqjCzEIiEcYMKj7TZtw", StoreID: store.ID, Type: checkout.OneTime,
		Test: catalog.Listing{Version: &catalog.Version{ID: "PVER_2aUyqjCzEIiEcYMKj7TZtw", Number: 1, Name: "Northline Pro",
			Prices: []catalog.Price{{Amount: money.Amount{Minor: 139_00, Currency: "USD"}, Category: tax.Software}}}}}
	if err := s.db.Put(t.Context(), catalog.Change{Products: []*catalog.Product{product}}); err != nil {
		t.Fatal(err)
	}
}

// TestRestart: a visitor whose own session has expired can open another one by the product's permanent link. A session that the
// merchant opened, and a product that is no longer on sale, lead back to the merchant.
func TestRestart(t *testing.T) {
	const link = `href="/store/` + slug + `/product/PROD_2aUyqjCzEIiEcYMKj7TZtw?currency=USD&amp;test=true"`
	for name, c := range map[string]struct {
		public, onSale, restarts bool
	}{
		"a visitor's session":      {true, true, true},
		"the merchant's session":   {false, true, false},
		"no longer on sale":        {true, false, false},
		"the merchant's, not sold": {false, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := openShop(t)
			s.decorate(t, decorated)
			if c.onSale {
				s.sell(t)
			}
			s.offer(t, func(session *sessions.Session) {
				session.Public, session.Product.ID = c.public, "PROD_2aUyqjCzEIiEcYMKj7TZtw"
			})
			form := s.get(pageURL)
			expect(t, form, fasthttp.StatusOK, `<div id="ended" hidden>`)
			s.now = s.now.Add(45 * time.Minute)
			expired := s.get(pageURL)
			expect(t, expired, fasthttp.StatusGone, "You haven’t been charged.", "https://northline.example/?a=1&amp;b=2", "mailto:help@northline.example")
			for _, page := range []*fasthttp.Response{form, expired} {
				if has := strings.Contains(string(page.Body()), link); has != c.restarts {
					t.Errorf("the page leads to another session: %t\n%s", has, page.Body())
				}
			}
			if !c.restarts {
				return
			}
			opened := s.get(strings.ReplaceAll(strings.Split(link, `"`)[1], "&amp;", "&"))
			expect(t, opened, fasthttp.StatusSeeOther)
			expect(t, s.get(string(opened.Header.Peek("Location"))), fasthttp.StatusOK, "$139.00")
		})
	}
}

// TestMailed: the page promises a receipt by e-mail where one is sent, and the field refers to the promise.
func TestMailed(t *testing.T) {
	s := openShop(t)
	s.offer(t, nil)
	if strings.Contains(string(s.get(pageURL).Body()), "email-hint") {
		t.Error("the page promises an e-mail that nobody sends")
	}
	s.config.MailIn = []checkout.Environment{checkout.Test}
	expect(t, s.get(pageURL), fasthttp.StatusOK, `aria-describedby="email-hint">`, `<p class="hint" id="email-hint">Your receipt goes to this address.</p>`)
	wrong := ottawa()
	wrong.Set("email", "ada@")
	expect(t, s.post(pageURL, wrong), fasthttp.StatusBadRequest, `aria-invalid="true" aria-describedby="email-error email-hint">`)
}
