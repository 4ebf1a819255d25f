package sandbox

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/sandbox/fault"
)

type called struct {
	status int
	header http.Header
	body   string
}

// call calls the API with an HTTP client.
func (s *shop) call(method, path, body, key string) called {
	s.t.Helper()
	client := http.Client{Transport: &http.Transport{
		DialContext:       func(context.Context, string, string) (net.Conn, error) { return s.Dial("") },
		DisableKeepAlives: true,
	}}
	request, err := http.NewRequest(method, "http://sandbox.invalid"+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+apiKey)
	request.Header.Set("Content-Type", formType)
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	response, err := client.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return called{response.StatusCode, response.Header, string(text)}
}

func (c called) replayed() bool { return c.header.Get("Idempotent-Replayed") == "true" }

func (c called) read(t testing.TB, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(c.body), into); err != nil {
		t.Fatalf("%v: %s", err, c.body)
	}
}

func (c called) error(t testing.TB) apiError {
	t.Helper()
	var e struct{ Error apiError }
	c.read(t, &e)
	return e.Error
}

// form is a valid request with parameters changed or, where the value is "-", removed.
func form(changes ...string) string {
	values := url.Values{
		"mode": {"payment"}, "success_url": {"https://shop.example/"}, "line_items[0][quantity]": {"1"},
		"line_items[0][price_data][currency]": {"usd"}, "line_items[0][price_data][unit_amount]": {"2900"},
		"line_items[0][price_data][product_data][name]": {"Northline Pro"},
	}
	for i := 0; i < len(changes); i += 2 {
		if values.Set(changes[i], changes[i+1]); changes[i+1] == "-" {
			values.Del(changes[i])
		}
	}
	return values.Encode()
}

func TestParameters(t *testing.T) {
	t.Parallel()
	s := newShop(t, nil)
	const price = "line_items[0][price_data]"
	at := func(d time.Duration) string { return formatInt(s.clock.now().Add(d).Unix()) }
	cases := []struct {
		body, code, param string
	}{
		{form("mode", "-"), "parameter_missing", "mode"},
		{form("mode", ""), "parameter_invalid_empty", "mode"},
		{form("mode", "setup"), "", "mode"},
		{form("foo", "1"), "parameter_unknown", "foo"},
		{form("automatic_tax[enabled]", "true"), "parameter_unknown", "automatic_tax[enabled]"},
		{form("line_items[0][price]", "x"), "parameter_unknown", "line_items[0][price]"},
		{form("line_items[x][quantity]", "1"), "parameter_unknown", "line_items[x][quantity]"},
		{form("metadata", "1"), "parameter_unknown", "metadata"},
		{form("metadata[]", "1"), "parameter_unknown", "metadata[]"},
		{form("metadata[a][b]", "1"), "parameter_unknown", "metadata[a][b]"},
		{form("success_url", "-"), "parameter_missing", "success_url"},
		{form("success_url", "javascript:alert(1)"), "url_invalid", "success_url"},
		{form("success_url", "/here"), "url_invalid", "success_url"},
		{form("cancel_url", "ftp://x"), "url_invalid", "cancel_url"},
		{form(price+"[unit_amount]", "29.99"), "parameter_invalid_integer", price + "[unit_amount]"},
		{form(price+"[unit_amount]", "-1"), "parameter_invalid_integer", price + "[unit_amount]"},
		{form(price+"[unit_amount]", ""), "parameter_invalid_empty", price + "[unit_amount]"},
		{form(price+"[unit_amount]", "-"), "parameter_missing", price + "[unit_amount]"},
		{form(price+"[unit_amount]", "49"), "amount_too_small", ""},
		{form(price+"[unit_amount]", "999999999999", "line_items[0][quantity]", "2"), "amount_too_large", ""},
		{form(price+"[unit_amount]", "999999999999", "line_items[0][quantity]", "999999"), "amount_too_large", ""},
		{form(price+"[currency]", "zzz"), "", price + "[currency]"},
		{form(price+"[currency]", "isk", price+"[unit_amount]", "550"), "parameter_invalid_integer", price + "[unit_amount]"},
		{form(price+"[currency]", "kwd", price+"[unit_amount]", "5125"), "parameter_invalid_integer", price + "[unit_amount]"},
		{form(price+"[currency]", "cup"), "", price + "[currency]"},
		{form(price+"[product_data][images][0]", "cover.jpg"), "url_invalid", price + "[product_data][images][0]"},
		{form(price+"[product_data][images][0]", "https://a.example/"+strings.Repeat("a", 2048)), "", price + "[product_data][images][0]"},
		{form(nineImages()...), "", price + "[product_data][images]"},
		{form(price+"[product_data][name]", "a\x00b"), "", price + "[product_data][name]"},
		{form(price+"[product_data][description]", "a\u0085"), "", price + "[product_data][description]"},
		{form("client_reference_id", "\x1b[1m"), "", "client_reference_id"},
		{form("metadata[k]", "\x7f"), "", "metadata[k]"},
		{form("metadata[a\x00b]", "v"), "", "metadata[a\x00b]"},
		{form("line_items[0][quantity]", "0"), "parameter_invalid_integer", "line_items[0][quantity]"},
		{form(price+"[product_data][name]", "-"), "parameter_missing", price + "[product_data][name]"},
		{form("line_items[7][quantity]", "1"), "parameter_missing", "line_items[7][price_data][currency]"},
		{"mode=payment&success_url=https://shop.example/", "parameter_missing", "line_items"},
		{form("expires_at", at(29*time.Minute)), "", "expires_at"},
		{form("expires_at", at(25*time.Hour)), "", "expires_at"},
		{form("expires_at", "5"), "", "expires_at"},
		{form("expires_at", "soon"), "parameter_invalid_integer", "expires_at"},
		{form("client_reference_id", strings.Repeat("x", 201)), "", "client_reference_id"},
		{form("customer_email", ""), "email_invalid", "customer_email"},
		{form("customer_email", "a"), "email_invalid", "customer_email"},
		{form("locale", "tlh"), "", "locale"},
		{form("adaptive_pricing[enabled]", "yes"), "", "adaptive_pricing[enabled]"},
		{form("metadata["+strings.Repeat("k", 41)+"]", "v"), "", "metadata[" + strings.Repeat("k", 41) + "]"},
		{form("metadata[k]", strings.Repeat("v", 501)), "", "metadata[k]"},
	}
	for _, c := range cases {
		got := s.call("POST", "/v1/checkout/sessions", c.body, "the same key for all")
		e := got.error(t)
		if got.status != 400 || e.Code != c.code || e.Param != c.param || e.Type != invalidRequest || e.Message == "" {
			t.Errorf("%s\n%d %s\nwant code %q, param %q", c.body, got.status, got.body, c.code, c.param)
		}
	}
	if got := s.call("POST", "/v1/checkout/sessions", form("expires_at", at(30*time.Minute+time.Second)), ""); got.status != 200 {
		t.Errorf("the shortest time to live: %s", got.body)
	}
	if got := s.call("POST", "/v1/checkout/sessions", form(price+"[product_data][description]", "a\tb\r\nc"), ""); got.status != 200 {
		t.Errorf("white space: %s", got.body)
	}
	if got := s.call("POST", "/v1/checkout/sessions", "%zz", ""); got.status != 400 {
		t.Errorf("unreadable: %s", got.body)
	}
}

