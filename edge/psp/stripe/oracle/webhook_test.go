package oracle

import (
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	stripego "github.com/stripe/stripe-go/v85"
	"github.com/stripe/stripe-go/v85/webhook"
	"pgregory.net/rapid"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/durable"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/psp/stripe"
	"github.com/crepe-checkout/crepe/edge/sandbox"
)

const tolerance = 300 // seconds, of both

// body is an event that both can read. Its object concerns neither of them.
const body = `{"id":"evt_1","object":"event","api_version":"` + stripego.APIVersion + `","created":1794999999,
	"livemode":false,"type":"charge.refunded","data":{"object":{"id":"ch_1","object":"charge"}}}`

// header fills in a Stripe-Signature: {t} is the time, {good} the body's signature ({GOOD} in capitals), {other} that of
// another body, {stolen} the body's under another secret.
func header(template string, at time.Time) string {
	sign := func(body, secret string) string {
		return hex.EncodeToString(webhook.ComputeSignature(at, []byte(body), secret))
	}
	good := sign(body, secret)
	return strings.NewReplacer(
		"{t}", strconv.FormatInt(at.Unix(), 10), "{good}", good, "{GOOD}", strings.ToUpper(good),
		"{other}", sign(body+" ", secret), "{stolen}", sign(body, "whsec_another"),
	).Replace(template)
}

// headers returns the headers of a request with a Stripe-Signature.
func headers(signature string) func(name string) string {
	return func(name string) string { return map[string]string{"Stripe-Signature": signature}[name] }
}

// verdicts says whether the adapter and stripe-go accept a header of the given age in seconds. stripe-go reads the clock
// itself, so it must be within synctest, where time stands still.
func verdicts(template string, age int64) (ours, theirs error) {
	now := time.Now()
	signature := header(template, now.Add(-time.Duration(age)*time.Second))
	_, ours = adapter.Webhook(headers(signature), []byte(body), now)
	_, theirs = webhook.ConstructEvent([]byte(body), signature, secret)
	return ours, theirs
}

// TestSignature is the list of what the adapter and stripe-go accept. Where they differ the row says why.
func TestSignature(t *testing.T) {
	const valid = "t={t},v1={good}"
	for name, c := range map[string]struct {
		template     string
		age          int64
		ours, theirs bool
	}{
		"valid":                {valid, 0, true, true},
		"oldest":               {valid, tolerance, true, true},
		"too old":              {valid, tolerance + 1, false, false},
		"slightly ahead":       {valid, -tolerance, true, true},
		"secret being rolled":  {"t={t},v1={stolen},v1={good}", 0, true, true},
		"other scheme as well": {"t={t},v0={other},v1={good}", 0, true, true},
		"capitals":             {"t={t},v1={GOOD}", 0, true, true},
		"another body":         {"t={t},v1={other}", 0, false, false},
		"another secret":       {"t={t},v1={stolen}", 0, false, false},
		"another time":         {"t=1{t},v1={good}", 0, false, false},
		"truncated":            {"t={t},v1=00", 0, false, false},
		"not hexadecimal":      {"t={t},v1={good}x", 0, false, false},
		"other scheme only":    {"t={t},v0={good}", 0, false, false},
		"no signature":         {"t={t}", 0, false, false},
		"no time":              {"v1={good}", 0, false, false},
		"time of letters":      {"t=now,v1={good}", 0, false, false},
		"empty time":           {"t=,t={t},v1={good}", 0, false, false},
		"spaces":               {"t={t}, v1={good}", 0, false, false},
		"nothing":              {"", 0, false, false},

		// Ours is stricter. A clock that runs ahead is trusted no more than one that is behind.
		"from the future": {valid, -tolerance - 1, false, true},
		// What was signed are the digits, so they must be there as they were signed, and once.
		"time with a sign": {"t=+{t},v1={good}", 0, false, true},
		"time with a zero": {"t=0{t},v1={good}", 0, false, true},
		"two times":        {"t={t},t={t},v1={good}", 0, false, true},
		"two other times":  {"t=1,t={t},v1={good}", 0, false, true},

		// Theirs is stricter. A part that is not name=value proves nothing, and may be there one day.
		"part without a value":  {"t={t},v1={good},beta", 0, true, false},
		"part with two of them": {"t={t},v1={good},beta=1=2", 0, true, false},
		"comma at the end":      {"t={t},v1={good},", 0, true, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			ours, theirs := verdicts(c.template, c.age)
			if (ours == nil) != c.ours || (theirs == nil) != c.theirs {
				t.Errorf("%s: ours says %v, stripe-go %v", name, ours, theirs)
			}
		})
	}
}

