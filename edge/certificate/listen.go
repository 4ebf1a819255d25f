package certificate

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"time"
)

// Listen returns a listener whose connections speak TLS. The handshake is made by the first Read or Write. A client that sends
// HTTP instead is told so.
func (f *Files) Listen(l net.Listener) net.Listener { return &listener{l, f.config()} }

type listener struct {
	net.Listener
	config *tls.Config // one for all connections: it has the keys of the session tickets
}

// Accept implements [net.Listener].
func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &conn{tls.Server(c, l.config)}, nil
}

type conn struct{ *tls.Conn }

// plain answers an HTTP request.
const plain = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\nContent-Length: 54\r\n\r\n" +
	"This port speaks HTTPS only: use https:// in the URL.\n"

// Read implements [net.Conn].
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if e, ok := errors.AsType[tls.RecordHeaderError](err); ok && e.Conn != nil && startsHTTP(e.RecordHeader[:]) {
		e.Conn.SetWriteDeadline(time.Now().Add(time.Second))
		io.WriteString(e.Conn, plain)
		return n, io.EOF
	}
	return n, err
}

// startsHTTP reports whether the first five bytes of a connection are those of an HTTP request.
func startsHTTP(b []byte) bool {
	for _, method := range []string{"GET ", "HEAD ", "POST ", "PUT ", "PATCH ", "DELETE ", "OPTIONS "} {
		if bytes.HasPrefix(b, []byte(method[:min(len(method), len(b))])) {
			return true
		}
	}
	return false
}
