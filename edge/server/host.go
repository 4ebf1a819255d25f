package server

import (
	"net"
	"net/url"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/edge/api"
)

// ownHost reports whether a request's Host is a name of this server: its public URL, the loopback, or the address that the
// connection came to. A page elsewhere whose name leads to this machine (DNS rebinding) could otherwise read what is here.
func (s *server) ownHost(ctx *fasthttp.RequestCtx) bool {
	host := strings.ToLower(string(ctx.Host()))
	if public, err := url.Parse(s.PublicURL); err == nil && host == strings.ToLower(public.Host) {
		return true
	}
	if host == ctx.LocalAddr().String() {
		return true
	}
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		name, port = strings.Trim(host, "[]"), "80"
	}
	_, own, _ := net.SplitHostPort(strings.TrimPrefix(s.local, "http://"))
	return port == own && (name == "localhost" || name == "127.0.0.1" || name == "::1")
}

func (s *server) refuseHost(ctx *fasthttp.RequestCtx) {
	const why = "crepe dev does not answer to this Host; open %s, or start it with --public-url and the URL that you use"
	message := strings.Replace(why, "%s", s.PublicURL, 1)
	if api.Serves(ctx.Path()) {
		api.Refuse(ctx, fasthttp.StatusMisdirectedRequest, "wrong-host", message)
		return
	}
	ctx.SetStatusCode(fasthttp.StatusMisdirectedRequest)
	ctx.SetBodyString(message + "\n")
}
