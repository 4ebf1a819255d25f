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

// languageCookie stores the buyer's language. It is the only cookie.
const languageCookie = "language"

// language returns the first available locale of: the buyer's choice, in the URL or the cookie, the session's language,
// Accept-Language, the store's language, English.
func language(ctx *fasthttp.RequestCtx, session, store string) texts {
	asked, cookie := ctx.QueryArgs().Peek(languageCookie), ctx.Request.Header.Cookie(languageCookie)
	wishes := append([]string{string(asked), string(cookie), session}, acceptedLanguages(ctx)...)
	for _, tag := range append(wishes, store) {
		if l := locale.Find(tag); l != nil {
			return texts{l}
		}
	}
	return texts{locale.English()}
}

// acceptedLanguages returns the tags of Accept-Language (RFC 9110 §12.5.4), highest weight first, without those of weight 0.
func acceptedLanguages(ctx *fasthttp.RequestCtx) []string {
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

// setLanguage handles ?language=…: it sets the cookie, unless the language is unknown, and redirects to the page without the
// parameter. It reports whether it has answered. For the form's button to change the language it does not answer, so that the page
// keeps what was typed. In a frame it neither sets the cookie, which browsers block there, nor redirects: the parameter stays in the URL.
func (v *visit) setLanguage() bool {
	if v.framed() && !v.IsPost() {
		return false
	}
	asked := v.QueryArgs().Peek(languageCookie)
	if v.IsPost() {
		asked = nil
		if v.PostArgs().Has("translate") {
			asked = v.PostArgs().Peek(languageCookie)
		}
	}
	if l := locale.Find(string(asked)); l != nil {
		v.Response.Header.SetCookie(cookie(l.Tag, strings.HasPrefix(v.session.PageURL, "https:")))
		v.texts = texts{l}
	}
	if asked == nil || v.IsPost() {
		return false
	}
	v.redirect(string(v.Path()))
	return true
}

// framed reports whether the browser loads the page into a frame (Fetch Metadata, "Sec-Fetch-Dest").
func (v *visit) framed() bool { return string(v.Request.Header.Peek("Sec-Fetch-Dest")) == "iframe" }

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

// languageOption is an option of the language menu.
type languageOption struct {
	*locale.Locale
	Chosen bool
}

// Languages returns the options of the language menu.
func (t texts) Languages() []languageOption {
	var list []languageOption
	for _, l := range locale.All() {
		list = append(list, languageOption{l, l == t.Locale})
	}
	return list
}

// likelyCountry returns the country of the client's address, else the first region in Accept-Language, else "". It is listed
// first in the form, and is not selected.
func (h *Handler) likelyCountry(ctx *fasthttp.RequestCtx) country.Code {
	if code := h.config.GeoIP.Country("", ctx.RemoteIP(), ctx.Request.Header.PeekAll(fasthttp.HeaderXForwardedFor)); code != "" {
		return code
	}
	for _, tag := range acceptedLanguages(ctx) {
		for part := range strings.SplitSeq(tag, "-") {
			if code, ok := country.Parse(part); ok {
				return code
			}
		}
	}
	return ""
}
