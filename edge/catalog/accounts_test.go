package catalog_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/badgerstore"
	"github.com/crepe-checkout/crepe/edge/catalog"
)

// accounts is a service on a database, with a clock that stands still.
type accounts struct {
	*catalog.Accounts
	db  *badgerstore.DB
	now time.Time
}

func newAccounts(t *testing.T) *accounts {
	t.Helper()
	db, err := badgerstore.Open(t.TempDir(), badgerstore.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	a := &accounts{db: db, now: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)}
	a.Accounts = &catalog.Accounts{Records: db, Now: func() time.Time { return a.now }, Rand: rand.Reader}
	return a
}

// publicKey is the n-th of many public keys, which nobody can sign for.
func publicKey(t testing.TB, n int64) string {
	t.Helper()
	modulus := new(big.Int).Lsh(big.NewInt(1), 2047)
	spki, err := x509.MarshalPKIXPublicKey(&rsa.PublicKey{N: modulus.Add(modulus, big.NewInt(2*n+1)), E: 65537})
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki}))
}

func (a *accounts) merchant(t *testing.T) string {
	t.Helper()
	m, err := a.CreateMerchant(t.Context(), "Acme")
	if err != nil {
		t.Fatal(err)
	}
	return m.ID
}

func (a *accounts) key(t *testing.T, merchantID string, env checkout.Environment, n int64) *catalog.APIKey {
	t.Helper()
	_, k, err := a.AddKey(t.Context(), merchantID, catalog.NewKey{Environment: env, PublicKey: publicKey(t, n)})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// stored returns a merchant's keys as they are stored.
func (a *accounts) stored(t *testing.T, merchantID string) []catalog.APIKey {
	t.Helper()
	m, err := a.db.Merchant(t.Context(), merchantID)
	if err != nil {
		t.Fatal(err)
	}
	return m.Keys
}

// wantProblem wants a refusal of a kind, with a text that contains says.
func wantProblem(t *testing.T, err error, kind problem.Kind, says string) {
	t.Helper()
	p, ok := errors.AsType[*problem.Problem](err)
	if !ok || p.Kind != kind || !strings.Contains(p.Message, says) {
		t.Errorf("got %v, want a refusal %v with %q", err, kind, says)
	}
}

// TestRotateKey: both keys are live until the old one ends; the new one has its environment and name.
func TestRotateKey(t *testing.T) {
	a := newAccounts(t)
	id := a.merchant(t)
	_, old, err := a.AddKey(t.Context(), id, catalog.NewKey{Name: " server ", Environment: checkout.Prod, PublicKey: publicKey(t, 1)})
	if err != nil || old.Name != "server" || !old.Live(a.now) {
		t.Fatalf("%+v, %v", old, err)
	}
	_, next, err := a.RotateKey(t.Context(), "", old.ID, publicKey(t, 2), time.Hour)
	if err != nil || next.Name != "server" || next.Environment != checkout.Prod || next.ExpiresAt != 0 {
		t.Fatalf("%+v, %v", next, err)
	}
	keys := a.stored(t, id)
	for _, c := range []struct {
		at       time.Duration
		old, new bool
	}{{0, true, true}, {time.Hour - time.Millisecond, true, true}, {time.Hour, false, true}, {24 * 365 * time.Hour, false, true}} {
		now := a.now.Add(c.at)
		if len(keys) != 2 || keys[0].Live(now) != c.old || keys[1].Live(now) != c.new {
			t.Errorf("after %v: %+v", c.at, keys)
		}
	}
	_, _, err = a.RotateKey(t.Context(), id, old.ID, publicKey(t, 3), time.Hour)
	wantProblem(t, err, problem.Conflict, "has been rotated and ends at 2026-11-23T10:00:00Z")
	a.now = a.now.Add(2 * time.Hour)
	_, _, err = a.RotateKey(t.Context(), id, old.ID, publicKey(t, 3), time.Hour)
	wantProblem(t, err, problem.Conflict, "does not verify any more")
	if _, _, err := a.RotateKey(t.Context(), id, next.ID, publicKey(t, 3), 0); err != nil {
		t.Fatal(err)
	}
	if keys := a.stored(t, id); keys[1].RevokedAt != a.now.UnixMilli() || keys[1].Live(a.now) || !keys[2].Live(a.now) {
		t.Errorf("rotated at once: %+v", keys)
	}
	if _, _, err := a.RotateKey(t.Context(), id, a.stored(t, id)[2].ID, publicKey(t, 3), time.Hour); err == nil {
		t.Error("rotated to the same key")
	}
	if last := a.stored(t, id)[2]; last.ExpiresAt != 0 {
		t.Errorf("a refused rotation ends the old key: %+v", last)
	}
}

// TestRevokeKey: a revocation is kept as it was first, and only of the merchant's own key.
func TestRevokeKey(t *testing.T) {
	a := newAccounts(t)
	first, second := a.merchant(t), a.merchant(t)
	k := a.key(t, first, checkout.Test, 1)
	_, _, err := a.RevokeKey(t.Context(), second, k.ID)
	wantProblem(t, err, problem.NotFound, "there is no API key")
	revokedAt := a.now.UnixMilli()
	for range 2 {
		if _, got, err := a.RevokeKey(t.Context(), "", k.ID); err != nil || got.RevokedAt != revokedAt || got.Live(a.now) {
			t.Errorf("%+v, %v", got, err)
		}
		a.now = a.now.Add(time.Hour)
	}
	_, _, err = a.AddKey(t.Context(), first, catalog.NewKey{Environment: checkout.Test, PublicKey: publicKey(t, 1)})
	wantProblem(t, err, problem.Conflict, "has this public key already, as "+k.ID)
	a.key(t, second, checkout.Test, 1) // another merchant's is none of its business
}

// TestKeyBounds: eight live keys of an environment, and 24 in all, of which those that ended first are forgotten.
func TestKeyBounds(t *testing.T) {
	a := newAccounts(t)
	id := a.merchant(t)
	for n := range int64(8) {
		a.key(t, id, checkout.Test, n)
		a.key(t, id, checkout.Prod, 100+n)
	}
	_, _, err := a.AddKey(t.Context(), id, catalog.NewKey{Environment: checkout.Test, PublicKey: publicKey(t, 50)})
	wantProblem(t, err, problem.Conflict, "has 8 live keys of test")
	oldest := a.stored(t, id)[0]
	_, _, err = a.RotateKey(t.Context(), id, oldest.ID, publicKey(t, 50), time.Hour)
	wantProblem(t, err, problem.Conflict, "has 8 live keys of test")

	a.now = a.now.Add(time.Minute)
	var gone []string
	for n := range int64(30) {
		keys := a.stored(t, id)
		last := keys[slices.IndexFunc(keys, func(k catalog.APIKey) bool {
			return k.Environment == checkout.Prod && k.Live(a.now) && k.ID != keys[1].ID
		})]
		if _, _, err := a.RotateKey(t.Context(), id, last.ID, publicKey(t, 200+n), 0); err != nil {
			t.Fatal(err)
		}
		gone = append(gone, last.ID)
		a.now = a.now.Add(time.Minute)
	}
	keys := a.stored(t, id)
	live := 0
	for _, k := range keys {
		if k.Live(a.now) {
			live++
		} else if !slices.Contains(gone[len(gone)-8:], k.ID) {
			t.Errorf("%s is kept, which ended long ago", k.ID)
		}
	}
	if len(keys) != 24 || live != 16 || keys[0].ID != oldest.ID {
		t.Errorf("%d keys, %d live, the first is %s", len(keys), live, keys[0].ID)
	}
}

// TestConcurrentKeys: of changes at once, none is lost.
func TestConcurrentKeys(t *testing.T) {
	a := newAccounts(t)
	id := a.merchant(t)
	old := []*catalog.APIKey{a.key(t, id, checkout.Test, 1), a.key(t, id, checkout.Test, 2)}
	errs := make([]error, 8)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() {
			switch {
			case i < len(old):
				_, _, errs[i] = a.RevokeKey(context.Background(), id, old[i].ID)
			default:
				_, _, errs[i] = a.AddKey(context.Background(), id, catalog.NewKey{Environment: checkout.Test, PublicKey: publicKey(t, int64(10+i))})
			}
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	keys := a.stored(t, id)
	if len(keys) != 8 || keys[0].RevokedAt == 0 || keys[1].RevokedAt == 0 {
		t.Errorf("%d keys: %+v", len(keys), keys)
	}
}

// TestPublicKeyForms: one key has one spelling in the record; what is no public key, or too weak, is refused with the reason.
func TestPublicKeyForms(t *testing.T) {
	a := newAccounts(t)
	id := a.merchant(t)
	text := publicKey(t, 1)
	block, _ := pem.Decode([]byte(text))
	bare := base64.StdEncoding.EncodeToString(block.Bytes)
	_, k, err := a.AddKey(t.Context(), id, catalog.NewKey{Environment: checkout.Test, PublicKey: bare})
	if err != nil || k.PublicKey != text {
		t.Fatalf("%+v, %v", k, err)
	}
	for env, form := range map[checkout.Environment]string{checkout.Test: text, checkout.Prod: " " + bare + "\n"} {
		_, _, err := a.AddKey(t.Context(), id, catalog.NewKey{Environment: env, PublicKey: form})
		wantProblem(t, err, problem.Conflict, "has this public key already")
	}
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	spki, _ := x509.MarshalPKIXPublicKey(&weak.PublicKey)
	pkcs8, _ := x509.MarshalPKCS8PrivateKey(weak)
	for says, form := range map[string]string{
		"it is a private key":    string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})),
		"RSA key of 1024 bits":   base64.StdEncoding.EncodeToString(spki),
		"neither PEM nor base64": "ssh-rsa AAAA",
	} {
		_, _, err := a.AddKey(t.Context(), id, catalog.NewKey{Environment: checkout.Test, PublicKey: form})
		wantProblem(t, err, problem.Invalid, says)
		if err != nil && len(form) > 100 && strings.Contains(err.Error(), form[40:80]) {
			t.Errorf("the refusal repeats the key: %v", err)
		}
	}
}

