package verifypage

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/crepe-checkout/crepe/edge/page"
	"github.com/crepe-checkout/crepe/edge/psp/stripe"
)

const csp = "Content-Security-Policy"

// foreign are headers that change what a browser does with a page or a script, and that the server does not send.
var foreign = []string{
	"Access-Control-Allow-Credentials", "Access-Control-Allow-Origin", "Activate-Storage-Access", "Clear-Site-Data", "Content-Disposition",
	"Content-Security-Policy-Report-Only", "Document-Policy", "Link", "Location", "NEL", "Refresh", "Report-To", "Reporting-Endpoints",
	"Service-Worker-Allowed", "Set-Cookie", "SourceMap", "Speculation-Rules", "Supports-Loading-Mode", "Use-As-Dictionary", "X-SourceMap",
}

func isPage(h http.Header) bool { return strings.HasPrefix(h.Get("Content-Type"), "text/html") }

// pageHeaders compares the headers of the page.
func (v *verification) pageHeaders(r *response) {
	v.policy(r.header.Values(csp))
	want := page.Headers()
	want["Content-Type"] = "text/html; charset=utf-8"
	if len(v.options.Frames) > 0 {
		want["X-Frame-Options"] = ""
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		v.compare("header "+name, joined(r.header.Values(name)), want[name], doProxy)
	}
	if r.url.Scheme == "https" {
		v.transport(r.header.Get("Strict-Transport-Security"))
	}
	v.noForeign("the page", r.header)
}

// joined are the values of a header; a proxy may repeat the server's.
func joined(values []string) string {
	return strings.Join(slices.Compact(values), ", ")
}

// transport accepts a stricter header than the server's own.
func (v *verification) transport(found string) {
	const what, want = "header Strict-Transport-Security", 31536000
	for directive := range strings.SplitSeq(found, ";") {
		age, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(directive)), "max-age=")
		if n, err := strconv.Atoi(strings.Trim(age, `"`)); ok && err == nil && n >= want {
			v.ok(what)
			return
		}
	}
	v.differs(what, found, "max-age=31536000 or more", doProxy)
}

// noForeign records the headers that neither the server nor the options have.
func (v *verification) noForeign(where string, h http.Header) {
	clean := true
	for _, name := range foreign {
		allowed := slices.ContainsFunc(v.options.Headers, func(a string) bool { return strings.EqualFold(a, name) })
		if values := h.Values(name); len(values) > 0 && !allowed {
			clean = false
			v.differs("header "+name+" of "+where, strings.Join(values, ", "), "",
				"if your proxy or CDN adds it on purpose, add --allow-headers "+name+"; otherwise "+doContent)
		}
	}
	if clean {
		v.ok("no other header of " + where + " that changes what a browser does")
	}
}

// policy compares the Content-Security-Policy by directives.
func (v *verification) policy(values []string) {
	if len(values) != 1 {
		v.differs("header "+csp, strings.Join(values, " | "), "one", doProxy)
		return
	}
	pay := append([]string{stripe.PayOrigin}, v.options.Pay...)
	found, want := directives(values[0]), directives(page.Policy(pay, v.options.Images, v.options.Frames))
	all := maps.Clone(found)
	maps.Copy(all, want)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		more, missing := without(found[name], want[name]), without(want[name], found[name])
		switch {
		case len(more) > 0 || want[name] == nil:
			v.differs(csp+" "+name, strings.Join(found[name], " "), strings.Join(want[name], " "), v.doSources(name, more))
		case found[name] == nil || len(missing) > 0 && !(name == "img-src" && isSubset(missing, v.options.Images)): // an image is on some pages only
			v.differs(csp+" "+name, strings.Join(found[name], " "), strings.Join(want[name], " "), doProxy)
		default:
			v.ok(csp + " " + name)
		}
	}
}

// doSources says what to do about sources that a directive has too many.
func (v *verification) doSources(name string, more []string) string {
	option := map[string]string{"img-src": "--images", "frame-ancestors": "--frames", "form-action": "--pay"}[name]
	if option == "" {
		return doContent
	}
	return "if these are a setting of yours, add " + option + " " + strings.Join(more, ",") + "; otherwise " + doContent
}

// directives parses a policy. A directive without values has an empty slice.
func directives(policy string) map[string][]string {
	parsed := make(map[string][]string)
	for directive := range strings.SplitSeq(policy, ";") {
		if words := strings.Fields(directive); len(words) > 0 {
			if _, twice := parsed[words[0]]; !twice { // a browser uses the first
				parsed[words[0]] = words[1:]
			}
		}
	}
	return parsed
}

// without returns the items of a list that another does not have.
func without(list, other []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(item string) bool { return slices.Contains(other, item) })
}

func isSubset(items, list []string) bool { return len(without(items, list)) == 0 }
