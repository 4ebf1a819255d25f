package sandbox

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/psp/stripe"
)

// These tests run the real adapter against the sandbox.

func TestCreate(t *testing.T) {
	t.Parallel()
	s := newShop(t, nil)
	got := s.open("k")
	want := psp.Checkout{
		Ref: got.Ref, URL: s.config.PublicURL + "/pay/" + got.Ref, Status: psp.CheckoutOpen,
		Total: money.Amount{Minor: 3110, Currency: "USD"}, OrderID: "ORD_1", Attempt: 1, SessionID: "cs_550e8400-e29b-41d4-a716-446655440000",
	}
	if got != want || !strings.HasPrefix(got.Ref, "cs_test_") || len(got.Ref) < 40 {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	read, fault := s.gateway.Retrieve(soon(), got.Ref)
	if fault != nil || read != got {
		t.Errorf("read back as %+v, %v", read, fault)
	}
}

func TestCreateLive(t *testing.T) {
	t.Parallel()
	s := newShop(t, func(c *Config) { c.Live = true })
	if got := s.open("k"); !got.Live || !strings.HasPrefix(got.Ref, "cs_live_") {
		t.Errorf("got %+v", got)
	}
}

func TestIdempotency(t *testing.T) {
	t.Parallel()
	s := newShop(t, nil)
	w := s.wire(nil)
	first, fault := s.gateway.Create(soon(), w, "k")
	if fault != nil {
		t.Fatal(fault)
	}
	again, fault := s.gateway.Create(soon(), w, "k")
	if fault != nil || !again.Replayed || again.Checkout != first.Checkout {
		t.Errorf("the same call again: %+v, %v", again, fault)
	}
	other, fault := s.gateway.Create(soon(), w, "k2")
	if fault != nil || other.Replayed || other.Ref == first.Ref {
		t.Errorf("another key: %+v, %v", other, fault)
	}
	changed := psp.RenderedRequest{Path: w.Path, Body: append(w.Body[:len(w.Body):len(w.Body)], "&client_reference_id=x"...)}
	_, fault = s.gateway.Create(soon(), changed, "k")
	if fault == nil || fault.Class != psp.KeyTaken || fault.Code != "idempotency_error" {
		t.Errorf("other bytes under the key: %v", fault)
	}

	// The stored response survives a restart, and the key can be used anew after a day.
	s.Sandbox.Close()
	s.start()
	if again, fault := s.gateway.Create(soon(), w, "k"); fault != nil || !again.Replayed || again.Checkout != first.Checkout {
		t.Errorf("after a restart: %+v, %v", again, fault)
	}
	s.clock.advance(keepAnswer)
	if next, fault := s.gateway.Create(soon(), s.wire(nil), "k"); fault != nil || next.Ref == first.Ref {
		t.Errorf("after a day: %+v, %v", next, fault)
	}
}

// TestIdempotencyRace: of concurrent calls under one key all that succeed return the same session, and the others conflict.
func TestIdempotencyRace(t *testing.T) {
	t.Parallel()
	s := newShop(t, nil)
	w := s.wire(nil)
	var mutex sync.Mutex
	refs := make(map[string]int)
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() {
			remote, fault := s.gateway.Create(soon(), w, "k")
			if fault != nil && (fault.Class != psp.InProgress || fault.Code != "idempotency_key_in_use") {
				t.Errorf("got %v", fault)
			}
			mutex.Lock()
			defer mutex.Unlock()
			refs[remote.Ref]++
		})
	}
	all.Wait()
	delete(refs, "")
	if len(refs) != 1 {
		t.Errorf("the sessions are %v", refs)
	}
}

