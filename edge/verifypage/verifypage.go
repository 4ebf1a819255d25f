// Package verifypage compares a live checkout page with what this build would serve: headers, scripts, styles, the WebAssembly module and
// the elements of the page, as a buyer's browser receives them (PCI DSS 4.0.1, requirements 6.4.3 and 11.6.1).
//
// [Run] makes a [Report]. It sees what the machine receives on which it runs: a change that is made for some buyers only, or on the way to
// them, is visible from there only.
package verifypage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/crepe-checkout/crepe/edge/page"
)

// Options are what a store's settings, and a proxy, add to the page. The zero value is a page without them.
type Options struct {
	Pay     []string // origins of payment pages besides Stripe's, "https://pay.example"
	Images  []string // origins of the store's logos and product images
	Frames  []string // origins of the pages that may show the checkout in a frame
	Headers []string // names of further headers that a proxy or CDN may add
}

// Status is the result of a verification.
type Status string

// The results.
const (
	Clean        Status = "clean"
	Different    Status = "different"     // of this release, and not as it serves it
	OtherRelease Status = "other-release" // the page says that another release serves it, so nothing is known
)

// Report is the result for one page.
type Report struct {
	URL         string    `json:"url"` // of the page that was compared, after redirects
	At          time.Time `json:"at"`
	Status      Status    `json:"status"`
	Release     string    `json:"release"`     // of this build, see [page.Release]
	PageRelease string    `json:"pageRelease"` // that the page names; "" for none
	Checks      []Check   `json:"checks"`
}

// Check is one comparison.
type Check struct {
	What  string `json:"what"` // "header Referrer-Policy of the page"
	OK    bool   `json:"ok"`
	Found string `json:"found,omitempty"` // of a difference
	Want  string `json:"want,omitempty"`
	Do    string `json:"do,omitempty"` // what to do about a difference
}

// What to do about differences.
const (
	doProxy   = "a proxy or CDN in front of the server changes it: correct its configuration (edge/README.md, Proxies)"
	doContent = "somebody has changed the page: stop the sale, keep this report, look for the change in the proxy, the CDN and the program (sha256sum of the binary)"
	doMissing = "it could not be loaded: check the proxy, and run the command again"
)

// Requests are limited, so that a page that was changed cannot keep the command busy.
const (
	timeout     = 30 * time.Second
	maxBody     = 4 << 20
	maxRedirect = 3
)

// userAgent is a browser's: a change that is hidden from programs would be hidden from this one.
const userAgent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"

// Run loads a checkout page, or the page to which a permanent link leads, with its files, and compares them. It fails if there is no page
// to compare.
func Run(ctx context.Context, address string, o Options) (*Report, error) {
	v := &verification{options: o, client: &http.Client{Timeout: timeout, CheckRedirect: sameOrigin}, report: &Report{At: time.Now().UTC(), Release: page.Release()}}
	if u, err := url.Parse(address); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return nil, fmt.Errorf("%q is not the URL of a page; expected something like https://pay.example.com/store/shop/product/PROD_…", address)
	}
	answer, err := v.load(ctx, address)
	if err != nil {
		return nil, err
	}
	if answer.status != http.StatusOK || answer.url.Path == "" || !isPage(answer.header) {
		return nil, fmt.Errorf("%s answers %d and no checkout page: give the URL of an open session, or a permanent link to a product, "+
			"https://pay.example.com/store/shop/product/PROD_…", answer.url.Redacted(), answer.status)
	}
	v.base, v.report.URL = answer.url, answer.url.String()
	v.pageHeaders(answer)
	v.document(ctx, answer.body)
	v.assets(ctx)
	v.report.Status = v.status()
	return v.report, nil
}

// verification is one run.
type verification struct {
	options Options
	client  *http.Client
	base    *url.URL // of the page
	report  *Report
	themes  []string // paths of the store's style sheets on the page
}

func (v *verification) status() Status {
	different := false
	for _, c := range v.report.Checks {
		different = different || !c.OK
	}
	switch {
	case !different:
		return Clean
	case v.report.PageRelease != "" && v.report.PageRelease != v.report.Release:
		return OtherRelease
	default:
		return Different
	}
}

// ok records a comparison without a difference.
func (v *verification) ok(what string) {
	v.report.Checks = append(v.report.Checks, Check{What: what, OK: true})
}

// differs records a difference.
func (v *verification) differs(what, found, want, do string) {
	v.report.Checks = append(v.report.Checks, Check{What: what, Found: found, Want: want, Do: do})
}

// compare records whether two texts are equal.
func (v *verification) compare(what, found, want, do string) {
	if found == want {
		v.ok(what)
		return
	}
	v.differs(what, found, want, do)
}

// response is what was loaded from a URL.
type response struct {
	url    *url.URL // after redirects
	status int
	header http.Header
	body   []byte
}

func (v *verification) load(ctx context.Context, address string) (*response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", userAgent)
	request.Header.Set("Accept", "*/*")
	answer, err := v.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxBody))
	if err != nil {
		return nil, err
	}
	return &response{answer.Request.URL, answer.StatusCode, answer.Header, body}, nil
}

// sameOrigin follows a permanent link to its session, and no redirect to another host.
func sameOrigin(next *http.Request, via []*http.Request) error {
	first := via[0].URL
	switch {
	case next.URL.Scheme != first.Scheme || next.URL.Host != first.Host:
		return fmt.Errorf("it redirects to %s://%s: %s", next.URL.Scheme, next.URL.Host, doContent)
	case len(via) >= maxRedirect:
		return errors.New("too many redirects")
	}
	return nil
}
