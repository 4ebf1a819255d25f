package fault

import (
	"bytes"
	"io"
	"net"
	"time"

	"github.com/valyala/fasthttp"
)

// Transport sends a response, or what is left of it, on the connection of its call. The connection is closed afterwards. It
// returns when the sandbox stops, at the latest.
type Transport func(conn net.Conn, response *fasthttp.Response, stop <-chan struct{})

// hang sends nothing until the caller closes the connection.
func hang(conn net.Conn, _ *fasthttp.Response, stop <-chan struct{}) {
	gone := make(chan struct{})
	go func() {
		io.Copy(io.Discard, conn) // ends with the connection
		close(gone)
	}()
	select {
	case <-gone:
	case <-stop:
		conn.SetReadDeadline(time.Unix(1, 0))
		<-gone
	}
}

// reset sends nothing.
func reset(net.Conn, *fasthttp.Response, <-chan struct{}) {}

// truncate stops in the middle of the body.
func truncate(conn net.Conn, response *fasthttp.Response, _ <-chan struct{}) {
	var b bytes.Buffer
	response.WriteTo(&b)
	conn.Write(b.Bytes()[:b.Len()-len(response.Body())/2])
}

// halve sends half of the body as if it were all of it.
func halve(conn net.Conn, response *fasthttp.Response, _ <-chan struct{}) {
	body := response.Body()
	response.SetBody(body[:len(body)/2])
	response.WriteTo(conn)
}

// inflate adds two MiB of white space to the body.
func inflate(conn net.Conn, response *fasthttp.Response, _ <-chan struct{}) {
	response.AppendBody(bytes.Repeat([]byte{' '}, 2<<20))
	response.WriteTo(conn)
}
