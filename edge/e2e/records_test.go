package e2e

import (
	"crypto/rand"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/badgerstore"
	"github.com/crepe-checkout/crepe/edge/durable"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp/limit"
	"github.com/crepe-checkout/crepe/edge/psp/stripe"
	"github.com/crepe-checkout/crepe/edge/sandbox"
	"github.com/crepe-checkout/crepe/edge/sessions"
)

// The databases in the data directory.
const (
	ownDatabase     = "db"
	sandboxDatabase = "sandbox"
)

// records are what a stopped server has stored, its own records and those of the sandbox provider in the test environment.
type records struct {
	db       *badgerstore.DB
	orders   *orders.Service
	provider *sandbox.Sandbox
	close    func() // before the server starts again
}

func openRecords(t testing.TB, data string) *records {
	t.Helper()
	db, err := badgerstore.Open(filepath.Join(data, ownDatabase), badgerstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	provider, closeProvider := openProvider(t, data)
	log := slog.New(slog.DiscardHandler)
	adapter := stripe.New(stripe.Config{Name: "sandbox", Key: "sk_test_sandbox", BaseURL: "http://sandbox", Dial: provider.Dial})
	return &records{db: db, provider: provider,
		orders: orders.New(orders.Config{Store: db, Providers: map[checkout.Environment]orders.Provider{checkout.Test: orders.Limited(limit.New(adapter, limit.Limits{}))},
			Now: time.Now, Rand: rand.Reader, Log: log}),
		close: func() {
			closeProvider()
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		}}
}

// openProvider opens the sandbox provider of the test environment in a data directory.
func openProvider(t testing.TB, data string) (provider *sandbox.Sandbox, done func()) {
	t.Helper()
	db, err := durable.Open(filepath.Join(data, sandboxDatabase), durable.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	provider = sandbox.New(sandbox.Config{Store: sandbox.NewStore(db, checkout.Test), Key: "sk_test_sandbox"})
	return provider, func() {
		if err := errors.Join(provider.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	}
}

// order reads a session and its order.
func (r *records) order(t testing.TB, sessionID string) (*sessions.Session, *orders.Order) {
	t.Helper()
	session, err := r.db.Session(t.Context(), sessionID)
	if err != nil {
		t.Fatalf("session %s: %v", sessionID, err)
	}
	order, err := r.db.Order(t.Context(), session.Environment, session.OrderID)
	if err != nil {
		t.Fatalf("the order of %s is lost: %v", sessionID, err)
	}
	return session, order
}
