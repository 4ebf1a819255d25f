package page

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/goccy/go-json"
	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/durable"
	"github.com/crepe-checkout/crepe/edge/sandbox"
)

const (
	apiKey        = "sk_test_sandbox"
	webhookSecret = "whsec_sandbox"
)

// site is a sandbox with its pages on a real port.
type site struct {
	*sandbox.Sandbox
	t       *testing.T
	url     string        // of the pages
	ahead   *atomic.Int64 // nanoseconds that the sandbox's clock is ahead
	browser *http.Client
}

func openSite(t *testing.T) *site {
	t.Helper()
	db, err := durable.Open(t.TempDir(), durable.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, url: "http://" + listener.Addr().String() + "/sandbox", ahead: new(atomic.Int64), browser: &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	s.Sandbox = sandbox.New(sandbox.Config{
		Store: sandbox.NewStore(db, checkout.Test), Key: apiKey, PublicURL: s.url, WebhookSecret: webhookSecret,
		Now: func() time.Time { return time.Now().Add(time.Duration(s.ahead.Load())) },
	})
	front := &fasthttp.Server{Handler: Handler(s.Sandbox), CloseOnShutdown: true}
	go front.Serve(listener)
	t.Cleanup(func() {
		listener.Close()
		s.Close()
		db.Close()
	})
	return s
}

// opened is a session with its page.
type opened struct{ ID, URL string }

func (o opened) path() string { return o.URL[strings.Index(o.URL, "/sandbox/"):] }

// open opens a session of two lines, 29.00 + 2.10 USD, with parameters changed.
func (s *site) open(changes ...string) (o opened) {
	s.t.Helper()
	status, body := s.create(changes...)
	if json.Unmarshal([]byte(body), &o) != nil || status != http.StatusOK {
		s.t.Fatal(status, body)
	}
	return o
}

// create calls the API for open.
func (s *site) create(changes ...string) (status int, body string) {
	s.t.Helper()
	const first, second = "line_items[0]", "line_items[1]"
	form := url.Values{
		"mode": {"payment"}, "success_url": {"https://shop.example/thanks?id={CHECKOUT_SESSION_ID}&q=a%20b"},
		"cancel_url": {"https://shop.example/cart"}, "client_reference_id": {"ORD_1"}, "customer_email": {"ada@example.com"},
		first + "[quantity]": {"1"}, first + "[price_data][currency]": {"usd"}, first + "[price_data][unit_amount]": {"2900"},
		first + "[price_data][product_data][name]": {"Northline Pro"},
		second + "[quantity]":                      {"1"}, second + "[price_data][currency]": {"usd"}, second + "[price_data][unit_amount]": {"210"},
		second + "[price_data][product_data][name]": {"Sales tax (CA 7.25%)"},
	}
	for i := 0; i < len(changes); i += 2 {
		form.Set(changes[i], changes[i+1])
	}
	api := http.Client{Transport: &http.Transport{
		DialContext:       func(context.Context, string, string) (net.Conn, error) { return s.Dial("") },
		DisableKeepAlives: true,
	}}
	request, _ := http.NewRequest("POST", "http://sandbox.invalid/v1/checkout/sessions", strings.NewReader(form.Encode()))
	request.Header.Set("Authorization", "Bearer "+apiKey)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := api.Do(request)
	body = s.read(response, err)
	return response.StatusCode, body
}

func (s *site) get(url string) (*http.Response, string) {
	s.t.Helper()
	response, err := s.browser.Get(url)
	return response, s.read(response, err)
}

// post submits one field of a page's form and returns where the answer redirects to.
func (s *site) post(url, field, value string) (location string) {
	s.t.Helper()
	response, err := s.browser.Post(url, "application/x-www-form-urlencoded", strings.NewReader(field+"="+value))
	if s.read(response, err); response.StatusCode != http.StatusSeeOther {
		s.t.Errorf("%s=%s: %d", field, value, response.StatusCode)
	}
	return response.Header.Get("Location")
}

// tool posts a body to a path below the site and returns the answer.
func (s *site) tool(path, mediaType, body string) (status int, answer string) {
	s.t.Helper()
	response, err := s.browser.Post(s.url+path, mediaType, strings.NewReader(body))
	answer = s.read(response, err)
	return response.StatusCode, answer
}

func (s *site) read(response *http.Response, err error) string {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(body)
}

// paid reports whether a session was paid.
func (s *site) paid(id string) bool {
	s.t.Helper()
	all, err := s.Sessions()
	if err != nil {
		s.t.Fatal(err)
	}
	for _, known := range all {
		if known.ID == id {
			return known.Paid
		}
	}
	return false
}

// TestLanding: every outcome sends the buyer back to the merchant, to the bank, or to the page again.
func TestLanding(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	for _, outcome := range sandbox.Outcomes() {
		o := s.open()
		want := o.path()
		switch outcome.Name {
		case "succeeds", "later", "later_fails", "refund_later", "refund_fails", "refund_later_fails":
			want = "https://shop.example/thanks?id=" + o.ID + "&q=a%20b"
		case "challenge", "challenge_declined", "challenge_insufficient_funds":
			want += "/challenge"
		}
		if got := s.post(o.URL, "outcome", outcome.Name); got != want {
			t.Errorf("%s leads to %s, want %s", outcome.Name, got, want)
		}
	}
	o := s.open()
	if got := s.post(o.URL, "outcome", "nonsense"); got != o.path() {
		t.Errorf("an unknown outcome leads to %s", got)
	}
}

func TestChallenge(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	o := s.open()
	challenge := o.URL + "/challenge"
	if response, _ := s.get(challenge); response.StatusCode != 303 || response.Header.Get("Location") != o.path() {
		t.Errorf("a challenge that does not wait: %d to %s", response.StatusCode, response.Header.Get("Location"))
	}
	if s.post(challenge, "answer", "complete"); s.paid(o.ID) {
		t.Error("paid without a challenge")
	}
	s.post(o.URL, "outcome", "challenge")
	if response, body := s.get(challenge); response.StatusCode != 200 || !strings.Contains(body, `value="fail"`) {
		t.Errorf("%d %s", response.StatusCode, body)
	}
	if location := s.post(challenge, "answer", "fail"); location != o.path() || s.paid(o.ID) {
		t.Errorf("failed: to %s", location)
	}
	s.post(o.URL, "outcome", "challenge")
	if location := s.post(challenge, "answer", "complete"); !strings.HasPrefix(location, "https://shop.example/thanks?id=cs_test_") || !s.paid(o.ID) {
		t.Errorf("passed: to %s", location)
	}
}

// TestDoubleClick: paying twice leads to the same place.
func TestDoubleClick(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	o := s.open()
	if first, second := s.post(o.URL, "outcome", "succeeds"), s.post(o.URL, "outcome", "succeeds"); first != second {
		t.Errorf("first to %s, then to %s", first, second)
	}
}

func TestPage(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	o := s.open()
	response, body := s.get(o.URL)
	for _, want := range []string{
		"Sandbox. No real card works here and no money moves.", "$31.10", "$29.00", "$2.10", "Sales tax (CA 7.25%)", "Northline Pro",
		"4242 4242 4242 4242", "ORD_1", `href="https://shop.example/cart"`, `href="/sandbox/style.css"`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if inputs := regexp.MustCompile(`<input[^>]*>`).FindAllString(body, -1); len(inputs) != len(sandbox.Outcomes()) {
		t.Errorf("%d inputs", len(inputs))
	}
	for _, input := range regexp.MustCompile(`<(input|textarea|select)[^>]*>`).FindAllString(body, -1) {
		if !strings.Contains(input, `type="radio"`) {
			t.Errorf("something can be typed into %s", input)
		}
	}
	if strings.Contains(body, "<script") || strings.Contains(body, "style=") {
		t.Error("the page needs what its policy forbids")
	}
	for name, want := range map[string]string{
		"Content-Security-Policy": policy, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
		"Content-Type": "text/html; charset=utf-8",
	} {
		if got := response.Header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if response, _ := s.get(s.url + "/style.css"); response.Header.Get("Content-Type") != "text/css; charset=utf-8" {
		t.Errorf("the style sheet is %d %s", response.StatusCode, response.Header.Get("Content-Type"))
	}
}

func TestPageAfterDecline(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	for _, c := range []struct {
		locale string
		want   []string
	}{
		{"en", []string{"Your card has insufficient funds.", "<title>Declined"}},
		{"zh", []string{`lang="zh-Hans"`, "不会发生资金流动", "您的银行卡余额不足。", "支付 $31.10"}},
	} {
		o := s.open("locale", c.locale)
		s.post(o.URL, "outcome", "insufficient_funds")
		_, body := s.get(o.URL)
		for _, want := range c.want {
			if !strings.Contains(body, want) {
				t.Errorf("%s: the page lacks %q", c.locale, want)
			}
		}
	}
}

// TestTextsAreComplete: every language has a text for every outcome and every reason of a decline.
func TestTextsAreComplete(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	for _, o := range sandbox.Outcomes() {
		for _, text := range []texts{english, chinese} {
			if text.Outcomes[o.Name] == (outcomeText{}) {
				t.Errorf("%s: no text for %s", text.Language, o.Name)
			}
		}
		id := s.open().ID
		if err := s.Choose(id, o.Name); err != nil {
			t.Fatal(err)
		}
		s.AnswerChallenge(id, o.Name != "challenge") // fails where there is none
		c, err := s.Checkout(id)
		if err != nil {
			t.Fatal(err)
		}
		if c.Failure != nil && chinese.failure(c.Failure) == c.Failure.Message {
			t.Errorf("%s: no Chinese for %q", o.Name, c.Failure.Message)
		}
	}
}

func TestPageOfAnEndedSession(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	paid, old := s.open(), s.open()
	s.post(paid.URL, "outcome", "succeeds")
	if _, body := s.get(paid.URL); !strings.Contains(body, "This payment is complete") || strings.Contains(body, "<form") {
		t.Errorf("paid: %s", body)
	}
	s.ahead.Store(int64(25 * time.Hour))
	if _, body := s.get(old.URL); !strings.Contains(body, "has expired") || strings.Contains(body, "<form") {
		t.Errorf("expired: %s", body)
	}
	if location := s.post(old.URL, "outcome", "succeeds"); location != old.path() || s.paid(old.ID) {
		t.Errorf("paying an expired session leads to %s", location)
	}
}

func TestPageEscapes(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	o := s.open("line_items[0][price_data][product_data][name]", `<script>alert(1)</script>`, "client_reference_id", `"><img src=x>`)
	for _, page := range []string{o.URL, s.url + "/log"} {
		if _, body := s.get(page); strings.Contains(body, "<script") || strings.Contains(body, "<img") {
			t.Errorf("%s: %s", page, body)
		}
	}
}

func TestNothingThere(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	o := s.open()
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/pay/cs_test_0", 404}, {"POST", "/pay/cs_test_0", 404}, {"GET", "/pay/cs_test_0/challenge", 404},
		{"GET", "/pay/", 404}, {"GET", "", 404}, {"GET", "/", 404}, {"GET", "/v1/events", 404},
		{"GET", "/pay/" + o.ID + "/x", 404},
		{"PUT", "/pay/" + o.ID, 405}, {"POST", "/log", 405}, {"GET", "/trigger", 405},
	} {
		request, _ := http.NewRequest(c.method, s.url+c.path, nil)
		response, err := s.browser.Do(request)
		if s.read(response, err); response.StatusCode != c.status {
			t.Errorf("%s %s: %d, want %d", c.method, c.path, response.StatusCode, c.status)
		}
		if response.Header.Get("Content-Security-Policy") != policy {
			t.Errorf("%s %s: no policy", c.method, c.path)
		}
	}
}

func TestLog(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	s.post(s.open().URL, "outcome", "succeeds")
	_, body := s.get(s.url + "/log")
	for _, want := range []string{"POST /v1/checkout/sessions", "$31.10", "ORD_1", "a…@example.com", "succeeds"} {
		if !strings.Contains(body, want) {
			t.Errorf("the log lacks %q: %s", want, body)
		}
	}
	for _, secret := range []string{"ada@example.com", apiKey, webhookSecret} {
		if strings.Contains(body, secret) {
			t.Errorf("the log holds %s", secret)
		}
	}
}
