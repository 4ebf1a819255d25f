package stripe

import (
	"strings"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/edge/psp"
)

func TestRenderRefund(t *testing.T) {
	p := psp.RefundParams{Deployment: "dep_1", OrderID: "ORD_1", N: 2, PaymentID: "pi_1", Amount: money.Amount{Minor: 1050, Currency: "EUR"}}
	for name, c := range map[string]struct {
		edit func(*psp.RefundParams)
		want string // "" for a refusal
	}{
		"plain": {func(*psp.RefundParams) {},
			"payment_intent=pi_1&amount=1050&reason=requested_by_customer&metadata[order_id]=ORD_1&metadata[refund]=2&metadata[deployment]=dep_1"},
		"a second payment": {func(p *psp.RefundParams) { p.Duplicate, p.Deployment = true, "" },
			"payment_intent=pi_1&amount=1050&reason=duplicate&metadata[order_id]=ORD_1&metadata[refund]=2"},
		"krónur": {func(p *psp.RefundParams) { p.Amount = money.Amount{Minor: 5, Currency: "ISK"} },
			"payment_intent=pi_1&amount=500&reason=requested_by_customer&metadata[order_id]=ORD_1&metadata[refund]=2&metadata[deployment]=dep_1"},
		"fils":          {func(p *psp.RefundParams) { p.Amount = money.Amount{Minor: 1005, Currency: "KWD"} }, ""},
		"nothing":       {func(p *psp.RefundParams) { p.Amount.Minor = 0 }, ""},
		"less":          {func(p *psp.RefundParams) { p.Amount.Minor = -1 }, ""},
		"no payment":    {func(p *psp.RefundParams) { p.PaymentID = "" }, ""},
		"no number":     {func(p *psp.RefundParams) { p.N = 0 }, ""},
		"no such money": {func(p *psp.RefundParams) { p.Amount.Currency = "XXX" }, ""},
	} {
		in := p
		c.edit(&in)
		got, err := New(Config{}).RenderRefund(in)
		if (err != nil) != (c.want == "") || string(got.Body) != c.want || err == nil && got.Path != refundsPath {
			t.Errorf("%s: %s, %v", name, got.Body, err)
		}
	}
}

const madeRefund = `{"id":"re_1","object":"refund","amount":1050,"charge":"ch_1","created":1794999999,"currency":"eur","failure_reason":null,
	"metadata":{"order_id":"ORD_1","refund":"2","deployment":"dep_1"},"payment_intent":"pi_1","reason":"requested_by_customer","status":"succeeded"}`

func TestRefundAnswers(t *testing.T) {
	good := psp.Refund{Ref: "re_1", Status: psp.RefundSucceeded, PaymentID: "pi_1", Amount: money.Amount{Minor: 1050, Currency: "EUR"},
		Created: time.Unix(1794999999, 0).UTC(), OrderID: "ORD_1", N: 2, Deployment: "dep_1"}
	for name, c := range map[string]struct {
		status, body string
		want         psp.Refund
		class        psp.ErrorClass // of an error; ignored where there is a Ref
	}{
		"made":     {"200 OK", madeRefund, good, 0},
		"pending":  {"200 OK", strings.Replace(madeRefund, `"succeeded"`, `"pending"`, 1), with(good, func(r *psp.Refund) { r.Status = psp.RefundPending }), 0},
		"action":   {"200 OK", strings.Replace(madeRefund, `"succeeded"`, `"requires_action"`, 1), with(good, func(r *psp.Refund) { r.Status = psp.RefundPending }), 0},
		"canceled": {"200 OK", strings.Replace(madeRefund, `"succeeded"`, `"canceled"`, 1), with(good, func(r *psp.Refund) { r.Status = psp.RefundFailed }), 0},
		"failed": {"200 OK", strings.NewReplacer(`"succeeded"`, `"failed"`, `null`, `"declined"`).Replace(madeRefund),
			with(good, func(r *psp.Refund) { r.Status, r.Failure = psp.RefundFailed, "declined" }), 0},
		"a new status": {"200 OK", strings.Replace(madeRefund, `"succeeded"`, `"dreaming"`, 1), with(good, func(r *psp.Refund) { r.Status = psp.RefundUnknown }), 0},
		"by hand": {"200 OK", strings.Replace(madeRefund, `{"order_id":"ORD_1","refund":"2","deployment":"dep_1"}`, `{}`, 1),
			with(good, func(r *psp.Refund) { r.OrderID, r.N, r.Deployment = "", 0, "" }), 0},
		"something else": {"200 OK", openSession, psp.Refund{}, psp.Unknown},
		"no JSON":        {"200 OK", "<html>", psp.Refund{}, psp.Unknown},
		"refunded":       {"400 Bad Request", `{"error":{"code":"charge_already_refunded","type":"invalid_request_error"}}`, psp.Refund{}, psp.Definitive},
		"stored failure": {"500 Internal Server Error", `{"error":{"type":"api_error"}}`, psp.Refund{}, psp.KeyBurned},
		"another body":   {"400 Bad Request", `{"error":{"type":"idempotency_error"}}`, psp.Refund{}, psp.KeyTaken},
		"gateway":        {"502 Bad Gateway", "", psp.Refund{}, psp.Unknown},
		"too many":       {"429 Too Many Requests", `{"error":{"code":"rate_limit"}}`, psp.Refund{}, psp.NotExecuted},
	} {
		base, _ := server(t, answer(c.status, "", c.body))
		got, callErr := New(Config{Key: key, BaseURL: base}).CreateRefund(soon(), psp.RenderedRequest{Path: refundsPath, Body: []byte("amount=1")}, "k")
		if got != c.want || (callErr == nil) != (c.want.Ref != "") || callErr != nil && callErr.Class != c.class {
			t.Errorf("%s: %+v, %v", name, got, callErr)
		}
	}
	base, _ := server(t, answer("404 Not Found", "", `{"error":{"code":"resource_missing","type":"invalid_request_error"}}`))
	if got, callErr := New(Config{Key: key, BaseURL: base}).RetrieveRefund(soon(), "re_1"); callErr != nil || got.Status != psp.RefundMissing {
		t.Errorf("a missing one is %+v, %v", got, callErr)
	}
}

