package sandbox

import (
	"math"
	"strconv"
	"strings"

	"github.com/goccy/go-json"
)

var (
	pageParams         = []string{"limit", "starting_after", "created[gt]", "created[gte]", "created[lt]", "created[lte]"}
	listSessionsParams = append([]string{"status", "payment_intent"}, pageParams...)
	listEventsParams   = append([]string{"type", "types[]", "types[#]", "delivery_success"}, pageParams...)
)

func retrieveSession(r *request) answer {
	found, err := load[record](r.sandbox.config.Store, "cs/"+r.id)
	if err != nil {
		return broken()
	}
	if found == nil {
		return missing("checkout.session", r.id, "session")
	}
	return ok(&found.Session)
}

// expireSession ends a session that is open and refuses for any other.
func expireSession(r *request) answer {
	var a answer
	err := r.sandbox.turn(r.id, func(t *turn) {
		if t.Session.Status == open {
			t.expire()
			a = ok(&t.Session)
		} else {
			a = apiError{Message: "Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout Session has a " +
				"status of `" + t.Session.Status + "`."}.answer(400)
		}
		r.save(&t.change, a)
	})
	switch err {
	case nil:
		return a
	case errMissing:
		return missing("checkout.session", r.id, "session")
	}
	return broken()
}

func listSessions(r *request) answer {
	status, payment := r.params.Get("status"), r.params.Get("payment_intent")
	return r.list("cs/", "/v1/checkout/sessions", func(value []byte) (any, int64, bool) {
		var found record
		if json.Unmarshal(value, &found) != nil {
			return nil, 0, false
		}
		s := &found.Session
		return s, s.Created, (status == "" || status == s.Status) && (payment == "" || payment == string(s.PaymentIntent))
	})
}

func listEvents(r *request) answer {
	undelivered := r.params.Get("delivery_success") == "false"
	return r.list("ev/", "/v1/events", func(value []byte) (any, int64, bool) {
		var found delivery
		if json.Unmarshal(value, &found) != nil {
			return nil, 0, false
		}
		e := &found.Event
		return e, e.Created, r.wantsType(e.Type) && (!undelivered || e.PendingWebhooks > 0)
	})
}

func (r *request) wantsType(kind string) bool {
	asked := false
	for name, values := range r.params {
		if name == "type" || strings.HasPrefix(name, "types[") {
			asked = true
			for _, v := range values {
				if v == kind {
					return true
				}
			}
		}
	}
	return !asked
}

func retrieveEvent(r *request) answer {
	found, err := load[delivery](r.sandbox.config.Store, "ev/"+r.id)
	if err != nil {
		return broken()
	}
	if found == nil {
		return missing("event", r.id, "id")
	}
	return ok(&found.Event)
}

// list pages through the objects under a prefix, the newest first. read turns a value into an object, its time and whether
// it is asked for.
func (r *request) list(prefix, url string, read func([]byte) (any, int64, bool)) answer {
	in := &reader{params: r.params}
	limit := in.integer("limit", 1, 100, 10)
	after := in.integer("created[gt]", 0, math.MaxInt64-1, -1) + 1
	from := max(after, in.integer("created[gte]", 0, math.MaxInt64, 0))
	before := in.integer("created[lt]", 0, math.MaxInt64, math.MaxInt64) - 1
	until := min(before, in.integer("created[lte]", 0, math.MaxInt64, math.MaxInt64))
	if in.wrong != nil {
		return in.wrong.answer(400)
	}
	start := in.text("starting_after", 100)
	if start != "" {
		start = prefix + start
	}
	page := list{Object: "list", Data: []json.RawMessage{}, URL: url}
	err := r.sandbox.config.Store.Scan(prefix, start, func(_ string, value []byte) bool {
		object, created, wanted := read(value)
		switch {
		case created < from:
			return false
		case !wanted || created > until:
		case int64(len(page.Data)) == limit:
			page.HasMore = true
			return false
		default:
			page.Data = append(page.Data, encode(object))
		}
		return true
	})
	if err != nil {
		return broken()
	}
	a := ok(page)
	a.note = strconv.Itoa(len(page.Data)) + " found"
	return a
}
