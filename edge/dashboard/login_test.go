package dashboard

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

// TestLogin: without a login every page redirects to the form; the token opens them, until the cookie ends.
func TestLogin(t *testing.T) {
	w := open(t, token)
	for _, path := range []string{"/dashboard", "/dashboard/test", "/dashboard/test/orders", "/dashboard/prod/quarantine?after=x", "/dashboard/none"} {
		if a := w.get(path); a.status != 303 || !strings.HasPrefix(a.to(), loginPath) || a.body != "" {
			t.Errorf("%s without a login: %d to %s", path, a.status, a.to())
		}
	}
	a := w.get("/dashboard/prod/quarantine?after=x")
	w.get(a.to()).shows(t, 200, `value="/dashboard/prod/quarantine?after=x"`)

	a = w.do("POST", loginPath, url.Values{"secret": {token + " \n"}, "next": {"/dashboard/prod/quarantine?after=x"}})
	if a.status != 303 || a.to() != "/dashboard/prod/quarantine?after=x" {
		t.Fatalf("login: %d to %s", a.status, a.to())
	}
	cookie := string(a.Header.Peek("Set-Cookie"))
	for _, attribute := range []string{"HttpOnly", "SameSite=Strict", "secure", "path=/dashboard", "max-age=28800"} {
		if !strings.Contains(strings.ToLower(cookie), strings.ToLower(attribute)) {
			t.Errorf("the cookie %s is not %s", cookie, attribute)
		}
	}
	if strings.Contains(cookie, token) {
		t.Error("the cookie contains the token")
	}
	w.get("/dashboard/test").shows(t, 200, "Overview", "Log out")
	w.now = w.now.Add(loginLife - time.Second)
	w.get("/dashboard/test").shows(t, 200)
	w.now = w.now.Add(time.Second)
	w.get("/dashboard/test").shows(t, 303)
}

// TestLogins: as many visitors of one address as there are log in at once; only wrong tokens count as tries.
func TestLogins(t *testing.T) {
	w := open(t, token)
	for range 20 {
		w.do("POST", loginPath, url.Values{"secret": {token}}).shows(t, 303)
	}
}

// TestLoginRefused: another token opens nothing, and wrong ones are limited by client address.
func TestLoginRefused(t *testing.T) {
	w := open(t, token)
	for _, secret := range []string{"", "x", token[1:], token + "0", strings.ToUpper(token)} {
		w.now = w.now.Add(time.Minute)
		a := w.do("POST", loginPath, url.Values{"secret": {secret}})
		a.shows(t, 403, "That is not the token", `aria-invalid="true"`)
		if w.cookie != "" || strings.Contains(a.body, token) {
			t.Fatalf("%q opened something", secret)
		}
	}
	refused := false
	for range 20 {
		if a := w.do("POST", loginPath, url.Values{"secret": {"x"}}); a.status == 429 {
			refused = string(a.Header.Peek("Retry-After")) != ""
		}
	}
	if !refused {
		t.Error("20 tries at once are all answered")
	}
	w.do("POST", loginPath, url.Values{"secret": {token}}).shows(t, 429, "Too many tries")
	w.now = w.now.Add(time.Minute)
	w.logIn(t)
}

// TestLogout ends the login on the server, not only in the browser.
func TestLogout(t *testing.T) {
	w := open(t, token)
	w.logIn(t)
	cookie := w.cookie
	form := url.Values{"token": {w.formToken(t, "/dashboard/test")}}
	if a := w.do("POST", logoutPath, form); a.status != 303 || a.to() != loginPath {
		t.Errorf("logout: %d to %s", a.status, a.to())
	}
	w.cookie = cookie
	w.get("/dashboard/test").shows(t, 303)
}

// TestNextPath: the login leads to pages of the dashboard only.
func TestNextPath(t *testing.T) {
	for path, want := range map[string]string{
		"/dashboard/prod/orders?q=1": "/dashboard/prod/orders?q=1", "/dashboard": "/dashboard", "": "/dashboard",
		"https://evil.example": "/dashboard", "//evil.example": "/dashboard", "/dashboard.evil.example": "/dashboard",
		"/dashboard/..\\..\\": "/dashboard", "/dashboard/login": "/dashboard", "/dashboard/x\r\nSet-Cookie: a=b": "/dashboard",
	} {
		if got := nextPath(path); got != want {
			t.Errorf("%q leads to %q", path, got)
		}
	}
}

