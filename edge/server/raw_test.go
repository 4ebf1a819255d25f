package server

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// raw sends bytes on a new connection and returns every response until the server closes it. A server that closes while bytes are
// arriving may reset the connection before its response is read; then raw sends them again.
func (s *shop) raw(t testing.TB, request string) string {
	t.Helper()
	for range 20 {
		if answers := s.rawOnce(t, request); answers != "" {
			return answers
		}
	}
	t.Fatalf("%.200q: no answer", request)
	return ""
}

func (s *shop) rawOnce(t testing.TB, request string) string {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(s.PublicURL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	go io.WriteString(c, request) // a refusal may come before all of it is taken
	var answers strings.Builder
	for r := bufio.NewReader(c); ; {
		answer, err := http.ReadResponse(r, nil) // to HEAD, too: then the body is found missing
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && !isReset(err) {
				t.Fatalf("%.200q: %v", request, err)
			}
			return answers.String()
		}
		body, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		if strings.HasPrefix(string(body), "<!doctype html>") {
			body = []byte("(a page)")
		} else if len(body) > 400 {
			body = []byte("(more)")
		}
		fmt.Fprintf(&answers, "HTTP %d\n", answer.StatusCode)
		if allow := answer.Header.Get("Allow"); allow != "" {
			fmt.Fprintf(&answers, "Allow: %s\n", allow)
		}
		fmt.Fprintf(&answers, "%s\n", reason.ReplaceAllString(strings.TrimSpace(string(body)), "$1"))
	}
}

// reason is the detail of a refusal. It depends on whether the server or edge/http1 sees the fault first.
var reason = regexp.MustCompile("(Malformed HTTP request): [^\"]*")

// isReset reports whether the server closed a connection with unread bytes.
func isReset(err error) bool {
	var network *net.OpError
	return errors.As(err, &network) && !network.Timeout()
}

