package stripe

import (
	"errors"
	"io"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/edge/psp"
)

// failed is the class of a fault, and whether there is one.
type failed struct {
	class psp.ErrorClass
	is    bool
}

var (
	success     = failed{}
	unknown     = failed{psp.Unknown, true}
	notExecuted = failed{psp.NotExecuted, true}
	inProgress  = failed{psp.InProgress, true}
	definitive  = failed{psp.Definitive, true}
	stuck       = failed{psp.KeyBurned, true}
	keyTaken    = failed{psp.KeyTaken, true}
)

const (
	html    = "<html>502 Bad Gateway</html>"
	refused = `{"error":{"type":"invalid_request_error","code":"amount_too_small","message":"…"}}`
	broken  = `{"error":{"type":"api_error","message":"…"}}`
)

func stripeError(code string) []byte { return []byte(`{"error":{"type":"x","code":"` + code + `"}}`) }

func TestClassify(t *testing.T) {
	cases := map[string]struct {
		reply
		want failed
	}{
		"success":       {reply{status: 200, body: []byte("{}")}, success},
		"dial":          {reply{err: dialError{io.ErrUnexpectedEOF}}, notExecuted},
		"no connection": {reply{err: fasthttp.ErrNoFreeConns}, notExecuted},
		"timeout":       {reply{err: fasthttp.ErrTimeout}, unknown},
		"reset":         {reply{err: fasthttp.ErrConnectionClosed}, unknown},
		"large body":    {reply{err: fasthttp.ErrBodyTooLarge}, unknown},
		"anything":      {reply{err: errors.New("?")}, unknown},

		"rate limit":              {reply{status: 429, body: stripeError("rate_limit")}, notExecuted},
		"lock timeout":            {reply{status: 429, body: stripeError("lock_timeout")}, inProgress},
		"some other limit":        {reply{status: 429, body: stripeError("?")}, unknown},
		"a proxy's limit":         {reply{status: 429, body: []byte(html)}, unknown},
		"bad key":                 {reply{status: 401, body: []byte(refused)}, notExecuted},
		"no permission":           {reply{status: 403, body: []byte(refused)}, notExecuted},
		"a proxy's refusal":       {reply{status: 403, body: []byte(html)}, unknown},
		"key in use":              {reply{status: 409, body: stripeError("idempotency_key_in_use")}, inProgress},
		"asked to repeat":         {reply{status: 400, body: []byte(refused), shouldRetry: "true"}, inProgress},
		"asked to repeat a 500":   {reply{status: 500, body: []byte(broken), shouldRetry: "true"}, inProgress},
		"invalid":                 {reply{status: 400, body: []byte(refused)}, definitive},
		"invalid, again":          {reply{status: 400, body: []byte(refused), replayed: true, shouldRetry: "false"}, definitive},
		"request failed":          {reply{status: 402, body: []byte(refused)}, definitive},
		"no such object":          {reply{status: 404, body: stripeError("resource_missing")}, definitive},
		"a proxy's 404":           {reply{status: 404, body: []byte(html)}, unknown},
		"a 400 of nobody":         {reply{status: 400}, unknown},
		"other bytes under a key": {reply{status: 400, body: []byte(`{"error":{"type":"idempotency_error"}}`)}, keyTaken},

		"500":                   {reply{status: 500, body: []byte(broken)}, stuck},
		"500 again":             {reply{status: 500, body: []byte(html), replayed: true}, stuck},
		"503 not to be retried": {reply{status: 503, body: []byte(html), shouldRetry: "false"}, stuck},
		"500 without JSON":      {reply{status: 500, body: []byte(html)}, unknown},
		"502":                   {reply{status: 502, body: []byte(html)}, unknown},
		"503":                   {reply{status: 503, body: []byte(broken)}, unknown},
		"504":                   {reply{status: 504}, unknown},
		"redirect":              {reply{status: 302, body: []byte(refused)}, unknown},
		"too large":             {reply{status: 413, body: []byte(refused)}, unknown},
		"nothing at all":        {reply{}, unknown},
		"null":                  {reply{status: 400, body: []byte(`{"error":null}`)}, unknown},
		"half an error":         {reply{status: 400, body: []byte(refused[:40])}, unknown},
	}
	for name, c := range cases {
		got := success
		if callErr := classify(&c.reply); callErr != nil {
			got = failed{callErr.Class, true}
		}
		if got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

// Only what is certainly refused, and what an order's caller has given, is the caller's to mend.
func TestRefuses(t *testing.T) {
	body := func(code, param string) []byte {
		return []byte(`{"error":{"type":"invalid_request_error","code":"` + code + `","param":"` + param + `"}}`)
	}
	for name, c := range map[string]struct {
		reply
		want psp.Refusal
	}{
		"too little":                {reply{status: 400, body: body("amount_too_small", "")}, psp.RefusesSmallTotal},
		"too much":                  {reply{status: 400, body: body("amount_too_large", "")}, psp.RefusesLargeTotal},
		"an e-mail address":         {reply{status: 400, body: body("email_invalid", "customer_email")}, psp.RefusesEmail},
		"an e-mail address by name": {reply{status: 400, body: body("", "customer_email")}, psp.RefusesEmail},
		"where to return to":        {reply{status: 400, body: body("url_invalid", "success_url")}, psp.RefusesSuccessURL},
		"where to go back to":       {reply{status: 400, body: body("url_invalid", "cancel_url")}, 0},
		"a currency":                {reply{status: 400, body: body("", "line_items[0][price_data][currency]")}, psp.RefusesCurrency},
		"another parameter":         {reply{status: 400, body: body("", "expires_at")}, 0},
		"an unknown outcome":        {reply{status: 500, body: body("amount_too_small", "")}, 0},
		"to be repeated":            {reply{status: 400, body: body("amount_too_small", ""), shouldRetry: "true"}, 0},
	} {
		if got := classify(&c.reply).Refuses; got != c.want {
			t.Errorf("%s: got %d, want %d", name, got, c.want)
		}
	}
}

func TestFaultTellsWhatItKnows(t *testing.T) {
	r := reply{status: 429, body: stripeError("rate_limit"), requestID: "req_1", retryAfter: "7"}
	got := classify(&r)
	want := psp.CallError{
		Class: psp.NotExecuted, Status: 429, Code: "rate_limit", RequestID: "req_1", RetryAfter: 7 * time.Second,
	}
	if *got != want {
		t.Errorf("got %+v, want %+v", *got, want)
	}
	for _, odd := range []string{"", "-1", "1e9", "99999999999", "Fri, 31 Dec 1999 23:59:59 GMT"} {
		if wait := seconds(odd); wait != 0 {
			t.Errorf("Retry-After %q means %v", odd, wait)
		}
	}
}

// A body that Stripe did not make proves nothing, whatever stands in it and whatever the status is.
func FuzzClassify(f *testing.F) {
	f.Add(400, []byte(refused), "", false)
	f.Add(500, []byte(broken), "true", true)
	f.Add(429, []byte(html), "false", false)
	f.Add(404, []byte(`{"error":{"code":{}}}`), "", false)
	f.Fuzz(func(t *testing.T, status int, body []byte, shouldRetry string, replayed bool) {
		r := reply{status: status, body: body, shouldRetry: shouldRetry, replayed: replayed}
		callErr := classify(&r)
		if callErr == nil {
			if status < 200 || status > 299 {
				t.Fatalf("status %d is a success", status)
			}
			return
		}
		_ = callErr.Error()
		_, stripes := readError(body)
		if proves := callErr.Class == psp.Definitive || callErr.Class == psp.NotExecuted; proves && !stripes {
			t.Fatalf("status %d with %q proves %v", status, body, callErr.Class)
		}
	})
}
