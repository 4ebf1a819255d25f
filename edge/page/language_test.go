package page

import (
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/sessions"
)

// in requests a path with headers, given as pairs of name and value.
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

// TestLanguage checks the order: the buyer's choice, the session's language, the browser's, the store's, English.
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
		{"", "sv", "de", "", "de"}, // not available
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

// TestLanguageWithoutSession: without a session the browser's language or the cookie decides.
func TestLanguageWithoutSession(t *testing.T) {
	s := openShop(t)
	expect(t, s.in("/nowhere", "Accept-Language", "ar-EG"), fasthttp.StatusNotFound, `<html lang="ar" dir="rtl"`)
	expect(t, s.in("/nowhere", "Cookie", "language=ja-JP"), fasthttp.StatusNotFound, `<html lang="ja-JP" dir="ltr"`)
}

// TestSetLanguage checks the cookie and the redirect of ?language=….
func TestSetLanguage(t *testing.T) {
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
		t.Error("a page without ?language sets a cookie")
	}
	unknown := s.in(pageURL + "?language=%0d%0aSet-Cookie:x")
	expect(t, unknown, fasthttp.StatusSeeOther)
	if len(unknown.Header.PeekCookie(languageCookie)) > 0 {
		t.Error("an unknown language sets a cookie")
	}
}

// TestLikelyCountry: the browser's region is listed first and is not selected.
func TestLikelyCountry(t *testing.T) {
	for accept, want := range map[string]country.Code{"": "AF", "de": "AF", "de-CH, fr-FR": "CH", "zh-Hant-TW": "TW"} {
		s := openShop(t)
		s.offer(t, nil)
		page := string(s.in(pageURL, "Accept-Language", accept, "Cookie", "language=en").Body())
		first := page[strings.Index(page, `id="country"`):]
		first = first[strings.Index(first, "<option value=\"\">"):]
		_, first, _ = strings.Cut(first, "<option value=\"\"")
		_, first, _ = strings.Cut(first, "<option value=\"")
		if got := first[:2]; got != string(want) {
			t.Errorf("%q: first is %s, want %s", accept, got, want)
		}
		if strings.Count(page, `<option value="CH"`) != 1 || strings.Contains(page, `<option value="CH" selected`) {
			t.Errorf("%q: Switzerland is missing, duplicated or selected", accept)
		}
	}
}
