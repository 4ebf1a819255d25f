package server

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-json"
	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/api"
	"github.com/crepe-checkout/crepe/edge/dashboard"
	"github.com/crepe-checkout/crepe/edge/page"
	"github.com/crepe-checkout/crepe/edge/requestid"
	sandboxpage "github.com/crepe-checkout/crepe/edge/sandbox/page"
)

// Limits of a request's body, in bytes.
const (
	maxBody   = 64 << 10
	bodyAhead = 1 << 10 // read before the handler is called
)

// handle is the entry point of every request.
func (s *server) handle(ctx *fasthttp.RequestCtx) {
	began, route := time.Now(), routeUnknown
	ctx.SetUserValue(requestid.Key, requestid.Accept(ctx.Request.Header.Peek(requestid.Header)))
	defer func() { s.answered(ctx, route, began) }()
	defer s.recovered(ctx)
	originForm(ctx)
	var answer fasthttp.RequestHandler
	route, answer = s.route(ctx)
	if strings.HasPrefix(s.PublicURL, "https://") {
		ctx.Response.Header.Set("Strict-Transport-Security", "max-age=31536000")
	}
	if err := readBody(ctx); err != nil {
		connectionLog{s.log}.Printf("", err)
		ctx.SetConnectionClose() // the end of the body is unknown
		api.MalformedRequest(ctx, err)
		return
	}
	if s.Dev != nil && !s.ownHost(ctx) {
		s.refuseHost(ctx)
		return
	}
	answer(ctx)
}

// answered counts a request whose response is complete, and names it in the response. The log has it at debug level, without the path,
// because anyone who has the path of a checkout page can order.
func (s *server) answered(ctx *fasthttp.RequestCtx, route string, began time.Time) {
	status := ctx.Response.StatusCode()
	ctx.Response.Header.Set(requestid.Header, requestid.Of(ctx))
	s.measures.request(route, status, began)
	if s.log.Enabled(ctx, slog.LevelDebug) {
		s.log.DebugContext(ctx, "request", "route", route, "post", ctx.IsPost(), "status", status, "bytes", len(ctx.Response.Body()), "took", time.Since(began))
	}
}

// Patterns of routes that belong to no package of handlers.
const (
	routeUnknown = "unknown"
	routeDemo    = "/demo"
	routeSandbox = "/sandbox"
)

// route returns the handler of a request and the pattern of its path, one of a fixed number of them.
func (s *server) route(ctx *fasthttp.RequestCtx) (pattern string, handler fasthttp.RequestHandler) {
	path := ctx.Path()
	if handler, ok := s.extra[string(path)]; ok {
		return routeDemo, handler
	}
	switch {
	case api.Serves(path):
		return cmp.Or(s.api.Route(ctx), routeUnknown), s.api.Handle
	case s.dashboard != nil && dashboard.Serves(path):
		return dashboard.Path, s.dashboard.Handle
	case bytes.HasPrefix(path, []byte("/sandbox/")):
		return routeSandbox, s.sandbox
	default:
		return cmp.Or(page.Route(string(path)), routeUnknown), s.page.Handle
	}
}

// readBody reads a request's body of at most maxBody bytes.
func readBody(ctx *fasthttp.RequestCtx) error { return readBodyOf(ctx, maxBody) }

// readBodyOf reads a request's body of at most limit bytes as it arrives, so that a connection uses no more memory than what it has sent. fasthttp by
// itself allocates what the Content-Length announces.
func readBodyOf(ctx *fasthttp.RequestCtx, limit int64) error {
	stream := ctx.RequestBodyStream()
	if stream == nil {
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(stream, limit+1))
	if err != nil {
		return err
	}
	if int64(len(body)) > limit {
		io.CopyN(io.Discard, stream, maxBody) // a client that is still sending would not read the response
		return fasthttp.ErrBodyTooLarge
	}
	ctx.Request.SetBodyRaw(body)
	return nil
}

// originForm rewrites a target in absolute form, "http://host/path", whose host replaces the Host field (RFC 9112 §3.2.2).
func originForm(ctx *fasthttp.RequestCtx) {
	uri := ctx.URI()
	_, target, absolute := bytes.Cut(ctx.RequestURI(), []byte("://"))
	if !absolute || ctx.RequestURI()[0] == '/' {
		return
	}
	start := bytes.IndexAny(target, "/?")
	if start < 0 {
		start = len(target)
	}
	target = target[start:]
	if len(target) == 0 || target[0] != '/' {
		target = append([]byte("/"), target...)
	}
	ctx.Request.Header.SetHostBytes(uri.Host())
	ctx.Request.Header.SetRequestURIBytes(bytes.Clone(target))
}

// recovered, deferred by a handler, turns a panic into a response.
func (s *server) recovered(ctx *fasthttp.RequestCtx) {
	if reason := recover(); reason != nil {
		s.measures.panics.Inc()
		s.log.ErrorContext(ctx, "panic", "at", firstSegment(ctx.Path()), "reason", panicText(reason), "stack", string(debug.Stack()))
		ctx.Response.Reset()
		api.InternalError(ctx)
	}
}

// panicText describes a panic without a buyer's data: the runtime's own error text, or else the type of the value.
func panicText(reason any) string {
	if err, ok := reason.(runtime.Error); ok {
		return err.Error()
	}
	return fmt.Sprintf("%T", reason)
}

// firstSegment is the first segment of a path, for the log: anyone who has the whole path of a checkout page can order.
func firstSegment(path []byte) string {
	first, _, _ := bytes.Cut(bytes.TrimPrefix(path, []byte("/")), []byte("/"))
	return "/" + string(first)
}

// ownHost reports whether a request's Host is a name of this server: its public URL, the loopback, or the address that the
// connection came to. Otherwise a page elsewhere whose name resolves to this machine (DNS rebinding) could read crepe dev.
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

// sandboxTools are the sandbox's pages that show or change more than a buyer may.
var sandboxTools = []string{"/log", "/trigger", "/faults"}

func isTool(path []byte) bool {
	return slices.Contains(sandboxTools, string(path[bytes.LastIndexByte(path, '/'):]))
}

// sandbox serves the sandbox provider's pages.
func (s *server) sandbox(ctx *fasthttp.RequestCtx) {
	last := string(ctx.Path()[bytes.LastIndexByte(ctx.Path(), '/'):])
	tool := isTool(ctx.Path())
	if tool && s.Dev == nil {
		s.page.Handle(ctx)
		return
	}
	env := checkout.Test
	if bytes.HasPrefix(ctx.Path(), []byte(sandboxPath[checkout.Prod]+"/")) {
		env = checkout.Prod
	}
	if tool && ctx.IsPost() {
		named, ok := namedEnvironment(ctx.PostBody(), env)
		if !ok {
			api.Refuse(ctx, fasthttp.StatusBadRequest, "environment-invalid", "Invalid environment: expected test or prod")
			return
		}
		if named != env {
			ctx.URI().SetPath(sandboxPath[named] + last)
			env = named
		}
	}
	if provider := s.sandboxes[env]; provider != nil {
		sandboxpage.Handler(provider)(ctx)
		return
	}
	s.page.Handle(ctx)
}

// namedEnvironment is the environment that the body of a call of the sandbox's tools names, or else that of its path.
func namedEnvironment(body []byte, path checkout.Environment) (checkout.Environment, bool) {
	var in struct{ Environment any }
	if json.Unmarshal(body, &in) != nil || in.Environment == nil {
		return path, true // the sandbox refuses a body that is not JSON
	}
	name, _ := in.Environment.(string)
	return checkout.ParseEnvironment(name)
}
