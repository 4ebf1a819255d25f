package badgerstore_test

import (
	"archive/tar"
	"compress/gzip"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/badgerstore"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/durable"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/sandbox"
)

// TestVersion0 opens a data directory of `crepe dev` from before records had a version, reads its records and writes them again.
func TestVersion0(t *testing.T) {
	dir := t.TempDir()
	unpack(t, "testdata/version0.tar.gz", dir)
	db, err := badgerstore.Open(filepath.Join(dir, "db"), badgerstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ctx, storeID := t.Context(), ""
	for id, state := range map[string]orders.State{
		"ORD_0355csFLLt8T2Uc3mDYI4I": orders.AwaitingPayment,
		"ORD_0355csFOHOVb5a2rSnUy14": orders.Paid,
		"ORD_0355csFRISShVDwGWC9zea": orders.AwaitingPayment,
		"ORD_0355csFbpU8QZsBUZdu8BC": orders.RolledBack,
		"ORD_0355csFchbSzV88k5eAUVM": orders.Pending,
		"ORD_0355csPQUQj4fnyBiwWLBN": orders.RolledBack,
	} {
		o, err := db.Order(ctx, checkout.Test, id)
		if err != nil {
			t.Fatal(err)
		}
		storeID = o.StoreID
		s, err := db.Session(ctx, o.SessionID)
		if err != nil || o.State != state || s.OrderID != o.ID || s.Terms.Category != o.Sold().Terms.Category || s.Terms.Category == 0 {
			t.Errorf("%s is %s, its session %+v (%v)", id, o.State, s, err)
		}
		if err := db.Commit(ctx, orders.Change{Order: o, Session: s}); err != nil {
			t.Errorf("%s cannot be written again: %v", id, err)
		}
		if err := db.Commit(ctx, orders.Change{Order: o}); !errors.Is(err, orders.ErrStale) {
			t.Errorf("%s written at its old version: %v", id, err)
		}
	}
	listed, err := db.Orders(ctx, orders.List{Environment: checkout.Test, Stores: []string{storeID}, Limit: 10})
	if err != nil || len(listed.Orders) != 3 {
		t.Errorf("listed: %+v, %v", listed, err)
	}
	missing, err := db.Facts(ctx, 0, 10)
	if err != nil || len(missing) != 1 || missing[0].Kind != orders.ReceiptMissing || missing[0].OrderID != "ORD_0355csFOHOVb5a2rSnUy14" {
		t.Errorf("the outbox has %+v, %v", missing, err)
	}
	product, err := db.Product(ctx, "PROD_0355crb63kZAQptnf4lrGV")
	if err != nil {
		t.Fatal(err)
	}
	store, err := db.Store(ctx, product.StoreID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Merchant(ctx, store.MerchantID); err != nil || product.OnSale(checkout.Test) == nil || store.Seller.Country != "FR" {
		t.Errorf("the catalogue: %+v, %+v, %v", product, store, err)
	}
	stores, err := db.Stores(ctx, store.MerchantID, 0, 9)
	if versions, failed := db.Versions(ctx, product.ID, 0, 9); errors.Join(err, failed) != nil || len(stores) != 1 || len(versions) != 1 {
		t.Errorf("stores: %+v, versions: %+v, %v, %v", stores, versions, err, failed)
	}
	rotateOldKey(t, db, store.MerchantID)
	if keys, err := db.SigningKeys(ctx, checkout.Test); err != nil || len(keys) != 1 {
		t.Errorf("signing keys: %d, %v", len(keys), err)
	}
	if due, err := db.Due(ctx, 5e12, 10); err != nil || len(due) != 4 {
		t.Errorf("due: %v, %v", due, err)
	}
	provider, err := durable.Open(filepath.Join(dir, "sandbox"), durable.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	defer provider.Close()
	records := 0
	count := func(string, []byte) bool { records++; return true }
	if err := sandbox.NewStore(provider, checkout.Test).Scan("", "", count); err != nil || records == 0 {
		t.Errorf("the sandbox has %d records: %v", records, err)
	}
}

// TestInspect: the store's state tells what Open has to add, also when it has nothing to add.
func TestInspect(t *testing.T) {
	dir := t.TempDir()
	unpack(t, "testdata/version0.tar.gz", dir)
	dir = filepath.Join(dir, "db")
	for range 2 { // it changes nothing
		inspect(t, dir, badgerstore.State{})
	}
	db, err := badgerstore.Open(dir, badgerstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Claim(t.Context(), "serve"); err != nil {
		t.Error(err)
	}
	if _, err := badgerstore.Inspect(dir, badgerstore.Options{}); !errors.Is(err, durable.ErrInUse) {
		t.Errorf("while it is open: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	inspect(t, dir, badgerstore.State{Use: "serve", Indexes: badgerstore.IndexVersion, Receipts: true})
}

func inspect(t *testing.T, dir string, want badgerstore.State) {
	t.Helper()
	got, err := badgerstore.Inspect(dir, badgerstore.Options{})
	if err != nil || got != want || got.UpToDate() != want.Receipts {
		t.Errorf("the state is %+v, %v; want %+v", got, err, want)
	}
}

// rotateOldKey rotates an API key of a record in which keys had no ids.
func rotateOldKey(t *testing.T, db *badgerstore.DB, merchantID string) {
	t.Helper()
	fresh, err := catalog.NewDemo(time.Now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	accounts := &catalog.Accounts{Records: db, Now: time.Now, Rand: rand.Reader}
	if _, _, err := accounts.RotateKey(t.Context(), "", "APIKEY_0000000000000000000001", fresh.Merchant.Keys[0].PublicKey, time.Hour); err != nil {
		t.Fatal(err)
	}
	m, err := db.Merchant(t.Context(), merchantID)
	if err != nil || len(m.Keys) != 3 || m.Keys[0].ExpiresAt == 0 || m.Keys[1].ID != "APIKEY_0000000000000000000002" || m.Keys[2].Environment != m.Keys[0].Environment {
		t.Errorf("rotated: %+v, %v", m, err)
	}
}

func unpack(t *testing.T, archive, dir string) {
	t.Helper()
	file, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	compressed, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	for files := tar.NewReader(compressed); ; {
		header, err := files.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(dir, filepath.FromSlash(header.Name))
		if header.Typeflag == tar.TypeDir {
			if err := os.MkdirAll(name, 0o700); err != nil {
				t.Fatal(err)
			}
			continue
		}
		content, err := io.ReadAll(files)
		if err == nil {
			err = os.WriteFile(name, content, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
