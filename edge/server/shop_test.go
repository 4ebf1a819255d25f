package server

import (
	"context"
	"log/slog"
	"reflect"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/demo"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/record"
	"github.com/crepe-checkout/crepe/edge/requestid"
	"github.com/crepe-checkout/crepe/edge/sessions"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// shop is a server in this process with the demo merchant: a TCP listener, databases in a temporary directory, and the Stripe
// adapter on the sandbox provider. Dev is nil unless a setting sets it.
type shop struct {
	*shoptest.Shop
	*server
	log, json *shoptest.Buffer // the log at debug level, in both formats
}

func openShop(t testing.TB, settings ...func(*Config)) *shop {
	t.Helper()
	return openTuned(t, func(*server) {}, settings...)
}

// orderTimes limits the time of one call to a provider and of a whole create-order.
func orderTimes(try, budget time.Duration) func(*Config) {
	return func(c *Config) { c.orderTry, c.orderBudget = try, budget }
}

// openTuned is openShop with a server that is changed before it serves.
func openTuned(t testing.TB, tune func(*server), settings ...func(*Config)) *shop {
	t.Helper()
	log, json := new(shoptest.Buffer), new(shoptest.Buffer)
	all := &slog.HandlerOptions{Level: slog.LevelDebug}
	c := Config{Listen: "127.0.0.1:0", Data: t.TempDir(), Sandbox: map[checkout.Environment]bool{checkout.Test: true, checkout.Prod: true}}
	for _, set := range settings {
		set(&c)
	}
	listener, err := c.listen()
	if err != nil {
		t.Fatal(err)
	}
	s, err := newServer(c, slog.New(requestid.Log(slog.NewMultiHandler(slog.NewTextHandler(log, all), slog.NewJSONHandler(json, all)))))
	if err != nil {
		t.Fatal(err)
	}
	tune(s)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.serve(ctx, startHTTP(listener, s.handle, s.log)) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		sameAsStored(t, s)
		if err := s.close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Log(log.String())
		}
	})
	return &shop{shoptest.New(t, s.PublicURL, seedDemo(t, s)), s, log, json}
}

// sameAsStored compares what the store answers, from its caches too, with what a scan of all records reads.
func sameAsStored(t testing.TB, s *server) {
	db, ctx := s.db.(record.Portable), context.Background()
	if err := db.Export(ctx, func(e record.Entry) error {
		var got any
		var err error
		switch v := e.Value.(type) {
		case *sessions.Session:
			got, err = s.db.Session(ctx, v.ID)
		case *orders.Order:
			got, err = s.db.Order(ctx, v.Environment, v.ID)
		case *catalog.Store:
			got, err = s.db.Store(ctx, v.ID)
		default:
			return nil
		}
		if err != nil || !reflect.DeepEqual(got, e.Value) {
			t.Errorf("the store answers %+v, %v; stored is %+v", got, err, e.Value)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}

// seedDemo seeds the demo merchant.
func seedDemo(t testing.TB, s *server) *demo.File {
	t.Helper()
	file, err := demo.New(demo.Config{Store: s.db, Data: s.Data, PublicURL: s.PublicURL, Log: s.log}).Open(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// withTools gives a shop the sandbox's tools and the demo merchant's pages.
func withTools(c *Config) { c.Dev = new(Dev) }

// manySessions stores copies of a new session.
func (s *shop) manySessions(t testing.TB, n int) []string {
	t.Helper()
	first, err := s.db.Session(context.Background(), s.Session(t, nil).SessionID)
	if err != nil {
		t.Fatal(err)
	}
	return shoptest.CopySessions(t, s.server.db, first, n)
}
