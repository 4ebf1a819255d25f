package certificate

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crepe-checkout/crepe/edge/certificate/certtest"
)

// serve serves HTTP with the files until the test ends, and returns the address.
func serve(t *testing.T, f *Files) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello") }),
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
	go server.Serve(f.Listen(listener))
	t.Cleanup(func() { server.Close() })
	return listener.Addr().String()
}

func open(t *testing.T, p *certtest.Pair) *Files {
	t.Helper()
	f, err := Open(p.Cert, p.Key)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

var quiet = slog.New(slog.DiscardHandler)

// TestHandshake: TLS 1.2 and 1.3 are served with HTTP/1.1, and nothing older.
func TestHandshake(t *testing.T) {
	pair := certtest.New(t)
	address := serve(t, open(t, pair))
	for version, want := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		c, err := tls.Dial("tcp", address, &tls.Config{RootCAs: pair.Pool, MinVersion: version, MaxVersion: version, NextProtos: []string{"h2", "http/1.1"}})
		if (err == nil) != want {
			t.Errorf("%s: %v", tls.VersionName(version), err)
		}
		if err != nil {
			continue
		}
		if s := c.ConnectionState(); s.NegotiatedProtocol != "http/1.1" {
			t.Errorf("%s: protocol %q", tls.VersionName(version), s.NegotiatedProtocol)
		}
		c.Close()
	}
}

// TestPlainHTTP: HTTP on the TLS port gets an answer that says so; anything else gets none.
func TestPlainHTTP(t *testing.T) {
	address := serve(t, open(t, certtest.New(t)))
	for request, want := range map[string]int{"GET / HTTP/1.1\r\nHost: x\r\n\r\n": 400, "POST /v1 HTTP/1.1\r\nHost: x\r\n\r\n": 400, "SSH-2.0-x\r\n": 0} {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(c, request)
		c.SetReadDeadline(time.Now().Add(time.Minute))
		answer, err := http.ReadResponse(bufio.NewReader(c), nil)
		if want == 0 {
			if err == nil {
				t.Errorf("%q is answered %s", request, answer.Status)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%q: %v", request, err)
		}
		text, err := io.ReadAll(answer.Body)
		if answer.StatusCode != want || err != nil || !strings.Contains(string(text), "use https://") {
			t.Errorf("%q: %s %v %s", request, answer.Status, err, text)
		}
		c.Close()
	}
}

// TestReload: clients connect again and again while the pair is replaced. None fails, and the new certificate is served in the end.
func TestReload(t *testing.T) {
	pair := certtest.New(t)
	f := open(t, pair)
	address := serve(t, f)
	ctx, stop := context.WithCancel(t.Context())
	var served atomic.Int64
	var clients sync.WaitGroup
	for i := range 4 {
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pair.Pool}, DisableKeepAlives: i%2 == 0}}
		clients.Go(func() {
			for ctx.Err() == nil {
				answer, err := client.Get("https://" + address)
				if err != nil {
					t.Error(err)
					return
				}
				io.Copy(io.Discard, answer.Body)
				answer.Body.Close()
				served.Add(1)
			}
		})
	}
	for range 5 {
		before := served.Load()
		leaf := pair.Renew(t, time.Now().AddDate(1, 0, 0))
		f.look(quiet)
		if f.Leaf().Equal(leaf) {
			t.Fatal("the pair was used before it had settled")
		}
		f.look(quiet)
		if !f.Leaf().Equal(leaf) || !f.NotAfter().Equal(leaf.NotAfter) {
			t.Fatal("the new pair is not used")
		}
		for served.Load() < before+20 && !t.Failed() {
			time.Sleep(time.Millisecond)
		}
	}
	stop()
	clients.Wait()
	c, err := f.Dial(address)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}

