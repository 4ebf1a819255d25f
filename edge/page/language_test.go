package page

import (
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/sessions"
)

// in asks for the page as a browser with these headers does.
func (s *shop) in(path string, headers ...string) *fasthttp.Response {
	var request fasthttp.Request
	request.SetRequestURI("http://127.0.0.1:8787" + path)
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	var ctx fasthttp.RequestCtx
	ctx.Init(&request, nil, nil)
	s.Handle(&ctx)
	return &ctx.Response
}

// TestLanguage: the buyer's option, the session's, the browser's, the store's, English.
func TestLanguage(t *testing.T) {
	for _, c := range []struct{ cookie, session, accept, store, want string }{
		{"", "", "", "", "en"},
		{"", "", "", "pt", "pt-BR"},
		{"", "", "sv", "nope", "en"},
		{"", "", "de-CH,de;q=0.9,en;q=0.8", "pt", "de"},
		{"", "", "en;q=0.1, ja;q=0.9", "", "ja-JP"},
		{"", "", "sv-SE, fr;q=0.5", "", "fr"},
		{"", "", "de;q=0, it;q=0.2", "", "it"},
		{"", "", "*", "", "en"},
		{"", "", "sv;q=x, ;q=1,,-", "", "en"},
		{"", "zh-TW", "de", "", "zh-Hant-TW"},
		{"", "sv", "de", "", "de"}, // nobody speaks it here
		{"language=ko-KR", "zh-TW", "de", "pt", "ko-KR"},
		{"language=xx; other=1", "zh-TW", "de", "", "zh-Hant-TW"},
	} {
		s := openShop(t)
		s.offer(t, func(session *sessions.Session) { session.Language = c.session })
		if c.store != "" {
			s.decorate(t, catalog.Store{Checkout: catalog.CheckoutSettings{Language: c.store}})
		}
		headers := []string{"Cookie", c.cookie, "Accept-Language", c.accept}
		expect(t, s.in(pageURL, headers...), fasthttp.StatusOK, `<html lang="`+c.want+`" dir="ltr"`)
	}
}

// TestLanguageOfNoSession: where there is no session, the browser decides; a page in Arabic runs from right to left.
func TestLanguageOfNoSession(t *testing.T) {
	s := openShop(t)
	expect(t, s.in("/nowhere", "Accept-Language", "ar-EG"), fasthttp.StatusNotFound, `<html lang="ar" dir="rtl"`)
	expect(t, s.in("/nowhere", "Cookie", "language=ja-JP"), fasthttp.StatusNotFound, `<html lang="ja-JP" dir="ltr"`)
}

// TestSwitch: the option is kept in the only cookie there is, and the page comes again without it in its address.
func TestSwitch(t *testing.T) {
	s := openShop(t)
	s.offer(t, func(session *sessions.Session) { session.PageURL = "https://pay.example" + pageURL })
	chosen := s.in(pageURL + "?language=zh-hk")
	expect(t, chosen, fasthttp.StatusSeeOther)
	if location := string(chosen.Header.Peek("Location")); !strings.HasSuffix(location, pageURL) {
		t.Errorf("sent to %s", location)
	}
	kept := string(chosen.Header.PeekCookie(languageCookie))
	for _, part := range []string{"language=zh-Hant-HK", "path=/store/", "max-age=31536000", "HttpOnly", "secure", "SameSite=Lax"} {
		if !strings.Contains(kept, part) {
			t.Errorf("the cookie %s lacks %s", kept, part)
		}
	}
	page := s.in(pageURL, "Cookie", "language=zh-Hant-HK")
	expect(t, page, fasthttp.StatusOK, `<option value="zh-Hant-HK" lang="zh-Hant-HK" selected>繁體中文（香港）</option>`)
	if len(page.Header.PeekCookie(languageCookie)) > 0 {
		t.Error("a cookie for somebody who has chosen nothing")
	}
	unknown := s.in(pageURL + "?language=%0d%0aSet-Cookie:x")
	expect(t, unknown, fasthttp.StatusSeeOther)
	if len(unknown.Header.PeekCookie(languageCookie)) > 0 {
		t.Error("a language that there is not is kept")
	}
}

// TestGuessed: the browser's region comes first in the list, and is not chosen.
func TestGuessed(t *testing.T) {
	for accept, want := range map[string]country.Code{"": "AF", "de": "AF", "de-CH, fr-FR": "CH", "zh-Hant-TW": "TW"} {
		s := openShop(t)
		s.offer(t, nil)
		page := string(s.in(pageURL, "Accept-Language", accept, "Cookie", "language=en").Body())
		first := page[strings.Index(page, `id="country"`):]
		first = first[strings.Index(first, "<option value=\"\">"):]
		_, first, _ = strings.Cut(first, "<option value=\"\"")
		_, first, _ = strings.Cut(first, "<option value=\"")
		if got := first[:2]; got != string(want) {
			t.Errorf("%q: first is %s, not %s", accept, got, want)
		}
		if strings.Count(page, `<option value="CH"`) != 1 || strings.Contains(page, `<option value="CH" selected`) {
			t.Errorf("%q: Switzerland is missing, twice there, or chosen", accept)
		}
	}
}
