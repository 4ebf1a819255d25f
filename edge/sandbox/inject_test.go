package sandbox

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/sandbox/fault"
)

// seen is the result of a call in the adapter.
type seen struct {
	ok     bool
	class  psp.ErrorClass
	status int
	code   string
	retry  time.Duration
}

var fine = seen{ok: true}

func see(f *psp.CallError) seen {
	if f == nil {
		return fine
	}
	return seen{false, f.Class, f.Status, f.Code, f.RetryAfter}
}

var (
	nothing   = seen{class: psp.Unknown}
	throttled = seen{false, psp.NotExecuted, 429, "rate_limit", 0}
	inUse     = seen{false, psp.InProgress, 409, "idempotency_key_in_use", 0}
	gateway   = seen{class: psp.Unknown, status: 502}
	bad       = seen{false, psp.Definitive, 400, "parameter_invalid", 0}
	stuck     = seen{false, psp.KeyBurned, 500, "api_error", 0}
)

// createFaults are the faults of a create: what the adapter sees, whether the session exists, and what the adapter sees when the
// same call under the same key is repeated without a fault.
var createFaults = map[fault.Spec]struct {
	first  seen
	exists bool
	again  seen
}{
	"none":              {fine, true, fine},
	"timeout":           {nothing, false, fine},
	"reset":             {nothing, false, fine},
	"429":               {throttled, false, fine},
	"429:1500ms":        {seen{false, psp.NotExecuted, 429, "rate_limit", 2 * time.Second}, false, fine},
	"409":               {inUse, false, fine},
	"502":               {gateway, false, fine},
	"400":               {bad, false, fine},
	"lost_response":     {nothing, true, fine},
	"reset_side_effect": {nothing, true, fine},
	"truncated":         {nothing, true, fine},
	"malformed":         {seen{class: psp.Unknown, status: 200}, true, fine},
	"huge":              {nothing, true, fine},
	"502_side_effect":   {gateway, true, fine},
	"500_saved":         {stuck, false, stuck},
	"500_side_effect":   {stuck, true, stuck},
	"slow:10ms":         {fine, true, fine},
	"first":             {fine, true, fine},
}

// TestCreateFaults: every fault of a create, requested in every way.
func TestCreateFaults(t *testing.T) {
	t.Parallel()
	ways := map[string]func(*trial){
		"script":   func(c *trial) { c.Script(c.fault) },
		"metadata": func(c *trial) { c.wire.Body = fmt.Appendf(c.wire.Body, "&metadata[sandbox]=%s", c.fault) },
		"address":  func(c *trial) { c.address("ada+twice+" + string(c.fault)) },
	}
	for way, choose := range ways {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			s := newShop(t, func(c *Config) { c.WebhookURL = "" })
			for spec, want := range createFaults {
				c := &trial{shop: s, fault: spec, order: string(spec)}
				c.render("ada@example.com")
				choose(c)
				c.first(want.first, want.exists)
				if !want.exists && way != "script" {
					want.again = want.first // a requested fault applies again while nothing is stored
				}
				c.again(want.again)
			}
		})
	}
}

// trial is one create under one key, sent twice.
type trial struct {
	*shop
	fault fault.Spec
	order string
	wire  psp.RenderedRequest
}

func (c *trial) render(email string) {
	c.wire = c.shop.wire(func(p *psp.CheckoutParams) { p.OrderID, p.Order.BuyerEmail = c.order, email })
}

// address requests a fault by the buyer's e-mail address, which has a hyphen in place of the colon.
func (c *trial) address(name string) {
	c.render(strings.ReplaceAll(name, ":", "-") + fault.EmailDomain)
}

func (c *trial) send(want seen) (psp.Checkout, seen) {
	made, fault := c.gateway.Create(until(want), c.wire, c.order)
	return made.Checkout, see(fault)
}

// until is the deadline for a result, short where none is expected.
func until(want seen) time.Time {
	if want == nothing {
		return time.Now().Add(250 * time.Millisecond)
	}
	return soon()
}

func (c *trial) first(want seen, exists bool) {
	c.t.Helper()
	remote, got := c.send(want)
	found := c.find(c.order)
	if got != want || (len(found) == 1) != exists {
		c.t.Fatalf("%s: %+v and %d sessions, want %+v", c.order, got, len(found), want)
	}
	if exists && (want == fine && found[0].ID != remote.Ref || found[0].Key != c.order) {
		c.t.Errorf("%s: %+v for %+v", c.order, found[0], remote)
	}
	if !strings.Contains(c.Log()[0].Outcome, "key "+c.order+" · fault ") {
		c.t.Errorf("%s is in the log as %+v", c.order, c.Log()[0])
	}
}

func (c *trial) again(want seen) {
	c.t.Helper()
	before := c.find(c.order)
	remote, got := c.send(want)
	found := c.find(c.order)
	if got != want {
		c.t.Errorf("%s: again %+v, want %+v", c.order, got, want)
	}
	if want == fine && (len(found) != 1 || found[0].ID != remote.Ref) {
		c.t.Errorf("%s: %+v for %+v", c.order, found, remote)
	}
	if want != fine && len(found) != len(before) {
		c.t.Errorf("%s: there are %+v", c.order, found)
	}
}

// find lists the sessions of an order.
func (s *shop) find(order string) []Snapshot {
	s.t.Helper()
	all, err := s.Sessions()
	if err != nil {
		s.t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(p Snapshot) bool { return p.Order != order })
}

