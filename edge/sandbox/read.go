package sandbox

import (
	"math"
	"slices"
	"strconv"

	"github.com/goccy/go-json"
)

var (
	listSessionsParams  = []string{"limit", "starting_after", "created[gte]", "created[lte]"}
	listEndpointsParams = []string{"limit", "starting_after"}
	listEventsParams    = append([]string{"types[]", "delivery_success"}, listSessionsParams...)
)

func retrieveSession(r *request, _ *reader) func() response { return r.retrieve }

func (r *request) retrieve() response {
	found, err := load[record](r.sandbox.config.Store, "cs/"+r.id)
	if err != nil {
		return storeFailure()
	}
	if found == nil {
		return notFound("checkout.session", r.id, "session")
	}
	return sessionResponse(&found.Session)
}

func expireSession(r *request, _ *reader) func() response { return r.expire }

// expire expires an open session and refuses any other.
func (r *request) expire() response {
	var a response
	err := r.sandbox.update(r.id, func(t *sessionTx) {
		if t.Session.Status == open {
			t.expire()
			a = sessionResponse(&t.Session)
		} else {
			a = apiError{Message: "Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout Session has a " +
				"status of `" + t.Session.Status + "`."}.response(400)
			a.note += " · " + t.about()
		}
		r.save(&t.change, a)
	})
	switch err {
	case nil:
		return a
	case ErrNotFound:
		return notFound("checkout.session", r.id, "session")
	}
	return storeFailure()
}

func listSessions(r *request, in *reader) func() response {
	return r.list(in, "cs/", "/v1/checkout/sessions", func(value []byte) (any, int64, bool) {
		var found record
		if json.Unmarshal(value, &found) != nil {
			return nil, 0, false
		}
		s := &found.Session
		return s, s.Created, true
	})
}

func listEvents(r *request, in *reader) func() response {
	undelivered, types := r.params.Get("delivery_success") == "false", r.params["types[]"]
	return r.list(in, "ev/", "/v1/events", func(value []byte) (any, int64, bool) {
		var found delivery
		if json.Unmarshal(value, &found) != nil {
			return nil, 0, false
		}
		e := &found.Event
		return e, e.Created, (len(types) == 0 || slices.Contains(types, e.Type)) && (!undelivered || e.PendingWebhooks > 0)
	})
}

// webhookEndpoint is where events are sent. It is sent all of them.
type webhookEndpoint struct {
	ID            string   `json:"id"`
	Object        string   `json:"object"`
	EnabledEvents []string `json:"enabled_events"`
	Livemode      bool     `json:"livemode"`
	Status        string   `json:"status"`
	URL           string   `json:"url"`
}

// listEndpoints lists the one endpoint, or none. Its id is always the same, and so no page comes after it.
func listEndpoints(r *request, in *reader) func() response {
	readWindow(in)
	return func() response {
		found := list{Object: "list", Data: []json.RawMessage{}, URL: "/v1/webhook_endpoints"}
		const id = "we_sandbox"
		if c := r.sandbox.config; c.WebhookURL != "" && r.params.Get("starting_after") != id {
			found.Data = append(found.Data, encode(webhookEndpoint{id, "webhook_endpoint", []string{"*"}, c.Live, "enabled", c.WebhookURL}))
		}
		return ok(found)
	}
}

// window is the requested part of a list.
type window struct {
	limit       int
	from, until int64  // Unix seconds, inclusive
	after       string // the id of the last object of the previous page
}

func readWindow(in *reader) window {
	return window{
		limit: int(in.integer("limit", 1, 100, 10)), after: in.text("starting_after", 100),
		from: in.integer("created[gte]", 0, math.MaxInt64, 0), until: in.integer("created[lte]", 0, math.MaxInt64, math.MaxInt64),
	}
}

// list returns the handler that pages through the objects under a prefix, the newest first. read returns the object of a value,
// its time and whether it matches.
func (r *request) list(in *reader, prefix, url string, read func([]byte) (any, int64, bool)) func() response {
	w := readWindow(in)
	return func() response { return r.page(w, prefix, url, read) }
}

func (r *request) page(w window, prefix, url string, read func([]byte) (any, int64, bool)) response {
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
		}
		return true
	})
	if err != nil {
		return storeFailure()
	}
	a := ok(page)
	a.note = strconv.Itoa(len(page.Data)) + " found"
	return a
}
