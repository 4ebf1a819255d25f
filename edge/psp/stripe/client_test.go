package stripe

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/edge/psp"
)

const key = "sk_test_the_secret_of_this_test"

// server answers every request on a connection with the same raw bytes and then closes it; nil means that it keeps quiet.
func server(t *testing.T, answer []byte) (base string, requests *atomic.Int32) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	requests = new(atomic.Int32)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { conn.Close() })
			go func() {
				request, err := http.ReadRequest(bufio.NewReader(conn))
				if err != nil {
					conn.Close()
					return
				}
				io.Copy(io.Discard, request.Body)
				requests.Add(1)
				if answer != nil {
					conn.Write(answer)
					conn.Close()
				}
			}()
		}
	}()
	return "http://" + listener.Addr().String(), requests
}

func answer(status, headers, body string) []byte {
	return []byte("HTTP/1.1 " + status + "\r\nContent-Type: application/json\r\nConnection: close\r\n" + headers +
		"\r\n" + body)
}

const openSession = `{"id":"cs_test_1","object":"checkout.session","status":"open","payment_status":"unpaid",
	"url":"https://checkout.stripe.com/c/pay/cs_test_1","amount_total":3110,"currency":"usd","payment_intent":null,
	"livemode":false,"metadata":{"order_id":"ORD_1","attempt":"1"}}`

func soon() time.Time { return time.Now().Add(5 * time.Minute) }

func create(base string, deadline time.Time) (psp.Created, *psp.CallError) {
	return New(Config{Key: key, BaseURL: base}).Create(deadline, psp.RenderedRequest{Path: sessionsPath, Body: []byte("mode=payment")}, "k")
}

// One real connection for each thing that can happen on it, and exactly one try.
func TestOnTheWire(t *testing.T) {
	endless := strings.Repeat(" ", 2_000_000)
	cases := map[string]struct {
		answer []byte
		want   psp.ErrorClass
		status int
	}{
		"closed without an answer": {[]byte{}, psp.Unknown, 0},
		"half a status line":       {[]byte("HTTP/1.1 2"), psp.Unknown, 0},
		"half a body":              {answer("200 OK", "Content-Length: 900\r\n", openSession[:50]), psp.Unknown, 0},
		"not HTTP":                 {[]byte("SSH-2.0-OpenSSH\r\n\r\n"), psp.Unknown, 0},
		"endless headers":          {answer("200 OK", "X: "+strings.Repeat("x", 1<<16)+"\r\n", ""), psp.Unknown, 0},
		"endless body":             {answer("200 OK", "Content-Length: 2000000\r\n", endless), psp.Unknown, 0},
		"success of nothing":       {answer("200 OK", "", "{}"), psp.Unknown, 200},
		"success in HTML":          {answer("200 OK", "", html), psp.Unknown, 200},
		"success without a URL": {answer("200 OK", "", strings.Replace(openSession, `"open"`, `"complete"`, 1)),
			psp.Unknown, 200},
		"bad gateway":   {answer("502 Bad Gateway", "", html), psp.Unknown, 502},
		"stored 500":    {answer("500 Oh", "Idempotent-Replayed: true\r\n", html), psp.KeyBurned, 500},
		"refused":       {answer("400 Bad Request", "Request-Id: req_1\r\n", refused), psp.Definitive, 400},
		"redirect":      {answer("301 Moved", "Location: http://127.0.0.1:1/\r\n", ""), psp.Unknown, 301},
		"asked to wait": {answer("503 No", "Stripe-Should-Retry: true\r\nRetry-After: 2\r\n", ""), psp.InProgress, 503},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			base, requests := server(t, c.answer)
			remote, callErr := create(base, soon())
			if callErr == nil || callErr.Class != c.want || callErr.Status != c.status {
				t.Fatalf("got %+v, %v", remote, callErr)
			}
			if strings.Contains(callErr.Error(), key) {
				t.Errorf("the key is in %q", callErr)
			}
			if n := requests.Load(); n != 1 {
				t.Errorf("%d tries", n)
			}
		})
	}
}

