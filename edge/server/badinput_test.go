package server

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/api"
	"github.com/crepe-checkout/crepe/edge/badgerstore"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// bad is a webhook that must not change anything.
type bad struct {
	name   string
	body   string
	header map[string]string
	path   string // "" for the test environment's
	status int
	kept   bool   // it is genuine, matches nothing, and goes into quarantine
	why    string // what the one line in the log says; "" where nobody needs to know
}

// TestBadWebhooks sends webhooks that are forged, malformed or about no order of ours. Genuine ones are added to the quarantine and
// nothing else changes; the log has one line for each, without personal data.
func TestBadWebhooks(t *testing.T) {
	shop := openShop(t)
	session := shop.Session(t, nil).SessionID
	shop.CreateOrder(t, shop.Token(t, "user-1"), shoptest.OrderFor(session)).CheckoutURL(t)
	_, order := shop.stored(t, session)
	good := paidEvent(order)

	for _, row := range badWebhooks(shop, good) {
		before, logged := shop.records(t), len(shop.log.String())
		got := shop.Post(t, cmp.Or(row.path, api.WebhookPath(sandboxName, checkout.Test)), row.body, row.header)
		if got.Status != row.status {
			t.Errorf("%s: %s", row.name, got)
		}
		if problem := compare(before, shop.records(t), row.kept); problem != "" {
			t.Errorf("%s: %s", row.name, problem)
		}
		if row.why != "" {
			shoptest.Eventually(t, row.name+" is in the log", func() bool { return shop.said(logged) != "" })
		}
		if line := shop.said(logged); strings.Count(line, "\n") > 1 || !strings.Contains(line, row.why) || (row.why == "") != (line == "") {
			t.Errorf("%s: logged %q, want %q", row.name, line, row.why)
		}
		for _, secret := range []string{"whsec_", canaryEmail, row.header["Stripe-Signature"], order.ID} {
			if secret != "" && strings.Contains(shop.log.String()[logged:], secret) {
				t.Errorf("%s: the log has %q", row.name, secret)
			}
		}
	}

	genuine := shop.signed(good, time.Now())
	for i := range 3 { // the second and the third are replays
		before := shop.records(t)
		if got := shop.Post(t, api.WebhookPath(sandboxName, checkout.Test), good, genuine); got.Status != 200 {
			t.Errorf("the good one: %s", got)
		}
		if changed := compare(before, shop.records(t), false) != ""; changed != (i == 0) {
			t.Errorf("time %d: changed %t", i+1, changed)
		}
		shoptest.Eventually(t, "the outbox is empty", func() bool {
			facts, err := shop.db.Facts(t.Context(), 0, 1)
			return err == nil && len(facts) == 0
		})
	}
	if _, o := shop.stored(t, session); o.State != orders.Paid || len(o.Payments) != 1 {
		t.Errorf("the order is %s with %d payments: the rows differ from nothing that is good", o.State, len(o.Payments))
	}
}

// said are the lines of the log from a place on, without the one that each request has.
func (s *shop) said(from int) (lines string) {
	for line := range strings.Lines(s.log.String()[from:]) {
		if !strings.Contains(line, " msg=request ") {
			lines += line
		}
	}
	return lines
}

// canaryEmail is a buyer's address that must not appear in a log.
const canaryEmail = "canary-buyer@example.com"

// paidEvent is the provider's event for a paid order.
func paidEvent(o *orders.Order) string {
	a := o.Current()
	return fmt.Sprintf(`{"id":"evt_good","object":"event","created":%d,"livemode":false,"type":"checkout.session.completed","data":{"object":`+
		`{"id":"%s","object":"checkout.session","status":"complete","payment_status":"paid","amount_total":%d,"currency":"eur",`+
		`"payment_intent":"pi_1","livemode":false,"customer_email":"`+canaryEmail+`","metadata":{"order_id":"%s","attempt":"1"}}}}`,
		time.Now().Unix(), a.Ref, a.Placed.Quote.Assessment.Total, o.ID)
}

