package sandbox

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/edge/orders"
)

// Every choice on the page: where the buyer lands and which webhooks come of it.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	returned := func(r orders.Remote) string {
		return "https://shop.example/thanks?id=" + r.Ref + "&q=a%20b"
	}
	page := func(r orders.Remote) string { return mustPath(r.URL) }
	cases := map[string]struct {
		lands  func(orders.Remote) string
		status orders.RemoteStatus
		events []orders.EventKind
		paid   bool
		last   orders.Event // what the adapter reads of the last event
	}{
		"succeeds": {lands: returned, status: orders.RemoteComplete, paid: true, events: []orders.EventKind{orders.EventCompleted}},
		"declined": {lands: page, status: orders.RemoteOpen, events: []orders.EventKind{orders.EventDeclined},
			last: orders.Event{Method: "card", Last4: "0002", Reason: "Your card was declined."}},
		"insufficient_funds": {lands: page, status: orders.RemoteOpen, events: []orders.EventKind{orders.EventDeclined},
			last: orders.Event{Method: "card", Last4: "9995", Reason: "Your card has insufficient funds."}},
		"expired_card": {lands: page, status: orders.RemoteOpen, events: []orders.EventKind{orders.EventDeclined},
			last: orders.Event{Method: "card", Last4: "0069", Reason: "Your card has expired."}},
		"processing_error": {lands: page, status: orders.RemoteOpen, events: []orders.EventKind{orders.EventDeclined},
			last: orders.Event{Method: "card", Last4: "0119",
				Reason: "An error occurred while processing your card. Try again in a little bit."}},
		"lost_card": {lands: page, status: orders.RemoteOpen, events: []orders.EventKind{orders.EventDeclined},
			last: orders.Event{Method: "card", Last4: "9987", Reason: "Your card was declined."}},
		"stolen_card": {lands: page, status: orders.RemoteOpen, events: []orders.EventKind{orders.EventDeclined},
			last: orders.Event{Method: "card", Last4: "9979", Reason: "Your card was declined."}},
		"incorrect_cvc": {lands: page, status: orders.RemoteOpen, events: []orders.EventKind{orders.EventDeclined},
			last: orders.Event{Method: "card", Last4: "0127", Reason: "Your card's security code is incorrect."}},
		"challenge_declined":           {lands: func(r orders.Remote) string { return page(r) + "/challenge" }, status: orders.RemoteOpen},
		"challenge_insufficient_funds": {lands: func(r orders.Remote) string { return page(r) + "/challenge" }, status: orders.RemoteOpen},
		"challenge":                    {lands: func(r orders.Remote) string { return page(r) + "/challenge" }, status: orders.RemoteOpen},
		"later": {lands: returned, status: orders.RemoteComplete, paid: true,
			events: []orders.EventKind{orders.EventCompleted, orders.EventSucceeded}},
		"later_fails": {lands: returned, status: orders.RemoteComplete,
			events: []orders.EventKind{orders.EventCompleted, orders.EventDeclined, orders.EventFailed}},
	}
	if len(cases) != len(outcomes) {
		t.Errorf("%d outcomes are tested, and the page has %d", len(cases), len(outcomes))
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t, nil)
			remote := s.open("k")
			response, _ := s.post(remote.URL, "outcome", name)
			if got, want := response.Header.Get("Location"), c.lands(remote); response.StatusCode != 303 || got != want {
				t.Fatalf("%d to %s, want %s", response.StatusCode, got, want)
			}
			seen := make(map[orders.EventKind]orders.Event)
			for range c.events {
				e := s.event()
				seen[e.Kind] = e
			}
			for _, kind := range c.events {
				e, ok := seen[kind]
				if !ok || e.Remote.OrderID != "ORD_1" || e.Remote.Attempt != 1 || e.Remote.Total != remote.Total {
					t.Errorf("kind %d: %+v", kind, e)
				}
				if kind == orders.EventDeclined != (e.Remote.Ref == "") || e.Remote.PaymentID == "" {
					t.Errorf("kind %d: %+v", kind, e)
				}
			}
			if e := seen[orders.EventDeclined]; c.last.Reason != "" && (e.Method != c.last.Method || e.Last4 != c.last.Last4 ||
				e.Reason != c.last.Reason) {
				t.Errorf("got %+v, want %+v", e, c.last)
			}
			got, fault := s.gateway.Retrieve(soon(), remote.Ref)
			if fault != nil || got.Status != c.status || got.Paid != c.paid || (got.URL == "") != (c.status == orders.RemoteComplete) {
				t.Errorf("then the session is %+v, %v", got, fault)
			}
			s.silence()
		})
	}
}

