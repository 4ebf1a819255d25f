package page

import (
	"regexp"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/web"
)

// TestPageHeaders: P4 and S1.
func TestPageHeaders(t *testing.T) {
	s := openShop(t)
	s.offer(t, nil)
	want := map[string]string{
		"Content-Type":  "text/html; charset=utf-8",
		"Cache-Control": "no-store",
		"Content-Security-Policy": "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; " +
			"connect-src 'self'; img-src 'self' data:; form-action 'self' https://checkout.stripe.com; base-uri 'none'; " +
			"frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Permissions-Policy":           "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
		"Referrer-Policy":              "no-referrer",
		"X-Content-Type-Options":       "nosniff",
		"X-Frame-Options":              "DENY",
		"X-Robots-Tag":                 "noindex",
	}
	for _, path := range []string{pageURL, pageURL + "x", "/"} {
		page := s.get(path)
		for name, value := range want {
			if got := string(page.Header.Peek(name)); got != value {
				t.Errorf("%s: %s: %s", path, name, got)
			}
		}
		if page.Header.Peek("Set-Cookie") != nil {
			t.Errorf("%s sets a cookie", path)
		}
	}
}

// TestNothingInline: S1. The policy would block inline scripts and styles.
func TestNothingInline(t *testing.T) {
	inline := regexp.MustCompile(`<style|\bstyle=|\son[a-z]+=|javascript:`)
	s := openShop(t)
	s.offer(t, ottawan)
	page := string(s.get(pageURL).Body())
	if found := inline.FindString(page); found != "" {
		t.Errorf("the page has %s", found)
	}
	all, known := strings.Count(page, "<script"), 0
	for _, script := range []string{`<script type="module" src="/assets/`, `<script type="application/json" id="data">`} {
		known += strings.Count(page, script)
	}
	if all != 2 || known != 2 {
		t.Errorf("%d script elements, %d of them known; want the script and its data", all, known)
	}
}

func TestAssetHeaders(t *testing.T) {
	s := openShop(t)
	for _, name := range []string{"checkout.js", "checkout.css", "checkout.wasm"} {
		asset := web.Named(name)
		for accept, encoding := range map[string]string{"": "", "gzip": "gzip", "gzip, deflate, br": "br"} {
			var ctx fasthttp.RequestCtx
			ctx.Request.SetRequestURI(asset.URL)
			ctx.Request.Header.Set("Accept-Encoding", accept)
			s.Handle(&ctx)
			h := &ctx.Response.Header
			for header, want := range map[string]string{
				"Content-Type": asset.ContentType, "Content-Encoding": encoding, "Vary": "Accept-Encoding",
				"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff",
				"Cross-Origin-Resource-Policy": "same-origin",
			} {
				if got := string(h.Peek(header)); got != want {
					t.Errorf("%s as %q: %s: %s, want %s", name, accept, header, got, want)
				}
			}
		}
	}
}

// TestPageIsCompressed: P1.
func TestPageIsCompressed(t *testing.T) {
	s := openShop(t)
	s.offer(t, ottawan)
	var ctx fasthttp.RequestCtx
	ctx.Request.SetRequestURI(pageURL)
	ctx.Request.Header.Set("Accept-Encoding", "gzip, br")
	s.Handle(&ctx)
	page, err := ctx.Response.BodyGunzip()
	if err != nil || string(ctx.Response.Header.Peek("Content-Encoding")) != "gzip" {
		t.Fatalf("not compressed: %v", err)
	}
	if plain := s.get(pageURL).Body(); string(page) != string(plain) {
		t.Error("the compressed page differs")
	}
	style, _ := web.Named("checkout.css").Encoded("br")
	script, _ := web.Named("checkout.js").Encoded("br")
	total := len(ctx.Response.Body()) + len(style) + len(script)
	t.Logf("critical path: page %d, style %d, script %d bytes", len(ctx.Response.Body()), len(style), len(script))
	if total > 25<<10 {
		t.Errorf("the critical path is %d bytes, more than 25 KiB", total)
	}
}

// TestImageOrigin checks that a logo's URL can add only an origin to the policy.
func TestImageOrigin(t *testing.T) {
	for address, want := range map[string]string{
		"https://cdn.example/logo.svg":         "https://cdn.example",
		"https://CDN.example:443/logo.svg":     "https://cdn.example",
		"https://cdn.example;sandbox/logo.svg": "",
		"https://a,script-src*/logo.svg":       "",
		"https://cdn.example'unsafe-inline'/x": "",
		"https://*/x":                          "",
		"https://user@cdn.example/x":           "https://cdn.example",
		"http://cdn.example/x":                 "",
		"data:image/png;base64,AAAA":           "",
		"/logo.svg":                            "",
	} {
		if got := imageOrigin(address); got != want {
			t.Errorf("%q adds %q, want %q", address, got, want)
		}
	}
}

// TestFraming: no page may be framed, unless the store lists origins. Then its checkout may be framed there and nowhere else, and no
// other page.
func TestFraming(t *testing.T) {
	s := openShop(t)
	s.offer(t, nil)
	store, err := s.db.StoreBySlug(t.Context(), slug)
	if err != nil {
		t.Fatal(err)
	}
	store.Frames = []string{"https://app.northline.example", "https://northline.example:8443"}
	if err := s.db.Put(t.Context(), catalog.Change{Store: store}); err != nil {
		t.Fatal(err)
	}
	for path, framed := range map[string]bool{
		pageURL:                              true,
		"/store/unknown/checkout/" + session: false,
		pageURL + "x":                        false,
		"/orders/" + strings.Repeat("a", 32) + "/receipt": false,
		"/": false,
	} {
		h := &s.get(path).Header
		want, options := "frame-ancestors 'none';", "DENY"
		if framed {
			want, options = "frame-ancestors https://app.northline.example https://northline.example:8443;", ""
		}
		if got := string(h.Peek("Content-Security-Policy")); !strings.Contains(got, want) || string(h.Peek("X-Frame-Options")) != options {
			t.Errorf("%s: %s, X-Frame-Options %q", path, got, h.Peek("X-Frame-Options"))
		}
	}
}
