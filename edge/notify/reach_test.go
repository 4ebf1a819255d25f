package notify

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestReachAddresses is the table of what an endpoint's name may resolve to.
func TestReachAddresses(t *testing.T) {
	const no, private, public = 0, 1, 2 // never, with Private only, always
	for address, want := range map[string]int{
		"8.8.8.8": public, "1.1.1.1": public, "93.184.215.14": public, "172.15.0.1": public, "172.32.0.1": public, "100.63.255.255": public,
		"100.128.0.1": public, "11.0.0.1": public, "169.253.0.1": public, "2606:4700::1111": public, "2a00:1450:4001::200e": public,

		"127.0.0.1": private, "127.255.255.254": private, "::1": private, "10.0.0.1": private, "10.255.255.255": private, "172.16.0.1": private,
		"172.31.255.255": private, "192.168.1.1": private, "100.64.0.1": private, "100.127.255.255": private, "fc00::1": private, "fd12:3456::1": private,

		"0.0.0.0": no, "0.1.2.3": no, "::": no, "169.254.169.254": no, "169.254.0.1": no, "fe80::1": no, "fe80::1%eth0": no, "fec0::1": no,
		"192.0.0.8": no, "192.0.2.1": no, "198.18.0.1": no, "198.19.255.255": no, "198.51.100.1": no, "203.0.113.1": no, "192.88.99.1": no,
		"224.0.0.1": no, "239.255.255.255": no, "240.0.0.1": no, "255.255.255.255": no, "ff02::1": no, "ff0e::1": no,
		"2001:db8::1": no, "3fff::1": no, "100::1": no, "5f00::1": no, "2001::1": no, "2001:10::1": no, "2001:2::1": no,

		// IPv4 in other clothes: mapped, NAT64, 6to4, Teredo, compatible, translated
		"::ffff:8.8.8.8": public, "::ffff:127.0.0.1": private, "::ffff:10.0.0.1": private, "::ffff:169.254.169.254": no, "::ffff:0.0.0.0": no,
		"64:ff9b::8.8.8.8": public, "64:ff9b::7f00:1": private, "64:ff9b::a00:1": private, "64:ff9b::a9fe:a9fe": no, "64:ff9b:1::a00:1": no,
		"2002:7f00:1::": no, "2002:a9fe:a9fe::1": no, "2002:808:808::1": no, "2001:0:808:808::1": no, "::7f00:1": no, "::8.8.8.8": no,
		"::ffff:0:127.0.0.1": no,
	} {
		a := netip.MustParseAddr(address)
		if got := Public.allows(a); got != (want == public) {
			t.Errorf("public: %s is allowed: %t", address, got)
		}
		if got := Private.allows(a); got != (want != no) {
			t.Errorf("private: %s is allowed: %t", address, got)
		}
	}
}

// TestReachURLs is the table of the URLs that an endpoint may have.
func TestReachURLs(t *testing.T) {
	const no, private, public = 0, 1, 2
	for url, want := range map[string]int{
		"https://shop.example.com/hook": public, "https://shop.example.com": public, "https://shop.example.com:443/": public,
		"https://shop.example.com:8443/a?b=c": public, "https://8.8.8.8/": public, "https://[2606:4700::1111]/": public,
		"https://xn--crpe-dpa.example/": public, "HTTPS://SHOP.EXAMPLE.COM/": public,

		"http://shop.example.com/": private, "https://127.0.0.1:3000/": private, "http://127.0.0.1:3000/": private, "http://[::1]:3000/": private,
		"https://10.0.0.1/": private, "https://shop.example.com:22/": private, "https://shop.example.com:25/": private, "http://localhost:3000/": private,

		"": no, "shop.example.com": no, "//shop.example.com/": no, "ftp://shop.example.com/": no, "file:///etc/passwd": no, "gopher://x/": no,
		"https://": no, "https:///path": no, "https://user@shop.example.com/": no, "https://user:secret@shop.example.com/": no,
		"https://shop.example.com/#a": no, "https://shop.example.com:0/": no, "https://shop.example.com:65536/": no, "https://shop.example.com:/": no,
		"https://shop.example.com:x/": no, "https://169.254.169.254/latest/meta-data": no, "https://[fe80::1%25eth0]/": no, "https://[::]/": no,
		"https://0.0.0.0/": no, "https://shop.example.com/ a": no, "https://shop.example.com/\n": no, "https://shop.example.com\\@127.0.0.1/": no,
		"https://crêpe.example/": no, "https://[64:ff9b::a9fe:a9fe]/": no, "javascript:alert(1)": no, "https://" + strings.Repeat("a", 2048) + ".example/": no,
	} {
		if got := Public.validURL(url); got != (want == public) {
			t.Errorf("public: %q is valid: %t", url, got)
		}
		if got := Private.validURL(url); got != (want != no) {
			t.Errorf("private: %q is valid: %t", url, got)
		}
	}
}