// TestLoginsAreBounded: the oldest login ends when there are too many.
func TestLoginsAreBounded(t *testing.T) {
	w := open(t, token)
	first := w.logins.add(w.now)
	second := w.logins.add(w.now.Add(time.Second))
	for range maxLogins - 1 {
		w.logins.add(w.now.Add(time.Minute))
	}
	if _, ok := w.logins.find(first, w.now); ok || len(w.logins.byID) != maxLogins {
		t.Errorf("%d logins are open, the oldest: %t", len(w.logins.byID), ok)
	}
	if _, ok := w.logins.find(second, w.now); !ok {
		t.Error("a login ended that is not the oldest")
	}
}

// TestForgedRequests: a POST from another site, or without the form's token, changes nothing.
func TestForgedRequests(t *testing.T) {
	w := open(t, token)
	w.logIn(t)
	form := url.Values{"token": {w.formToken(t, "/dashboard/test")}}
	const origin, site = "Origin", "Sec-Fetch-Site"
	for name, headers := range map[string][]string{
		"another origin":              {origin, "https://evil.example", site, ""},
		"another origin, same site":   {site, "same-site"},
		"a cross-site request":        {origin, "", site, "cross-site"},
		"typed into the address bar":  {origin, "", site, "none"},
		"no origin":                   {origin, "", site, ""},
		"an opaque origin":            {origin, "null", site, ""},
		"an origin that is no URL":    {origin, "https://pay.example.com:x", site, ""},
		"the host behind credentials": {origin, "https://pay.example.com@evil.example", site, ""},
		"a sibling of the host":       {origin, "https://xpay.example.com", site, ""},
	} {
		if a := w.do("POST", logoutPath, form, headers...); a.status != 403 {
			t.Errorf("%s: %d", name, a.status)
		}
		if a := w.do("POST", loginPath, url.Values{"secret": {token}}, headers...); a.status != 403 {
			t.Errorf("login from %s: %d", name, a.status)
		}
	}
	for _, token := range []string{"", "x", w.cookie} {
		w.do("POST", logoutPath, url.Values{"token": {token}}).shows(t, 403, "out of date")
	}
	other := open(t, token)
	other.logIn(t)
	w.do("POST", logoutPath, url.Values{"token": {other.formToken(t, "/dashboard/test")}}).shows(t, 403)
	w.get("/dashboard/test").shows(t, 200)
	for name, headers := range map[string][]string{
		"Origin alone": {site, ""}, "Sec-Fetch-Site alone": {origin, ""}, "the Host's origin": {origin, "http://pay.example.com"},
	} {
		w.logIn(t)
		form := url.Values{"token": {w.formToken(t, "/dashboard/test")}}
		if a := w.do("POST", logoutPath, form, headers...); a.status != 303 {
			t.Errorf("%s: %d", name, a.status)
		}
		w.now = w.now.Add(time.Minute)
	}
}

// TestHeaders: no page may be cached, framed, or run a script.
func TestHeaders(t *testing.T) {
	w := open(t, "")
	for _, path := range []string{"/dashboard/test", "/dashboard/none", "/dashboard"} {
		h := &w.get(path).Header
		for name, want := range map[string]string{"Cache-Control": "no-store", "Referrer-Policy": "same-origin", "X-Content-Type-Options": "nosniff"} {
			if got := string(h.Peek(name)); got != want {
				t.Errorf("%s: %s: %q", path, name, got)
			}
		}
		csp := string(h.Peek("Content-Security-Policy"))
		for _, part := range []string{"default-src 'none'", "frame-ancestors 'none'", "form-action 'self'"} {
			if !strings.Contains(csp, part) || strings.Contains(csp, "script-src") {
				t.Errorf("%s: the policy is %s", path, csp)
			}
		}
	}
	if a := w.do("PUT", "/dashboard/test", nil); a.status != fasthttp.StatusMethodNotAllowed || string(a.Header.Peek("Allow")) == "" {
		t.Errorf("PUT: %d", a.status)
	}
}

// TestServes: the paths of the dashboard, and no others.
func TestServes(t *testing.T) {
	for path, want := range map[string]bool{"/dashboard": true, "/dashboard/": true, "/dashboard/x": true, "/dashboards": false, "/": false, "": false} {
		if Serves([]byte(path)) != want {
			t.Errorf("%q: %t", path, !want)
		}
	}
}
