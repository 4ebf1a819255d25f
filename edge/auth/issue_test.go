package auth

import (
	"errors"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/catalog"
)

func TestIssueCustomerRefuses(t *testing.T) {
	w := newWorld(t)
	store, product := demo().Store.ID, demo().Products[0].ID
	for _, c := range []struct {
		name    string
		request TokenRequest
		want    *problem.Problem
	}{
		{"nothing", TokenRequest{}, missingIdentity},
		{"no buyer", TokenRequest{StoreID: store}, missingIdentity},
		{"a blank buyer", TokenRequest{BuyerIdentity: " \t", StoreID: store}, missingIdentity},
		{"a buyer of two lines", TokenRequest{BuyerIdentity: "a\nb", StoreID: store}, badIdentity},
		{"a buyer with NUL", TokenRequest{BuyerIdentity: "a\x00", StoreID: store}, badIdentity},
		{"a buyer in reverse", TokenRequest{BuyerIdentity: "user-\u202e71", StoreID: store}, badIdentity},
		{"a buyer with a soft hyphen", TokenRequest{BuyerIdentity: "user\u00ad-17", StoreID: store}, badIdentity},
		{"a buyer with a tag", TokenRequest{BuyerIdentity: "user-17\U000e0041", StoreID: store}, badIdentity},
		{"a buyer of no text", TokenRequest{BuyerIdentity: "\xff", StoreID: store}, badIdentity},
		{"a long buyer", TokenRequest{BuyerIdentity: strings.Repeat("é", 257), StoreID: store}, longIdentity},
		{"nowhere", TokenRequest{BuyerIdentity: buyer}, missingPlace},
		{"no store id", TokenRequest{BuyerIdentity: buyer, StoreID: "STO_xxx"}, catalog.ErrStoreID},
		{"a product for a store", TokenRequest{BuyerIdentity: buyer, StoreID: product}, catalog.ErrStoreID},
		{"no product id", TokenRequest{BuyerIdentity: buyer, ProductID: store}, catalog.ErrProductID},
		{"an unknown store", TokenRequest{BuyerIdentity: buyer, StoreID: "STO_0000000000000000000000"}, foreignStore},
		{"an unknown product", TokenRequest{BuyerIdentity: buyer, ProductID: "PROD_0000000000000000000000"}, catalog.ErrProductNotFound},
		{"another merchant's store", TokenRequest{BuyerIdentity: buyer, StoreID: rival().Store.ID}, foreignStore},
		{"another merchant's product", TokenRequest{BuyerIdentity: buyer, ProductID: rival().Products[0].ID}, catalog.ErrProductNotFound},
		{"another's store, own product", TokenRequest{BuyerIdentity: buyer, StoreID: rival().Store.ID, ProductID: product},
			foreignStore},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := w.IssueCustomer(t.Context(), merchantIn(checkout.Test), c.request)
			var p *problem.Problem
			if !errors.As(err, &p) || p != c.want || got != (Issued{}) {
				t.Errorf("got %+v, %v; want %q", got, err, c.want.Message)
			}
		})
	}
	if _, err := w.IssueCustomer(t.Context(), visitor(), TokenRequest{BuyerIdentity: buyer, StoreID: store}); err == nil {
		t.Error("a visitor names a buyer")
	}
}

// TestIdentitiesSurvive: every identity that is taken comes back as it was, in a token well within the limit.
func TestIdentitiesSurvive(t *testing.T) {
	w := newWorld(t)
	for _, identity := range []string{
		"customer@example.com", " Foo@Bar.COM ", "<script>&\"\\'", "客户-1", "a\u2028b", "a\ufffdb", "👩‍👩‍👧", "e\u0301",
		`{"role":"merchant"}`,
		strings.Repeat("<", 256), strings.Repeat("👩", 256), "a" + strings.Repeat("\u2029", 254) + "b",
	} {
		issued, err := w.IssueCustomer(t.Context(), merchantIn(checkout.Test),
			TokenRequest{BuyerIdentity: identity, StoreID: demo().Store.ID})
		if err != nil || len(issued.Token) > 3000 {
			t.Fatalf("%q: %d bytes, %v", identity, len(issued.Token), err)
		}
		if got, err := w.test(t, issued.Token); err != nil || got.Identity != identity {
			t.Errorf("%q comes back as %q, %v", identity, got.Identity, err)
		}
	}
}

func TestIssueShopperRefuses(t *testing.T) {
	w := newWorld(t)
	for name, session := range map[string]func() *checkout.Session{
		"unknown": func() *checkout.Session { return nil },
		"expired": func() *checkout.Session {
			s := openSession()
			s.ExpiresAt = start.UnixMilli()
			return s
		},
		"closed": func() *checkout.Session {
			s := openSession()
			s.Closed = true
			return s
		},
		"another store's": func() *checkout.Session {
			s := openSession()
			s.StoreID = rival().Store.ID
			return s
		},
		"of prod": func() *checkout.Session {
			s := openSession()
			s.Environment = checkout.Prod
			return s
		},
	} {
		got, err := w.IssueShopper(t.Context(), visitor(), session())
		var list problem.List
		if !errors.As(err, &list) || list[0] != checkout.InvalidSession()[0] || got != (Issued{}) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestTokensDiffer(t *testing.T) {
	w := newWorld(t)
	if one, other := w.shopper(t), w.shopper(t); one == other {
		t.Error("one token twice")
	}
}
