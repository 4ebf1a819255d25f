package plugins_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/core/tax/table"
	"github.com/crepe-checkout/crepe/edge/badgerstore"
	"github.com/crepe-checkout/crepe/edge/metrics"
	"github.com/crepe-checkout/crepe/edge/plugins"
	"github.com/crepe-checkout/crepe/wasm/meter"
)

// world is a database with a service and a runner.
type world struct {
	*testing.T
	db      *badgerstore.DB
	service *plugins.Service
	runner  *plugins.Runner
	metrics *metrics.Set
	log     bytes.Buffer
}

func newWorld(t *testing.T) *world {
	t.Helper()
	db, err := badgerstore.Open(t.TempDir(), badgerstore.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, db: db, service: &plugins.Service{Store: db, Now: time.Now}, metrics: metrics.New()}
	w.runner = plugins.NewRunner(plugins.RunnerConfig{Store: db, Metrics: w.metrics, Log: slog.New(slog.NewTextHandler(&w.log, nil))})
	t.Cleanup(func() {
		if err := errors.Join(w.runner.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	})
	return w
}

func module(t testing.TB, name string) []byte {
	t.Helper()
	module, err := os.ReadFile("../../wasm/rules/" + name + ".wasm")
	if err != nil {
		t.Fatal(err)
	}
	return module
}

// upload uploads a sample and publishes it in test.
func (w *world) upload(storeID, rule, config string, more ...func(*plugins.Upload)) *plugins.Version {
	w.Helper()
	u := plugins.Upload{Module: module(w, rule), Config: []byte(config)}
	for _, change := range more {
		change(&u)
	}
	v, err := w.service.Upload(w.Context(), storeID, u)
	if err == nil {
		_, err = w.service.Publish(w.Context(), storeID, v.Number, checkout.Test)
	}
	if err != nil {
		w.Fatal(err)
	}
	return v
}

// force stores and publishes what an upload would refuse.
func (w *world) force(storeID string, module []byte, config string, onFailure plugins.OnFailure) {
	w.Helper()
	r, err := w.db.Rules(w.Context(), storeID)
	if err != nil {
		w.Fatal(err)
	}
	r.Last++
	r.Test = r.Last
	r.Versions = append(r.Versions, plugins.Version{Number: r.Last, OnFailure: onFailure})
	add := &plugins.Content{StoreID: storeID, Number: r.Last, Module: module, Config: []byte(config)}
	if err := w.db.CommitRules(w.Context(), plugins.Change{Rules: r, Add: add}); err != nil {
		w.Fatal(err)
	}
}

// draft is an order of a store for 29.00 EUR.
func draft(storeID string, env checkout.Environment) *checkout.Order {
	return &checkout.Order{StoreID: storeID, Environment: env, Product: checkout.Product{ID: "PROD_1"}, BuyerEmail: "ann@example.com",
		Terms: checkout.Terms{Price: money.Amount{Minor: 2900, Currency: "EUR"}, Category: table.Category(1)}, Billing: billing.Detail{Country: "DE"},
		PlacedAt: time.Date(2026, 11, 29, 23, 0, 0, 0, time.UTC).UnixMilli()}
}

// decide decides about an order of a store in test.
func (w *world) decide(storeID string) (checkout.Discount, problem.List, error) {
	return w.runner.Decide(w.Context(), draft(storeID, checkout.Test))
}

func (w *world) counted(sample string) bool {
	var text strings.Builder
	w.metrics.Write(&text)
	return strings.Contains(text.String(), sample+"\n")
}

func TestDecide(t *testing.T) {
	w := newWorld(t)
	for _, storeID := range []string{"STO_1", "STO_2"} {
		if discount, refused, err := w.decide(storeID); discount.Minor != 0 || refused != nil || err != nil {
			t.Errorf("without a rule: %v, %v, %v", discount, refused, err)
		}
	}
	w.upload("STO_1", "limits", `{"EUR":{"max":"20.00"}}`)
	w.upload("STO_2", "coupon", `{"percent":10,"addresses":["`+plugins.Digest([]byte("ann@example.com"))+`"],"until":"2026-11-29"}`)
	_, refused, err := w.decide("STO_1")
	if len(refused) != 1 || *refused[0] != (problem.Problem{Kind: problem.Invalid, Code: "rule-order-too-large", Message: "The largest order is 20.00 EUR."}) || err != nil {
		t.Errorf("a rule that refuses: %v, %v", refused, err)
	}
	if discount, refused, err := w.decide("STO_2"); discount != (checkout.Discount{Label: "Coupon", Minor: 290}) || refused != nil || err != nil {
		t.Errorf("a rule with a discount: %v, %v, %v", discount, refused, err)
	}
	if _, refused, err := w.runner.Decide(t.Context(), draft("STO_1", checkout.Prod)); refused != nil || err != nil {
		t.Errorf("in the other environment: %v, %v", refused, err)
	}
	w.upload("STO_1", "addresses", `{"domains":["com"]}`)
	if _, refused, err := w.decide("STO_1"); len(refused) != 1 || refused[0].Path != "/buyerEmail" || err != nil {
		t.Errorf("the next version: %v, %v", refused, err)
	}
	early := draft("STO_1", checkout.Test)
	early.BuyerEmail = ""
	if _, refused, err := w.runner.Decide(t.Context(), early); refused != nil || err != nil {
		t.Errorf("without an address: %v, %v", refused, err)
	}
	if err := w.service.Unpublish(t.Context(), "STO_1", checkout.Test); err != nil {
		t.Error(err)
	}
	if _, refused, err := w.decide("STO_1"); refused != nil || err != nil {
		t.Errorf("unpublished: %v, %v", refused, err)
	}
	if !w.counted(`crepe_rule_decisions_total{environment="test",outcome="refused"} 2`) || !w.counted(`crepe_rule_decisions_total{environment="test",outcome="discounted"} 1`) {
		t.Error("decisions are not counted")
	}
}

// TestFailures: a rule that fails refuses orders for the moment or not, as its version says; both are counted, and logged without data of
// the buyer.
func TestFailures(t *testing.T) {
	w := newWorld(t)
	bad := `{"maximum":"1"}`
	w.force("STO_refuse", module(t, "addresses"), bad, plugins.Refuse)
	w.force("STO_continue", module(t, "addresses"), bad, plugins.Continue)
	w.force("STO_broken", []byte("\x00asm"), "{}", plugins.Refuse)
	for range 3 {
		_, refused, err := w.decide("STO_refuse")
		if list := problem.Of(err); refused != nil || len(list) != 1 || list[0].Kind != problem.Unavailable || list[0].Code != "rule-failed" {
			t.Errorf("refuse: %v, %v", refused, err)
		}
		if discount, refused, err := w.decide("STO_continue"); discount.Minor != 0 || refused != nil || err != nil {
			t.Errorf("continue: %v, %v, %v", discount, refused, err)
		}
		if _, _, err := w.decide("STO_broken"); problem.Of(err) == nil {
			t.Errorf("a module that cannot run: %v", err)
		}
	}
	if !w.counted(`crepe_rule_failures_total{reason="trap"} 6`) || !w.counted(`crepe_rule_failures_total{reason="unready"} 3`) {
		t.Error("failures are not counted")
	}
	if log := w.log.String(); !strings.Contains(log, "STO_continue") || strings.Contains(log, "ann@") {
		t.Errorf("the log has %s", log)
	}
}

// failing is a store that cannot be read.
type failing struct{ plugins.Store }

var errUnread = errors.New("unread")

func (failing) RuleContent(context.Context, string, int) (*plugins.Content, error) {
	return nil, errUnread
}

// TestUnreadable: if the rules cannot be read nothing is decided, whatever happens on a failure, and the next order tries again.
func TestUnreadable(t *testing.T) {
	w := newWorld(t)
	w.upload("STO_1", "limits", `{"EUR":{"max":"20.00"}}`, func(u *plugins.Upload) { u.OnFailure = plugins.Continue })
	runner := plugins.NewRunner(plugins.RunnerConfig{Store: failing{w.db}, Log: slog.New(slog.DiscardHandler)})
	defer runner.Close()
	for range 2 {
		if _, refused, err := runner.Decide(t.Context(), draft("STO_1", checkout.Test)); !errors.Is(err, errUnread) || refused != nil {
			t.Errorf("decided: %v, %v", refused, err)
		}
	}
}

// TestEviction: more versions than are kept compiled decide, from many goroutines.
func TestEviction(t *testing.T) {
	w := newWorld(t)
	stores := make([]string, 40)
	for i := range stores {
		stores[i] = "STO_" + string(rune('a'+i))
		w.upload(stores[i], "limits", `{"EUR":{"max":"20.00"}}`)
	}
	var all sync.WaitGroup
	for g := range 4 {
		all.Go(func() {
			for i := range 2 * len(stores) {
				if _, refused, err := w.decide(stores[(i+g*7)%len(stores)]); len(refused) != 1 || err != nil {
					t.Errorf("decided %v, %v", refused, err)
				}
			}
		})
	}
	all.Wait()
}

func TestVersions(t *testing.T) {
	w := newWorld(t)
	first := w.upload("STO_1", "limits", ` { "EUR" : { "max" : "20.00" } } `)
	if again := w.upload("STO_1", "limits", `{"EUR":{"max":"20.00"}}`); *again != *first && again.Number != 1 {
		t.Errorf("the same again is %+v", again)
	}
	for _, other := range []func(*plugins.Upload){
		func(u *plugins.Upload) { u.Config = []byte(`{"EUR":{"max":"30.00"}}`) }, func(u *plugins.Upload) { u.InPage = true },
		func(u *plugins.Upload) { u.OnFailure = plugins.Continue }, func(u *plugins.Upload) { u.Name = "other" },
	} {
		w.upload("STO_1", "limits", `{"EUR":{"max":"20.00"}}`, other)
	}
	r, err := w.db.Rules(t.Context(), "STO_1")
	if err != nil || len(r.Versions) != 5 || r.Test != 5 || r.Prod != 0 {
		t.Fatalf("the rules are %+v, %v", r, err)
	}
	refuse := func(what string, err error) {
		t.Helper()
		if problem.Of(err) == nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	untested, err := w.service.Upload(t.Context(), "STO_1", plugins.Upload{Module: module(t, "limits"), Name: "untested"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.service.Publish(t.Context(), "STO_1", untested.Number, checkout.Prod)
	refuse("prod before test", err)
	_, err = w.service.Publish(t.Context(), "STO_1", 99, checkout.Test)
	refuse("no version", err)
	if _, err := w.service.Publish(t.Context(), "STO_1", 2, checkout.Prod); err != nil {
		t.Errorf("a version that was in test: %v", err)
	}
	refuse("a published version", w.service.Remove(t.Context(), "STO_1", 2))
	if err := w.service.Remove(t.Context(), "STO_1", untested.Number); err != nil {
		t.Error(err)
	}
	if next := w.upload("STO_1", "limits", `{}`); next.Number != untested.Number+1 {
		t.Errorf("after a removal the next version is %d", next.Number)
	}
}

// TestFull: the versions of a store are bounded.
func TestFull(t *testing.T) {
	w := newWorld(t)
	r := &plugins.Rules{StoreID: "STO_1", Last: 100}
	for i := range plugins.MaxVersions {
		r.Versions = append(r.Versions, plugins.Version{Number: i + 1})
	}
	if err := w.db.CommitRules(t.Context(), plugins.Change{Rules: r}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.service.Upload(t.Context(), "STO_1", plugins.Upload{Module: module(t, "limits")}); err == nil || !strings.Contains(err.Error(), "100 versions") {
		t.Errorf("one more: %v", err)
	}
}

// TestUploads: what cannot be a rule is refused with a reason, and nothing is stored.
func TestUploads(t *testing.T) {
	w := newWorld(t)
	limits := module(t, "limits")
	for want, u := range map[string]plugins.Upload{
		"not a WebAssembly module":       {Module: []byte("hello")},
		"has 262145 bytes":               {Module: append(limits[:len(limits):len(limits)], make([]byte, plugins.MaxModule+1-len(limits))...)},
		"a rule has no imports, at byte": {Module: func() []byte { m, _ := os.ReadFile("../../wasm/plugins/httpwasm/plugin.wasm"); return m }()},
		"is not a JSON object":           {Module: limits, Config: []byte("[]")},
		"is not a JSON object ":          {Module: limits, Config: []byte("{")},
		"more than 16384":                {Module: limits, Config: []byte(`{"a":"` + strings.Repeat("x", plugins.MaxConfig) + `"}`)},
		"expected refuse or continue":    {Module: limits, OnFailure: "ignore"},
		"more than 100 bytes":            {Module: limits, Name: strings.Repeat("x", 101)},
		"cannot be shown":                {Module: limits, Name: "a\x00"},
		"fails on an ordinary order":     {Module: limits, Config: []byte(`{"EUR":{"maximum":"1"}}`)},
	} {
		_, err := w.service.Upload(t.Context(), "STO_1", u)
		if problem.Of(err) == nil || !strings.Contains(err.Error(), strings.TrimSpace(want)) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if r, err := w.db.Rules(t.Context(), "STO_1"); err != nil || r.Revision != 0 {
		t.Errorf("stored: %+v, %v", r, err)
	}
}

// TestLimits: the limits that the documentation names are those of the meter.
func TestLimits(t *testing.T) {
	if meter.Rule.Size != plugins.MaxModule || meter.Rule.Start != plugins.Fuel || meter.Rule.Pages != 16 {
		t.Errorf("the meter has %+v", meter.Rule)
	}
}

// BenchmarkDecide decides about orders: of a store without a rule, and with a sample, reading the rules from the database each time.
func BenchmarkDecide(b *testing.B) {
	db, err := badgerstore.Open(b.TempDir(), badgerstore.Options{NoSync: true})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	service := &plugins.Service{Store: db, Now: time.Now}
	runner := plugins.NewRunner(plugins.RunnerConfig{Store: db, Log: slog.New(slog.DiscardHandler)})
	defer runner.Close()
	v, err := service.Upload(b.Context(), "STO_1", plugins.Upload{Module: module(b, "limits"), Config: []byte(`{"EUR":{"max":"50.00"}}`)})
	if err == nil {
		_, err = service.Publish(b.Context(), "STO_1", v.Number, checkout.Test)
	}
	if err != nil {
		b.Fatal(err)
	}
	for name, storeID := range map[string]string{"none": "STO_2", "limits": "STO_1"} {
		b.Run(name, func(b *testing.B) {
			order := draft(storeID, checkout.Test)
			for b.Loop() {
				if _, refused, err := runner.Decide(b.Context(), order); refused != nil || err != nil {
					b.Fatal(refused, err)
				}
			}
		})
	}
}
