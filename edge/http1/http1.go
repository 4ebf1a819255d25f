// Package http1 refuses HTTP/1 requests that two implementations could parse differently (request smuggling), before an HTTP
// server reads them. A proxy and the server behind it therefore agree where each request begins and ends.
//
// [Listen] wraps a listener. Its connections pass on well-formed requests as they arrive, and fail with a [*Refusal] at the first
// byte of:
//   - a line that does not end in CRLF, or has a CR within;
//   - a request line that is not method, target and HTTP/1.0 or HTTP/1.1, with one space between;
//   - a field without a name, with a space before its colon, or continued on a second line (obs-fold);
//   - a second Content-Length, Transfer-Encoding or Content-Type, both of the first two, or a value of the first two that is
//     neither a decimal number nor chunked;
//   - a body of GET or HEAD;
//   - a chunk that is not framed by RFC 9112 §7.1.
//
// All trailer fields are removed: a server may merge them into the header, although no signature covers them.
package http1

import (
	"bytes"
	"net"
	"strconv"
)

const (
	maxTrailer = 8 << 10  // bytes of trailer fields that are removed
	maxLine    = 16 << 10 // bytes of a line; the server's limit of a header is lower
)

// Refusal is the error of a connection after a malformed request.
type Refusal struct{ Reason string }

func (r *Refusal) Error() string { return "http1: " + r.Reason }

// Listen returns a listener whose connections pass on only well-formed requests.
func Listen(l net.Listener) net.Listener { return listener{l} }

type listener struct{ net.Listener }

func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c}, nil
}

type conn struct {
	net.Conn
	scanner
}

// Read passes on everything before a fault, so that the server knows that a request has begun and responds to it.
func (c *conn) Read(p []byte) (n int, err error) {
	for n == 0 && err == nil {
		if c.fault != nil {
			return 0, c.fault
		}
		if n, err = c.Conn.Read(p); n > 0 {
			n = c.scan(p[:n])
		}
	}
	return n, err
}

// part is a part of a request; scanner.part is the next one.
type part int

const (
	requestLine part = iota
	field
	body
	chunkSize
	chunkData
	chunkEnd
	trailer
)

// scanner parses the requests of one connection. The zero value is before the first.
type scanner struct {
	part    part
	line    []byte // what has arrived of the current line
	left    int    // bytes that are left of the body or chunk, or that the trailer may still have
	request        // the current one
	fault   error
}

// request is the framing of a request by its header.
type request struct {
	bodiless bool // by its method
	length   int  // of Content-Length
	sized    bool // it has a Content-Length
	chunked  bool
	typed    bool // it has a Content-Type
}

// scan parses bytes that have arrived and removes from b those that must not be passed on. It returns how many are left.
func (s *scanner) scan(b []byte) (kept int) {
	for rest := b; len(rest) > 0 && s.fault == nil; {
		var piece []byte
		if s.part == body || s.part == chunkData {
			piece, rest = rest[:min(s.left, len(rest))], rest[min(s.left, len(rest)):]
			s.data(len(piece))
		} else {
			end := bytes.IndexByte(rest, '\n') + 1
			if end == 0 {
				end = len(rest)
			}
			piece, rest = rest[:end], rest[end:]
			piece = s.text(piece)
		}
		kept += copy(b[kept:], piece)
	}
	return kept
}

// data counts bytes of a body or chunk.
func (s *scanner) data(n int) {
	s.left -= n
	switch {
	case s.left > 0:
	case s.part == body:
		s.part = requestLine
	default:
		s.part = chunkEnd
	}
}