// An endpoint without a secret accepts nothing; stripe-go accepts what anybody can sign.
func TestNoSecret(t *testing.T) {
	signed := webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{Payload: []byte(body)})
	if _, err := stripe.New(stripe.Config{}).Webhook(headers(signed.Header), signed.Payload, time.Now()); err == nil {
		t.Error("ours accepts it")
	}
	if _, err := webhook.ConstructEvent(signed.Payload, signed.Header, ""); err != nil {
		t.Error("stripe-go refuses it too:", err)
	}
}

// FuzzSignature looks for a header about which the two disagree for another reason than those of TestSignature.
func FuzzSignature(f *testing.F) {
	for _, template := range []string{
		"t={t},v1={good}", "t={t},v1={stolen},v1={good},v0={other}", "t={t},t={t},v1={good}", "v1={good},t=+{t}",
		"t={t},v1={good},,=",
	} {
		for _, age := range []int64{0, tolerance, tolerance + 1, -tolerance, -tolerance - 1} {
			f.Add(template, age)
		}
	}
	f.Fuzz(func(t *testing.T, template string, age int64) {
		age %= 1 << 31
		synctest.Test(t, func(t *testing.T) {
			ours, theirs := verdicts(template, age)
			if (ours == nil) == (theirs == nil) {
				return
			}
			if ours == nil && !oddParts(template) || theirs == nil && !oddTime(template, age) {
				t.Errorf("%q, %d s old: ours says %v, stripe-go %v", template, age, ours, theirs)
			}
		})
	})
}

// oddParts: something between the commas is not name=value.
func oddParts(header string) bool {
	for part := range strings.SplitSeq(header, ",") {
		if strings.Count(part, "=") != 1 {
			return true
		}
	}
	return false
}

// oddTime: the time lies ahead, is there more than once, or is not as it was signed.
func oddTime(header string, age int64) bool {
	times := 0
	for part := range strings.SplitSeq(header, ",") {
		if value, ok := strings.CutPrefix(part, "t="); ok {
			times++
			if value != "{t}" {
				return true
			}
		}
	}
	return times > 1 || age < -tolerance
}

func TestEvents(t *testing.T) { rapid.Check(t, checkEvent) }

func FuzzEvents(f *testing.F) {
	seed(f)
	f.Fuzz(rapid.MakeFuzz(checkEvent))
}

// checkEvent: an event that stripe-go has signed is read alike, and not after one of its bytes has changed.
func checkEvent(t *rapid.T) {
	body := event(t)
	signed := webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{Payload: body, Secret: secret})
	readAlike(t, signed.Header, body)

	body[rapid.IntRange(0, len(body)-1).Draw(t, "byte")] ^= rapid.ByteRange(1, 255).Draw(t, "change")
	if e, err := adapter.Webhook(headers(signed.Header), body, time.Now()); err == nil {
		t.Errorf("ours reads a changed body as %+v", e)
	}
	if _, err := webhook.ConstructEvent(body, signed.Header, secret); err == nil {
		t.Error("stripe-go reads a changed body")
	}
}

