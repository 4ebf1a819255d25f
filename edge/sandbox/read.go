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

func retrieveSession(r *request, _ *reader) func() answer { return r.retrieve }

func (r *request) retrieve() answer {
	found, err := load[record](r.sandbox.config.Store, "cs/"+r.id)
	if err != nil {
		return broken()
	}
	if found == nil {
		return missing("checkout.session", r.id, "session")
	}
	return show(&found.Session)
}

func expireSession(r *request, _ *reader) func() answer { return r.expire }

// expire ends a session that is open and refuses for any other.
func (r *request) expire() answer {
	var a answer
	err := r.sandbox.update(r.id, func(t *sessionTx) {
		if t.Session.Status == open {
			t.expire()
			a = show(&t.Session)
		} else {
			a = apiError{Message: "Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout Session has a " +
				"status of `" + t.Session.Status + "`."}.answer(400)
			a.note += " · " + t.about()
		}
		r.save(&t.change, a)
	})
	switch err {
	case nil:
		return a
	case ErrNotFound:
		return missing("checkout.session", r.id, "session")
	}
	return broken()
}

func listSessions(r *request, in *reader) func() answer {
	status, payment := r.params.Get("status"), r.params.Get("payment_intent")
	return r.list(in, "cs/", "/v1/checkout/sessions", func(value []byte) (any, int64, bool) {
		var found record
		if json.Unmarshal(value, &found) != nil {
			return nil, 0, false
		}
		s := &found.Session
		return s, s.Created, (status == "" || status == s.Status) && (payment == "" || payment == string(s.PaymentIntent))
	})
}

func listEvents(r *request, in *reader) func() answer {
	undelivered := r.params.Get("delivery_success") == "false"
	return r.list(in, "ev/", "/v1/events", func(value []byte) (any, int64, bool) {
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

func retrieveEvent(r *request, _ *reader) func() answer { return r.event }

func (r *request) event() answer {
	found, err := load[delivery](r.sandbox.config.Store, "ev/"+r.id)
	if err != nil {
		return broken()
	}
	if found == nil {
		return missing("event", r.id, "id")
	}
	return ok(&found.Event)
}

// window is the part of a list that is asked for.
type window struct {
	limit       int
	from, until int64  // seconds, both included
	after       string // the id of the last object of the page before
}

func readWindow(in *reader) window {
	w := window{limit: int(in.integer("limit", 1, 100, 10)), after: in.text("starting_after", 100)}
	after := in.integer("created[gt]", 0, math.MaxInt64-1, -1) + 1
	w.from = max(after, in.integer("created[gte]", 0, math.MaxInt64, 0))
	before := in.integer("created[lt]", 0, math.MaxInt64, math.MaxInt64) - 1
	w.until = min(before, in.integer("created[lte]", 0, math.MaxInt64, math.MaxInt64))
	return w
}

// list pages through the objects under a prefix, the newest first. read turns a value into an object, its time and whether
// it is asked for.
func (r *request) list(in *reader, prefix, url string, read func([]byte) (any, int64, bool)) func() answer {
	w := readWindow(in)
	return func() answer { return r.page(w, prefix, url, read) }
}

func (r *request) page(w window, prefix, url string, read func([]byte) (any, int64, bool)) answer {
	var shows []string
	page := list{Object: "list", Data: []json.RawMessage{}, URL: url}
	after := ""
	if w.after != "" {
		after = prefix + w.after
	}
	err := r.sandbox.config.Store.Scan(prefix, after, func(_ string, value []byte) bool {
		object, created, wanted := read(value)
		switch {
		case created < w.from:
			return false
		case !wanted || created > w.until:
		case len(page.Data) == w.limit:
			page.HasMore = true
			return false
		default:
			page.Data = append(page.Data, encode(object))
			if s, ok := object.(*session); ok && s.URL != "" {
				shows = append(shows, s.ID)
			}
		}
		return true
	})
	if err != nil {
		return broken()
	}
	a := ok(page)
	a.shows, a.note = shows, strconv.Itoa(len(page.Data))+" found"
	return a
}