// signed returns the header of a body that the test environment's provider sends.
func (s *shop) signed(body string, at time.Time) map[string]string {
	return map[string]string{"Stripe-Signature": s.sandboxes[checkout.Test].Sign([]byte(body), at)}
}

// badWebhooks are the rows. Each differs from a good webhook in the one thing that it names.
func badWebhooks(shop *shop, good string) (rows []bad) {
	now := time.Now()
	prod := api.WebhookPath(sandboxName, checkout.Prod)
	genuine := shop.signed(good, now)["Stripe-Signature"]
	stamp, signature, _ := strings.Cut(genuine, ",")
	header := func(value string) map[string]string { return map[string]string{"Stripe-Signature": value} }
	refused := func(name, body string, header map[string]string, why string) {
		rows = append(rows, bad{name: name, body: body, header: header, status: 400, why: why})
	}
	refused("no signature", good, nil, "malformed Stripe-Signature")
	refused("an empty signature", good, header(""), "malformed Stripe-Signature")
	refused("a signature of another secret", good, header(forge("whsec_another", good, now)), "no signature matches")
	refused("a signature of no secret", good, header(forge("", good, now)), "no signature matches")
	refused("a signature of another body", good, shop.signed(good+" ", now), "no signature matches")
	refused("a signature of another time", good, header(fmt.Sprintf("t=%d,%s", now.Unix()+1, signature)), "no signature matches")
	refused("no time", good, header(signature), "malformed Stripe-Signature")
	refused("no scheme that counts", good, header(stamp+",v0="+signature[3:]), "malformed Stripe-Signature")
	refused("a time in words", good, header("t=now,"+signature), "malformed Stripe-Signature")
	refused("an old signature", good, shop.signed(good, now.Add(-6*time.Minute)), "too old or from the future")
	refused("a signature of the future", good, shop.signed(good, now.Add(6*time.Minute)), "too old or from the future")
	refused("a truncated body", good[:len(good)-30], header(genuine), "no signature matches")
	for name, body := range map[string]string{
		"a body that was signed truncated": good[:len(good)-30],
		"no body":                          "",
		"no JSON":                          "payment=1",
		"an array":                         "[" + good + "]",
		"another object":                   `{"id":"cs_test_1","object":"checkout.session"}`,
		"an event of nothing":              `{"id":"evt_1","object":"event","type":"checkout.session.completed"}`,
	} {
		refused(name, body, shop.signed(body, now), "webhook refused")
	}
	for name, pair := range map[string][2]string{
		"an id twice":          {`"id":"evt_good"`, `"id":"evt_good","id":"evt_other"`},
		"an amount twice":      {`"currency":"eur"`, `"amount_total":1,"currency":"eur"`},
		"metadata twice":       {`"metadata":`, `"metadata":{"order_id":"ORD_0","attempt":"1"},"metadata":`},
		"an escaped duplicate": {`"currency":"eur"`, `"currency":"eur","\u0063urrency":"usd"`},
		"something behind it":  {`}}}}`, `}}}} {}`},
	} {
		body := strings.Replace(good, pair[0], pair[1], 1)
		refused(name, body, shop.signed(body, now), "webhook refused")
	}
	huge := good[:len(good)-1] + `,"x":"` + strings.Repeat("x", maxBody) + `"}`
	rows = append(rows,
		bad{name: "a huge body", body: huge, header: shop.signed(huge, now), status: 413, why: "body size exceeds the given limit"},
		bad{name: "the other environment's endpoint", body: good, header: header(genuine), path: prod, status: 400, why: "no signature matches"},
		bad{name: "no such environment", body: good, header: header(genuine), path: "/v1/webhooks/sandbox/live", status: 404},
		bad{name: "no such provider", body: good, header: header(genuine), path: "/v1/webhooks/adyen/test", status: 404},
		bad{name: "a query", body: good, header: header(genuine), path: api.WebhookPath(sandboxName, checkout.Test) + "?x", status: 400},
	)
	for name, changes := range map[string][]string{
		"another amount":      {`"amount_total":`, `"amount_total":1`},
		"no amount":           {`"amount_total":`, `"amount":`},
		"a negative amount":   {`"amount_total":`, `"amount_total":-`},
		"another currency":    {`"eur"`, `"usd"`},
		"an unknown currency": {`"eur"`, `"zzz"`},
		"real money":          {`"pi_1","livemode":false`, `"pi_1","livemode":true`},
		"an unknown order":    {`"order_id":"ORD_`, `"order_id":"` + canaryEmail + `_`},
		"an unknown attempt":  {`"id":"cs_test_`, `"id":"cs_test_0`, `"attempt":"1"`, `"attempt":"2"`},
		"no attempt":          {`"id":"cs_test_`, `"id":"cs_test_0`, `"attempt":"1"`, `"attempt":"-1"`},
		"another checkout":    {`"id":"cs_test_`, `"id":"cs_test_0`},
	} {
		body := strings.Replace(strings.NewReplacer(changes...).Replace(good), "evt_good", "evt_"+hex.EncodeToString([]byte(name)), 1)
		rows = append(rows, bad{name: name, body: body, header: shop.signed(body, now), status: 200, kept: true, why: "event in quarantine"})
	}
	foreign := strings.Replace(good, "evt_good", "evt_prod", 1)
	rows = append(rows,
		bad{name: "an order of the other environment", body: foreign, path: prod, status: 200, kept: true, why: "event in quarantine",
			header: header(shop.sandboxes[checkout.Prod].Sign([]byte(foreign), now))},
		bad{name: "what was kept, again", body: foreign, path: prod, status: 200,
			header: header(shop.sandboxes[checkout.Prod].Sign([]byte(foreign), now))})
	ignored := strings.Replace(good, `"order_id"`, `"another_id"`, 1)
	other := strings.Replace(good, "checkout.session.completed", "charge.captured", 1)
	return append(rows,
		bad{name: "somebody else's checkout", body: ignored, header: shop.signed(ignored, now), status: 200},
		bad{name: "another type", body: other, header: shop.signed(other, now), status: 200})
}