// event generates an event about a checkout session.
func event(t *rapid.T) []byte {
	p := order.Draw(t, "order")
	session := map[string]any{
		"id": "cs_" + text.Draw(t, "session"), "object": "checkout.session",
		"status":         rapid.SampledFrom([]string{"open", "complete", "expired"}).Draw(t, "status"),
		"payment_status": rapid.SampledFrom([]string{"paid", "unpaid", "no_payment_required"}).Draw(t, "payment status"),
		"amount_total":   units(p.Order.Quote.Assessment.Total, p.Order.Quote.Currency),
		"currency":       strings.ToLower(string(p.Order.Quote.Currency)),
		"payment_intent": rapid.SampledFrom([]any{nil, "pi_1"}).Draw(t, "payment"),
		"livemode":       rapid.Bool().Draw(t, "live"),
		"metadata": map[string]string{
			"order_id": p.OrderID, "attempt": strconv.Itoa(p.Attempt), "x" + text.Draw(t, "other"): text.Draw(t, "value"),
		},
	}
	body, err := json.Marshal(map[string]any{
		"id": "evt_" + text.Draw(t, "event"), "object": "event", "api_version": stripego.APIVersion,
		"created": rapid.Int64Range(0, 1<<33).Draw(t, "created"),
		"type":    rapid.SampledFrom(sessionEvents).Draw(t, "type"),
		"data":    map[string]any{"object": session},
	})
	if err != nil {
		t.Fatal(err)
	}
	return body
}

var sessionEvents = []stripego.EventType{
	stripego.EventTypeCheckoutSessionCompleted, stripego.EventTypeCheckoutSessionExpired,
	stripego.EventTypeCheckoutSessionAsyncPaymentSucceeded, stripego.EventTypeCheckoutSessionAsyncPaymentFailed,
}

var kinds = map[stripego.EventType]psp.EventKind{
	stripego.EventTypeCheckoutSessionCompleted:             psp.EventCompleted,
	stripego.EventTypeCheckoutSessionExpired:               psp.EventExpired,
	stripego.EventTypeCheckoutSessionAsyncPaymentSucceeded: psp.EventSucceeded,
	stripego.EventTypeCheckoutSessionAsyncPaymentFailed:    psp.EventFailed,
	stripego.EventTypePaymentIntentPaymentFailed:           psp.EventDeclined,
	stripego.EventTypeRefundCreated:                        psp.EventRefund,
	stripego.EventTypeRefundUpdated:                        psp.EventRefund,
	stripego.EventTypeRefundFailed:                         psp.EventRefund,
	stripego.EventTypeChargeRefundUpdated:                  psp.EventRefund,
	stripego.EventTypeChargeRefunded:                       psp.EventRefunded,
	stripego.EventTypeChargeDisputeCreated:                 psp.EventDispute,
	stripego.EventTypeChargeDisputeUpdated:                 psp.EventDispute,
	stripego.EventTypeChargeDisputeClosed:                  psp.EventDispute,
}

