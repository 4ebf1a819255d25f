package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/core/checkout"
)

// shop is a whole `crepe dev` in this process: real listener, real Badger in a temporary directory, the Stripe adapter on
// the sandbox provider, and the demo merchant.
type shop struct {
	*server
	file     *devFile
	merchant *demoMerchant
	log      *lockedBuffer
}

func openShop(t testing.TB, settings ...func(*Config)) *shop {
	t.Helper()
	return openTuned(t, func(*server) {}, settings...)
}

// openTuned is openShop with a server that is changed before it serves.
func openTuned(t testing.TB, tune func(*server), settings ...func(*Config)) *shop {
	t.Helper()
	log := new(lockedBuffer)
	c := Config{Listen: "127.0.0.1:0", Data: t.TempDir(), Sandbox: map[checkout.Environment]bool{checkout.Test: true, checkout.Prod: true},
		ClientRate: "off", StoreRate: "off"}
	for _, set := range settings {
		set(&c)
	}
	listener, err := c.listen()
	if err != nil {
		t.Fatal(err)
	}
	s, err := newServer(c, slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		t.Fatal(err)
	}
	tune(s)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.serveOn(ctx, openFront(listener, s.handle, s.log)) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := s.close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Log(log.String())
		}
	})
	file, err := s.demo(ctx)
	if err != nil {
		t.Fatal(err)
	}
	merchant, err := newDemoMerchant(s.PublicURL, file.MerchantID, file.PrivateKey[checkout.Test])
	if err != nil {
		t.Fatal(err)
	}
	return &shop{s, file, merchant, log}
}

// session makes a checkout session for the n-th product of the demo store.
func (s *shop) session(t testing.TB, more map[string]any) demoSession {
	t.Helper()
	request := map[string]any{"productId": s.file.Products[0].ID, "currency": "EUR"}
	for k, v := range more {
		request[k] = v
	}
	var session demoSession
	if err := s.merchant.call("/v1/actions/checkout/create-session", request, &session); err != nil {
		t.Fatal(err)
	}
	return session
}

// token issues a session token for a buyer.
func (s *shop) token(t testing.TB, identity string) string {
	t.Helper()
	var issued struct{ Token string }
	err := s.merchant.call("/v1/actions/auth/issue-session-token", map[string]string{"storeId": s.file.StoreID, "buyerIdentity": identity}, &issued)
	if err != nil {
		t.Fatal(err)
	}
	return issued.Token
}

// reply is an answer of the API.
type reply struct {
	status int
	header http.Header
	body   string
}

// checkoutURL is the URL of a successful create-order.
func (r reply) checkoutURL(t testing.TB) string {
	t.Helper()
	var answer struct{ Data struct{ CheckoutURL string } }
	if err := json.Unmarshal([]byte(r.body), &answer); err != nil || r.status != 200 || answer.Data.CheckoutURL == "" {
		t.Fatalf("no checkout URL: %d %s", r.status, r.body)
	}
	return answer.Data.CheckoutURL
}

// post sends a body, as it is, to a path of the API.
func (s *shop) post(t testing.TB, path, body string, header map[string]string) reply {
	t.Helper()
	request, err := http.NewRequest("POST", s.PublicURL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	for name, value := range header {
		request.Header.Set(name, value)
	}
	return s.do(t, request)
}

func (s *shop) do(t testing.TB, request *http.Request) reply {
	t.Helper()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{response.StatusCode, response.Header, string(body)}
}

// createOrder calls create-order in the test environment.
func (s *shop) createOrder(t testing.TB, token string, request map[string]any) reply {
	t.Helper()
	body, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	return s.post(t, createOrderPath, string(body), bearer(token))
}

const createOrderPath = "/v1/actions/onetime-order/create-order"

func bearer(token string) map[string]string {
	return map[string]string{"Authorization": "Bearer " + token, "X-Environment": "test"}
}

// eventually waits for something that another goroutine brings about.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("not within ten minutes: %s", what)
}

// lockedBuffer is a log that several goroutines write.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (r reply) String() string { return fmt.Sprintf("HTTP %d\n%s\n", r.status, r.body) }