// TestRawRequests sends requests as bytes. A request that proxies and servers parse differently is refused in JSON, and the connection
// is closed; others are accepted. "Missing authentication" and "Authentication failed" mean that a request was accepted.
func TestRawRequests(t *testing.T) {
	shop := openShop(t)
	host := "Host: " + strings.TrimPrefix(shop.PublicURL, "http://") + "\r\n"
	const (
		session = "POST /v1/actions/checkout/create-session HTTP/1.1\r\n"
		asJSON  = "Content-Type: application/json\r\n"
		last    = "Connection: close\r\n"
		empty   = "Content-Length: 2\r\n\r\n{}"
		chunks  = "Transfer-Encoding: chunked\r\n"
		next    = "GET /healthz HTTP/1.1\r\n"
	)
	post := session + host + asJSON
	get := func(target string) string { return "GET " + target + " HTTP/1.1\r\n" + host + last + "\r\n" }
	at := func(target string) string { return "POST " + target + " HTTP/1.1\r\n" + host + asJSON + last + empty }
	signed, err := shop.Merchant.Sign(createSessionPath, []byte(`{"productId":"PROD_0"}`))
	if err != nil {
		t.Fatal(err)
	}
	var credential strings.Builder
	for name, value := range signed {
		credential.WriteString(name + ": " + value + "\r\n")
	}
	const signedChunk = "16\r\n{\"productId\":\"PROD_0\"}\r\n0\r\n"

	var text strings.Builder
	for _, c := range [][2]string{
		{"good", post + last + empty},
		{"two on one connection", post + empty + next + host + last + "\r\n"},
		{"chunked", post + last + chunks + "\r\n2\r\n{}\r\n0\r\n\r\n"},
		{"chunked, with an extension", post + last + chunks + "\r\n2;a=b\r\n{}\r\n0\r\n\r\n"},
		{"empty lines before it", "\r\n\r\n" + post + last + empty},
		{"HTTP/1.0", strings.Replace(post, "1.1", "1.0", 1) + empty},
		{"signed, chunked", session + host + asJSON + last + credential.String() + chunks + "\r\n" + signedChunk + "\r\n"},

		{"both lengths", post + "Content-Length: 2\r\n" + chunks + "\r\n2\r\n{}\r\n0\r\n\r\n"},
		{"both lengths, the other way around", post + chunks + "Content-Length: 2\r\n\r\n2\r\n{}\r\n0\r\n\r\n"},
		{"a request within a body of two lengths", post + "Content-Length: 4\r\n" + chunks + "\r\n0\r\n\r\n" + next + host + "\r\n"},
		{"two equal lengths", post + "Content-Length: 2\r\n" + empty},
		{"two lengths in one field", post + "Content-Length: 2, 2\r\n\r\n{}"},
		{"a length with a sign", post + "Content-Length: +2\r\n\r\n{}"},
		{"a length in hexadecimal", post + "Content-Length: 0x2\r\n\r\n{}"},
		{"a length of spaces", post + "Content-Length: 2 2\r\n\r\n{}"},
		{"a negative length", post + "Content-Length: -2\r\n\r\n{}"},
		{"a coding that is not chunked", post + "Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"},
		{"the identity coding", post + "Transfer-Encoding: identity\r\n" + empty},
		{"two codings", post + chunks + chunks + "\r\n2\r\n{}\r\n0\r\n\r\n"},
		{"a coding with a tab before its colon", post + "Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n"},
		{"a folded coding", post + "Transfer-Encoding:\r\n chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"},
		{"chunked in HTTP/1.0", strings.Replace(post, "1.1", "1.0", 1) + chunks + "\r\n2\r\n{}\r\n0\r\n\r\n"},
		{"a chunk shorter than its size", post + chunks + "\r\n3\r\n{}\r\n0\r\n\r\n"},
		{"a chunk longer than its size", post + chunks + "\r\n1\r\n{}\r\n0\r\n\r\n"},
		{"a chunk of size 0x2", post + chunks + "\r\n0x2\r\n{}\r\n0\r\n\r\n"},
		{"a chunk that ends in LF", post + chunks + "\r\n2\r\n{}\n0\r\n\r\n"},
		{"a chunk size that ends in LF", post + chunks + "\r\n2\n{}\r\n0\r\n\r\n"},

		{"a request line that ends in LF", strings.Replace(post, "\r\n", "\n", 1) + empty},
		{"a field that ends in LF", post + "A: b\n" + empty},
		{"a head that ends in LF", post + "Content-Length: 2\r\n\n{}"},
		{"a CR in a field", post + "A: b\rc\r\n" + empty},
		{"a NUL in a field", post + "A: b\x00c\r\n" + empty},
		{"a folded field", post + "A: b\r\n c\r\n" + empty},
		{"a field folded with a tab", post + "A: b\r\n\tc\r\n" + empty},
		{"a folded first field", session + " " + host + empty},
		{"a space before the colon", post + "X-Environment : test\r\n" + empty},
		{"no name", post + ": a\r\n" + empty},
		{"no colon", post + "A\r\n" + empty},
		{"no Host", session + asJSON + empty},
		{"two Hosts", post + host + empty},
		{"two types", post + "Content-Type: text/plain\r\n" + empty},
		{"HTTP/2.0", strings.Replace(post, "1.1", "2.0", 1) + empty},
		{"HTTP/0.9", "GET /healthz HTTP/0.9\r\n\r\n"},
		{"HTTP/1.2", strings.Replace(post, "1.1", "1.2", 1) + empty},
		{"no version", "GET /healthz\r\n\r\n"},
		{"the start of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
		{"TLS", "\x16\x03\x01\x00\xf4\x01\x00\x00\xf0\x03\x03\r\n\r\n"},
		{"two spaces", strings.Replace(post, "POST ", "POST  ", 1) + empty},
		{"a tab", strings.Replace(post, "POST ", "POST\t", 1) + empty},
		{"a body of GET", strings.TrimSuffix(get("/healthz"), "\r\n") + empty},
		{"a chunked body of HEAD", "HEAD /healthz HTTP/1.1\r\n" + host + chunks + "\r\n0\r\n\r\n"},
		{"a header of 9 KB", post + "A: " + strings.Repeat("a", 9<<10) + "\r\n" + empty},
		{"1,000 fields", post + strings.Repeat("A: bbbbbbbb\r\n", 1000) + empty},
		{"a body of 65 KB", post + "Content-Length: 66560\r\n\r\n" + strings.Repeat(" ", 66560)},
		{"65 KB in chunks", post + chunks + "\r\n" + strings.Repeat("1000\r\n"+strings.Repeat(" ", 4096)+"\r\n", 17) + "0\r\n\r\n"},

		{"a signature in the trailer", post + last + chunks + "\r\n" + signedChunk + credential.String() + "\r\n"},
		{"a slug in the trailer", post + last + chunks + "\r\n2\r\n{}\r\n0\r\nX-Store-Slug: " + shop.File.StoreSlug + "\r\nX-Environment: test\r\n\r\n"},
		{"an announced trailer", post + last + chunks + "Trailer: X-Store-Slug, X-Environment\r\n\r\n2\r\n{}\r\n0\r\nX-Store-Slug: " +
			shop.File.StoreSlug + "\r\nX-Environment: test\r\n\r\n"},
		{"a type in the trailer", session + host + last + chunks + "\r\n2\r\n{}\r\n0\r\nContent-Type: text/plain\r\nTransfer-Encoding: x\r\n\r\n"},
		{"a trailer of 9 KB", post + chunks + "\r\n2\r\n{}\r\n0\r\nA: " + strings.Repeat("a", 9<<10) + "\r\n\r\n"},
		{"a request behind a trailer", post + chunks + "\r\n2\r\n{}\r\n0\r\nA: b\r\n\r\n" + next + host + last + "\r\n"},

		{"an absolute target", at(shop.PublicURL + createSessionPath)},
		{"an absolute target of another Host", "GET " + shop.PublicURL + "/healthz HTTP/1.1\r\nHost: other.example\r\n" + last + "\r\n"},
		{"an absolute target with a query", get(shop.PublicURL + "/readyz?x=1")},
		{"an absolute target without a path", get(shop.PublicURL)},
		{"an absolute target that is unknown", at(shop.PublicURL + "/v1/nothing")},
		{"an authority as target", "CONNECT other.example:443 HTTP/1.1\r\n" + host + last + "\r\n"},
		{"an asterisk as target", "OPTIONS * HTTP/1.1\r\n" + host + last + "\r\n"},
		{"a target without a slash", get("healthz")},

		{"no type", session + host + last + empty},
		{"no type, no JSON", session + host + last + "X-Store-Slug: " + shop.File.StoreSlug + "\r\nX-Environment: test\r\nContent-Length: 3\r\n\r\na=b"},
		{"the identity encoding", post + last + "Content-Encoding: identity\r\n" + empty},
		{"two encodings", post + last + "Content-Encoding: identity, gzip\r\n" + empty},
		{"a query", at(createSessionPath + "?x=1")},
		{"a query on a probe", get("/healthz?verbose")},
		{"a query on a script", get("/v1/client.js?v=2")},
		{"HEAD of a probe", strings.Replace(get("/readyz"), "GET", "HEAD", 1)},
		{"HEAD of a script", strings.Replace(get("/v1/client.js"), "GET", "HEAD", 1)},
		{"HEAD of an action", strings.Replace(get(createSessionPath), "GET", "HEAD", 1)},
		{"POST of a probe", at("/healthz")},
		{"two slashes", at("/" + createSessionPath)},
		{"capital letters", at(strings.ToUpper(createSessionPath))},
		{"an encoded path", at("/%761/actions/checkout/create-session")},
		{"dots in a path", at("/v1/./actions/checkout/create-session")},
		{"a slash behind it", at(createSessionPath + "/")},
		{"only the version", get("/v1")},
		{"an unknown page", get("/v2/actions")},
	} {
		text.WriteString("# " + c[0] + "\n" + shop.raw(t, c[1]) + "\n")
	}
	shoptest.Golden(t, "raw-requests.txt", text.String())
}

// TestStrictTransportSecurity: the header is sent if the public URL is https, and otherwise not.
func TestStrictTransportSecurity(t *testing.T) {
	for url, want := range map[string]string{"https://pay.example.com": "max-age=31536000", "http://127.0.0.1:1": ""} {
		shop := openShop(t)
		shop.server.PublicURL = url
		local := shop.URL
		for _, path := range []string{"/healthz", "/v1/nothing", "/store/a/checkout/b"} {
			answer, err := http.Get(local + path)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			if got := answer.Header.Get("Strict-Transport-Security"); got != want {
				t.Errorf("%s at %s: %q", path, url, got)
			}
		}
	}
}