func mustPath(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		panic(err)
	}
	return u.Path
}

// A delayed payment is not paid before it is.
func TestLaterIsUnpaidFirst(t *testing.T) {
	t.Parallel()
	s := newShop(t, nil)
	s.post(s.open("k").URL, "outcome", "later")
	if e := s.event(); e.Kind != orders.EventCompleted || e.Remote.Paid || e.Remote.Status != orders.RemoteComplete {
		t.Errorf("first %+v", e)
	}
	if e := s.event(); e.Kind != orders.EventSucceeded || !e.Remote.Paid {
		t.Errorf("then %+v", e)
	}
}

// Passing the bank's challenge is not having the money.
func TestChallengeThenDeclined(t *testing.T) {
	t.Parallel()
	for outcome, last4 := range map[string]string{"challenge_declined": "0002", "challenge_insufficient_funds": "9995"} {
		s := newShop(t, nil)
		remote := s.open("k")
		s.post(remote.URL, "outcome", outcome)
		if response, _ := s.post(remote.URL+"/challenge", "answer", "complete"); response.Header.Get("Location") != mustPath(remote.URL) {
			t.Errorf("%s: to %s", outcome, response.Header.Get("Location"))
		}
		if e := s.event(); e.Kind != orders.EventDeclined || e.Last4 != last4 {
			t.Errorf("%s: %+v", outcome, e)
		}
	}
}

func TestChallenge(t *testing.T) {
	t.Parallel()
	s := newShop(t, nil)
	remote := s.open("k")
	challenge := remote.URL + "/challenge"
	if response, _ := s.get(challenge); response.StatusCode != 303 || response.Header.Get("Location") != mustPath(remote.URL) {
		t.Errorf("a challenge that nobody asked for: %d to %s", response.StatusCode, response.Header.Get("Location"))
	}
	s.post(challenge, "answer", "complete")
	s.silence() // nobody has paid that way

	s.post(remote.URL, "outcome", "challenge")
	if response, body := s.get(challenge); response.StatusCode != 200 || !strings.Contains(body, `value="fail"`) {
		t.Errorf("%d %s", response.StatusCode, body)
	}
	response, _ := s.post(challenge, "answer", "fail")
	if e := s.event(); e.Kind != orders.EventDeclined || response.Header.Get("Location") != mustPath(remote.URL) {
		t.Errorf("failed: %+v, to %s", e, response.Header.Get("Location"))
	}

	s.post(remote.URL, "outcome", "challenge")
	response, _ = s.post(challenge, "answer", "complete")
	if e := s.event(); e.Kind != orders.EventCompleted || !e.Remote.Paid ||
		!strings.HasPrefix(response.Header.Get("Location"), "https://shop.example/thanks?id=cs_test_") {
		t.Errorf("passed: %+v, to %s", e, response.Header.Get("Location"))
	}
}

// After a decline the page says why, and the next try is as good as the first.
func TestDeclineThenPay(t *testing.T) {
	t.Parallel()
	s := newShop(t, nil)
	remote := s.open("k")
	s.post(remote.URL, "outcome", "insufficient_funds")
	declined := s.event()
	_, body := s.get(remote.URL)
	if !strings.Contains(body, "Your card has insufficient funds.") || !strings.Contains(body, "<title>Declined") {
		t.Errorf("the page does not say why: %s", body)
	}
	s.post(remote.URL, "outcome", "succeeds")
	if e := s.event(); !e.Remote.Paid || e.Remote.PaymentID != declined.Remote.PaymentID {
		t.Errorf("got %+v after %+v", e, declined)
	}
}

// Paying twice pays once.
func TestDoubleClick(t *testing.T) {
	t.Parallel()
	s := newShop(t, nil)
	remote := s.open("k")
	first, _ := s.post(remote.URL, "outcome", "succeeds")
	second, _ := s.post(remote.URL, "outcome", "succeeds")
	if a, b := first.Header.Get("Location"), second.Header.Get("Location"); a != b || second.StatusCode != 303 {
		t.Errorf("first to %s, then %d to %s", a, second.StatusCode, b)
	}
	s.event()
	s.silence()
}