// TestUnusable: a pair that cannot be used is logged once and leaves the one before in use; the next good one is used.
func TestUnusable(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, p *certtest.Pair){
		"another key":   func(t *testing.T, p *certtest.Pair) { copyFile(t, certtest.New(t).Key, p.Key) },
		"no key":        func(t *testing.T, p *certtest.Pair) { os.Remove(p.Key) },
		"half a file":   func(t *testing.T, p *certtest.Pair) { os.Truncate(p.Cert, 200) },
		"an empty file": func(t *testing.T, p *certtest.Pair) { os.Truncate(p.Key, 0) },
		"public key":    func(t *testing.T, p *certtest.Pair) { p.Renew(t, time.Now().AddDate(1, 0, 0)); os.Chmod(p.Key, 0o644) },
		"expired":       func(t *testing.T, p *certtest.Pair) { p.Renew(t, time.Now().Add(-time.Hour)) },
	} {
		t.Run(name, func(t *testing.T) {
			pair := certtest.New(t)
			f := open(t, pair)
			leaf := f.Leaf()
			var out strings.Builder
			log := slog.New(slog.NewTextHandler(&out, nil))
			spoil(t, pair)
			for range 4 {
				f.look(log)
			}
			if n := strings.Count(out.String(), "cannot be used"); !f.Leaf().Equal(leaf) || n != 1 {
				t.Errorf("logged %d times: %s", n, &out)
			}
			next := pair.Renew(t, time.Now().AddDate(1, 0, 0))
			os.Chmod(pair.Key, 0o600)
			f.look(log)
			f.look(log)
			if !f.Leaf().Equal(next) {
				t.Errorf("the good pair is not used: %s", &out)
			}
		})
	}
}

// TestOpen: a start refuses a pair that can serve nobody, and says what to do. It serves an expired one.
func TestOpen(t *testing.T) {
	for want, spoil := range map[string]func(t *testing.T, p *certtest.Pair){
		"are not a pair":                 func(t *testing.T, p *certtest.Pair) { copyFile(t, certtest.New(t).Key, p.Key) },
		"no such file":                   func(t *testing.T, p *certtest.Pair) { os.Remove(p.Cert) },
		"to make it private: chmod o=":   func(t *testing.T, p *certtest.Pair) { os.Chmod(p.Key, 0o604) },
		"is encrypted with a passphrase": func(t *testing.T, p *certtest.Pair) { certtest.Write(t, p.Key, "ENCRYPTED PRIVATE KEY", []byte("x")) },
		"may have been switched":         func(t *testing.T, p *certtest.Pair) { p.Cert, p.Key = p.Key, p.Cert },
		"failed to find any PEM data":    func(t *testing.T, p *certtest.Pair) { os.Truncate(p.Cert, 0) },
	} {
		pair := certtest.New(t)
		spoil(t, pair)
		if _, err := Open(pair.Cert, pair.Key); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	pair := certtest.New(t)
	end := pair.Renew(t, time.Now().Add(-time.Hour)).NotAfter
	os.Chmod(pair.Key, 0o640) // the group may read it
	if f := open(t, pair); !f.NotAfter().Equal(end) {
		t.Errorf("ends %v, want %v", f.NotAfter(), end)
	}
}

// TestEnd: the end of a certificate is logged daily in the last tenth of its life and after it.
func TestEnd(t *testing.T) {
	pair := certtest.New(t)
	start := time.Now()
	pair.Renew(t, start.AddDate(0, 0, 41)) // of a life of a year
	f := open(t, pair)
	var out strings.Builder
	log := slog.New(slog.NewTextHandler(&out, nil))
	for hour := range 44 * 24 {
		f.now = func() time.Time { return start.Add(time.Duration(hour) * time.Hour) }
		f.warn(log)
	}
	for text, want := range map[string]int{`level=WARN msg="the TLS certificate ends soon`: 37, `level=ERROR msg="the TLS certificate has expired`: 3} {
		if n := strings.Count(out.String(), text); n != want {
			t.Errorf("%q is logged %d times, want %d:\n%s", text, n, want, &out)
		}
	}
}

// TestWatch: Watch takes up a new pair by itself.
func TestWatch(t *testing.T) {
	pair := certtest.New(t)
	synctest.Test(t, func(t *testing.T) {
		f := open(t, pair)
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go f.Watch(ctx, quiet)
		synctest.Wait()
		next := pair.Renew(t, time.Now().AddDate(1, 0, 0))
		time.Sleep(2*Interval + time.Second)
		if !f.Leaf().Equal(next) {
			t.Error("the new pair is not used")
		}
	})
}

// TestDial: a connection to oneself expects the very certificate.
func TestDial(t *testing.T) {
	f, other := open(t, certtest.New(t)), open(t, certtest.New(t))
	if c, err := other.Dial(serve(t, f)); err == nil {
		c.Close()
		t.Error("another certificate is accepted")
	} else if unknown := new(tls.CertificateVerificationError); errors.As(err, &unknown) {
		t.Error(err)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
