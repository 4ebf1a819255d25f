package vies_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/vies"
	"github.com/crepe-checkout/crepe/edge/vies/viestest"
)

// TestAnswer: VIES is asked once, with the seller's number, and its answer is stored.
func TestAnswer(t *testing.T) {
	w := open(t, checkout.Prod)
	o := w.sell(business())
	if c := w.check(o); c == nil || c.State != vies.Pending || c.Number != "DE136695976" || c.Requester != "IE6388047V" {
		t.Fatalf("before the answer: %+v", c)
	}
	w.after(0)
	w.after(time.Hour)
	if asked := w.fake.Questions(); len(asked) != 1 || asked[0] != (viestest.Question{CountryCode: "DE", VATNumber: "136695976", RequesterMemberStateCode: "IE", RequesterNumber: "6388047V"}) {
		t.Errorf("asked %+v", asked)
	}
	at := time.Date(2026, 11, 23, 10, 15, 30, 123e6, time.UTC).UnixMilli()
	if c := w.check(o); c.State != vies.Valid || c.Consultation != "WAPIAAAA00000001" || c.AnsweredAt != at || c.Name != "ACME GMBH" ||
		c.Address != "TORSTR. 1 10119 BERLIN" || c.DueAt != 0 || c.Tries != 1 || c.NeedsReview() {
		t.Errorf("%+v", c)
	}
}

// TestInvalid: a number that is not registered is listed for review, in its environment only.
func TestInvalid(t *testing.T) {
	w := open(t, checkout.Prod, checkout.Test)
	w.fake.Unregister("DE136695976")
	o := w.sell(business())
	w.after(0)
	if c := w.check(o); c.State != vies.Invalid || !c.NeedsReview() || c.Consultation == "" || c.Name != "" || c.DueAt != 0 {
		t.Errorf("%+v", c)
	}
	for env, count := range map[checkout.Environment]int{checkout.Prod: 1, checkout.Test: 0} {
		page, err := w.db.VATChecksToReview(t.Context(), env, "", 10)
		w.must(err)
		if len(page.Items) != count {
			t.Errorf("%d in %s", len(page.Items), env)
		}
	}
	if log := w.log.String(); !strings.Contains(log, "VIES does not know") || !strings.Contains(log, o.ID) {
		t.Error(log)
	}
}

// TestWhichOrders: only an order without tax because of a number that VIES knows is checked, and never one of an environment that the
// operator has not named.
func TestWhichOrders(t *testing.T) {
	w := open(t, checkout.Prod)
	for name, c := range map[string]struct {
		change    func(*sale)
		number    string // that is asked about; "" for no check
		requester string
	}{
		"a business":                     {func(*sale) {}, "DE136695976", "IE6388047V"},
		"a Greek business":               {func(s *sale) { s.buyer, s.in = "EL094259216", "GR" }, "EL094259216", "IE6388047V"},
		"Northern Ireland":               {func(s *sale) { s.buyer, s.in = "XI980780684", "GB" }, "XI980780684", "IE6388047V"},
		"Great Britain":                  {func(s *sale) { s.buyer, s.in = "GB980780684", "GB" }, "", ""},
		"Norway":                         {func(s *sale) { s.buyer, s.in = "NO995525828MVA", "NO" }, "", ""},
		"Switzerland":                    {func(s *sale) { s.buyer, s.in = "CHE107787577", "CH" }, "", ""},
		"a number as typed":              {func(s *sale) { s.buyer = "DE 136 695 976" }, "", ""},
		"tax was charged":                {func(s *sale) { s.reason = tax.Standard }, "", ""},
		"the test environment":           {func(s *sale) { s.env = checkout.Test }, "", ""},
		"a seller without a number":      {func(s *sale) { s.seller = "" }, "DE136695976", ""},
		"a British seller":               {func(s *sale) { s.seller = "GB980780684" }, "DE136695976", ""},
		"a Northern Irish seller":        {func(s *sale) { s.seller = "XI980780684" }, "DE136695976", "XI980780684"},
		"a seller with a free text":      {func(s *sale) { s.seller = "BR 12345678" }, "DE136695976", ""},
		"a seller with a wrong number":   {func(s *sale) { s.seller = "DE136695975" }, "DE136695976", ""},
		"a seller with a one-letter one": {func(s *sale) { s.seller = "D" }, "DE136695976", ""},
	} {
		s := business()
		c.change(&s)
		check := w.check(w.sell(s))
		if c.number == "" && check != nil || c.number != "" && (check == nil || check.Number != c.number || check.Requester != c.requester) {
			t.Errorf("%s: %+v", name, check)
		}
	}
	if c, err := w.service.CheckOf(t.Context(), &orders.Fact{Kind: orders.RefundHasSucceeded, Environment: checkout.Prod}); c != nil || err != nil {
		t.Errorf("a refund is checked: %+v, %v", c, err)
	}
}