func TestPage(t *testing.T) {
	t.Parallel()
	s := newShop(t, nil)
	remote := s.open("k")
	response, body := s.get(remote.URL)
	for _, want := range []string{
		"Sandbox. No real card works here and no money moves.", "$31.10", "$29.00", "$2.10", "Sales tax (CA 7.25%)", "Northline Pro",
		"4242 4242 4242 4242", "ORD_1", `href="https://shop.example/cart"`, `href="/sandbox/style.css"`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if typed := regexp.MustCompile(`<input[^>]*>`).FindAllString(body, -1); len(typed) != len(outcomes) {
		t.Errorf("%d inputs", len(typed))
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
	if response, _ := s.get(s.config.PublicURL + "/style.css"); response.Header.Get("Content-Type") != "text/css; charset=utf-8" {
		t.Errorf("the style sheet is %d %s", response.StatusCode, response.Header.Get("Content-Type"))
	}
}

func TestPageInChinese(t *testing.T) {
	t.Parallel()
	s := newShop(t, nil)
	remote, fault := s.gateway.Create(soon(), s.wire(func(p *orders.Payable) { p.Language = "zh-CN" }), "k")
	if fault != nil {
		t.Fatal(fault)
	}
	s.post(remote.URL, "outcome", "declined")
	_, body := s.get(remote.URL)
	for _, want := range []string{`lang="zh-Hans"`, "不会发生资金流动", "您的银行卡被拒绝。", "支付 $31.10"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

// Every language has a text for everything.
func TestTextsAreComplete(t *testing.T) {
	for _, text := range []texts{english, chinese} {
		for _, o := range outcomes {
			if text.Outcomes[o.Name] == (outcomeText{}) {
				t.Errorf("%s: no text for %s", text.Language, o.Name)
			}
		}
	}
	for _, o := range outcomes {
		var why record
		why.Session.Status = open
		o.step(&turn{record: &why, sandbox: &Sandbox{config: Config{Now: time.Now, Rand: rand.Reader}}})
		if why.Intent.LastError == nil {
			continue
		}
		if text := chinese.failure(why.Intent.LastError); text == why.Intent.LastError.Message {
			t.Errorf("%s: no Chinese for %q", o.Name, text)
		}
	}
	if chinese.failure(unauthenticated) == unauthenticated.Message {
		t.Error("no Chinese for a failed challenge")
	}
}

func TestPageOfAnEndedSession(t *testing.T) {
	t.Parallel()
	s := newShop(t, nil)
	paid, old := s.open("k"), s.open("k2")
	s.post(paid.URL, "outcome", "succeeds")
	if _, body := s.get(paid.URL); !strings.Contains(body, "This payment is complete") || strings.Contains(body, "<form") {
		t.Errorf("paid: %s", body)
	}
	s.clock.advance(61 * time.Minute)
	if _, body := s.get(old.URL); !strings.Contains(body, "has expired") || strings.Contains(body, "<form") {
		t.Errorf("expired: %s", body)
	}
	if response, _ := s.post(old.URL, "outcome", "succeeds"); response.Header.Get("Location") != mustPath(old.URL) {
		t.Errorf("paying an expired session leads to %s", response.Header.Get("Location"))
	}
	if got, _ := s.gateway.Retrieve(soon(), old.Ref); got.Paid {
		t.Error("an expired session was paid")
	}
}

func TestPageEscapes(t *testing.T) {
	t.Parallel()
	s := newShop(t, nil)
	remote, fault := s.gateway.Create(soon(), s.wire(func(p *orders.Payable) {
		p.Order.Product.Name, p.OrderID = `<script>alert(1)</script>`, `"><img src=x>`
	}), "k")
	if fault != nil {
		t.Fatal(fault)
	}
	for _, page := range []string{remote.URL, s.config.PublicURL + "/log"} {
		if _, body := s.get(page); strings.Contains(body, "<script") || strings.Contains(body, "<img") {
			t.Errorf("%s: %s", page, body)
		}
	}
}

func TestNothingThere(t *testing.T) {
	t.Parallel()
	s := newShop(t, nil)
	remote := s.open("k")
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/pay/cs_test_0", 404}, {"POST", "/pay/cs_test_0", 404}, {"GET", "/pay/cs_test_0/challenge", 404},
		{"GET", "/pay/", 404}, {"GET", "", 404}, {"GET", "/", 404}, {"GET", "/v1/events", 404},
		{"GET", "/pay/" + remote.Ref + "/x", 404},
		{"PUT", "/pay/" + remote.Ref, 405}, {"POST", "/log", 405}, {"GET", "/trigger", 405},
	} {
		request, _ := http.NewRequest(c.method, s.config.PublicURL+c.path, nil)
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
	s := newShop(t, nil)
	remote := s.open("wco_1")
	s.open("wco_1")
	s.post(remote.URL, "outcome", "succeeds")
	s.event()
	_, body := s.get(s.config.PublicURL + "/log")
	for _, want := range []string{
		"POST /v1/checkout/sessions", "$31.10", "ORD_1", "a…@example.com", "wco_1 · replayed", "succeeds",
	} {
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
