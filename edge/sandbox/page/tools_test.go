package page

import (
	"strings"
	"testing"
)

func TestTrigger(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	o := s.open()
	for _, c := range []struct {
		body, mediaType string
		status          int
		answer          string
	}{
		{`{"event":"checkout.session.completed","order":"ORD_2"}`, "application/json", 404, "ORD_2"},
		{`{"event":"checkout.session.completed","order":"ORD"}`, "application/json", 404, "no such order"},
		{`{"event":"checkout.session.completed","order":""}`, "application/json", 404, "no such order"},
		{`{"event":"checkout.session.completed","order":"ORD_1"}`, "text/plain", 415, "application/json"},
		{`{"event":"charge.refunded","order":"ORD_1"}`, "application/json", 400, "it can be checkout.session.completed, "},
		{`{"event":"checkout.session.completed","order":"ORD_1","fault":"timeout"}`, "application/json", 400, "no fault of a webhook"},
		{`{"event":"checkout.session.completed","order":"ORD_1","fault":"late:-1s"}`, "application/json", 400, "no such fault"},
		{`{"event":"checkout.session.completed","order":"ORD_1","fault":7}`, "application/json", 400, ""},
		{`{`, "application/json; charset=utf-8", 400, ""},
		{`{"event":"checkout.session.completed","order":"ORD_1","fault":"late:1m"}`, "application/json", 200, o.ID},
		{`{"event":"checkout.session.expired","order":"ORD_1"}`, "application/json", 409, "not in a state for that event"},
	} {
		if status, answer := s.tool("/trigger", c.mediaType, c.body); status != c.status || !strings.Contains(answer, c.answer) {
			t.Errorf("%s as %s: %d %s, want %d %s", c.body, c.mediaType, status, answer, c.status, c.answer)
		}
	}
	if !s.paid(o.ID) {
		t.Error("the trigger did not pay")
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	for _, c := range []struct {
		body, mediaType string
		status          int
	}{
		{`{"faults":["400","409"]}`, "application/json", 200},
		{`{"faults":["timeout","nonsense"]}`, "application/json", 400},
		{`{"faults":"timeout"}`, "application/json", 400},
		{`{`, "application/json", 400},
		{`{"faults":[]}`, "application/x-www-form-urlencoded", 415},
	} {
		if status, _ := s.tool("/faults", c.mediaType, c.body); status != c.status {
			t.Errorf("%s as %s: %d, want %d", c.body, c.mediaType, status, c.status)
		}
	}
	if last := s.Log()[0]; last.What != "faults" || last.Outcome != "[400 409]" {
		t.Errorf("the log has %+v", last)
	}
	if status, body := s.create(); status != 400 {
		t.Errorf("the first fault: %d %s", status, body)
	}
	s.tool("/faults", "application/json", `{"faults":[]}`)
	if status, body := s.create(); status != 200 {
		t.Errorf("after the queue was emptied: %d %s", status, body)
	}
}