// faults are all that VIES can do instead of answering, and what is stored of it.
var faults = map[viestest.Fault]string{
	viestest.Down: "VIES cannot be reached", viestest.Status500: "status 500", viestest.Unauthorized: "status 403",
	viestest.Hang: "no answer within 1s", viestest.SlowBody: "no answer within 1s", viestest.InvalidJSON: "the answer cannot be read",
	viestest.Oversize: "the answer is too long", viestest.Redirect: "status 307", viestest.WrongCountry: "the answer is about another number",
	viestest.WrongNumber: "the answer is about another number", viestest.NoVerdict: "the answer cannot be read", viestest.EchoError: "an unknown error",
	viestest.ErrorOn500: "MS_UNAVAILABLE", viestest.ErrorInValid: "MS_UNAVAILABLE",
	"MS_UNAVAILABLE": "MS_UNAVAILABLE", "TIMEOUT": "TIMEOUT", "MS_MAX_CONCURRENT_REQ": "MS_MAX_CONCURRENT_REQ",
	"MS_MAX_CONCURRENT_REQ_TIME": "MS_MAX_CONCURRENT_REQ_TIME", "SERVICE_UNAVAILABLE": "SERVICE_UNAVAILABLE", "SERVER_BUSY": "SERVER_BUSY",
	"IP_BLOCKED": "IP_BLOCKED", "GLOBAL_MAX_CONCURRENT_REQ": "GLOBAL_MAX_CONCURRENT_REQ",
	"GLOBAL_MAX_CONCURRENT_REQ_TIME": "GLOBAL_MAX_CONCURRENT_REQ_TIME", "SOMETHING_NEW": "an unknown error",
}

// TestFaults: none of them is taken for an answer, each is tried again a minute later, also by a process that starts then, and none
// brings the number into the log.
func TestFaults(t *testing.T) {
	w := open(t, checkout.Prod)
	for f, want := range faults {
		o := w.sell(business())
		w.fake.Next(f)
		w.after(0)
		if c := w.check(o); c.State != vies.Pending || c.LastError != want || c.Tries != 1 || c.DueAt < w.now().UnixMilli()+50_000 || c.Consultation != "" {
			t.Errorf("%s: %+v", f, c)
		}
		w.restart(checkout.Prod)
		w.after(30 * time.Second)
		if c := w.check(o); c.Tries != 1 {
			t.Errorf("%s: asked again too early: %+v", f, c)
		}
		w.after(time.Minute)
		if c := w.check(o); c.State != vies.Valid || c.Tries != 2 || c.LastError != "" || c.Consultation == "" {
			t.Errorf("%s: after the second try: %+v", f, c)
		}
	}
	w.canary()
}

// canary fails if the log has a buyer's or seller's data.
func (w *world) canary() {
	w.Helper()
	log := w.log.String()
	for _, private := range []string{"136695976", "6388047V", "ACME", "TORSTR", "Fieldnotes", "ada@"} {
		if strings.Contains(log, private) {
			w.Errorf("the log has %s:\n%s", private, log)
		}
	}
	if !strings.Contains(log, "level=DEBUG") || !strings.Contains(log, "asked again") {
		w.Errorf("the log no longer says what happens:\n%s", log)
	}
}

// TestRefusals: when VIES does not take the seller's number it is asked at once without, and when it does not take the buyer's the check
// has failed.
func TestRefusals(t *testing.T) {
	w := open(t, checkout.Prod)
	for _, code := range []viestest.Fault{"INVALID_REQUESTER_INFO", "VAT_BLOCKED"} {
		o := w.sell(business())
		w.fake.Next(code)
		w.after(0)
		w.after(time.Second)
		if c := w.check(o); c.State != vies.Valid || c.Tries != 2 || c.Requester != "" || c.Consultation != "" {
			t.Errorf("%s: %+v", code, c)
		}
	}
	o := w.sell(business())
	w.fake.Next("INVALID_INPUT")
	w.after(0)
	if c := w.check(o); c.State != vies.Failed || c.LastError != "INVALID_INPUT" || c.DueAt != 0 || !c.NeedsReview() {
		t.Errorf("INVALID_INPUT: %+v", c)
	}
}