// TestLiveNeedsHTTPS: a live session redirects to https only, except on loopback.
func TestLiveNeedsHTTPS(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		url    string
		live   bool
		status int
	}{
		{"http://example.com/", false, 200},
		{"http://example.com/", true, 400},
		{"https://example.com/", true, 200},
		{"http://127.0.0.1:8787/", true, 200},
		{"http://localhost/", true, 200},
	} {
		got := newShop(t, func(config *Config) { config.Live = c.live }).call("POST", "/v1/checkout/sessions", form("success_url", c.url), "")
		if got.status != c.status {
			t.Errorf("%s, live %t: %s", c.url, c.live, got.body)
		}
	}
}

// TestSessionObject: the object has the shape of Stripe's, nulls included.
func TestSessionObject(t *testing.T) {
	t.Parallel()
	s := newShop(t, nil)
	got := s.call("POST", "/v1/checkout/sessions", form("metadata[a]", "1", "client_reference_id", "ORD_9"), "")
	var object map[string]any
	got.read(t, &object)
	for name, want := range map[string]any{
		"object": "checkout.session", "amount_total": 2900.0, "currency": "usd", "status": "open", "payment_status": "unpaid",
		"payment_intent": nil, "cancel_url": nil, "customer_email": nil, "livemode": false, "mode": "payment",
		"client_reference_id": "ORD_9",
	} {
		if value, ok := object[name]; !ok || value != want {
			t.Errorf("%s is %v, want %v", name, value, want)
		}
	}
	if got.header.Get("Request-Id") == "" || got.header.Get("Stripe-Version") != apiVersion {
		t.Errorf("headers %v", got.header)
	}
}

