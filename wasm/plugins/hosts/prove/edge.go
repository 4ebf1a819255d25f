package prove

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/demo"
	"github.com/crepe-checkout/crepe/edge/server"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// listed is an origin that the demo store lists.
const listed = "https://shop.example"

// edge is the server of Crêpe with the demo shop, and a count of the requests that reach it through a gateway.
type edge struct {
	*shoptest.Shop
	session, token string
	counted        *httptest.Server
	requests       atomic.Int64
}

func startEdge(t *testing.T) *edge {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	data := t.TempDir()
	config := server.Config{Listen: "127.0.0.1:0", Data: data, DiskReserve: 1 << 20, Dev: &server.Dev{Out: io.Discard, Origins: []string{listed}},
		Sandbox: map[checkout.Environment]bool{checkout.Test: true, checkout.Prod: true}}
	go func() { ended <- server.Run(ctx, config, slog.New(slog.DiscardHandler)) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	file, err := demo.ReadFile(data)
	for wait := time.Now().Add(time.Minute); err != nil; file, err = demo.ReadFile(data) {
		if time.Now().After(wait) {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
	e := &edge{Shop: shoptest.New(t, file.BaseURL, file)}
	e.session, e.token = e.Session(t, nil).SessionID, e.Token(t, "user-17")
	target, err := url.Parse(file.BaseURL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }, Transport: &http.Transport{MaxIdleConnsPerHost: 8}}
	e.counted = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.requests.Add(1)
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(e.counted.Close)
	return e
}
