package page

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/edge/locale"
)

// languageCookie keeps what a buyer has chosen. It is the only cookie, and says nothing else.
const languageCookie = "language"

// language is the language of an answer: what the buyer has chosen, else what the merchant's program asks for, else the
// browser, else the store's own, else English. Where the buyer lives has no part in it. A tag that no language answers to
// does not count.
func language(ctx *fasthttp.RequestCtx, session, store string) texts {
	wishes := append([]string{string(ctx.Request.Header.Cookie(languageCookie)), session}, accepted(ctx)...)
	for _, tag := range append(wishes, store) {
		if l := locale.Find(tag); l != nil {
			return texts{l}
		}
	}
	return texts{locale.English()}
}

// accepted are the tags of Accept-Language (RFC 9110 §12.5.4), the dearest first. What is not wanted at all is left out.
func accepted(ctx *fasthttp.RequestCtx) []string {
	type wish struct {
		tag    string
		weight float64
	}
	var wishes []wish
	for part := range strings.SplitSeq(string(ctx.Request.Header.Peek(fasthttp.HeaderAcceptLanguage)), ",") {
		tag, weight, weighted := strings.Cut(part, ";")
		w := wish{strings.TrimSpace(tag), 1}
		if weighted {
			w.weight, _ = strconv.ParseFloat(strings.TrimPrefix(strings.TrimSpace(weight), "q="), 64)
		}
		if w.weight > 0 {
			wishes = append(wishes, w)
		}
	}
	slices.SortStableFunc(wishes, func(a, b wish) int { return cmp.Compare(b.weight, a.weight) })
	tags := make([]string, len(wishes))
	for i, w := range wishes {
		tags[i] = w.tag
	}
	return tags
}

// switched keeps the language that the buyer asks for with ?language=…, and sends the browser to the page without it. It
// reports whether it has answered. A language that there is not is not kept.
func (v *visit) switched() bool {
	asked := v.QueryArgs().Peek(languageCookie)
	if asked == nil || v.IsPost() {
		return false
	}
	if l := locale.Find(string(asked)); l != nil {
		v.Response.Header.SetCookie(cookie(l.Tag, strings.HasPrefix(v.session.PageURL, "https:")))
	}
	v.see(string(v.Path()))
	return true
}

func cookie(tag string, secure bool) *fasthttp.Cookie {
	var c fasthttp.Cookie
	c.SetKey(languageCookie)
	c.SetValue(tag)
	c.SetPath("/store/")
	c.SetMaxAge(int((365 * 24 * time.Hour).Seconds()))
	c.SetHTTPOnly(true)
	c.SetSecure(secure)
	c.SetSameSite(fasthttp.CookieSameSiteLaxMode)
	return &c
}

// tongue is one option of the language switch.
type tongue struct {
	*locale.Locale
	Chosen bool
}

// Languages are the options of the language switch.
func (t texts) Languages() []tongue {
	var list []tongue
	for _, l := range locale.All() {
		list = append(list, tongue{l, l == t.Locale})
	}
	return list
}

// guessed is the country that the buyer is probably in: that of the address, else the region of the browser's first
// language. It saves a way through a long list and decides nothing.
func (h *Handler) guessed(ctx *fasthttp.RequestCtx) country.Code {
	if code := h.config.GeoIP.Country("", ctx.RemoteIP(), ctx.Request.Header.PeekAll(fasthttp.HeaderXForwardedFor)); code != "" {
		return code
	}
	for _, tag := range accepted(ctx) {
		for part := range strings.SplitSeq(tag, "-") {
			if code, ok := country.Parse(part); ok {
				return code
			}
		}
	}
	return ""
}