func TestUnknownCalls(t *testing.T) {
	t.Parallel()
	s := newShop(t, nil)
	for _, c := range []struct{ method, path string }{
		{"GET", "/"}, {"GET", "/v1/charges"}, {"DELETE", "/v1/checkout/sessions"}, {"GET", "/v1/checkout/sessions/a/b"},
		{"GET", "/v1/checkout"},
		{"POST", "/v1/events"}, {"GET", "/v1/events/evt_0"}, {"GET", "/v2/checkout/sessions"},
	} {
		if got := s.call(c.method, c.path, "", ""); got.status != 404 || got.error(t).Type != invalidRequest {
			t.Errorf("%s %s: %d %s", c.method, c.path, got.status, got.body)
		}
	}
}

// TestStoredResponses: a response is stored with its status and marked when it is replayed, also a 400 of an executed call.
func TestStoredResponses(t *testing.T) {
	t.Parallel()
	s := newShop(t, nil)
	var object struct{ ID string }
	first := s.call("POST", "/v1/checkout/sessions", form(), "k")
	first.read(t, &object)
	again := s.call("POST", "/v1/checkout/sessions", form(), "k")
	if again.body != first.body || !again.replayed() || first.replayed() || !strings.HasSuffix(s.Log()[0].Outcome, "key k · replayed") {
		t.Errorf("got %+v", again)
	}
	path := "/v1/checkout/sessions/" + object.ID + "/expire"
	s.call("POST", path, "", "")
	refused := s.call("POST", path, "", "expire")
	repeated := s.call("POST", path, "", "expire")
	if refused.status != 400 || repeated.status != 400 || !repeated.replayed() {
		t.Errorf("%d %v, then %d %v", refused.status, refused.header, repeated.status, repeated.header)
	}
	if got := s.call("POST", path, "", "k"); got.status != 400 || got.error(t).Type != "idempotency_error" {
		t.Errorf("one key for two paths: %s", got.body)
	}
	if got := s.call("POST", "/v1/checkout/sessions", form(), strings.Repeat("k", 256)); got.status != 400 {
		t.Errorf("a long key: %d", got.status)
	}
}

type page struct {
	Data []struct {
		ID      string
		Type    string
		Created int64
	}
	HasMore bool `json:"has_more"`
}

func (s *shop) page(path string) page {
	s.t.Helper()
	var p page
	got := s.call("GET", path, "", "")
	if got.status != 200 {
		s.t.Fatalf("%s: %d %s", path, got.status, got.body)
	}
	got.read(s.t, &p)
	return p
}

func TestLists(t *testing.T) {
	t.Parallel()
	s := newShop(t, nil)
	var ids []string
	for _, key := range []string{"a", "b", "c"} {
		ids = append(ids, s.open(key).Ref)
		s.clock.advance(10 * time.Second)
	}
	const sessions = "/v1/checkout/sessions"
	all := s.page(sessions)
	if len(all.Data) != 3 || all.HasMore || all.Data[0].ID != ids[2] || all.Data[2].ID != ids[0] {
		t.Fatalf("got %+v, want the newest of %v first", all, ids)
	}
	middle := formatInt(all.Data[1].Created)
	cases := map[string]struct {
		ids  []string
		more bool
	}{
		"?limit=2":                          {[]string{ids[2], ids[1]}, true},
		"?limit=2&starting_after=" + ids[1]: {[]string{ids[0]}, false},
		"?limit=3":                          {[]string{ids[2], ids[1], ids[0]}, false},
		"?created[gte]=" + middle:           {[]string{ids[2], ids[1]}, false},
		"?created[lte]=" + middle:           {[]string{ids[1], ids[0]}, false},
		"?starting_after=" + ids[0]:         {nil, false},
		"?created[gte]=" + middle + "0":     {nil, false},
	}
	for query, want := range cases {
		p := s.page(sessions + query)
		var got []string
		for _, d := range p.Data {
			got = append(got, d.ID)
		}
		if !slices.Equal(got, want.ids) || p.HasMore != want.more {
			t.Errorf("%s: got %v, more: %v, want %v", query, got, p.HasMore, want)
		}
	}
	for _, query := range []string{"?client_reference_id=ORD_1", "?metadata[order_id]=ORD_1", "?status=open"} {
		if got := s.call("GET", sessions+query, "", ""); got.status != 400 || got.error(t).Code != "parameter_unknown" {
			t.Errorf("%s: %s", query, got.body)
		}
	}
	for _, query := range []string{"?limit=0", "?limit=101", "?limit=x", "?created[gte]=-1"} {
		if got := s.call("GET", sessions+query, "", ""); got.status != 400 {
			t.Errorf("%s: %s", query, got.body)
		}
	}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	s := newShop(t, func(c *Config) { c.WebhookURL = "" })
	first, second := s.open("a"), s.open("b")
	s.choose(first, "declined")
	s.clock.advance(time.Second)
	s.choose(first, "succeeds")
	s.clock.advance(time.Second)
	s.gateway.Expire(soon(), second.Ref)
	for query, want := range map[string]string{
		"": "checkout.session.expired checkout.session.completed payment_intent.payment_failed",
		"?types[]=checkout.session.expired&types[]=charge.failed": "checkout.session.expired",
		"?delivery_success=false":                                 "",
	} {
		var got []string
		for _, e := range s.page("/v1/events" + query).Data {
			got = append(got, e.Type)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: got %v, want %s", query, got, want)
		}
	}
}