// readAlike reads a signed event with both, of which both must be capable.
func readAlike(t failer, signature string, body []byte) (ours psp.Event) {
	ours, err := adapter.Webhook(headers(signature), body, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := webhook.ConstructEvent(body, signature, secret)
	if err != nil {
		t.Fatal(err)
	}
	if ours.ID != theirs.ID || ours.Created.Unix() != theirs.Created || ours.Kind != kinds[theirs.Type] {
		t.Errorf("ours reads %+v, stripe-go %s %s of %d", ours, theirs.Type, theirs.ID, theirs.Created)
	}
	if got, want := facts(ours), theirFacts(t, &theirs); got != want {
		t.Errorf("ours reads %+v, stripe-go %+v", got, want)
	}
	return ours
}

// fact is what an event's object says, in Stripe's words.
type fact struct {
	ref, payment, order, attempt, currency, status, method, last4, reason string
	amount                                                                int64
	paid, live                                                            bool
}

func facts(e psp.Event) fact {
	r := &e.Checkout
	f := fact{
		ref: r.Ref, payment: r.PaymentID, order: r.OrderID, attempt: strconv.Itoa(r.Attempt), paid: r.Paid, live: r.Live,
		currency: strings.ToLower(string(r.Total.Currency)), amount: units(r.Total.Minor, r.Total.Currency),
		method: e.Method, last4: e.Last4, reason: e.Reason,
	}
	if e.Kind != psp.EventDeclined {
		f.status = map[psp.CheckoutStatus]string{
			psp.CheckoutOpen: "open", psp.CheckoutComplete: "complete", psp.CheckoutExpired: "expired",
		}[r.Status]
	}
	return f
}

func theirFacts(t failer, e *stripego.Event) fact {
	if e.Type == stripego.EventTypePaymentIntentPaymentFailed {
		var p stripego.PaymentIntent
		if err := json.Unmarshal(e.Data.Raw, &p); err != nil {
			t.Fatal(err)
		}
		failed := p.LastPaymentError
		f := fact{
			payment: p.ID, order: p.Metadata["order_id"], attempt: p.Metadata["attempt"],
			currency: string(p.Currency), amount: p.Amount, live: p.Livemode,
			method: string(failed.PaymentMethod.Type), reason: failed.Msg,
		}
		if card := failed.PaymentMethod.Card; card != nil {
			f.last4 = card.Last4
		}
		return f
	}
	var s stripego.CheckoutSession
	if err := json.Unmarshal(e.Data.Raw, &s); err != nil {
		t.Fatal(err)
	}
	f := fact{
		ref: s.ID, order: s.Metadata["order_id"], attempt: s.Metadata["attempt"],
		currency: string(s.Currency), amount: s.AmountTotal, live: s.Livemode,
		status: string(s.Status), paid: s.PaymentStatus != stripego.CheckoutSessionPaymentStatusUnpaid,
	}
	if len(s.PaymentMethodTypes) == 1 {
		f.method = s.PaymentMethodTypes[0]
	}
	if s.PaymentIntent != nil {
		f.payment = s.PaymentIntent.ID
	}
	return f
}

// message is a webhook on its way.
type message struct {
	signature string
	body      []byte
}

// startSandbox is a sandbox that delivers its webhooks to the channel.
func startSandbox(t *testing.T) (*sandbox.Sandbox, <-chan message) {
	inbox := make(chan message, 10)
	endpoint := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		inbox <- message{r.Header.Get("Stripe-Signature"), body}
	}))
	t.Cleanup(endpoint.Close)
	db, err := durable.Open(t.TempDir(), durable.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	s := sandbox.New(sandbox.Config{
		Store: sandbox.NewStore(db, checkout.Test), Key: apiKey, PublicURL: "http://pay.invalid/sandbox", Delay: time.Millisecond,
		WebhookURL: endpoint.URL, WebhookSecret: secret,
	})
	t.Cleanup(func() { s.Close() })
	return s, inbox
}

// What the sandbox signs stripe-go accepts, in stripe-go's version of the API, and reads as the adapter does.
func TestSandboxSigns(t *testing.T) {
	s, inbox := startSandbox(t)
	gateway := stripe.New(stripe.Config{Key: apiKey, BaseURL: "http://sandbox.invalid", Dial: s.Dial})
	for outcome, want := range map[string][]psp.EventKind{
		"succeeds":           {psp.EventCompleted},
		"later":              {psp.EventCompleted, psp.EventSucceeded},
		"later_fails":        {psp.EventCompleted, psp.EventFailed, psp.EventDeclined},
		"declined":           {psp.EventDeclined},
		"insufficient_funds": {psp.EventDeclined},
		"expired_card":       {psp.EventDeclined},
		"expire":             {psp.EventExpired},
	} {
		remote, callErr := gateway.Create(soon(), render(t, plain()), outcome)
		if callErr != nil {
			t.Fatal(callErr)
		}
		act := func() error { return s.Choose(remote.Ref, outcome) }
		if outcome == "expire" {
			act = func() error { return s.Expire(remote.Ref) }
		}
		if err := act(); err != nil {
			t.Fatal(outcome, err)
		}
		var got []psp.EventKind
		for range want {
			select {
			case m := <-inbox:
				e := readAlike(t, m.signature, m.body)
				if got = append(got, e.Kind); e.Checkout.OrderID != "ORD_1" {
					t.Errorf("%s: got %+v", outcome, e)
				}
			case <-time.After(10 * time.Minute):
				t.Fatalf("%s: after %d no webhook came", outcome, got)
			}
		}
		slices.Sort(got) // webhooks come in any order
		if !slices.Equal(got, want) {
			t.Errorf("%s: got the kinds %d, want %d", outcome, got, want)
		}
	}
}