// TestFindMerchant: without an id it is the only one.
func TestFindMerchant(t *testing.T) {
	a := newAccounts(t)
	_, err := a.Find(t.Context(), "")
	wantProblem(t, err, problem.NotFound, "there is no merchant yet")
	first := a.merchant(t)
	if m, err := a.Find(t.Context(), ""); err != nil || m.ID != first {
		t.Errorf("%+v, %v", m, err)
	}
	a.merchant(t)
	_, err = a.Find(t.Context(), "")
	wantProblem(t, err, problem.Invalid, "there are several merchants")
	_, err = a.Find(t.Context(), "MER_1")
	wantProblem(t, err, problem.NotFound, `there is no merchant "MER_1"`)
}

// TestKeyOfSeveralMerchants: keys of records of older versions have the same ids in each merchant, so the merchant must be named.
func TestKeyOfSeveralMerchants(t *testing.T) {
	a := newAccounts(t)
	const id = "APIKEY_0000000000000000000001"
	for n := range 2 {
		m := &catalog.Merchant{ID: fmt.Sprint("MER_", n), Keys: []catalog.APIKey{{ID: id, Environment: checkout.Test, PublicKey: publicKey(t, int64(n))}}}
		if err := a.db.Put(t.Context(), catalog.Change{Merchant: m}); err != nil {
			t.Fatal(err)
		}
	}
	_, _, err := a.RevokeKey(t.Context(), "", id)
	wantProblem(t, err, problem.Invalid, "several merchants have a key")
	if _, _, err := a.RevokeKey(t.Context(), "MER_1", id); err != nil {
		t.Fatal(err)
	}
	if other := a.stored(t, "MER_0"); !other[0].Live(a.now) {
		t.Error("the key of the other merchant was revoked")
	}
}
