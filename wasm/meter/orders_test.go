package meter_test

import (
	"log/slog"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/core/tax/table"
	"github.com/crepe-checkout/crepe/edge/badgerstore"
	"github.com/crepe-checkout/crepe/edge/plugins"
	"github.com/crepe-checkout/crepe/wasm/meter"
)

// TestOtherStores: while stores whose rules are the hostile modules get orders, the orders of other stores are decided as always, and soon.
// Every order with a hostile rule ends, too.
func TestOtherStores(t *testing.T) {
	db, err := badgerstore.Open(t.TempDir(), badgerstore.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	good, err := os.ReadFile("../rules/limits.wasm")
	if err != nil {
		t.Fatal(err)
	}
	publish := func(storeID string, module []byte) {
		t.Helper()
		rules := &plugins.Rules{StoreID: storeID, Last: 1, Test: 1, Versions: []plugins.Version{{Number: 1, OnFailure: plugins.Refuse}}}
		content := &plugins.Content{StoreID: storeID, Number: 1, Module: module, Config: []byte(`{"EUR":{"max":"20.00"}}`)}
		if err := db.CommitRules(t.Context(), plugins.Change{Rules: rules, Add: content}); err != nil {
			t.Fatal(err)
		}
	}
	publish("good", good)
	hostile := meter.Corpus()
	for name, module := range hostile {
		if len(module) <= 2*plugins.MaxModule {
			publish(name, []byte(module))
		}
	}
	runner := plugins.NewRunner(plugins.RunnerConfig{Store: db, Log: slog.New(slog.DiscardHandler)})
	defer runner.Close()
	decide := func(storeID string) (problem.List, error) {
		_, refused, err := runner.Decide(t.Context(), &checkout.Order{StoreID: storeID, Environment: checkout.Test, BuyerEmail: "ann@example.com",
			Terms:   checkout.Terms{Price: money.Amount{Minor: 2900, Currency: "EUR"}, Category: table.Category(1)},
			Billing: billing.Detail{Country: "DE"}, PlacedAt: 1795953600000})
		return refused, err
	}
	if _, err := decide("good"); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	var attack sync.WaitGroup
	ends := 0
	attack.Go(func() {
		defer close(done)
		for name := range hostile {
			for range 5 {
				began := time.Now()
				decide(name) // whatever comes of it
				ends++
				if took := time.Since(began); took > 20*time.Second {
					t.Errorf("%s: an order took %v", name, took)
				}
			}
		}
	})
	var times []time.Duration
	for attacked := true; attacked; {
		select {
		case <-done:
			attacked = false
		default:
		}
		began := time.Now()
		refused, err := decide("good")
		times = append(times, time.Since(began))
		if err != nil || len(refused) != 1 || refused[0].Code != "rule-order-too-large" {
			t.Fatalf("an order of another store: %v, %v", refused, err)
		}
	}
	attack.Wait()
	slices.Sort(times)
	t.Logf("%d orders with %d hostile rules; %d others took %v, p99 %v, at most %v", ends, len(hostile), len(times), times[len(times)/2],
		times[len(times)*99/100], times[len(times)-1])
	if len(hostile) < 40 || len(times) < 100 || times[len(times)*99/100] > 100*time.Millisecond {
		t.Error("the other orders are too few or too slow")
	}
}
