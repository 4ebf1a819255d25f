package catalog

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"regexp"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/shortid"
)

func TestDemo(t *testing.T) {
	demo, err := NewDemo(time.Now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^crepe-demo-[0-9a-f]{6}$`).MatchString(demo.Store.Slug) {
		t.Errorf("slug %q", demo.Store.Slug)
	}
	if types := [2]checkout.ProductType{demo.Products[0].Type, demo.Products[1].Type}; types !=
		[2]checkout.ProductType{checkout.OneTime, checkout.Subscription} {
		t.Errorf("products %v", types)
	}
	for prefix, id := range map[string]string{
		shortid.Merchant: demo.Merchant.ID, shortid.Store: demo.Store.ID, shortid.Product: demo.Products[0].ID,
	} {
		if _, ok := shortid.Parse(prefix, id); !ok {
			t.Errorf("%s is no %s id", id, prefix)
		}
	}
	change := demo.Change()
	if change.Merchant != demo.Merchant || change.Store != demo.Store || len(change.Products) != 2 {
		t.Errorf("change %+v", change)
	}
	checkDemoKeys(t, demo)
}

func checkDemoKeys(t *testing.T, demo *Demo) {
	t.Helper()
	seen := map[string]bool{}
	for _, key := range demo.Merchant.Keys {
		block, _ := pem.Decode([]byte(demo.PrivateKeys[key.Environment]))
		if block == nil || block.Type != "PRIVATE KEY" {
			t.Fatalf("%s: no private key in PEM", key.Environment)
		}
		private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		block, _ = pem.Decode([]byte(key.PublicKey))
		if block == nil || block.Type != "PUBLIC KEY" {
			t.Fatalf("%s: no public key in PEM", key.Environment)
		}
		public, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		pair := private.(*rsa.PrivateKey)
		if !pair.PublicKey.Equal(public) || pair.N.BitLen() != 2048 {
			t.Errorf("%s: %d bits, or not a pair", key.Environment, pair.N.BitLen())
		}
		seen[key.PublicKey] = true
	}
	if len(seen) != 2 || len(demo.PrivateKeys) != 2 {
		t.Errorf("%d different keys, %d private ones", len(seen), len(demo.PrivateKeys))
	}
}

func BenchmarkNewDemo(b *testing.B) {
	for b.Loop() {
		if _, err := NewDemo(time.Now(), rand.Reader); err != nil {
			b.Fatal(err)
		}
	}
}