// TestEnd: the times between the tries grow, and the tries end.
func TestEnd(t *testing.T) {
	w := open(t, checkout.Prod)
	o := w.sell(business())
	began, before := w.now(), int64(0)
	for range 100 {
		w.fake.Next("MS_UNAVAILABLE")
		w.after(0)
		c := w.check(o)
		if c.State == vies.Failed {
			if took := w.now().Sub(began); took < 5*24*time.Hour || took > 10*24*time.Hour || c.DueAt != 0 || c.Tries < 8 {
				t.Errorf("given up after %v: %+v", took, c)
			}
			w.after(1000 * time.Hour)
			if again := w.check(o); again.Tries != c.Tries {
				t.Error("asked after the end")
			}
			return
		}
		wait := c.DueAt - w.now().UnixMilli()
		if wait < before-1000 {
			t.Errorf("try %d waits for %d ms, the one before for %d", c.Tries, wait, before)
		}
		before = wait
		w.ahead += time.Duration(wait+1) * time.Millisecond
	}
	t.Error("the tries do not end")
}

// TestPause: when VIES as a whole is down, the other orders wait. When a member state is, they do not.
func TestPause(t *testing.T) {
	for fault, asked := range map[viestest.Fault]int{"GLOBAL_MAX_CONCURRENT_REQ": 1, viestest.Down: 1, "MS_UNAVAILABLE": 3} {
		w := open(t, checkout.Prod)
		for range 3 {
			w.sell(business())
		}
		w.fake.Next(fault)
		w.after(0)
		w.after(time.Second)
		if n := len(w.fake.Questions()); n != asked {
			t.Errorf("%s: %d questions", fault, n)
		}
		w.after(2 * time.Minute)
		w.after(2 * time.Minute)
		if n := len(w.fake.Questions()); n != 4 {
			t.Errorf("%s: %d questions in the end", fault, n)
		}
	}
}

// TestOff: nothing is asked when the operator has switched it off again, and what was due waits.
func TestOff(t *testing.T) {
	w := open(t, checkout.Prod, checkout.Test)
	tested, real := business(), business()
	tested.env = checkout.Test
	o, live := w.sell(tested), w.sell(real)
	w.restart()
	done := make(chan struct{})
	go func() { w.service.Run(t.Context()); close(done) }()
	<-done
	w.restart(checkout.Prod)
	w.after(0)
	w.after(time.Hour)
	if asked := w.fake.Questions(); len(asked) != 1 || w.check(o).State != vies.Pending || w.check(live).State != vies.Valid {
		t.Errorf("%d questions, %+v", len(asked), w.check(o))
	}
	w.restart(checkout.Prod, checkout.Test)
	w.after(25 * time.Hour)
	if c := w.check(o); c.State != vies.Valid {
		t.Errorf("switched on again: %+v", c)
	}
}

// TestRun: the service asks by itself, and stops at once.
func TestRun(t *testing.T) {
	w := open(t, checkout.Prod)
	o := w.sell(business())
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { w.service.Run(ctx); close(done) }()
	for range 1000 {
		if w.check(o).State == vies.Valid {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	hanging := w.sell(business())
	w.fake.Next(viestest.Hang)
	time.Sleep(10 * time.Millisecond)
	stop()
	<-done
	if w.check(o).State != vies.Valid || w.check(hanging).State == vies.Invalid {
		t.Errorf("%+v, %+v", w.check(o), w.check(hanging))
	}
}

// TestRestart: a process that ends while it waits for an answer, or for the time of the next try, leaves both to the next one.
func TestRestart(t *testing.T) {
	w := open(t, checkout.Prod)
	waiting, asked := w.sell(business()), w.sell(business())
	ctx, stop := context.WithCancel(t.Context())
	w.fake.Next("MS_UNAVAILABLE", viestest.Hang)
	time.AfterFunc(100*time.Millisecond, stop)
	w.service.AskDue(ctx)
	if a, b := w.check(waiting), w.check(asked); a.Tries != 1 || b.Tries != 0 {
		t.Fatalf("%+v, %+v", a, b)
	}
	w.must(w.db.Close())
	w.openDatabase()
	w.restart(checkout.Prod)
	w.after(0)
	if a, b := w.check(waiting), w.check(asked); a.Tries != 1 || b.State != vies.Valid {
		t.Errorf("after the restart: %+v, %+v", a, b)
	}
	w.after(2 * time.Minute)
	if a := w.check(waiting); a.State != vies.Valid || a.Tries != 2 {
		t.Errorf("two minutes later: %+v", a)
	}
}

// TestURL: only an absolute http or https URL can be VIES.
func TestURL(t *testing.T) {
	for text, ok := range map[string]bool{vies.DefaultURL: true, "http://127.0.0.1:8080": true, "ec.europa.eu": false, "ftp://ec.europa.eu": false,
		"https://user@ec.europa.eu": false, "https://": false, "https://ec.europa.eu?x": false, "": false} {
		if vies.ValidURL(text) != ok {
			t.Errorf("%q: %t", text, !ok)
		}
	}
}