func with(r psp.Refund, edit func(*psp.Refund)) psp.Refund {
	edit(&r)
	return r
}

func TestListRefunds(t *testing.T) {
	g, asked := lister(t, `{"object":"list","data":[`+madeRefund+`],"has_more":true}`)
	page, callErr := g.ListRefunds(soon(), "pi_1&limit=1", psp.Span{Since: time.Unix(17, 0)}, "re_0")
	if callErr != nil || len(page.Items) != 1 || page.Next != "re_1" || page.Items[0].Ref != "re_1" {
		t.Fatalf("got %+v, %v", page, callErr)
	}
	if got := asked(); got != "GET /v1/refunds?limit=50&starting_after=re_0&created[gte]=17&payment_intent=pi_1%26limit%3D1" {
		t.Errorf("asked %s", got)
	}
}

// TestMoneyBackEvents: events of refunds, charges and disputes name the payment; one without a payment intent is none of ours, and
// one that cannot be read is refused.
func TestMoneyBackEvents(t *testing.T) {
	refunded := `{"id":"ch_1","object":"charge","amount":3110,"amount_refunded":1050,"currency":"eur","payment_intent":"pi_1","metadata":{}}`
	disputed := `{"id":"dp_1","object":"dispute","amount":1050,"currency":"eur","payment_intent":"pi_1","reason":"fraudulent","status":"lost"}`
	eur := money.Amount{Minor: 1050, Currency: "EUR"}
	made, _ := readRefund([]byte(madeRefund))
	lost := psp.Dispute{Ref: "dp_1", PaymentID: "pi_1", Amount: eur, Status: "lost", Reason: "fraudulent"}
	closed := lost
	closed.Closed = true
	for name, c := range map[string]struct {
		kind, object string
		want         psp.Event
		refused      bool
	}{
		"made":              {"refund.created", madeRefund, psp.Event{Kind: psp.EventRefund, Refund: made}, false},
		"changed":           {"refund.updated", madeRefund, psp.Event{Kind: psp.EventRefund, Refund: made}, false},
		"failed":            {"refund.failed", madeRefund, psp.Event{Kind: psp.EventRefund, Refund: made}, false},
		"of an old version": {"charge.refund.updated", madeRefund, psp.Event{Kind: psp.EventRefund, Refund: made}, false},
		"of the charge":     {"charge.refunded", refunded, psp.Event{Kind: psp.EventRefunded, Refund: psp.Refund{PaymentID: "pi_1", Amount: eur}}, false},
		"disputed":          {"charge.dispute.created", disputed, psp.Event{Kind: psp.EventDispute, Dispute: lost}, false},
		"lost":              {"charge.dispute.closed", disputed, psp.Event{Kind: psp.EventDispute, Dispute: closed}, false},
		"without an intent": {"charge.refunded", strings.Replace(refunded, `"pi_1"`, `null`, 1), psp.Event{}, false},
		"no charge":         {"charge.refunded", madeRefund, psp.Event{}, true},
		"no refund":         {"refund.created", refunded, psp.Event{}, true},
		"no dispute":        {"charge.dispute.created", `{"id":7}`, psp.Event{}, true},
	} {
		c.want.ID, c.want.Created = "evt_1", time.Unix(1794999999, 0).UTC()
		body := envelope(c.kind, c.object)
		got, err := New(Config{WebhookSecret: secret}).Webhook(signed(sign(body)), []byte(body), signedAt)
		if (err != nil) != c.refused || err == nil && got != c.want {
			t.Errorf("%s: got %+v, %v\nwant %+v", name, got, err, c.want)
		}
	}
}
