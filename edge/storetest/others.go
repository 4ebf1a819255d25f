package storetest

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/auth"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/idempotency"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/record"
)

// farAway is an expiry after the end of the checks.
var farAway = time.Now().Add(time.Hour)

func answers(s record.Store) error {
	id := idempotency.ID{Environment: checkout.Test, Hash: fresh("key")}
	old, foreign := id, id
	old.Hash += "old"
	foreign.Environment = checkout.Prod
	answer := &idempotency.Answer{Request: [32]byte{1}, Body: []byte(`{"a":1}`)}
	_, unknown := s.IdempotentAnswer(background, id)
	if err := cmp.Or(want("an unknown key", unknown, idempotency.ErrNotFound),
		s.KeepAnswer(background, id, answer, farAway),
		s.KeepAnswer(background, old, answer, time.Now().Add(-3*time.Second))); err != nil {
		return err
	}
	if got, err := s.IdempotentAnswer(background, id); err != nil || !reflect.DeepEqual(got, answer) {
		return fmt.Errorf("kept %+v, %v; want %+v", got, err, answer)
	}
	_, errForeign := s.IdempotentAnswer(background, foreign)
	_, errOld := s.IdempotentAnswer(background, old)
	return cmp.Or(want("in the other environment", errForeign, idempotency.ErrNotFound),
		want("after its expiry", errOld, idempotency.ErrNotFound))
}

// keyClaims: a key has one claim until that ends, is freed, or becomes an answer.
func keyClaims(s record.Store) error {
	id := idempotency.ID{Environment: checkout.Test, Hash: fresh("key")}
	other := idempotency.ID{Environment: checkout.Prod, Hash: id.Hash}
	claim := func(id idempotency.ID, claim string, life time.Duration) error {
		kept, err := s.ClaimKey(background, id, claim, life)
		if kept != nil {
			return fmt.Errorf("claiming it returned %+v", kept)
		}
		return err
	}
	answer := &idempotency.Answer{Request: [32]byte{1}, Body: []byte(`{"a":1}`)}
	if err := cmp.Or(
		need("the first claim", claim(id, "a", time.Hour)),
		want("a second claim", claim(id, "b", time.Hour), idempotency.ErrRunning),
		need("a claim in the other environment", claim(other, "b", 50*time.Millisecond)),
		need("freeing another's claim", s.FreeKey(background, id, "b")),
		want("a claim after that", claim(id, "b", time.Hour), idempotency.ErrRunning),
		need("freeing it", s.FreeKey(background, id, "a")),
		need("a claim after that", claim(id, "b", time.Hour)),
		need("the answer", s.KeepAnswer(background, id, answer, farAway)),
		need("freeing what has an answer", s.FreeKey(background, id, "b")),
	); err != nil {
		return err
	}
	if got, err := s.ClaimKey(background, id, "c", time.Hour); err != nil || !reflect.DeepEqual(got, answer) {
		return fmt.Errorf("claiming what has an answer returned %+v, %v", got, err)
	}
	time.Sleep(60 * time.Millisecond)
	return need("a claim after the end of another", claim(other, "c", time.Hour))
}

// keyRace: one of many concurrent calls gets a key.
func keyRace(s record.Store) error {
	id := idempotency.ID{Environment: checkout.Test, Hash: fresh("key")}
	return oneWinner("claiming a key", idempotency.ErrRunning, func(racer int) error {
		_, err := s.ClaimKey(background, id, fmt.Sprint("call", racer), time.Hour)
		return err
	})
}

func touching(s record.Store) error {
	token := auth.Token{ID: fresh("tok"), ExpiresAt: farAway.UnixMilli()}
	if state, err := s.Token(background, checkout.Test, token.ID); err != nil || state != (auth.TokenState{}) {
		return fmt.Errorf("an unknown token is %+v, %v", state, err)
	}
	spend := &orders.SpentToken{Environment: checkout.Test, ID: token.ID, ExpiresAt: token.ExpiresAt}
	if err := s.Commit(background, orders.Change{Spend: spend}); err != nil {
		return err
	}
	for _, at := range []int64{7, 5, 9, 8} {
		s.Touch(checkout.Test, token, at)
	}
	wanted := auth.TokenState{LastUsed: 9, Spent: true}
	if err := eventually(func() error {
		state, err := s.Token(background, checkout.Test, token.ID)
		if err == nil && state != wanted {
			err = fmt.Errorf("after uses at 7, 5, 9 and 8 a spent token is %+v", state)
		}
		return err
	}); err != nil {
		return err
	}
	if state, err := s.Token(background, checkout.Prod, token.ID); err != nil || state != (auth.TokenState{}) {
		return fmt.Errorf("in the other environment it is %+v, %v", state, err)
	}
	return nil
}