// text adds a piece to the line; a line feed ends it. It returns the part of the piece to pass on.
func (s *scanner) text(piece []byte) []byte {
	s.line = append(s.line, piece...)
	if len(s.line) > maxLine {
		s.refuse("line too long")
		return nil
	}
	removed := s.part == trailer && s.line[0] != '\r' // the empty line at the end of a trailer stays
	if removed {
		if s.left -= len(piece); s.left < 0 {
			s.refuse("trailer too large")
		}
	}
	if piece[len(piece)-1] == '\n' {
		s.endLine()
	}
	switch {
	case removed:
		return nil
	case s.fault != nil:
		return piece[:len(piece)-1]
	}
	return piece
}

func (s *scanner) endLine() {
	text, ended := bytes.CutSuffix(s.line, []byte("\r\n"))
	s.line = s.line[:0]
	switch {
	case !ended:
		s.refuse("line without CRLF")
	case bytes.IndexByte(text, '\r') >= 0:
		s.refuse("CR within a line")
	default:
		s.take(text)
	}
}

// take interprets a line.
func (s *scanner) take(text []byte) {
	switch s.part {
	case requestLine:
		if len(text) > 0 { // empty lines before a request are ignored, RFC 9112 §2.2
			s.begin(text)
		}
	case field:
		if len(text) > 0 {
			s.field(text)
		} else {
			s.endHead()
		}
	case chunkSize:
		s.chunk(text)
	case chunkEnd:
		s.part = chunkSize
		if len(text) > 0 {
			s.refuse("chunk longer than its size")
		}
	case trailer:
		if len(text) == 0 {
			s.part = requestLine
		}
	}
}

func (s *scanner) begin(text []byte) {
	words := bytes.Split(text, []byte(" "))
	if len(words) != 3 || len(words[0]) == 0 || len(words[1]) == 0 {
		s.refuse("malformed request line")
		return
	}
	if version := string(words[2]); version != "HTTP/1.1" && version != "HTTP/1.0" {
		s.refuse("unsupported HTTP version")
		return
	}
	method := string(words[0])
	s.request = request{bodiless: method == "GET" || method == "HEAD"}
	s.part = field
}

func (s *scanner) field(text []byte) {
	name, value, ok := bytes.Cut(text, []byte(":"))
	switch {
	case text[0] == ' ' || text[0] == '\t':
		s.refuse("folded header field")
		return
	case !ok || len(name) == 0 || bytes.ContainsAny(name, " \t"):
		s.refuse("malformed header field")
		return
	}
	value = bytes.Trim(value, " \t")
	switch {
	case bytes.EqualFold(name, []byte("Content-Length")):
		length, err := strconv.ParseUint(string(value), 10, 31)
		if err != nil || s.sized || s.chunked {
			s.refuse("ambiguous body length")
		}
		s.length, s.sized = int(length), true
	case bytes.EqualFold(name, []byte("Transfer-Encoding")):
		if !bytes.EqualFold(value, []byte("chunked")) || s.sized || s.chunked {
			s.refuse("ambiguous body length")
		}
		s.chunked = true
	case bytes.EqualFold(name, []byte("Content-Type")):
		if s.typed {
			s.refuse("repeated Content-Type")
		}
		s.typed = true
	}
}

func (s *scanner) endHead() {
	switch {
	case s.bodiless && (s.chunked || s.length > 0):
		s.refuse("body of a GET or HEAD")
	case s.chunked:
		s.part = chunkSize
	case s.length > 0:
		s.part, s.left = body, s.length
	default:
		s.part = requestLine
	}
}

func (s *scanner) chunk(text []byte) {
	size, _, _ := bytes.Cut(text, []byte(";")) // extensions are ignored, RFC 9112 §7.1.1
	n, err := strconv.ParseUint(string(bytes.TrimRight(size, " \t")), 16, 31)
	switch {
	case err != nil:
		s.refuse("malformed chunk size")
	case n == 0:
		s.part, s.left = trailer, maxTrailer
	default:
		s.part, s.left = chunkData, int(n)
	}
}

func (s *scanner) refuse(reason string) {
	if s.fault == nil {
		s.fault = &Refusal{reason}
	}
}
