package demo

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

// The demo merchant's pages stand in for a real merchant's shop. The index links to everything that crepe dev has.
var (
	//go:embed shop.html
	shopPage []byte
	//go:embed thanks.html
	thankYouPage []byte
	//go:embed index.html
	indexPage []byte
)

// Pages returns the handlers of the demo merchant's pages by path. Until [Demo.Introduce] the index and its button respond that
// the server is starting.
func (d *Demo) Pages() map[string]fasthttp.RequestHandler {
	return map[string]fasthttp.RequestHandler{
		"/": d.index(), "/demo/buy": d.buy, "/demo/shop": static(shopPage), "/demo/thank-you": static(thankYouPage),
	}
}

func static(page []byte) fasthttp.RequestHandler {
	policy := contentPolicy(page)
	return readOnly(func(ctx *fasthttp.RequestCtx) { write(ctx, policy, bytes.Clone(page)) })
}

// readOnly refuses every method but GET and HEAD.
func readOnly(handle fasthttp.RequestHandler) fasthttp.RequestHandler {
	return func(ctx *fasthttp.RequestCtx) {
		if !ctx.IsGet() && !ctx.IsHead() {
			api.RefuseMethod(ctx, "GET, HEAD")
			return
		}
		handle(ctx)
	}
}

// contentPolicy allows a page its own style and forms to this server, nothing else.
func contentPolicy(page []byte) string {
	_, style, _ := bytes.Cut(page, []byte("<style>"))
	style, _, _ = bytes.Cut(style, []byte("</style>"))
	hash := sha256.Sum256(style)
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) +
		"'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
}

func write(ctx *fasthttp.RequestCtx, policy string, page []byte) {
	ctx.Response.Header.Set("Content-Security-Policy", policy)
	ctx.SetContentType("text/html; charset=utf-8")
	ctx.SetBody(page)
}

// index serves the start page of crepe dev.
func (d *Demo) index() fasthttp.RequestHandler {
	index, policy := template.Must(template.New("").Parse(string(indexPage))), contentPolicy(indexPage)
	return readOnly(func(ctx *fasthttp.RequestCtx) {
		file := d.file.Load()
		if file == nil {
			api.Starting(ctx)
			return
		}
		var page bytes.Buffer
		err := index.Execute(&page, struct {
			*File
			Keys string
		}{file, filepath.Join(d.config.Data, FileName)})
		if err != nil {
			panic(err) // the template does not match its data
		}
		write(ctx, policy, page.Bytes())
	})
}

// buy creates a checkout session and redirects the buyer to its page.
func (d *Demo) buy(ctx *fasthttp.RequestCtx) {
	file := d.file.Load()
	switch {
	case !ctx.IsPost():
		api.RefuseMethod(ctx, "POST")
		return
	case file == nil:
		api.Starting(ctx)
		return
	}
	url, err := d.openSession(file)
	if err != nil {
		d.config.Log.Error("the demo merchant cannot open a checkout session", "error", err)
		api.InternalError(ctx)
		return
	}
	ctx.SetStatusCode(fasthttp.StatusSeeOther)
	ctx.Response.Header.Set("Location", strings.TrimPrefix(url, d.config.PublicURL)) // on the host that the buyer already uses
}

func (d *Demo) openSession(file *File) (url string, err error) {
	merchant, err := NewClient(d.config.LocalURL, file.MerchantID, file.PrivateKey[checkout.Test])
	if err != nil {
		return "", err
	}
	session, err := merchant.CreateSession(file.Products[0].ID, d.successURL())
	return session.CheckoutURL, err
}
