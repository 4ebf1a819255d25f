package catalog

import (
	"strings"
	"testing"
)

// TestStoreCheck: what no page can show is refused, by the name of its field.
func TestStoreCheck(t *testing.T) {
	good := func() *Store {
		return &Store{Logo: "https://cdn.example.com/logo.svg?v=2", Checkout: CheckoutSettings{
			Light: Theme{Logo: "/assets/logo.svg", Primary: "#0f5c4a", Background: "#FFF", Card: "#ffffff", Text: "#000"},
			Dark:  Theme{Logo: "https://cdn.example.com/dark.svg", Primary: "#AbC"},
		}}
	}
	for _, store := range []*Store{good(), {}} {
		if err := store.Check(); err != nil {
			t.Errorf("%+v: %v", store, err)
		}
	}
	for _, field := range []struct {
		name string
		of   func(*Store) *string
	}{
		{"logo ", func(s *Store) *string { return &s.Logo }},
		{"light.checkoutLogo ", func(s *Store) *string { return &s.Checkout.Light.Logo }},
		{"dark.checkoutLogo ", func(s *Store) *string { return &s.Checkout.Dark.Logo }},
		{"light.checkoutColorPrimary ", func(s *Store) *string { return &s.Checkout.Light.Primary }},
		{"light.checkoutColorBackground ", func(s *Store) *string { return &s.Checkout.Light.Background }},
		{"light.checkoutColorCard ", func(s *Store) *string { return &s.Checkout.Light.Card }},
		{"light.checkoutColorText ", func(s *Store) *string { return &s.Checkout.Light.Text }},
		{"dark.checkoutColorPrimary ", func(s *Store) *string { return &s.Checkout.Dark.Primary }},
		{"dark.checkoutColorBackground ", func(s *Store) *string { return &s.Checkout.Dark.Background }},
		{"dark.checkoutColorCard ", func(s *Store) *string { return &s.Checkout.Dark.Card }},
		{"dark.checkoutColorText ", func(s *Store) *string { return &s.Checkout.Dark.Text }},
	} {
		wrong := []string{"red", "0f5c4a", "#12345", "#1234567", "#ggg", "#", "#fff;}", "#fff "}
		if strings.HasSuffix(field.name, "ogo ") {
			wrong = []string{"http://cdn.example.com/a.svg", "//cdn.example.com/a.svg", `/\cdn.example.com/a.svg`, `/a\..\b.svg`, "logo.svg",
				"data:image/svg+xml,x", "javascript:alert(1)", "https://a;sandbox/x", "https://u:p@a.example/x", "https://", "/a b", "/a\nb"}
		}
		for _, value := range wrong {
			store := good()
			*field.of(store) = value
			if err := store.Check(); err == nil || !strings.HasPrefix(err.Error(), field.name) {
				t.Errorf("%s%q: %v", field.name, value, err)
			}
		}
	}
}
