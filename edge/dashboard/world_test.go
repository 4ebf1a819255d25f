package dashboard

import (
	"crypto/rand"
	"log/slog"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/badgerstore"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/orders"
)

const (
	token = "0123456789abcdef0123456789abcdef"
	own   = "https://pay.example.com"
)

// world is a dashboard on a real database, and a browser with its cookie.
type world struct {
	*Handler
	db     *badgerstore.DB
	now    time.Time
	cookie string
}

// open returns a dashboard. Without a token everyone has access.
func open(t *testing.T, token string) *world {
	t.Helper()
	db, err := badgerstore.Open(t.TempDir(), badgerstore.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	w := &world{db: db, now: time.Now().Truncate(time.Second)} // a database deletes what has expired by its own clock
	now, log := func() time.Time { return w.now }, slog.New(slog.DiscardHandler)
	webhooks := notify.New(notify.Config{Store: db, Orders: db, Catalog: db, Reach: notify.Public, Now: now, Rand: rand.Reader, Log: log})
	service := orders.New(orders.Config{Store: db, Now: now, Rand: rand.Reader, Log: log})
	w.Handler = New(Config{Orders: db, Sessions: db, Catalog: db, Deliveries: db, Documents: db, VATChecks: db, Webhooks: webhooks, Reviews: service, Refunds: service, Token: token,
		PublicURL: own, Home: checkout.Test, Now: now, Rand: rand.Reader, Log: log})
	return w
}

// answer is a response with its body.
type answer struct {
	*fasthttp.Response
	status int
	body   string
}

func (a answer) to() string { return string(a.Header.Peek("Location")) }

// do sends a request with the headers that a browser sends, and keeps the cookie that it gets.
func (w *world) do(method, path string, form url.Values, headers ...string) answer {
	var request fasthttp.Request
	request.Header.SetMethod(method)
	request.SetRequestURI(path)
	request.Header.SetHost("pay.example.com")
	if method == "POST" {
		request.Header.SetContentType("application/x-www-form-urlencoded")
		request.Header.Set("Origin", own)
		request.Header.Set("Sec-Fetch-Site", "same-origin")
		request.SetBodyString(form.Encode())
	}
	if w.cookie != "" {
		request.Header.SetCookie(cookieName, w.cookie)
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Del(headers[i])
		if headers[i+1] != "" {
			request.Header.Set(headers[i], headers[i+1])
		}
	}
	var ctx fasthttp.RequestCtx
	ctx.Init(&request, nil, nil)
	w.Handle(&ctx)
	response := new(fasthttp.Response)
	ctx.Response.CopyTo(response)
	var c fasthttp.Cookie
	c.SetKey(cookieName)
	if response.Header.Cookie(&c) {
		w.cookie = string(c.Value())
	}
	return answer{response, response.StatusCode(), string(response.Body())}
}

func (w *world) get(path string) answer { return w.do("GET", path, nil) }

// formToken returns the token in the forms of a page.
func (w *world) formToken(t *testing.T, path string) string {
	t.Helper()
	found := regexp.MustCompile(`name="token" value="([^"]+)"`).FindStringSubmatch(w.get(path).body)
	if found == nil {
		t.Fatalf("%s has no form", path)
	}
	return found[1]
}

// logIn logs in with the operator's token.
func (w *world) logIn(t *testing.T) {
	t.Helper()
	if a := w.do("POST", loginPath, url.Values{"secret": {token}}); a.status != 303 || w.cookie == "" {
		t.Fatalf("the login answered %d: %s", a.status, a.body)
	}
}

// shows checks the status of a page and what it contains.
func (a answer) shows(t *testing.T, status int, texts ...string) {
	t.Helper()
	if a.status != status {
		t.Errorf("answered %d to %q, want %d", a.status, a.to(), status)
	}
	for _, text := range texts {
		if !strings.Contains(a.body, text) {
			t.Errorf("the page does not show %q:\n%s", text, a.body)
		}
	}
}