// eventually calls try until it succeeds or five seconds have passed.
func eventually(try func() error) error {
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		if err := try(); err == nil || time.Now().After(deadline) {
			return err
		}
	}
}

func signingKeys(s record.Store) error {
	one := auth.SigningKey{ID: fresh("KEY"), Environment: checkout.Test, Secret: bytes.Repeat([]byte{1}, 32), CreatedAt: 1}
	two := auth.SigningKey{ID: fresh("KEY"), Environment: checkout.Prod, Secret: bytes.Repeat([]byte{2}, 32), CreatedAt: 2}
	has := func(env checkout.Environment, k auth.SigningKey) (bool, error) {
		keys, err := s.SigningKeys(background, env)
		return slices.ContainsFunc(keys, func(known auth.SigningKey) bool { return reflect.DeepEqual(known, k) }), err
	}
	if err := cmp.Or(s.AddSigningKey(background, one), s.AddSigningKey(background, two),
		s.RemoveSigningKey(background, checkout.Test, two.ID),
		s.RemoveSigningKey(background, checkout.Test, fresh("KEY"))); err != nil {
		return err
	}
	for _, c := range []struct {
		env  checkout.Environment
		key  auth.SigningKey
		want bool
	}{{checkout.Test, one, true}, {checkout.Prod, two, true}, {checkout.Test, two, false}, {checkout.Prod, one, false}} {
		if got, err := has(c.env, c.key); err != nil || got != c.want {
			return fmt.Errorf("%s has %s: %v, %v", c.env, c.key.ID, got, err)
		}
	}
	if err := s.RemoveSigningKey(background, checkout.Test, one.ID); err != nil {
		return err
	}
	if still, err := has(checkout.Test, one); err != nil || still {
		return fmt.Errorf("a removed key is there: %v, %v", still, err)
	}
	return nil
}

func records(s record.Store) error {
	merchant := &catalog.Merchant{ID: fresh("MER"), Name: "A", Keys: []catalog.APIKey{{ID: "APIKEY_1", Environment: checkout.Test, PublicKey: "x"}}}
	store := &catalog.Store{ID: fresh("STO"), MerchantID: merchant.ID, Slug: fresh("shop"), Name: "S"}
	product := &catalog.Product{ID: fresh("PROD"), StoreID: store.ID, Test: catalog.Listing{Version: &catalog.Version{Name: "P"}}}
	all := catalog.Change{Merchant: merchant, Store: store, Products: []*catalog.Product{product}}
	if err := s.Put(background, all); err != nil {
		return err
	}
	store.Name, product.Test.Inactive = "T", true
	store.Revision, product.Revision = 1, 1
	if err := s.Put(background, catalog.Change{Store: store, Products: []*catalog.Product{product}}); err != nil {
		return need("overwriting", err)
	}
	m, errM := s.Merchant(background, merchant.ID)
	st, errS := s.Store(background, store.ID)
	by, errB := s.StoreBySlug(background, store.Slug)
	p, errP := s.Product(background, product.ID)
	if err := cmp.Or(errM, errS, errB, errP); err != nil {
		return err
	}
	merchant.Revision, store.Revision, product.Revision = 1, 2, 2
	if !reflect.DeepEqual(m, merchant) || !reflect.DeepEqual(st, store) ||
		!reflect.DeepEqual(by, store) || !reflect.DeepEqual(p, product) {
		return fmt.Errorf("read %+v %+v %+v %+v", m, st, by, p)
	}
	session, _, err := placed(s, checkout.Test)
	if err != nil {
		return err
	}
	for _, unknown := range []string{"", "x", "../x", store.ID + "/pr/" + product.ID, session.ID, strings.Repeat("x", 1000)} {
		_, errM := s.Merchant(background, unknown)
		_, errS := s.Store(background, unknown)
		_, errB := s.StoreBySlug(background, unknown)
		_, errP := s.Product(background, unknown)
		for _, err := range []error{errM, errS, errB, errP} {
			if err := want(fmt.Sprintf("%.20q", unknown), err, catalog.ErrNotFound); err != nil {
				return err
			}
		}
	}
	return nil
}

