package verifypage

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"

	"github.com/crepe-checkout/crepe/edge/page"
	"github.com/crepe-checkout/crepe/edge/psp/stripe"
	"github.com/crepe-checkout/crepe/web"
)

// everywhere are the attributes that any element of a page may have.
const everywhere = "class id lang dir hidden tabindex role title data-label data-total data-includes data-note data-review data-country"

// elements are those of a checkout page, each with its further attributes.
var elements = map[string]string{
	"html": "data-theme data-frames", "head": "", "body": "", "title": "", "base": "target",
	"meta": "charset name content", "link": "rel href integrity", "script": "type src integrity",
	"aside": "aria-label", "header": "", "main": "", "footer": "", "nav": "", "div": "", "p": "", "h1": "", "h2": "", "span": "aria-hidden", "b": "",
	"strong": "", "small": "", "bdi": "", "q": "", "dl": "", "dt": "", "dd": "", "ul": "", "li": "", "details": "", "summary": "",
	"picture": "", "source": "srcset media", "img": "src alt width height loading decoding", "a": "href target",
	"form": "method novalidate", "fieldset": "", "legend": "", "label": "for",
	"input":  "name type inputmode value autocomplete autocapitalize spellcheck maxlength required checked aria-invalid aria-describedby",
	"select": "name autocomplete form required aria-invalid aria-describedby", "button": "name value form formtarget",
	"option": "value selected data-state data-no-postcode data-digits data-vat data-needs-vat data-tax-id data-consent",
}

// controls are the names of the form's controls.
var controls = strings.Fields("email country state postcode isBusiness businessName taxId street city consent confirm language translate")

// members are those of the JSON that the script reads.
var members = strings.Fields("store merchant session environment payOrigins returnOrigins now expiresAt round core sale rates rules money percent texts")

// document compares the elements of the page.
func (v *verification) document(_ context.Context, body []byte) {
	root, err := html.Parse(bytes.NewReader(body))
	if err != nil {
		v.differs("the page's HTML", err.Error(), "", doContent)
		return
	}
	d := &document{verification: v, found: make(map[string]int)}
	for n := range root.Descendants() {
		if n.Type == html.ElementNode {
			d.element(n)
		}
	}
	for _, what := range []string{"script checkout.js", "style checkout.css", "data of the script", "form"} {
		if n := d.found[what]; n != 1 {
			v.differs(what, map[bool]string{true: "none", false: "more than one"}[n == 0], "one", doContent)
			continue
		}
		v.ok(what)
	}
	if !d.different {
		v.ok("no other script, style, frame, handler, field or link on the page")
	}
	if v.report.PageRelease != v.report.Release {
		v.differs("release of the page", v.report.PageRelease, v.report.Release,
			"run the verify-page of the crepe that serves the page (crepe version prints its release); if the server was not upgraded, "+doContent)
	}
}

// document is the page's elements as they are visited.
type document struct {
	*verification
	found     map[string]int
	different bool
}

// unknown records an element or attribute that the release does not have.
func (d *document) unknown(n *html.Node, what string) {
	d.different = true
	tag := html.Node{Type: html.ElementNode, Data: n.Data, Attr: n.Attr}
	var text strings.Builder
	html.Render(&text, &tag) // writing to memory does not fail
	d.differs(what, shortened(text.String()), "", doContent)
}

func (d *document) element(n *html.Node) {
	attributes := make(map[string]string)
	for _, a := range n.Attr {
		attributes[a.Key] = a.Val
	}
	known, ok := elements[n.Data]
	if !ok || n.Namespace != "" {
		d.unknown(n, "unknown element "+n.Data)
		return
	}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		if !slices.Contains(strings.Fields(known), name) && !slices.Contains(strings.Fields(everywhere), name) {
			d.unknown(n, "unknown attribute "+name+" of "+n.Data)
		}
	}
	if what := d.wrong(n, attributes); what != "" {
		d.unknown(n, what)
	}
}

