package catalog

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/shortid"
)

// Demo is a merchant with a store, two products and the private keys that sign for it: what `crepe dev` sells.
type Demo struct {
	Merchant *Merchant
	Store    *Store
	Products []*Product // the first is sold once, the second by subscription; both are on sale in both environments

	PrivateKeys map[checkout.Environment]string // RSA-2048, PKCS #8 in PEM; kept nowhere else
}

// Change adds the demo to the catalog.
func (d *Demo) Change() Change {
	return Change{Merchant: d.Merchant, Store: d.Store, Products: d.Products}
}

// NewDemo makes the demo merchant. Identifiers come from random; the RSA keys come from the system's source, as crypto/rsa
// requires.
func NewDemo(now time.Time, random io.Reader) (*Demo, error) {
	d := demoMaker{now, random}
	keys, private, err := d.keys()
	if err != nil {
		return nil, err
	}
	merchant := &Merchant{ID: d.id(shortid.Merchant), Name: "Crêpe Demo", Keys: keys, CreatedAt: now.UnixMilli()}
	store, err := d.store(merchant.ID)
	if err != nil {
		return nil, err
	}
	once := d.product(store.ID, checkout.OneTime, Version{
		Name:        "Crêpe Starter Kit",
		Description: "24 recipes, a batter calculator and four short films.",
		Prices:      prices(tax.DigitalGoods, 29_00, 27_00, 23_00, 228_00, 4500),
	})
	monthly := d.product(store.ID, checkout.Subscription, Version{
		Name:        "Crêpe Club",
		Description: "A new recipe every week.",
		Prices:      prices(tax.DigitalGoods, 5_00, 5_00, 4_00, 38_00, 750),
	})
	return &Demo{Merchant: merchant, Store: store, Products: []*Product{once, monthly}, PrivateKeys: private}, nil
}

// demoMaker makes the parts of the demo.
type demoMaker struct {
	now    time.Time
	random io.Reader
}

func (d demoMaker) id(prefix string) string {
	return shortid.Format(prefix, shortid.NewV7(d.now, d.random))
}

// store returns a store that collects tax wherever the tax table has a rate, so that every address shows its effect.
func (d demoMaker) store(merchantID string) (*Store, error) {
	var suffix [3]byte
	if _, err := io.ReadFull(d.random, suffix[:]); err != nil {
		return nil, err
	}
	return &Store{
		ID: d.id(shortid.Store), MerchantID: merchantID,
		Slug: "crepe-demo-" + hex.EncodeToString(suffix[:]), Name: "Crêpe Demo",
		Links: Links{Website: "/demo/shop", SupportEmail: "support@crepe-demo.example", Terms: "/demo/shop#terms",
			Refunds: "/demo/shop#refunds", Privacy: "/demo/shop#privacy"}, // pages that `crepe dev` serves
		Seller: tax.Seller{Country: "FR", Everywhere: true}, CreatedAt: d.now.UnixMilli(),
	}, nil
}

func (d demoMaker) product(storeID string, kind checkout.ProductType, v Version) *Product {
	v.ID, v.Number, v.CreatedAt = d.id(shortid.ProductVersion), 1, d.now.UnixMilli()
	return &Product{
		ID: d.id(shortid.Product), StoreID: storeID, Type: kind,
		Test: Listing{Version: &v}, Prod: Listing{Version: &v},
		CreatedAt: v.CreatedAt, UpdatedAt: v.CreatedAt,
	}
}

// keys generates a pair for each environment, both concurrently, because this takes most of the time of a first start.
func (d demoMaker) keys() (public []APIKey, private map[checkout.Environment]string, err error) {
	environments := [...]checkout.Environment{checkout.Test, checkout.Prod}
	var pairs [len(environments)]*rsa.PrivateKey
	var faults [len(environments)]error
	var both sync.WaitGroup
	for i := range environments {
		both.Go(func() { pairs[i], faults[i] = rsa.GenerateKey(rand.Reader, 2048) })
	}
	both.Wait()
	private = make(map[checkout.Environment]string)
	for i, env := range environments {
		if faults[i] != nil {
			return nil, nil, fmt.Errorf("catalog: demo keys: %w", faults[i])
		}
		publicPEM, privatePEM, err := encode(pairs[i])
		if err != nil {
			return nil, nil, fmt.Errorf("catalog: demo keys: %w", err)
		}
		public = append(public, APIKey{ID: d.id(APIKeyPrefix), Name: "crepe dev", Environment: env, PublicKey: publicPEM, CreatedAt: d.now.UnixMilli()})
		private[env] = privatePEM
	}
	return public, private, nil
}

func encode(pair *rsa.PrivateKey) (public, private string, err error) {
	if public, err = encodePublicKey(&pair.PublicKey); err != nil {
		return "", "", err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(pair)
	if err != nil {
		return "", "", err
	}
	return public, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})), nil
}

// demoCurrencies are those of the demo's prices, in their order.
var demoCurrencies = [...]money.Currency{"USD", "EUR", "GBP", "HKD", "JPY"}

// prices takes minor units, one amount for each of demoCurrencies.
func prices(c tax.Category, minor ...int64) []Price {
	list := make([]Price, len(demoCurrencies))
	for i, currency := range demoCurrencies {
		list[i] = Price{Amount: money.Amount{Minor: minor[i], Currency: currency}, Category: c}
	}
	return list
}