// staleCatalog checks that a store or a product that was written since it was read is not written, nor what comes with it.
func staleCatalog(s record.Store) error {
	store := &catalog.Store{ID: fresh("STO"), MerchantID: fresh("MER"), Slug: fresh("shop"), Name: "A"}
	product := &catalog.Product{ID: fresh("PROD"), StoreID: store.ID, Test: catalog.Listing{Version: &catalog.Version{ID: "PVER_1", Number: 1, Name: "P"}}}
	all := catalog.Change{Store: store, Products: []*catalog.Product{product}}
	if err := s.Put(background, all); err != nil {
		return err
	}
	if err := want("the same new records again", s.Put(background, all), catalog.ErrStale); err != nil {
		return err
	}
	for range rounds {
		read, err := s.Product(background, product.ID)
		if err != nil {
			return err
		}
		if err := oneWinner("an update of a product", catalog.ErrStale, func(racer int) error {
			changed := *read
			changed.UpdatedAt = int64(racer)
			return s.Put(background, catalog.Change{Products: []*catalog.Product{&changed}})
		}); err != nil {
			return err
		}
		shop, err := s.Store(background, store.ID)
		if err != nil {
			return err
		}
		if err := oneWinner("an update of a store", catalog.ErrStale, func(racer int) error {
			changed := *shop
			changed.UpdatedAt = int64(racer)
			return s.Put(background, catalog.Change{Store: &changed})
		}); err != nil {
			return err
		}
	}
	fresher, err := s.Store(background, store.ID)
	if err != nil {
		return err
	}
	fresher.Name = "half"
	if err := want("a stale product with a store", s.Put(background, catalog.Change{Store: fresher, Products: []*catalog.Product{product}}),
		catalog.ErrStale); err != nil {
		return err
	}
	if read, err := s.Store(background, store.ID); err != nil || read.Name != "A" {
		return fmt.Errorf("half of a stale change was written: %+v, %v", read, err)
	}
	return nil
}

func slugs(s record.Store) error {
	slug := fresh("shop")
	err := oneWinner("a slug", catalog.ErrSlugTaken, func(int) error {
		return s.Put(background, catalog.Change{Store: &catalog.Store{ID: fresh("STO"), Slug: slug}})
	})
	if err != nil {
		return err
	}
	merchant, store := &catalog.Merchant{ID: fresh("MER")}, &catalog.Store{ID: fresh("STO"), Slug: slug}
	err = s.Put(background, catalog.Change{Merchant: merchant, Store: store})
	if err := want("a taken slug", err, catalog.ErrSlugTaken); err != nil {
		return err
	}
	_, errM := s.Merchant(background, merchant.ID)
	_, errS := s.Store(background, store.ID)
	return cmp.Or(want("its merchant", errM, catalog.ErrNotFound), want("its store", errS, catalog.ErrNotFound))
}

func origins(s record.Store) error {
	name := fresh("https://shop")
	kept, dropped := name+".example", name+".dropped.example"
	first := &catalog.Store{ID: fresh("STO"), Slug: fresh("shop"), Origins: []string{kept, dropped}}
	second := &catalog.Store{ID: fresh("STO"), Slug: fresh("shop"), Origins: []string{kept}}
	for _, store := range []*catalog.Store{first, second} {
		if err := s.Put(background, catalog.Change{Store: store}); err != nil {
			return err
		}
	}
	listed := func(when, origin string, wanted bool) error {
		got, err := s.OriginListed(background, origin)
		if err == nil && got != wanted {
			err = fmt.Errorf("%s: %s is listed: %t", when, origin, got)
		}
		return err
	}
	if err := cmp.Or(listed("at first", kept, true), listed("at first", dropped, true), listed("at first", name, false)); err != nil {
		return err
	}
	first.Origins, first.Revision = nil, 1
	if err := s.Put(background, catalog.Change{Store: first}); err != nil {
		return err
	}
	return cmp.Or(listed("after a change", kept, true), listed("after a change", dropped, false))
}

func webhookKey(s record.Store) error {
	broken := errors.New("no randomness")
	_, err := s.WebhookKey(background, checkout.Test, func() ([]byte, error) { return nil, broken })
	if err := want("a key that cannot be generated", err, broken); err != nil {
		return err
	}
	keys := make([][]byte, racers)
	won, lost := race(func(racer int) (err error) {
		keys[racer], err = s.WebhookKey(background, checkout.Test, func() ([]byte, error) { return []byte{byte(racer), 1}, nil })
		return err
	})
	if won != racers {
		return lost[0]
	}
	for _, k := range keys {
		if !bytes.Equal(k, keys[0]) {
			return fmt.Errorf("two keys: %v and %v", k, keys[0])
		}
	}
	other, err := s.WebhookKey(background, checkout.Prod, func() ([]byte, error) { return []byte{0, 2}, nil })
	if err != nil || bytes.Equal(other, keys[0]) {
		return fmt.Errorf("the other environment has %v, %v", other, err)
	}
	return nil
}

func claim(s record.Store) error {
	stored := make([]string, racers)
	won, lost := race(func(racer int) (err error) {
		stored[racer], err = s.Claim(background, fresh("use"))
		return err
	})
	if won != racers {
		return lost[0]
	}
	read, err := s.Claim(background, "")
	if err != nil {
		return err
	}
	for _, use := range stored {
		if use != read || use == "" {
			return fmt.Errorf("claimed for %q, stored %q", use, read)
		}
	}
	return nil
}
