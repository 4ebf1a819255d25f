package server

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/shoptest"
	"github.com/crepe-checkout/crepe/edge/vies"
	"github.com/crepe-checkout/crepe/edge/vies/viestest"
)

// openVIES returns a shop whose server asks a fake VIES, also about test orders if tests is set. Its seller has a VAT number.
func openVIES(t *testing.T, tests bool) (*shop, *viestest.VIES, *listener) {
	t.Helper()
	fake := new(viestest.VIES)
	web := httptest.NewServer(fake)
	t.Cleanup(web.Close)
	s, merchant := openShop(t, privateWebhooks, func(c *Config) { c.VIES, c.VIESTest, c.VIESURL = true, tests, web.URL }), newListener(t)
	store, err := s.db.Store(t.Context(), s.File.StoreID)
	if err == nil {
		store.Legal.VATID = "FR40303265045"
		err = s.db.Put(t.Context(), catalog.Change{Store: store})
	}
	if err != nil {
		t.Fatal(err)
	}
	s.addWebhook(t, merchant.URL, "order.completed")
	return s, fake, merchant
}

func business(country, taxID string) map[string]any {
	return map[string]any{"country": country, "isBusiness": true, "businessName": "Fieldnotes", "taxId": taxID}
}

// check waits until VIES has answered about an order.
func (s *shop) check(t *testing.T, session string) (c *vies.Check) {
	t.Helper()
	_, order := s.stored(t, session)
	shoptest.Eventually(t, "VIES has answered", func() bool {
		var err error
		c, err = s.db.VATCheck(t.Context(), order.Environment, order.StoreID, order.ID)
		return err == nil && c.State != vies.Pending
	})
	return c
}

// TestVIES: after the sale VIES is asked with the seller's number. Its answer is in the receipt's JSON and in the merchant's queries,
// and no number is in the log.
func TestVIES(t *testing.T) {
	s, fake, merchant := openVIES(t, true)
	fake.Unregister("EL094259216")
	receipt, confirmed := s.receiptOf(t, merchant, business("DE", "DE136695976"))
	_, unknown := s.receiptOf(t, merchant, business("GR", "EL094259216"))
	_, consumer := s.receiptOf(t, merchant, nil)
	if c := s.check(t, confirmed); c.State != vies.Valid || c.Requester != "FR40303265045" || c.Consultation == "" {
		t.Errorf("%+v", c)
	}
	if c := s.check(t, unknown); c.State != vies.Invalid {
		t.Errorf("%+v", c)
	}
	if _, order := s.stored(t, consumer); len(fake.Questions()) != 2 {
		t.Errorf("asked about %s, too: %+v", order.ID, fake.Questions())
	}
	if got, want := fetchInvoice(t, receipt).Meta.Consultation, (invoices.Consultation{Number: "WAPIAAAA00000001", Date: "2026-11-23"}); got == nil || *got != want {
		t.Errorf("the receipt has %+v", got)
	}
	const query = `{onetimeOrders{vatCheck{state vatNumber requesterVatNumber consultationNumber checkedAt name address}}}`
	got := s.query(t, queryBody(query)).Body
	for _, want := range []string{`"vatCheck":null`, `"vatCheck":{"state":"invalid","vatNumber":"EL094259216","requesterVatNumber":"FR40303265045","consultationNumber":"WAPIAAAA00000002"`,
		`"state":"valid"`, `"name":"ACME GMBH"`, `"checkedAt":"2026-11-23T10:15:30.123Z"`} {
		if !strings.Contains(got, want) {
			t.Errorf("the merchant reads %s, without %s", got, want)
		}
	}
	if mine := s.Post(t, graphPath, queryBody(query), shoptest.Bearer(s.Token(t, "user-17"))).Body; strings.Count(mine, `"vatCheck":null`) != 3 || strings.Contains(mine, "EL094259216") {
		t.Errorf("a customer reads %s", mine)
	}
	log := s.log.String()
	for _, private := range []string{"136695976", "094259216", "40303265045", "ACME"} {
		if strings.Contains(log, private) {
			t.Errorf("the log has %s", private)
		}
	}
	if !strings.Contains(log, "VIES does not know") {
		t.Error("the log does not say that a number is invalid")
	}
}

// TestVIESIsNotAsked: an order of the test environment is not VIES's, unless the operator says so.
func TestVIESIsNotAsked(t *testing.T) {
	s, fake, merchant := openVIES(t, false)
	_, session := s.receiptOf(t, merchant, business("DE", "DE136695976"))
	_, order := s.stored(t, session)
	if c, err := s.db.VATCheck(t.Context(), checkout.Test, order.StoreID, order.ID); err == nil || len(fake.Questions()) != 0 {
		t.Errorf("%+v, %+v", c, fake.Questions())
	}
}

// TestVIESBlocksNothing: while VIES does not answer, orders are paid and get their receipts, and the server stops.
func TestVIESBlocksNothing(t *testing.T) {
	s, fake, merchant := openVIES(t, true)
	fake.Next(viestest.Hang, viestest.Hang, viestest.Hang)
	began := time.Now()
	for range 3 {
		if url, _ := s.receiptOf(t, merchant, business("DE", "DE136695976")); fetchInvoice(t, url).Meta.Consultation != nil {
			t.Error("a consultation before the answer")
		}
	}
	shoptest.Eventually(t, "VIES is asked", func() bool { return len(fake.Questions()) == 1 })
	if took := time.Since(began); took > 25*time.Second {
		t.Errorf("three sales took %v", took)
	}
}
