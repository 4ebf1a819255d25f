package record

import (
	"unicode/utf8"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/orders"
)

const (
	factVersion      = 1
	endpointsVersion = 1
	deliveryVersion  = 2
)

type fact struct {
	header
	Kind        orders.FactKind      `json:"kind"`
	Environment checkout.Environment `json:"environment"`
	StoreID     string               `json:"storeId"`
	OrderID     string               `json:"orderId"`
	EventID     string               `json:"eventId"`
	At          int64                `json:"at"`
}

// endpoints are the webhook endpoints of a store in one environment.
type endpoints struct {
	header
	Environment checkout.Environment `json:"environment"`
	StoreID     string               `json:"storeId"`
	Version     uint64               `json:"version"` // the compare-and-set number, not the record's version
	Items       []endpoint           `json:"items,omitempty"`
}

type endpoint struct {
	ID         string   `json:"id"`
	MerchantID string   `json:"merchantId"`
	URL        string   `json:"url"`
	Events     []string `json:"events,omitempty"`
	Secret     string   `json:"secret,omitempty"`
	CreatedAt  int64    `json:"createdAt"`
	UpdatedAt  int64    `json:"updatedAt"`
}

type delivery struct {
	header
	ID          string               `json:"id"`
	Environment checkout.Environment `json:"environment"`
	MerchantID  string               `json:"merchantId"`
	StoreID     string               `json:"storeId"`
	EndpointID  string               `json:"endpointId"`
	EventType   string               `json:"eventType"`
	EventID     string               `json:"eventId"`
	OrderID     string               `json:"orderId,omitempty"`
	Text        string               `json:"text,omitempty"` // the body
	Body        []byte               `json:"body,omitempty"` // one that is not UTF-8; base64
	Signature   string               `json:"signature,omitempty"`
	SignedAt    int64                `json:"signedAt,omitempty"`
	Version     uint64               `json:"version"` // the compare-and-set number, not the record's version
	State       notify.DeliveryState `json:"state"`
	Sent        int                  `json:"sent,omitempty"`
	Tries       []try                `json:"tries,omitempty"`
	DueAt       int64                `json:"dueAt,omitempty"`
	CreatedAt   int64                `json:"createdAt"`
	UpdatedAt   int64                `json:"updatedAt"`
	Keep        int64                `json:"keep,omitempty"` // since version 2
}

type try struct {
	At     int64  `json:"at"`
	Took   int64  `json:"took,omitempty"`
	Status int    `json:"status,omitempty"`
	Answer string `json:"answer,omitempty"`
	Error  string `json:"error,omitempty"`
}

func encodeFact(f *orders.Fact) ([]byte, error) {
	return encode(&fact{header{factVersion}, f.Kind, f.Environment, f.StoreID, f.OrderID, f.EventID, f.At})
}

func decodeFact(text []byte) (*orders.Fact, error) {
	var r fact
	if err := decode(text, &r, factVersion); err != nil {
		return nil, err
	}
	return &orders.Fact{Kind: r.Kind, Environment: r.Environment, StoreID: r.StoreID, OrderID: r.OrderID, EventID: r.EventID, At: r.At}, nil
}

func encodeEndpoints(e *notify.Endpoints) ([]byte, error) {
	return encode(&endpoints{header{endpointsVersion}, e.Environment, e.StoreID, e.Version, mapped(e.Items, func(i notify.Endpoint) endpoint {
		return endpoint{i.ID, i.MerchantID, i.URL, i.Events, i.Secret, i.CreatedAt, i.UpdatedAt}
	})})
}

// decodeEndpoints gives each endpoint the environment and store that the record has once.
func decodeEndpoints(text []byte) (*notify.Endpoints, error) {
	var r endpoints
	if err := decode(text, &r, endpointsVersion); err != nil {
		return nil, err
	}
	return &notify.Endpoints{Environment: r.Environment, StoreID: r.StoreID, Version: r.Version, Items: mapped(r.Items, func(i endpoint) notify.Endpoint {
		return notify.Endpoint{ID: i.ID, Environment: r.Environment, MerchantID: i.MerchantID, StoreID: r.StoreID, URL: i.URL, Events: i.Events,
			Secret: i.Secret, CreatedAt: i.CreatedAt, UpdatedAt: i.UpdatedAt}
	})}, nil
}

func encodeDelivery(d *notify.Delivery) ([]byte, error) {
	r := delivery{header: header{deliveryVersion}, ID: d.ID, Environment: d.Environment, MerchantID: d.MerchantID, StoreID: d.StoreID,
		EndpointID: d.EndpointID, EventType: d.EventType, EventID: d.EventID, OrderID: d.OrderID, Signature: d.Signature, SignedAt: d.SignedAt,
		Version: d.Version, State: d.State, Sent: d.Sent, Tries: mapped(d.Tries, func(t notify.Try) try { return try(t) }),
		DueAt: d.DueAt, CreatedAt: d.CreatedAt, UpdatedAt: d.UpdatedAt, Keep: d.Keep}
	if utf8.Valid(d.Body) {
		r.Text = string(d.Body)
	} else {
		r.Body = d.Body
	}
	return encode(&r)
}

func decodeDelivery(text []byte) (*notify.Delivery, error) {
	var r delivery
	if err := decode(text, &r, deliveryVersion); err != nil {
		return nil, err
	}
	d := &notify.Delivery{ID: r.ID, Environment: r.Environment, MerchantID: r.MerchantID, StoreID: r.StoreID, EndpointID: r.EndpointID,
		EventType: r.EventType, EventID: r.EventID, OrderID: r.OrderID, Body: r.Body, Signature: r.Signature, SignedAt: r.SignedAt,
		Version: r.Version, State: r.State, Sent: r.Sent, Tries: mapped(r.Tries, func(t try) notify.Try { return notify.Try(t) }),
		DueAt: r.DueAt, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt, Keep: r.Keep}
	if r.Body == nil {
		d.Body = []byte(r.Text)
	}
	return d, nil
}
