package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttputil"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/auth"
	"github.com/crepe-checkout/crepe/edge/demo"
	"github.com/crepe-checkout/crepe/edge/sessions"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// benchOrder is the body of a create-order request for a session.
const benchOrder = `{"checkoutSessionId":"%s","buyerEmail":"ada@example.com","billingDetail":{"country":"DE","isBusiness":false}}`

// benchShop is a server behind an in-memory listener, and a client with a token.
type benchShop struct {
	s       *server
	client  *fasthttp.Client
	token   string
	file    *demo.File
	session *sessions.Session // of the demo store's first product
}

// openBench starts a server until the end of the test.
func openBench(b testing.TB, unmeasured bool) *benchShop {
	listener := fasthttputil.NewInmemoryListener()
	c := Config{Data: b.TempDir(), PublicURL: "http://crepe.example", Sandbox: map[checkout.Environment]bool{checkout.Test: true}, unmeasured: unmeasured}
	s, err := newServer(c, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.serve(ctx, startHTTP(listener, s.handle, s.log)) }()
	b.Cleanup(func() {
		stop()
		if err := <-done; !errors.Is(err, fasthttputil.ErrInmemoryListenerClosed) { // it is closed twice
			b.Error(err)
		}
		if err := s.close(); err != nil {
			b.Error(err)
		}
	})
	file := seedDemo(b, s)
	token, err := s.auth.IssueCustomer(ctx, auth.Caller{Role: auth.Merchant, Environment: checkout.Test, MerchantID: file.MerchantID},
		auth.TokenRequest{BuyerIdentity: "bench", StoreID: file.StoreID})
	if err != nil {
		b.Fatal(err)
	}
	client := &fasthttp.Client{Dial: func(string) (net.Conn, error) { return listener.Dial() }}
	return &benchShop{s, client, token.Token, file, openSession(b, s, file)}
}

// copies returns the ids of so many sessions of their own.
func (shop *benchShop) copies(b testing.TB, n int) []string {
	return shoptest.CopySessions(b, shop.s.db, shop.session, n)
}

// post creates an order of a session.
func (shop *benchShop) post(b testing.TB, session string, want int) {
	req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(resp)
	req.SetRequestURI(shop.s.PublicURL + shoptest.CreateOrderPath)
	req.Header.SetMethod(fasthttp.MethodPost)
	req.Header.SetContentType("application/json")
	req.Header.Set("Authorization", "Bearer "+shop.token)
	req.Header.Set("X-Environment", "test")
	req.SetBodyString(fmt.Sprintf(benchOrder, session))
	if err := shop.client.Do(req, resp); err != nil || resp.StatusCode() != want {
		b.Errorf("%v, %d %s", err, resp.StatusCode(), resp.Body())
	}
}

// BenchmarkCreateOrder measures create-order over an in-memory listener: HTTP, token, rules, two durable commits and the Stripe
// adapter on the sandbox provider, which commits twice itself. Each iteration orders from a session of its own. "refused" ends at
// the rules, without disk and provider.
func BenchmarkCreateOrder(b *testing.B) {
	shop := openBench(b, false)
	b.Run("refused", func(b *testing.B) {
		for b.Loop() {
			shop.post(b, "cs_550e8400-e29b-41d4-a716-446655440000", fasthttp.StatusConflict)
		}
	})
	b.Run("again", func(b *testing.B) {
		session := shop.copies(b, 1)[0]
		b.ReportAllocs()
		for b.Loop() {
			shop.post(b, session, fasthttp.StatusOK)
		}
	})
	for _, clients := range []int{1, 64} {
		b.Run(fmt.Sprintf("durable/clients=%d", clients), func(b *testing.B) {
			sessions := shop.copies(b, b.N)
			b.ResetTimer()
			shop.order(b, sessions, clients)
		})
	}
}

// order creates an order of each session, with some clients at once.
func (shop *benchShop) order(b *testing.B, sessions []string, clients int) {
	var next atomic.Int64
	var running sync.WaitGroup
	for range clients {
		running.Go(func() {
			for i := next.Add(1); i <= int64(len(sessions)); i = next.Add(1) {
				shop.post(b, sessions[i-1], fasthttp.StatusOK)
			}
		})
	}
	running.Wait()
}

// openSession stores a session of the demo store's first product.
func openSession(b testing.TB, s *server, file *demo.File) *sessions.Session {
	b.Helper()
	session, err := s.sessions.Create(b.Context(), sessions.Seller{Environment: checkout.Test, MerchantID: file.MerchantID},
		&sessions.Request{ProductID: file.Products[0].ID, Currency: "EUR"})
	if err != nil {
		b.Fatal(err)
	}
	return session
}