// send posts an empty delivery within a reach.
func send(r Reach, url string) Try {
	s := New(Config{Reach: r, Now: time.Now})
	return s.post(url, &Delivery{Body: []byte(`{}`), Signature: "t=1,v1=x"})
}

// TestReachAtConnectTime: a name that resolves to this machine, or a spelling of its address that only a resolver understands, is
// refused when the connection is made, so that no earlier look at the name decides.
func TestReachAtConnectTime(t *testing.T) {
	var hits atomic.Int64
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	defer server.Close()
	_, port, _ := strings.Cut(strings.TrimPrefix(server.URL, "https://"), ":")
	for _, host := range []string{"localhost", "127.0.0.1", "[::ffff:127.0.0.1]"} {
		if got := send(Public, "https://"+host+":"+port+"/"); got.Error != errUnreachable.Error() || got.Status != 0 {
			t.Errorf("%s: %+v", host, got)
		}
	}
	for _, host := range []string{"127.1", "2130706433", "0x7f.1", "0177.0.0.1"} {
		if got := send(Public, "https://"+host+":"+port+"/"); got.Error == "" { // whether it is a name at all is the resolver's choice
			t.Errorf("%s: %+v", host, got)
		}
	}
	if hits.Load() != 0 {
		t.Errorf("the server on this machine was reached %d times", hits.Load())
	}
	if Public.control("tcp", "8.8.8.8:443", nil) != nil || !errors.Is(Public.control("tcp", "8.8.8.8:25", nil), errUnreachable) ||
		!errors.Is(Public.control("tcp", "no address", nil), errUnreachable) {
		t.Error("control differs from allows")
	}
}

// TestRedirects are not followed: the redirect is the answer.
func TestRedirects(t *testing.T) {
	var hits atomic.Int64
	inner := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	defer inner.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		outer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, inner.URL, status)
		}))
		if got := send(Private, outer.URL); got.Status != status || got.Error != "" || got.succeeded() {
			t.Errorf("%d: %+v", status, got)
		}
		outer.Close()
	}
	if hits.Load() != 0 {
		t.Errorf("%d redirects were followed", hits.Load())
	}
}

// TestAnswers: of an answer the beginning is read, whatever the rest is, and a proxy of the environment is not used.
func TestAnswers(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("http_proxy", "http://127.0.0.1:1")
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   func(Try) bool
	}{
		"a large body": {func(w http.ResponseWriter, _ *http.Request) {
			for range 1 << 10 {
				w.Write([]byte(strings.Repeat("x", 1<<10)))
			}
		}, func(got Try) bool { return got.succeeded() && len(got.Answer) == maxAnswer }},
		"a body that breaks off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			w.Write([]byte("begun"))
		}, func(got Try) bool { return got.succeeded() && got.Answer == "begun" }},
		"no UTF-8": {func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("a\xff")) },
			func(got Try) bool { return got.Answer == "a\uFFFD" }},
		"a large header": {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Large", strings.Repeat("x", 64<<10)) },
			func(got Try) bool { return got.Status == 0 && got.Error != "" }},
		"a bomb": {func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Accept-Encoding") != "" {
				w.WriteHeader(http.StatusTeapot)
			}
		}, func(got Try) bool { return got.succeeded() }},
		"no answer": {func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) },
			func(got Try) bool {
				return got.Status == 0 && got.Error != "" && !strings.Contains(got.Error, "http://")
			}},
		"201": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(201) }, func(got Try) bool { return got.succeeded() }},
		"404": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) }, func(got Try) bool { return got.Status == 404 && !got.succeeded() }},
	} {
		server := httptest.NewServer(c.answer)
		if got := send(Private, server.URL+"/secret-in-the-path"); !c.want(got) || strings.Contains(got.Error, "secret") {
			t.Errorf("%s: %+v", name, got)
		}
		server.Close()
	}
	if got := send(Private, "http://127.0.0.1:1/secret-in-the-path"); got.Error == "" || strings.Contains(got.Error, "secret") {
		t.Errorf("nobody listens: %+v", got)
	}
}
