package stripe

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/edge/psp"
)

const secret = "whsec_of_the_test"

var signedAt = time.Unix(1_795_000_000, 0)

func v1(secret string, at time.Time, body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%d.%s", at.Unix(), body)
	return hex.EncodeToString(mac.Sum(nil))
}

func sign(body string) string {
	return fmt.Sprintf("t=%d,v1=%s", signedAt.Unix(), v1(secret, signedAt, body))
}

// signed returns the headers of a request with a Stripe-Signature.
func signed(signature string) func(name string) string {
	return func(name string) string { return map[string]string{"Stripe-Signature": signature}[name] }
}

const paidSession = `{"id":"cs_test_1","object":"checkout.session","status":"complete","payment_status":"paid","url":null,
	"amount_total":3110,"currency":"usd","payment_intent":"pi_1","livemode":false,
	"metadata":{"order_id":"ORD_1","attempt":"2","checkout_session_id":"cs_x"}}`

func envelope(kind, object string) string {
	return `{"id":"evt_1","object":"event","api_version":"2019-01-01","created":1794999999,"livemode":false,"type":"` + kind +
		`","data":{"object":` + object + `},"pending_webhooks":1}`
}

func TestSignature(t *testing.T) {
	body := envelope("checkout.session.completed", paidSession)
	at, good := fmt.Sprint(signedAt.Unix()), v1(secret, signedAt, body)
	other := v1("whsec_another", signedAt, body)
	cases := map[string]struct {
		header string
		after  time.Duration // between the signature and now
		want   error
	}{
		"valid":                   {"t=" + at + ",v1=" + good, time.Second, nil},
		"secret being rolled":     {"t=" + at + ",v1=" + other + ",v1=" + good, 0, nil},
		"unknown schemes":         {"v9=x,t=" + at + ",v0=" + other + ",v1=" + good + ",", 0, nil},
		"oldest":                  {"t=" + at + ",v1=" + good, tolerance, nil},
		"from the future":         {"t=" + at + ",v1=" + good, -tolerance, nil},
		"too old":                 {"t=" + at + ",v1=" + good, tolerance + time.Second, errTime},
		"too far in the future":   {"t=" + at + ",v1=" + good, -tolerance - time.Second, errTime},
		"wrong secret":            {"t=" + at + ",v1=" + other, 0, errSignature},
		"two wrong secrets":       {"t=" + at + ",v1=" + other + ",v1=" + other, 0, errSignature},
		"v0 only":                 {"t=" + at + ",v0=" + good, 0, errHeader},
		"truncated":               {"t=" + at + ",v1=" + good[:62], 0, errSignature},
		"truncated within a byte": {"t=" + at + ",v1=" + good[:63], 0, errHeader},
		"empty signature":         {"t=" + at + ",v1=", 0, errSignature},
		"another time":            {"t=1" + at[1:9] + "1,v1=" + good, 0, errSignature},
		"no time":                 {"v1=" + good, 0, errHeader},
		"empty time":              {"t=,t=" + at + ",v1=" + good, 0, errHeader},
		"two times":               {"t=" + at + ",t=" + at + ",v1=" + good, 0, errHeader},
		"time of letters":         {"t=now,v1=" + good, 0, errHeader},
		"negative time":           {"t=-" + at + ",v1=" + good, 0, errHeader},
		"endless time":            {"t=" + strings.Repeat("9", 30) + ",v1=" + good, 0, errHeader},
		"empty":                   {"", 0, errHeader},
		"spaces":                  {"t=" + at + ", v1=" + good, 0, errHeader},
	}
	g := New(Config{WebhookSecret: secret})
	for name, c := range cases {
		if _, err := g.Webhook(signed(c.header), []byte(body), signedAt.Add(c.after)); err != c.want {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
	if _, err := g.Webhook(signed(sign(body)), []byte(body+" "), signedAt); err != errSignature {
		t.Errorf("changed body: got %v", err)
	}
	unset := fmt.Sprintf("t=%s,v1=%s", at, v1("", signedAt, body))
	if _, err := New(Config{}).Webhook(signed(unset), []byte(body), signedAt); err != errNoSecret {
		t.Errorf("signed with the empty secret: got %v", err)
	}
}

func TestEvent(t *testing.T) {
	paid := psp.Checkout{
		Ref: "cs_test_1", Status: psp.CheckoutComplete, Paid: true, Total: money.Amount{Minor: 3110, Currency: "USD"},
		OrderID: "ORD_1", Attempt: 2, SessionID: "cs_x", PaymentID: "pi_1",
	}
	unpaid := paid
	unpaid.Paid = false
	later := strings.Replace(paidSession, `"paid"`, `"unpaid"`, 1)
	ended := strings.NewReplacer(`"complete"`, `"expired"`, `"paid"`, `"unpaid"`, `"pi_1"`, `null`).Replace(paidSession)
	refusal := `{"id":"pi_2","object":"payment_intent","amount":3110,"currency":"usd","livemode":true,
		"metadata":{"order_id":"ORD_1","attempt":"2"},"last_payment_error":{"code":"card_declined","decline_code":"generic_decline",
		"message":"Your card was declined.","payment_method":{"type":"card","card":{"brand":"visa","last4":"0002"}}}}`
	cases := map[string]struct {
		kind, object string
		want         psp.Event
	}{
		"paid":       {"checkout.session.completed", paidSession, psp.Event{Kind: psp.EventCompleted, Checkout: paid}},
		"to be paid": {"checkout.session.completed", later, psp.Event{Kind: psp.EventCompleted, Checkout: unpaid}},
		"arrived": {"checkout.session.async_payment_succeeded", paidSession,
			psp.Event{Kind: psp.EventSucceeded, Checkout: paid}},
		"failed": {"checkout.session.async_payment_failed", later, psp.Event{Kind: psp.EventFailed, Checkout: unpaid}},
		"expired": {"checkout.session.expired", ended, psp.Event{Kind: psp.EventExpired, Checkout: psp.Checkout{
			Ref: "cs_test_1", Status: psp.CheckoutExpired, Total: paid.Total, OrderID: "ORD_1", Attempt: 2, SessionID: "cs_x",
		}}},
		"declined": {"payment_intent.payment_failed", refusal, psp.Event{
			Kind: psp.EventDeclined, Method: "card", Last4: "0002", Reason: "Your card was declined.",
			Checkout: psp.Checkout{PaymentID: "pi_2", Live: true, Total: paid.Total, OrderID: "ORD_1", Attempt: 2},
		}},
		"somebody else's": {"checkout.session.completed",
			`{"id":"cs_9","object":"checkout.session","metadata":{}}`, psp.Event{}},
		"somebody else's, without any": {"payment_intent.payment_failed", `{"id":"pi_9","metadata":null}`, psp.Event{}},
		"no concern of ours":           {"charge.captured", `{"id":7}`, psp.Event{}},
		"unknown currency and attempt": {"checkout.session.completed",
			strings.NewReplacer("usd", "zzz", `"2"`, `"two"`).Replace(paidSession),
			psp.Event{Kind: psp.EventCompleted, Checkout: psp.Checkout{
				Ref: "cs_test_1", Status: psp.CheckoutComplete, Paid: true, OrderID: "ORD_1", SessionID: "cs_x", PaymentID: "pi_1",
			}}},
	}
	for name, c := range cases {
		c.want.ID, c.want.Created = "evt_1", time.Unix(1794999999, 0).UTC()
		body := envelope(c.kind, c.object)
		got, err := New(Config{WebhookSecret: secret}).Webhook(signed(sign(body)), []byte(body), signedAt)
		if err != nil || got != c.want {
			t.Errorf("%s: got %+v, %v\nwant %+v", name, got, err, c.want)
		}
	}
}

func TestEventShape(t *testing.T) {
	for name, body := range map[string]string{
		"empty":             ``,
		"truncated":         envelope("checkout.session.completed", paidSession)[:200],
		"no event":          paidSession,
		"no id":             strings.Replace(envelope("x", "{}"), "evt_1", "", 1),
		"object of nothing": envelope("checkout.session.completed", "null"),
		"other object":      envelope("checkout.session.completed", `{"id":"ch_1","object":"charge"}`),
		"no payment":        envelope("payment_intent.payment_failed", `[]`),
	} {
		if got, err := New(Config{WebhookSecret: secret}).Webhook(signed(sign(body)), []byte(body), signedAt); err == nil {
			t.Errorf("%s: read as %+v", name, got)
		}
	}
}

// Nothing that is not signed is an event, and nothing that is signed brings the reader down.
func FuzzEvent(f *testing.F) {
	f.Add(sign("{}"), []byte("{}"))
	f.Add("t=1,v1=00", []byte(envelope("checkout.session.completed", paidSession)))
	f.Add(",,=,t,v1", []byte(envelope("payment_intent.payment_failed", "{}")))
	g := New(Config{WebhookSecret: secret})
	f.Fuzz(func(t *testing.T, header string, body []byte) {
		if e, err := g.Webhook(signed(header), body, signedAt); err == nil && header != sign(string(body)) {
			if !strings.Contains(header, v1(secret, signedAt, string(body))) {
				t.Fatalf("unsigned event %+v", e)
			}
		}
		e, err := g.Webhook(signed(sign(string(body))), body, signedAt)
		if err == nil && (e.ID == "" || e.Kind != psp.EventIgnored && e.Checkout.OrderID == "") {
			t.Fatalf("%s became %+v", body, e)
		}
	})
}

// TestOnlyMethod: the method of a payment is known where the session takes one only.
func TestOnlyMethod(t *testing.T) {
	for types, want := range map[string]string{`["card"]`: "card", `["card","link"]`: "", `[]`: "", `null`: "", `"card"`: ""} {
		if got := onlyMethod([]byte(`{"payment_method_types":` + types + `}`)); got != want {
			t.Errorf("%s: %q, want %q", types, got, want)
		}
	}
}
