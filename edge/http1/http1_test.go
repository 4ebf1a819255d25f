package http1

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
)

// source is a connection on which a text has come, in pieces.
type source struct {
	net.Conn
	io.Reader
}

func (s source) Read(p []byte) (int, error) { return s.Reader.Read(p) }

// passed is what comes through of a text, and why it ended.
func passed(r io.Reader) (string, string) {
	text, err := io.ReadAll(&conn{Conn: source{Reader: r}})
	if refusal, ok := errors.AsType[*Refusal](err); ok {
		return string(text), refusal.Reason
	} else if err != nil {
		return string(text), err.Error()
	}
	return string(text), ""
}

const (
	post    = "POST /v1/x HTTP/1.1\r\nHost: a\r\n"
	chunked = post + "Transfer-Encoding: chunked\r\n\r\n"
)

// TestScan: what is refused, what is removed, and what is left as it is; however the bytes come.
func TestScan(t *testing.T) {
	for _, c := range []struct{ in, out, refused string }{
		{"", "", ""},
		{post + "\r\n", "", ""},
		{"GET / HTTP/1.0\r\n\r\n", "", ""},
		{"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "", ""},
		{post + "Content-Length: 5\r\n\r\na\nb\rc" + post + "content-length: 0\r\n\r\n", "", ""},
		{chunked + "3\r\na\nb\r\n0A;x=y\r\n0123456789\r\n0\r\n\r\n" + post + "\r\n", "", ""},
		{chunked + "1\r\na\r\n0\r\nX-Signature: b\r\nContent-Type: c\r\n\r\n" + post + "\r\n", chunked + "1\r\na\r\n0\r\n\r\n" + post + "\r\n", ""},
		{chunked + "0\r\n" + strings.Repeat("A: b\r\n", 2000), chunked + "0\r\n", "trailer too large"},
		{chunked + "0\r\nA: b\n\r\n", chunked + "0\r\n", "line without CRLF"},
		{chunked + "0\r\n\rA: b\r\n\r\n", chunked + "0\r\n\rA: b\r", "CR within a line"},
		{"GET / HTTP/1.1\nHost: a\r\n\r\n", "GET / HTTP/1.1", "line without CRLF"},
		{post + "A: b\n\r\n", post + "A: b", "line without CRLF"},
		{post + "A: b\r\n\n", post + "A: b\r\n", "line without CRLF"},
		{post + "A: b\rc\r\n\r\n", post + "A: b\rc\r", "CR within a line"},
		{post + "A: b\r\n c\r\n\r\n", post + "A: b\r\n c\r", "folded header field"},
		{post + "\tc\r\n\r\n", post + "\tc\r", "folded header field"},
		{post + "A : b\r\n\r\n", post + "A : b\r", "malformed header field"},
		{post + ": b\r\n\r\n", post + ": b\r", "malformed header field"},
		{post + "A\r\n\r\n", post + "A\r", "malformed header field"},
		{"GET / HTTP/2.0\r\n\r\n", "GET / HTTP/2.0\r", "unsupported HTTP version"},
		{"GET / HTTP/0.9\r\n\r\n", "GET / HTTP/0.9\r", "unsupported HTTP version"},
		{"GET / http/1.1\r\n\r\n", "GET / http/1.1\r", "unsupported HTTP version"},
		{"GET /\r\n\r\n", "GET /\r", "malformed request line"},
		{"GET  / HTTP/1.1\r\n\r\n", "GET  / HTTP/1.1\r", "malformed request line"},
		{"GET / HTTP/1.1 \r\n\r\n", "GET / HTTP/1.1 \r", "malformed request line"},
		{post + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", post + "Content-Length: 1\r\nTransfer-Encoding: chunked\r", "ambiguous body length"},
		{post + "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", post + "Transfer-Encoding: chunked\r\nContent-Length: 1\r", "ambiguous body length"},
		{post + "Transfer-Encoding: gzip, chunked\r\n\r\n", post + "Transfer-Encoding: gzip, chunked\r", "ambiguous body length"},
		{post + "Transfer-Encoding: identity\r\n\r\n", post + "Transfer-Encoding: identity\r", "ambiguous body length"},
		{post + "Content-Length: 0\r\nContent-Length: 0\r\n\r\n", post + "Content-Length: 0\r\nContent-Length: 0\r", "ambiguous body length"},
		{post + "Content-Length: +1\r\n\r\n", post + "Content-Length: +1\r", "ambiguous body length"},
		{post + "Content-Length: 1, 1\r\n\r\n", post + "Content-Length: 1, 1\r", "ambiguous body length"},
		{post + "Content-Length: 0x1\r\n\r\n", post + "Content-Length: 0x1\r", "ambiguous body length"},
		{post + "Content-Type: a\r\ncontent-type: a\r\n\r\n", post + "Content-Type: a\r\ncontent-type: a\r", "repeated Content-Type"},
		{"GET / HTTP/1.1\r\nContent-Length: 1\r\n\r\na", "GET / HTTP/1.1\r\nContent-Length: 1\r\n\r", "body of a GET or HEAD"},
		{chunked + "1\na\r\n0\r\n\r\n", chunked + "1", "line without CRLF"},
		{chunked + "0x1\r\na\r\n0\r\n\r\n", chunked + "0x1\r", "malformed chunk size"},
		{chunked + "-1\r\n", chunked + "-1\r", "malformed chunk size"},
		{chunked + "1\r\nab\r\n0\r\n\r\n", chunked + "1\r\nab\r", "chunk longer than its size"},
		{chunked + "1;" + strings.Repeat("x", maxLine), "", "line too long"},
	} {
		if c.out == "" && c.refused == "" {
			c.out = c.in
		}
		for name, r := range map[string]io.Reader{"at once": strings.NewReader(c.in), "byte by byte": iotest.OneByteReader(strings.NewReader(c.in))} {
			out, refused := passed(r)
			if out != c.out && c.out != "" || refused != c.refused {
				t.Errorf("%.80q %s: passes on %q, %q", c.in, name, out, refused)
			}
		}
	}
}

// FuzzScan: what passes has one meaning. net/http sees as many requests in it, with the same bodies, and no trailer; the bytes may
// come in any pieces; and what passed once passes again unchanged.
func FuzzScan(f *testing.F) {
	f.Add([]byte(post+"Content-Length: 5\r\n\r\nhello"+chunked+"1\r\na\r\n0\r\nB: c\r\n\r\n"), 7)
	f.Add([]byte(post+"A: b\r\n c: d\r\n\r\n"), 1)
	f.Fuzz(func(t *testing.T, text []byte, size int) {
		out, refused := passed(bytes.NewReader(text))
		pieces, again := passed(bufio.NewReaderSize(iotest.OneByteReader(bytes.NewReader(text)), max(16, size%100)))
		if pieces != out || again != refused {
			t.Fatalf("in pieces %q %q, at once %q %q", pieces, again, out, refused)
		}
		if refused != "" {
			return
		}
		if twice, refused := passed(strings.NewReader(out)); twice != out || refused != "" {
			t.Fatalf("%q passes again as %q %q", out, twice, refused)
		}
		ours := scanner{}
		ours.scan([]byte(out))
		theirs := bufio.NewReader(strings.NewReader(out))
		for {
			request, err := http.ReadRequest(theirs)
			if err != nil {
				return // the end, or stricter than we are
			}
			if _, err := io.Copy(io.Discard, request.Body); err != nil {
				if ours.part == requestLine && ours.line == nil {
					t.Fatalf("%q: a body that has ended here has not there: %v", out, err)
				}
				return
			}
			if len(request.Trailer) > 0 && fmt.Sprint(request.Trailer) != "map[]" {
				for name, values := range request.Trailer {
					if values != nil {
						t.Fatalf("%q: trailer %s", out, name)
					}
				}
			}
		}
	})
}