// TestReplayed: an answer that Stripe has stored under the key is marked.
func TestReplayed(t *testing.T) {
	for header, want := range map[string]bool{"": false, "Idempotent-Replayed: true\r\n": true} {
		base, _ := server(t, answer("200 OK", header, openSession))
		if remote, callErr := create(base, soon()); callErr != nil || remote.Replayed != want {
			t.Errorf("with %q: %+v, %v", header, remote, callErr)
		}
	}
}

func TestNothingSent(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	plain, requests := server(t, []byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
	for name, base := range map[string]string{
		"refused": "http://" + closed.Addr().String(),
		"not TLS": strings.Replace(plain, "http:", "https:", 1),
	} {
		if _, callErr := create(base, soon()); callErr == nil || callErr.Class != psp.NotExecuted || callErr.Err == nil {
			t.Errorf("%s: %v", name, callErr)
		}
	}
	if n := requests.Load(); n != 0 {
		t.Errorf("%d requests reached a server that speaks no TLS", n)
	}
}

func TestDeadline(t *testing.T) {
	quiet, _ := server(t, nil)
	var callErr *psp.CallError
	for patience := 200 * time.Millisecond; patience < time.Minute; patience *= 2 { // until it is enough to send the request
		if _, callErr = create(quiet, time.Now().Add(patience)); callErr == nil || callErr.Class == psp.Unknown {
			break
		}
	}
	if callErr == nil || callErr.Class != psp.Unknown {
		t.Errorf("got %v", callErr)
	}
	// A server that accepts and never shakes hands is found out before anything is sent.
	_, unshaken := create(strings.Replace(quiet, "http:", "https:", 1), time.Now().Add(200*time.Millisecond))
	if unshaken == nil || unshaken.Class != psp.NotExecuted {
		t.Errorf("without a handshake: got %v", unshaken)
	}
}

func TestRequest(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	seen := make(chan *http.Request, 1)
	bodies := make(chan string, 1)
	front := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		seen <- r
		bodies <- string(body)
		io.WriteString(w, openSession)
	})}
	go front.Serve(listener)
	t.Cleanup(func() { front.Close() })
	g := New(Config{Key: key, BaseURL: "http://" + listener.Addr().String() + "/"})

	remote, callErr := g.Create(soon(), psp.RenderedRequest{Path: sessionsPath, Body: []byte("mode=payment&a[b]=c+d%26")}, "wco_1")
	if callErr != nil || remote.Ref != "cs_test_1" || remote.URL == "" || remote.Status != psp.CheckoutOpen || remote.Attempt != 1 {
		t.Fatalf("got %+v, %v", remote, callErr)
	}
	r, body := <-seen, <-bodies
	for name, want := range map[string]string{
		"Authorization": "Bearer " + key, "Idempotency-Key": "wco_1", "Stripe-Version": apiVersion,
		"Content-Type": "application/x-www-form-urlencoded",
	} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if body != "mode=payment&a[b]=c+d%26" || r.Method != "POST" || r.URL.Path != sessionsPath {
		t.Errorf("sent %s %s %q", r.Method, r.URL, body)
	}

	if _, callErr := g.Retrieve(soon(), "cs/../1?x"); callErr != nil {
		t.Fatal(callErr)
	}
	r, _ = <-seen, <-bodies
	if got := r.URL.EscapedPath(); got != "/v1/checkout/sessions/cs%2F..%2F1%3Fx" || r.Header.Get("Idempotency-Key") != "" {
		t.Errorf("a reference became the path %s", got)
	}
}

func TestLive(t *testing.T) {
	for key, want := range map[string]bool{
		"sk_live_1": true, "rk_live_1": true, "sk_test_1": false, "rk_test_1": false, "sk_test_live_": false,
	} {
		if live, err := Live(key); err != nil || live != want {
			t.Errorf("Live(%q) = %v, %v", key, live, err)
		}
	}
	for _, key := range []string{"", "pk_live_secret", "sk_secret", "SK_LIVE_secret", " sk_live_secret", "whsec_secret"} {
		if _, err := Live(key); err == nil || strings.Contains(err.Error(), "secret,") || strings.Contains(err.Error(), "_secret") {
			t.Errorf("Live(%q): %v", key, err)
		}
	}
}