// forge signs a body with a secret.
func forge(secret, body string, at time.Time) string {
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%d.%s", at.Unix(), body)
	return fmt.Sprintf("t=%d,v1=%x", at.Unix(), mac.Sum(nil))
}

// records returns all records of the database, except those in which it counts its batches.
func (s *shop) records(t testing.TB) map[string]string {
	t.Helper()
	all := make(map[string]string)
	for _, prefix := range []string{"all/", string(checkout.Test) + "/", string(checkout.Prod) + "/"} {
		err := s.db.(*badgerstore.DB).Scan(prefix, "", func(key string, value []byte) bool {
			if !strings.HasPrefix(key, "all/-/nr/") {
				all[key] = string(value)
			}
			return true
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(all) < 5 {
		t.Fatalf("%d records only: the test no longer finds them", len(all))
	}
	return all
}

// compare returns a forbidden change, or "". A kept event adds itself and its entry in quarantine.
func compare(before, after map[string]string, kept bool) string {
	var added []string
	for key, value := range before {
		if after[key] != value {
			return key + " has changed or is gone"
		}
	}
	for _, key := range slices.Sorted(maps.Keys(after)) {
		if _, known := before[key]; !known {
			added = append(added, key)
		}
	}
	switch {
	case kept && (len(added) != 2 || !strings.Contains(added[0], "/ev/") || !strings.Contains(added[1], "/qu/")):
		return fmt.Sprintf("kept as %v", added)
	case !kept && len(added) > 0:
		return fmt.Sprintf("added %v", added)
	}
	return ""
}