// TestFaultsOfReplays: a replay can be lost and rate-limited. A fault of executing calls does not apply to it and waits for the
// next call.
func TestFaultsOfReplays(t *testing.T) {
	t.Parallel()
	s := newShop(t, nil)
	c := &trial{shop: s, order: "ORD_1"}
	c.render("ada+lost_response@sandbox.test")
	if _, got := c.send(nothing); got != nothing {
		t.Fatalf("got %+v", got)
	}
	s.Script("500_saved", "400", "429", "timeout", "502_side_effect", "truncated", "409")
	for _, want := range []seen{throttled, nothing, gateway, nothing, inUse} {
		if _, got := c.send(want); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		if found := s.find("ORD_1"); len(found) != 1 {
			t.Fatalf("there are %+v", found)
		}
	}
	remote, got := c.send(fine)
	if found := s.find("ORD_1"); got != fine || found[0].ID != remote.Ref {
		t.Errorf("got %+v, %+v", got, found)
	}
	c.order = "ORD_2"
	c.render("ada@example.com")
	if _, got := c.send(stuck); got != stuck {
		t.Errorf("got %+v: the fault did not wait", got)
	}
}

// TestSlow: a slow call keeps its key in use, is executed, and its response is stored under the key.
func TestSlow(t *testing.T) {
	t.Parallel()
	s := newShop(t, nil)
	c := &trial{shop: s, order: "ORD_1"}
	c.render("ada+slow-5s@sandbox.test")
	if _, got := c.send(nothing); got != nothing {
		t.Errorf("got %+v", got)
	}
	if _, got := c.send(inUse); got != inUse || len(s.find("ORD_1")) != 0 {
		t.Errorf("meanwhile %+v", got)
	}
	for len(s.find("ORD_1")) == 0 {
		time.Sleep(10 * time.Millisecond)
	}
	s.Script("slow:1ms") // until the key is free
	for _, got := c.send(fine); got != fine; _, got = c.send(fine) {
		if got != inUse {
			t.Fatalf("then %+v", got)
		}
	}
	if found := s.find("ORD_1"); len(found) != 1 {
		t.Errorf("got %+v", found)
	}
}

// TestFaultsOfOthers: faults of calls without a key. A failure is not stored and has an unknown outcome.
func TestFaultsOfOthers(t *testing.T) {
	t.Parallel()
	s := newShop(t, func(c *Config) { c.WebhookURL = "" })
	lost := seen{false, psp.Unknown, 500, "api_error", 0}
	cases := map[fault.Spec]struct {
		want   seen
		status string
	}{
		"expire.timeout":           {nothing, open},
		"expire.reset":             {nothing, open},
		"expire.429":               {throttled, open},
		"expire.502":               {gateway, open},
		"expire.400":               {bad, open},
		"expire.500_saved":         {lost, open},
		"expire.lost_response":     {nothing, expired},
		"expire.truncated":         {nothing, expired},
		"expire.500_side_effect":   {lost, expired},
		"expire.502_side_effect":   {gateway, expired},
		"expire.slow:1ms":          {fine, expired},
		"retrieve.timeout":         {nothing, open},
		"retrieve.409":             {inUse, open},
		"retrieve.malformed":       {seen{class: psp.Unknown, status: 200}, open},
		"retrieve.500_side_effect": {lost, open},
		"retrieve.first":           {fine, complete},
	}
	for spec, want := range cases {
		order := string(spec)
		c := &trial{shop: s, order: order}
		c.address(order)
		remote, got := c.send(fine)
		if got != fine {
			t.Fatalf("%s: the create %+v", order, got)
		}
		call := s.gateway.Retrieve
		if strings.HasPrefix(order, "expire") {
			call = s.gateway.Expire
		}
		_, failed := call(until(want.want), remote.Ref)
		if found := s.find(order); see(failed) != want.want || found[0].Status != want.status {
			t.Errorf("%s: %+v and a session %s, want %+v", order, see(failed), found[0].Status, want)
		}
	}
	s.Script("list.502", "refund.409")
	for _, status := range []int{502, 200} {
		if got := s.call("GET", "/v1/checkout/sessions", "", ""); got.status != status {
			t.Errorf("list: %d, want %d", got.status, status)
		}
	}
	for _, status := range []int{409, 404} {
		if got := s.call("POST", "/v1/refunds", "payment_intent=pi_0", "r"); got.status != status {
			t.Errorf("refund: %d, want %d", got.status, status)
		}
	}
}

func TestUnknownFaults(t *testing.T) {
	t.Parallel()
	s := newShop(t, nil)
	got := s.call("POST", "/v1/checkout/sessions", form("metadata[sandbox]", "timeout+nonsense"), "")
	if got.status != 400 || got.error(t).Param != "metadata[sandbox]" {
		t.Errorf("got %s", got.body)
	}
	defer func() {
		if recover() == nil {
			t.Error("an unknown fault was accepted")
		}
	}()
	s.Script("nonsense")
}

// TestCloseEndsFaults: Close does not wait for calls that hang or are delayed.
func TestCloseEndsFaults(t *testing.T) {
	t.Parallel()
	for _, spec := range []fault.Spec{"timeout", "lost_response", "slow:1m"} {
		s := newShop(t, nil)
		done, called := make(chan seen), make(chan bool)
		s.Decide(func(fault.Call) fault.Spec {
			close(called)
			return spec
		})
		go func() {
			_, fault := s.gateway.Create(time.Now().Add(5*time.Minute), s.wire(nil), "k")
			done <- see(fault)
		}()
		<-called
		start := time.Now()
		s.Sandbox.Close()
		if got := <-done; time.Since(start) > 50*time.Second || got.class != psp.Unknown {
			t.Errorf("%s: %+v after %v", spec, got, time.Since(start))
		}
	}
}
