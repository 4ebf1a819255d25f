package prove

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// echo is an origin that answers with the SHA-256 of the body and its length.
func echo(t testing.TB) *httptest.Server {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := sha256.New()
		n, err := io.Copy(h, r.Body)
		if err != nil {
			w.WriteHeader(http.StatusTeapot)
		}
		fmt.Fprintf(w, "%x %d", h.Sum(nil), n)
	}))
	t.Cleanup(server.Close)
	return server
}

func digest(body []byte) string {
	sum := sha256.Sum256(body)
	return fmt.Sprintf("%s %d", hex.EncodeToString(sum[:]), len(body))
}

var credentials = map[string]string{"Authorization": "Bearer a.b.c", "X-Environment": "test", "Content-Type": "application/json"}

// passBodies sends bodies of 1 byte to 1 MB, with a length and in chunks, through the gateway: valid orders with a credential, whose
// bodies the plugin reads, and random bytes without one. Each must reach the origin as it is.
func passBodies(t *testing.T, open Open) {
	origin := echo(t)
	server := open(t, `{"maxBody":65536}`, origin.URL)
	rng := random(1)
	for i := range *bodies {
		r := request{"POST", createOrder, nil, randomBody(rng, i%2 == 0), i/2%2 == 0}
		if i%2 == 0 {
			r.header = credentials
		}
		if response, got := r.send(t, server); response.StatusCode != 200 || string(got) != digest(r.body) {
			t.Fatalf("body %d of %d bytes, chunked %v: the origin got %q, want %q, status %d", i, len(r.body), r.chunked, got, digest(r.body), response.StatusCode)
		}
	}
}

// randomBody returns an order with a long member that the API ignores, or random bytes. All orders of magnitude are equally likely.
func randomBody(rng *rand.Rand, order bool) []byte {
	size := int(math.Exp(rng.Float64() * math.Log(1<<20)))
	if order {
		head := `{"checkoutSessionId":"cs_1","billingDetail":{"country":"DE","isBusiness":false},"note":"`
		return []byte(head + strings.Repeat("é", max(0, size-len(head)-2)/2) + `"}`)
	}
	body := make([]byte, size)
	for i := range body {
		body[i] = byte(rng.Uint32())
	}
	return body
}

// abort ends connections in the middle of a body, which fails a call of the plugin. The host uses the instance again: thousands of such
// calls must not use up its stack or memory.
func abort(t *testing.T, open Open) {
	server := open(t, "", echo(t).URL)
	address := strings.TrimPrefix(server, "http://")
	for range 5_000 {
		breakOff(t, address)
	}
	for i := range 50 {
		r := request{"POST", createOrder, credentials, fmt.Appendf(nil, `{"checkoutSessionId":"cs_%d"}`, i), i%2 == 0}
		if response, got := r.send(t, server); string(got) != digest(r.body) {
			t.Fatalf("after broken connections the origin got %q, status %d", got, response.StatusCode)
		}
	}
}

// breakOff sends a part of a body and a chunk that is none. The gateway reads as far, and ends the connection.
func breakOff(t *testing.T, address string) {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.(*net.TCPConn).SetLinger(0); err != nil { // leaves no port behind
		t.Fatal(err)
	}
	fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: gateway\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"che\r\nwrong\r\n", createOrder)
	response, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err == nil && response.StatusCode == 200 {
		t.Fatal("a broken body has been passed on")
	}
}
