package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
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

// BenchmarkCreateOrder measures create-order over an in-memory listener: HTTP, token, rules, two durable commits and the Stripe
// adapter on the sandbox provider, which commits twice itself. Each iteration orders from a session of its own. "refused" ends at
// the rules, without disk and provider.
func BenchmarkCreateOrder(b *testing.B) {
	listener := fasthttputil.NewInmemoryListener()
	c := Config{Data: b.TempDir(), PublicURL: "http://crepe.example", Sandbox: map[checkout.Environment]bool{checkout.Test: true}}
	s, err := newServer(c, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.serve(ctx, startHTTP(listener, s.handle, s.log)) }()
	defer func() {
		stop()
		if err := <-done; !errors.Is(err, fasthttputil.ErrInmemoryListenerClosed) { // it is closed twice
			b.Error(err)
		}
		if err := s.close(); err != nil {
			b.Error(err)
		}
	}()
	file := seedDemo(b, s)
	client := &fasthttp.Client{Dial: func(string) (net.Conn, error) { return listener.Dial() }}
	token, err := s.auth.IssueCustomer(ctx, auth.Caller{Role: auth.Merchant, Environment: checkout.Test, MerchantID: file.MerchantID},
		auth.TokenRequest{BuyerIdentity: "bench", StoreID: file.StoreID})
	if err != nil {
		b.Fatal(err)
	}
	first := openSession(b, s, file)
	post := func(b *testing.B, body string, want int) {
		req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
		defer fasthttp.ReleaseRequest(req)
		defer fasthttp.ReleaseResponse(resp)
		req.SetRequestURI(s.PublicURL + shoptest.CreateOrderPath)
		req.Header.SetMethod(fasthttp.MethodPost)
		req.Header.SetContentType("application/json")
		req.Header.Set("Authorization", "Bearer "+token.Token)
		req.Header.Set("X-Environment", "test")
		req.SetBodyString(body)
		if err := client.Do(req, resp); err != nil || resp.StatusCode() != want {
			b.Errorf("%v, %d %s", err, resp.StatusCode(), resp.Body())
		}
	}
	const order = `{"checkoutSessionId":"%s","buyerEmail":"ada@example.com","billingDetail":{"country":"DE","isBusiness":false}}`

	b.Run("refused", func(b *testing.B) {
		for b.Loop() {
			post(b, fmt.Sprintf(order, "cs_550e8400-e29b-41d4-a716-446655440000"), fasthttp.StatusConflict)
		}
	})
	b.Run("again", func(b *testing.B) {
		body := fmt.Sprintf(order, shoptest.CopySessions(b, s.db, first, 1)[0])
		b.ReportAllocs()
		for b.Loop() {
			post(b, body, fasthttp.StatusOK)
		}
	})
	for _, clients := range []int{1, 64} {
		b.Run(fmt.Sprintf("durable/clients=%d", clients), func(b *testing.B) {
			sessions := shoptest.CopySessions(b, s.db, first, b.N)
			var next atomic.Int64
			b.SetParallelism((clients + 1) / 2) // times GOMAXPROCS, which is 2 where the figures of BENCHMARKS.md were taken
			b.ResetTimer()
			if clients == 1 {
				for i := range b.N {
					post(b, fmt.Sprintf(order, sessions[i]), fasthttp.StatusOK)
				}
				return
			}
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					post(b, fmt.Sprintf(order, sessions[next.Add(1)-1]), fasthttp.StatusOK)
				}
			})
		})
	}
}

// openSession stores a session of the demo store's first product.
func openSession(b *testing.B, s *server, file *demo.File) *sessions.Session {
	b.Helper()
	session, err := s.sessions.Create(b.Context(), sessions.Seller{Environment: checkout.Test, MerchantID: file.MerchantID},
		&sessions.Request{ProductID: file.Products[0].ID, Currency: "EUR"})
	if err != nil {
		b.Fatal(err)
	}
	return session
}
