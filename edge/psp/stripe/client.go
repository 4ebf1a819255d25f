package stripe

import (
	"context"
	"crypto/tls"
	"net"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/edge/psp"
)

const (
	maxResponse = 1 << 20  // a session without its line items takes a few KiB
	maxHeader   = 16 << 10 // Stripe's carry a content security policy of more than fasthttp's 4 KiB
)

// dialError wraps an error of establishing a connection, TLS included: no byte of a request was sent.
type dialError struct{ error }

func (e dialError) Unwrap() error { return e.error }

// dialer opens connections within the deadline of a call. It performs the TLS handshake itself, so that its failure can be told
// from that of a request.
type dialer struct {
	tls *tls.Config // nil for plain HTTP
	tcp fasthttp.DialFunc
}

func newClient(base string, dial fasthttp.DialFunc) *fasthttp.HostClient {
	scheme, rest, _ := strings.Cut(base, "://")
	host, _, _ := strings.Cut(rest, "/")
	secure := scheme == "https"
	addr := fasthttp.AddMissingPort(host, secure)
	d := &dialer{tcp: dial}
	if secure {
		name, _, _ := net.SplitHostPort(addr)
		d.tls = &tls.Config{ServerName: name, MinVersion: tls.VersionTLS12, ClientSessionCache: tls.NewLRUClientSessionCache(0)}
	}
	return &fasthttp.HostClient{
		Addr:                      addr,
		IsTLS:                     secure,
		DialTimeout:               d.dial,
		Name:                      "crepe",
		MaxIdemponentCallAttempts: 1, // repeating a call is the caller's decision
		MaxResponseBodySize:       maxResponse,
		ReadBufferSize:            maxHeader,
		DisablePathNormalizing:    true,
		SecureErrorLogMessage:     true,
	}
}

func (d *dialer) dial(addr string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	conn, err := d.connect(ctx, addr)
	if err != nil {
		return nil, dialError{err}
	}
	return conn, nil
}

func (d *dialer) connect(ctx context.Context, addr string) (net.Conn, error) {
	var conn net.Conn
	var err error
	if d.tcp != nil {
		conn, err = d.tcp(addr)
	} else {
		conn, err = new(net.Dialer).DialContext(ctx, "tcp", addr)
	}
	if err != nil || d.tls == nil {
		return conn, err
	}
	secure := tls.Client(conn, d.tls)
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secure, nil
}

// call sends one request, once, and reads the response's body.
func call[T any](g *Provider, deadline time.Time, r outgoing, read func([]byte) (T, error)) (answer T, callErr *psp.CallError) {
	callErr = g.send(deadline, r, func(got *reply) (err error) { answer, err = read(got.body); return err })
	return answer, callErr
}

// send sends one request, once, and has a response of success read, which is valid until read returns. A request without an
// idempotency key never fails with KeyBurned or KeyTaken.
func (g *Provider) send(deadline time.Time, r outgoing, read func(*reply) error) *psp.CallError {
	request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(request)
	defer fasthttp.ReleaseResponse(response)
	request.Header.SetMethod(r.method)
	request.SetRequestURI(g.base + r.path)
	request.Header.Set("Authorization", g.bearer)
	request.Header.Set("Stripe-Version", g.version)
	if r.method == fasthttp.MethodPost {
		request.Header.SetContentType("application/x-www-form-urlencoded")
		request.SetBodyRaw(r.body)
	}
	if r.key != "" {
		request.Header.Set("Idempotency-Key", r.key)
	}
	err := g.client.DoDeadline(request, response, deadline)
	got := replyOf(response, err)
	if callErr := classify(&got); callErr != nil {
		if (callErr.Class == psp.KeyBurned || callErr.Class == psp.KeyTaken) && r.key == "" {
			callErr.Class = psp.Unknown
		}
		return callErr
	}
	if err := read(&got); err != nil {
		return got.callError(psp.Unknown, "", err)
	}
	return nil
}

// outgoing is a request as far as requests differ.
type outgoing struct {
	method, path string
	body         []byte
	key          string // "" for none
}

func replyOf(response *fasthttp.Response, err error) reply {
	if err != nil {
		return reply{err: err}
	}
	header := func(name string) string { return string(response.Header.Peek(name)) }
	return reply{
		status:      response.StatusCode(),
		body:        response.Body(),
		requestID:   header("Request-Id"),
		retryAfter:  header("Retry-After"),
		shouldRetry: header("Stripe-Should-Retry"),
		replayed:    header("Idempotent-Replayed") == "true",
	}
}
