package stripe

import (
	"errors"
	"net/url"
	"strconv"
	"time"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/edge/psp"
)

// pageSize is how many objects a page has. Stripe would give a hundred; half of them are within maxResponse though each
// had all the metadata that it may have.
const pageSize = 50

const eventsPath = "/v1/events"

var errNoList = errors.New("stripe: the answer is not a list")

// Checkouts lists sessions (https://docs.stripe.com/api/checkout/sessions/list).
func (g *Provider) ListCheckouts(deadline time.Time, created psp.Span, after string) (psp.Page[psp.Checkout], *psp.CallError) {
	query := pageQuery(after) + createdQuery(created)
	return call(g, deadline, outgoing{method: "GET", path: sessionsPath + query}, func(body []byte) (psp.Page[psp.Checkout], error) {
		return readPage(body, func(s *session) (string, psp.Checkout) { return s.ID, s.remote() })
	})
}

// Undelivered lists the events of the last thirty days that an endpoint has not accepted
// (https://docs.stripe.com/api/events/list). One that cannot be read is EventIgnored: no endpoint could read it either.
func (g *Provider) UndeliveredEvents(deadline time.Time, after string) (psp.Page[psp.Event], *psp.CallError) {
	query := pageQuery(after) + "&delivery_success=false"
	for _, k := range kinds {
		query += "&types[]=" + k.name
	}
	return call(g, deadline, outgoing{method: "GET", path: eventsPath + query}, func(body []byte) (psp.Page[psp.Event], error) {
		return readPage(body, func(e *event) (string, psp.Event) {
			read, err := e.read()
			if err != nil {
				read = psp.Event{ID: e.ID}
			}
			return e.ID, read
		})
	})
}

func pageQuery(after string) string {
	query := "?limit=" + strconv.Itoa(pageSize)
	if after != "" {
		query += "&starting_after=" + url.QueryEscape(after)
	}
	return query
}

// readPage reads a page of Stripe's objects. The next one comes after the last object of this one.
func readPage[T, Item any](body []byte, read func(*T) (id string, item Item)) (page psp.Page[Item], err error) {
	var list struct {
		Object  string `json:"object"`
		Data    []T    `json:"data"`
		HasMore bool   `json:"has_more"`
	}
	if err := json.Unmarshal(body, &list); err != nil || list.Object != "list" {
		return page, errNoList
	}
	last := ""
	for i := range list.Data {
		id, item := read(&list.Data[i])
		page.Items, last = append(page.Items, item), id
	}
	if list.HasMore {
		if page.Next = last; last == "" {
			return page, errNoList // or it would begin anew
		}
	}
	return page, nil
}
