package e2e

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/valyala/fasthttp"
)

// instantProvider, in the environment, makes this test program the provider of BenchmarkLoopback: its address and the URL of a sandbox
// provider.
const instantProvider = "CREPE_INSTANT_PROVIDER"

// serveInstant serves a provider that costs next to nothing, so that the times of create-order are the server's own: it passes requests on
// to a sandbox, and answers each creation of a checkout after the first by the sandbox's first answer, with the ids of the request. It
// returns if there is no address.
func serveInstant(addresses string) {
	if addresses == "" {
		return
	}
	address, sandbox, _ := strings.Cut(addresses, " ")
	p := &instant{sandbox: sandbox}
	panic((&fasthttp.Server{Handler: p.handle}).ListenAndServe(address))
}

type instant struct {
	sandbox string
	first   sync.Mutex // held while there is no answer yet
	answer  atomic.Pointer[created]
	made    atomic.Uint64
}

// created is the sandbox's answer to the creation of a checkout.
type created struct {
	order, session, checkout string
	body                     string
}

func (p *instant) handle(ctx *fasthttp.RequestCtx) {
	if !ctx.IsPost() || string(ctx.Path()) != "/v1/checkout/sessions" {
		p.pass(ctx)
		return
	}
	first := p.answer.Load()
	if first == nil {
		p.create(ctx)
		return
	}
	order, session := asked(ctx)
	checkout := fmt.Sprintf("cs_test_%0*d", len(first.checkout)-len("cs_test_"), p.made.Add(1))
	ctx.SetContentType("application/json")
	ctx.SetBodyString(strings.NewReplacer(first.order, order, first.session, session, first.checkout, checkout).Replace(first.body))
}

// create passes a creation on and keeps the answer.
func (p *instant) create(ctx *fasthttp.RequestCtx) {
	p.first.Lock()
	defer p.first.Unlock()
	p.pass(ctx)
	if ctx.Response.StatusCode() != fasthttp.StatusOK {
		return
	}
	order, session := asked(ctx)
	body := string(ctx.Response.Body())
	_, rest, _ := strings.Cut(body, `"id":"`)
	checkout, _, _ := strings.Cut(rest, `"`)
	p.answer.Store(&created{order, session, checkout, body})
}

// asked returns the ids of the order and of the checkout session in a creation.
func asked(ctx *fasthttp.RequestCtx) (order, session string) {
	form := ctx.PostArgs()
	return string(form.Peek("metadata[order_id]")), string(form.Peek("metadata[checkout_session_id]"))
}

func (p *instant) pass(ctx *fasthttp.RequestCtx) {
	request := fasthttp.AcquireRequest()
	defer fasthttp.ReleaseRequest(request)
	ctx.Request.CopyTo(request)
	request.SetRequestURI(p.sandbox + string(ctx.RequestURI()))
	request.SetHost(strings.TrimPrefix(p.sandbox, "http://"))
	if err := fasthttp.Do(request, &ctx.Response); err != nil {
		ctx.Error(err.Error(), fasthttp.StatusBadGateway)
	}
}