func TestRefund(t *testing.T) {
	t.Parallel()
	s := newShop(t, nil)
	remote := s.open("k")
	s.choose(remote, "succeeds")
	payment := s.event().Checkout.PaymentID
	steps := []struct {
		body, key string
		status    int
		code      string
		amount    int64
	}{
		{"payment_intent=" + payment + "&amount=1000&reason=requested_by_customer&metadata[a]=b", "r1", 200, "", 1000},
		{"payment_intent=" + payment + "&amount=1000&reason=requested_by_customer&metadata[a]=b", "r1", 200, "", 1000},
		{"payment_intent=" + payment + "&amount=2111", "", 400, "", 0},
		{"payment_intent=" + payment, "", 200, "", 2110},
		{"payment_intent=" + payment, "", 400, "charge_already_refunded", 0},
		{"payment_intent=pi_0", "", 404, "resource_missing", 0},
		{"amount=1", "", 400, "parameter_missing", 0},
		{"payment_intent=" + payment + "&reason=whim", "", 400, "", 0},
		{"payment_intent=" + payment + "&charge=x", "", 400, "parameter_unknown", 0},
	}
	for _, step := range steps {
		got := s.call("POST", "/v1/refunds", step.body, step.key)
		var object refund
		got.read(t, &object)
		if got.status != step.status || object.Amount != step.amount || step.status != 200 && got.error(t).Code != step.code {
			t.Errorf("%s: %d %s", step.body, got.status, got.body)
		}
	}
	kinds := make(map[psp.EventKind]int)
	for range 4 {
		e := s.event()
		kinds[e.Kind]++
		if e.Refund.PaymentID != payment {
			t.Errorf("got %+v", e)
		}
	}
	if kinds[psp.EventRefund] != 2 || kinds[psp.EventRefunded] != 2 {
		t.Errorf("got %v", kinds)
	}
	for query, want := range map[string]int{"payment_intent=" + payment: 2, "payment_intent=pi_0": 0, "": 2, "limit=1": 1, "created[gte]=4000000000": 0} {
		var page list
		if s.call("GET", "/v1/refunds?"+query, "", "").read(t, &page); len(page.Data) != want {
			t.Errorf("%s: %d refunds", query, len(page.Data))
		}
	}
	unpaidOne := s.open("k2")
	s.choose(unpaidOne, "declined")
	if got := s.call("POST", "/v1/refunds", "payment_intent="+s.event().Checkout.PaymentID, ""); got.status != 400 {
		t.Errorf("refunding what was not paid: %s", got.body)
	}
	s.silence()
}

// FuzzCreate: no form makes the sandbox panic or opens a session that Stripe would refuse.
func FuzzCreate(f *testing.F) {
	f.Add(form())
	f.Add("line_items[0][price_data][currency]=usd&line_items[[]]=1&metadata[=x&%5B=&=&a")
	f.Add(form("line_items[65535][quantity]", "9223372036854775807", "expires_at", "1"))
	s := New(Config{Store: openStore(f), Key: apiKey})
	f.Cleanup(func() { s.Close() })
	f.Fuzz(func(t *testing.T, body string) {
		params, err := url.ParseQuery(body)
		if err != nil {
			return
		}
		if strings.Contains(params.Get("customer_email"), fault.EmailDomain) || params.Has("metadata["+fault.MetadataKey+"]") {
			return
		}
		r := &request{sandbox: s, now: s.config.Now(), operation: fault.Create, params: params}
		a := r.handle(endpoint{fault.Create, createParams, createSession})
		var object session
		if err := json.Unmarshal(a.body, &object); err != nil {
			t.Fatal(err)
		}
		sound := object.AmountTotal > 0 && object.AmountTotal <= maximum && object.Mode == "payment" && object.SuccessURL != ""
		if a.status == 200 && !sound {
			t.Fatalf("%s opened %s", body, a.body)
		}
	})
}

func formatInt(n int64) string { return strconv.FormatInt(n, 10) }

// nineImages is one image too many.
func nineImages() (pairs []string) {
	for i := range 9 {
		pairs = append(pairs, "line_items[0][price_data][product_data][images]["+strconv.Itoa(i)+"]", "https://cdn.example.com/"+strconv.Itoa(i))
	}
	return pairs
}