// TestAmounts: the adapter and the sandbox agree about the currencies that can be charged and their limits. Their tables were
// written independently from Stripe's documentation.
func TestAmounts(t *testing.T) {
	t.Parallel()
	s := newShop(t, nil)
	charge := func(minor int64, c money.Currency) string {
		_, fault := s.gateway.Create(soon(), s.wire(func(p *psp.CheckoutParams) {
			q := &p.Order.Quote
			q.Currency, q.Assessment.Subtotal, q.Assessment.Tax, q.Assessment.Total = c, minor, 0, minor
		}), fmt.Sprint(c, minor))
		if fault != nil {
			return fault.Code
		}
		return ""
	}
	for c := range money.Currencies() {
		limits, ok := s.gateway.Amounts(c)
		if !ok {
			const param = "line_items[0][price_data][currency]"
			got := s.call("POST", "/v1/checkout/sessions", form(param, strings.ToLower(string(c))), "")
			if got.status != 400 || got.error(t).Param != param {
				t.Errorf("%s, which Stripe does not charge: %s", c, got.body)
			}
			continue
		}
		for _, minor := range []int64{limits.Min, limits.Max} {
			if code := charge(minor, c); code != "" {
				t.Errorf("%d %s: %s", minor, c, code)
			}
		}
		if limits.Min == limits.SmallestUnit {
			continue
		}
		if code := charge(limits.Min-limits.SmallestUnit, c); code != "amount_too_small" {
			t.Errorf("less than the minimum of %s: %q", c, code)
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	s := newShop(t, nil)
	cases := map[string]struct {
		change func(*psp.CheckoutParams)
		code   string
	}{
		"too little": {func(p *psp.CheckoutParams) {
			a := &p.Order.Quote.Assessment
			a.Subtotal, a.Tax, a.Total = 49, 0, 49
		}, "amount_too_small"},
		"too short a life": {func(p *psp.CheckoutParams) { p.ExpiresAt = s.clock.now().Add(29 * time.Minute) }, "invalid_request_error"},
		"too long a life":  {func(p *psp.CheckoutParams) { p.ExpiresAt = s.clock.now().Add(25 * time.Hour) }, "invalid_request_error"},
		"no return":        {func(p *psp.CheckoutParams) { p.SuccessTo = "nowhere" }, "url_invalid"},
		"no address":       {func(p *psp.CheckoutParams) { p.Order.BuyerEmail = "ada" }, "email_invalid"},
	}
	for name, c := range cases {
		_, fault := s.gateway.Create(soon(), s.wire(c.change), "k")
		if fault == nil || fault.Class != psp.Definitive || fault.Code != c.code || fault.Status != 400 || fault.RequestID == "" {
			t.Errorf("%s: %+v", name, fault)
		}
	}
	// A refusal of parameters is not stored under the key.
	if _, fault := s.gateway.Create(soon(), s.wire(nil), "k"); fault != nil {
		t.Errorf("after the refusals: %v", fault)
	}
	if remote, fault := s.gateway.Retrieve(soon(), "cs_test_0"); fault != nil || remote.Status != psp.CheckoutMissing {
		t.Errorf("unknown session: %+v, %v", remote, fault)
	}
	if remote, fault := s.gateway.Expire(soon(), "cs_test_0"); fault != nil || remote.Status != psp.CheckoutMissing {
		t.Errorf("expiring an unknown session: %+v, %v", remote, fault)
	}
	stranger := stripe.New(stripe.Config{Key: "sk_test_other", BaseURL: "http://sandbox.invalid", Dial: s.Dial})
	_, fault := stranger.Create(soon(), s.wire(nil), "k3")
	if fault == nil || fault.Class != psp.NotExecuted || fault.Status != 401 {
		t.Errorf("wrong key: %v", fault)
	}
}

func TestExpire(t *testing.T) {
	t.Parallel()
	s := newShop(t, nil)
	first := s.open("k")
	for range 2 { // the second time it is expired already
		got, fault := s.gateway.Expire(soon(), first.Ref)
		if fault != nil || got.Status != psp.CheckoutExpired || got.URL != "" || got.Paid || got.OrderID != "ORD_1" {
			t.Fatalf("got %+v, %v", got, fault)
		}
	}
	if e := s.event(); e.Kind != psp.EventExpired || e.Checkout.Ref != first.Ref {
		t.Errorf("got %+v", e)
	}
	second := s.open("k2")
	s.choose(second, "succeeds")
	got, fault := s.gateway.Expire(soon(), second.Ref)
	if fault != nil || got.Status != psp.CheckoutComplete || !got.Paid || got.PaymentID == "" {
		t.Errorf("expiring a paid session: %+v, %v", got, fault)
	}
	if e := s.event(); e.Kind != psp.EventCompleted {
		t.Errorf("got %+v", e)
	}
	s.silence()
}

// TestExpireRace: of a concurrent payment and expiry one succeeds, and both callers learn which.
func TestExpireRace(t *testing.T) {
	t.Parallel()
	s := newShop(t, func(c *Config) { c.WebhookURL = "" })
	for range 20 {
		remote := s.open(time.Now().String())
		var all sync.WaitGroup
		var refused error
		all.Go(func() { refused = s.Pay(remote.Ref) })
		var ended psp.Checkout
		all.Go(func() { ended, _ = s.gateway.Expire(soon(), remote.Ref) })
		all.Wait()
		if through := refused == nil; through != ended.Paid || ended.Paid == (ended.Status == psp.CheckoutExpired) {
			t.Fatalf("paying: %v, and the session is %+v", refused, ended)
		}
	}
}

func TestSessionExpires(t *testing.T) {
	t.Parallel()
	s := newShop(t, nil)
	remote := s.open("k")
	s.clock.advance(61 * time.Minute)
	s.wake <- struct{}{}
	if e := s.event(); e.Kind != psp.EventExpired || e.Checkout.Ref != remote.Ref {
		t.Errorf("got %+v", e)
	}
	if got, fault := s.gateway.Retrieve(soon(), remote.Ref); fault != nil || got.Status != psp.CheckoutExpired {
		t.Errorf("got %+v, %v", got, fault)
	}
}

// fullDisk is a store that cannot write.
type fullDisk struct{ Store }

func (fullDisk) Apply([]Write) error { return errors.New("no space left on device") }

// TestBroken: the adapter handles failures of the sandbox as it handles those of Stripe.
func TestBroken(t *testing.T) {
	t.Parallel()
	s := newShop(t, func(c *Config) { c.Store = fullDisk{c.Store} })
	w := s.wire(nil)
	if _, fault := s.gateway.Create(soon(), w, "k"); fault == nil || fault.Class != psp.KeyBurned || fault.Code != "api_error" {
		t.Errorf("without a store: %v", fault)
	}
	s.Sandbox.Close()
	if _, fault := s.gateway.Create(soon(), w, "k"); fault == nil || fault.Class == psp.Definitive {
		t.Errorf("closed: %v", fault)
	}
	fresh := stripe.New(stripe.Config{Key: apiKey, BaseURL: "http://sandbox.invalid", Dial: s.Dial})
	if _, fault := fresh.Create(soon(), w, "k"); fault == nil || fault.Class != psp.NotExecuted {
		t.Errorf("closed before anything was sent: %v", fault)
	}
}
