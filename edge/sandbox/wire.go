package sandbox

import (
	"bytes"
	"io"
	"net"
	"time"

	"github.com/valyala/fasthttp"
)

// wire is what becomes of an answer on its way. The connection ends with it.
type wire func(s *Sandbox, conn net.Conn, answer *fasthttp.Response)

// divert hands the connection of a call, and its answer, to w.
func (s *Sandbox) divert(ctx *fasthttp.RequestCtx, w wire) {
	response := new(fasthttp.Response)
	ctx.Response.CopyTo(response)
	response.SetConnectionClose()
	ctx.HijackSetNoResponse(true)
	ctx.Hijack(func(conn net.Conn) { w(s, conn, response) })
}

// hang sends nothing, until the caller gives up.
func hang(s *Sandbox, conn net.Conn, _ *fasthttp.Response) {
	gone := make(chan struct{})
	go func() {
		io.Copy(io.Discard, conn) // nothing more comes; it ends with the connection
		close(gone)
	}()
	select {
	case <-gone:
	case <-s.stop:
		conn.SetReadDeadline(time.Unix(1, 0))
		<-gone
	}
}

// cut sends nothing and closes the connection.
func cut(*Sandbox, net.Conn, *fasthttp.Response) {}

// truncate closes the connection in the middle of the body.
func truncate(_ *Sandbox, conn net.Conn, answer *fasthttp.Response) {
	var b bytes.Buffer
	answer.WriteTo(&b)
	conn.Write(b.Bytes()[:b.Len()-len(answer.Body())/2])
}

// halve sends half of the body as if it were all of it.
func halve(_ *Sandbox, conn net.Conn, answer *fasthttp.Response) {
	body := answer.Body()
	answer.SetBody(body[:len(body)/2])
	answer.WriteTo(conn)
}

// inflate adds two MiB of white space to the body.
func inflate(_ *Sandbox, conn net.Conn, answer *fasthttp.Response) {
	answer.AppendBody(bytes.Repeat([]byte{' '}, 2<<20))
	answer.WriteTo(conn)
}

// waitedFor reports whether the caller is still there: nothing can be written on a connection that its other side has
// closed, not even nothing.
func (r *request) waitedFor() bool {
	_, err := r.conn.Write(nil)
	return err == nil
}
