package main

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"path/filepath"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/api"
)

// The demo merchant's own pages, in the place of a real merchant's shop: what its checkout links to, and where a buyer ends.
// The index leads to everything that crepe dev has.
var (
	//go:embed demo_shop.html
	shopPage []byte
	//go:embed demo_thanks.html
	thankYouPage []byte
	//go:embed demo_index.html
	indexPage []byte
)

func demoPage(page []byte) fasthttp.RequestHandler {
	policy := demoPolicy(page)
	return readOnly(func(ctx *fasthttp.RequestCtx) { writeDemo(ctx, policy, bytes.Clone(page)) })
}

// readOnly refuses every method but GET and HEAD.
func readOnly(handle fasthttp.RequestHandler) fasthttp.RequestHandler {
	return func(ctx *fasthttp.RequestCtx) {
		if !ctx.IsGet() && !ctx.IsHead() {
			refuseMethod(ctx, "GET, HEAD")
			return
		}
		handle(ctx)
	}
}

func refuseMethod(ctx *fasthttp.RequestCtx, allowed string) {
	ctx.Response.Header.Set("Allow", allowed)
	api.Refuse(ctx, fasthttp.StatusMethodNotAllowed, "method-not-allowed", "Method not allowed")
}

// demoPolicy lets a page use its own style and post to this server, no more.
func demoPolicy(page []byte) string {
	_, style, _ := bytes.Cut(page, []byte("<style>"))
	style, _, _ = bytes.Cut(style, []byte("</style>"))
	hash := sha256.Sum256(style)
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) +
		"'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
}

func writeDemo(ctx *fasthttp.RequestCtx, policy string, page []byte) {
	ctx.Response.Header.Set("Content-Security-Policy", policy)
	ctx.SetContentType("text/html; charset=utf-8")
	ctx.SetBody(page)
}

// demoIndex is GET / of crepe dev.
func (s *server) demoIndex() fasthttp.RequestHandler {
	index, policy := template.Must(template.New("").Parse(string(indexPage))), demoPolicy(indexPage)
	return readOnly(func(ctx *fasthttp.RequestCtx) {
		file := s.demoFile.Load()
		if file == nil {
			api.Starting(ctx)
			return
		}
		var page bytes.Buffer
		err := index.Execute(&page, struct {
			*devFile
			Keys string
		}{file, filepath.Join(s.Data, devFileName)})
		if err != nil {
			panic(err) // the template does not fit
		}
		writeDemo(ctx, policy, page.Bytes())
	})
}

// demoBuy makes a checkout session and sends the buyer there.
func (s *server) demoBuy(ctx *fasthttp.RequestCtx) {
	file := s.demoFile.Load()
	switch {
	case !ctx.IsPost():
		refuseMethod(ctx, "POST")
		return
	case file == nil:
		api.Starting(ctx)
		return
	}
	url, err := s.openDemoSession(file)
	if err != nil {
		s.log.Error("the demo merchant cannot open a checkout session", "error", err)
		api.InternalError(ctx)
		return
	}
	ctx.SetStatusCode(fasthttp.StatusSeeOther)
	ctx.Response.Header.Set("Location", strings.TrimPrefix(url, s.PublicURL)) // on the host that the buyer uses already
}

func (s *server) openDemoSession(file *devFile) (url string, err error) {
	merchant, err := newDemoMerchant(s.local, file.MerchantID, file.PrivateKey[checkout.Test])
	if err != nil {
		return "", err
	}
	session, err := merchant.createSession(file.Products[0].ID, s.thanks())
	return session.CheckoutURL, err
}

// thanks is where the demo's buyers end: the demo merchant's page, or "" for the hosted status page.
func (s *server) thanks() string {
	thanks := s.PublicURL + "/demo/thank-you"
	if !checkout.ValidReturnURL(thanks, checkout.Test) {
		return ""
	}
	return thanks
}
