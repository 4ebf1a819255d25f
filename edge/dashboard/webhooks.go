package dashboard

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/psp"
)

// DeliveryReader reads endpoints and deliveries; see [notify.Store].
type DeliveryReader interface {
	Endpoints(ctx context.Context, env checkout.Environment, storeID string) (*notify.Endpoints, error)
	Delivery(ctx context.Context, env checkout.Environment, id string) (*notify.Delivery, error)
	Deliveries(ctx context.Context, env checkout.Environment, storeID, after string, limit int) (psp.Page[notify.Delivery], error)
}

// Webhooks is the part of [notify.Service] that the pages use.
type Webhooks interface {
	Resend(ctx context.Context, env checkout.Environment, deliveryID string) (*notify.Delivery, error)
	SendTest(ctx context.Context, env checkout.Environment, endpointID string) (*notify.Delivery, error)
}

var deliveryStates = map[notify.DeliveryState]status{
	notify.Pending:   {"Pending", ""},
	notify.Delivered: {"Delivered", "ok"},
	notify.Failed:    {"Failed", "danger"},
}

// webhooksPage shows the endpoints and deliveries of one store.
type webhooksPage struct {
	rows[deliveryRow]
	Stores    []option
	Store     string // "" if there is none
	Endpoints []endpointRow
}

type endpointRow struct {
	ID, URL string
	Events  string
}

type deliveryRow struct {
	ID, Path  string
	Event     string
	EventID   string
	URL       string
	Status    status
	CreatedAt int64
	Tries     int
	Last      string // the outcome of the latest try, "" before the first
}

func (h *Handler) webhooks(v *visit) (page, error) {
	p := &webhooksPage{Stores: v.stores.oneOf()}
	result := page{template: "webhooks", title: "Webhooks", data: p}
	store := v.stores.choose()
	if store == nil {
		return result, nil
	}
	p.Store = store.Name
	endpoints, err := h.config.Deliveries.Endpoints(v.ctx, v.env, store.ID)
	if err != nil {
		return page{}, err
	}
	urls := make(map[string]string)
	for _, e := range endpoints.Items {
		urls[e.ID] = e.URL
		p.Endpoints = append(p.Endpoints, endpointRow{e.ID, e.URL, strings.Join(e.Events, ", ")})
	}
	listed, err := h.config.Deliveries.Deliveries(v.ctx, v.env, store.ID, v.query("after"), pageSize)
	p.rows = rowsOf(v, listed, func(d *notify.Delivery) deliveryRow { return deliveryOf(v, d, urls[d.EndpointID]) })
	return result, err
}

func deliveryOf(v *visit, d *notify.Delivery, url string) deliveryRow {
	r := deliveryRow{ID: d.ID, Path: v.path("webhooks", d.ID), Event: d.EventType, EventID: d.EventID, URL: url, Status: deliveryStates[d.State],
		CreatedAt: d.CreatedAt, Tries: len(d.Tries)}
	if r.URL == "" {
		r.URL = "the endpoint was removed"
	}
	if len(d.Tries) > 0 {
		r.Last = outcomeOf(&d.Tries[len(d.Tries)-1])
	}
	return r
}

// outcomeOf is what a try has led to: "200 OK", or why there was no answer.
func outcomeOf(t *notify.Try) string {
	if t.Error != "" {
		return t.Error
	}
	return strings.TrimSpace(strconv.Itoa(t.Status) + " " + http.StatusText(t.Status))
}

// deliveryPage shows a delivery with everything that was tried.
type deliveryPage struct {
	deliveryRow
	DueAt     int64 // 0 is never
	Facts     []fact
	Tries     []tryRow
	Body      string
	Resend    bool // whether it can be sent again
	StorePath string
}

type tryRow struct {
	At              int64
	Took            int64 // milliseconds
	Outcome, Answer string
	Tone            string
}

func (h *Handler) delivery(v *visit) (page, error) {
	d, err := h.config.Deliveries.Delivery(v.ctx, v.env, v.id)
	if errors.Is(err, notify.ErrNotFound) {
		return page{}, errNotFound
	}
	if err != nil {
		return page{}, err
	}
	endpoints, err := h.config.Deliveries.Endpoints(v.ctx, v.env, d.StoreID)
	if err != nil {
		return page{}, err
	}
	p := &deliveryPage{Body: indented(d.Body), DueAt: d.DueAt}
	url := ""
	for _, e := range endpoints.Items {
		if e.ID == d.EndpointID {
			url, p.Resend = e.URL, !d.Erased()
		}
	}
	p.deliveryRow = deliveryOf(v, d, url)
	p.Facts = facts(
		fact{"Delivery", d.ID, true, ""}, fact{"To", p.URL, false, ""}, fact{"Event id", d.EventID, true, ""},
		fact{"Order", d.OrderID, true, orderPath(v, d.OrderID)}, fact{"Store", v.stores.name(d.StoreID), false, ""},
	)
	for i := len(d.Tries) - 1; i >= 0; i-- {
		t := &d.Tries[i]
		row := tryRow{t.At, t.Took, outcomeOf(t), strings.ToValidUTF8(t.Answer, "�"), "warn"}
		if t.Error == "" && t.Status/100 == 2 {
			row.Tone = "ok"
		}
		p.Tries = append(p.Tries, row)
	}
	return page{template: "delivery", title: d.EventType, data: p}, nil
}

// orderPath is the path of an order's page, "" without an order.
func orderPath(v *visit, id string) string {
	if id == "" {
		return ""
	}
	return v.path("orders", id)
}

// indented formats JSON for reading.
func indented(body []byte) string {
	var text bytes.Buffer
	if json.Indent(&text, body, "", "  ") != nil {
		return string(body)
	}
	return text.String()
}

// actOnWebhooks sends a delivery again, or a test event to an endpoint.
func (h *Handler) actOnWebhooks(v *visit, do, id string) (page, error) {
	var d *notify.Delivery
	var err error
	switch do {
	case "resend":
		d, err = h.config.Webhooks.Resend(v.ctx, v.env, id)
	case "test":
		d, err = h.config.Webhooks.SendTest(v.ctx, v.env, id)
	default:
		return page{}, errNotFound
	}
	if errors.Is(err, notify.ErrNotFound) {
		return page{}, errNotFound
	}
	if err != nil {
		return page{}, err
	}
	return page{to: v.path("webhooks", d.ID, "done", do)}, nil
}