// wrong returns what is wrong with the values of an element's attributes; "" if nothing is.
func (d *document) wrong(n *html.Node, a map[string]string) string {
	switch n.Data {
	case "script":
		return d.script(n, a)
	case "link":
		return d.link(a)
	case "meta":
		return d.meta(a)
	case "base":
		return unless(a["target"] == "_top", "base")
	case "form":
		d.found["form"]++
		return unless(a["id"] == "checkout" && a["method"] == "post", "unknown form")
	case "input", "select", "button":
		_, named := a["name"]
		return unless((!named || slices.Contains(controls, a["name"])) && slices.Contains([]string{"", "email", "checkbox"}, a["type"]), "unknown field "+a["name"])
	case "a":
		return unless(harmless(a["href"]), "link")
	case "img":
		return unless(d.image(a["src"]), "image")
	case "source":
		return unless(d.image(a["srcset"]), "image")
	}
	return ""
}

func unless(ok bool, what string) string {
	if ok {
		return ""
	}
	return what
}

func (d *document) script(n *html.Node, a map[string]string) string {
	own := web.Named("checkout.js")
	switch {
	case a["src"] == own.URL && a["type"] == "module" && n.FirstChild == nil:
		d.found["script checkout.js"]++
		return unless(a["integrity"] == own.Integrity, "script without the integrity of this release")
	case a["type"] == "application/json" && a["id"] == "data" && a["src"] == "" && n.FirstChild != nil:
		d.found["data of the script"]++
		return d.data(n.FirstChild.Data)
	}
	return "unknown script"
}

func (d *document) link(a map[string]string) string {
	own := web.Named("checkout.css")
	switch {
	case a["rel"] == "icon" && a["href"] == "data:,":
		return ""
	case a["rel"] == "stylesheet" && a["href"] == own.URL:
		d.found["style checkout.css"]++
		return unless(a["integrity"] == own.Integrity, "style without the integrity of this release")
	case a["rel"] == "stylesheet" && page.IsTheme(a["href"]):
		d.themes = append(d.themes, a["href"])
		return ""
	}
	return "unknown style or link"
}

func (d *document) meta(a map[string]string) string {
	if a["name"] == "generator" {
		d.report.PageRelease = strings.TrimPrefix(a["content"], "crepe ")
		return ""
	}
	return unless(a["charset"] == "utf-8" || a["name"] == "viewport" || a["name"] == "color-scheme", "unknown meta")
}

// data checks what the script is told: the module that it runs, and where it may send the buyer.
func (d *document) data(text string) string {
	var all map[string]json.RawMessage
	var told struct {
		Core                      struct{ URL, Integrity string }
		PayOrigins, ReturnOrigins []string
		Rates                     string
		Rules                     struct{ Module string }
	}
	if json.Unmarshal([]byte(text), &all) != nil || json.Unmarshal([]byte(text), &told) != nil {
		return "data of the script"
	}
	module := web.Named("checkout.wasm")
	pay := append([]string{stripe.PayOrigin}, d.options.Pay...)
	outside := func(list []string) func(string) bool {
		return func(item string) bool { return !slices.Contains(list, item) }
	}
	switch {
	case slices.ContainsFunc(slices.Collect(maps.Keys(all)), outside(members)):
		return "data of the script: unknown member"
	case told.Core.URL != module.URL || told.Core.Integrity != module.Integrity:
		return "data of the script: another module than this release's"
	case slices.ContainsFunc(told.PayOrigins, outside(pay)):
		return "data of the script: payment page at " + strings.Join(told.PayOrigins, ", ")
	case slices.ContainsFunc(told.ReturnOrigins, outside(d.options.Frames)):
		return "data of the script: return to " + strings.Join(told.ReturnOrigins, ", ")
	case told.Rates != "" && !strings.HasPrefix(told.Rates, "/rates/"):
		return "data of the script: tax rates at " + told.Rates
	case told.Rules.Module != "" && !strings.HasPrefix(told.Rules.Module, "/rules/"):
		return "data of the script: rules at " + told.Rules.Module
	}
	return ""
}

// harmless reports whether a link runs no script.
func harmless(href string) bool {
	u, err := url.Parse(href)
	return err == nil && slices.Contains([]string{"", "https", "http", "mailto"}, u.Scheme)
}

// image reports whether an image is on this server or at a known origin.
func (d *document) image(src string) bool {
	u, err := url.Parse(src)
	if err != nil {
		return false
	}
	return u.Scheme == "data" || u.Scheme == "" && u.Host == "" || slices.Contains(d.options.Images, u.Scheme+"://"+u.Host)
}

func shortened(text string) string {
	if text = strings.Join(strings.Fields(text), " "); len(text) > 300 {
		return strings.ToValidUTF8(text[:300], "") + "…"
	}
	return text
}
