package admin

import (
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/psp"
)

// Endpoint is a webhook endpoint, without its secret.
type Endpoint struct {
	Environment checkout.Environment `json:"environment"`
	ID          string               `json:"id"`
	StoreID     string               `json:"storeId"`
	URL         string               `json:"url"`
	Events      []string             `json:"events"`
	CreatedAt   *time.Time           `json:"createdAt"`
	UpdatedAt   *time.Time           `json:"updatedAt"`
}

func (a *Admin) listEndpoints(ctx context.Context, in ListRequest) (List[Endpoint], error) {
	return list(ctx, in, a.config.Notify.Store.AllEndpoints, func(e *notify.Endpoint) Endpoint {
		return Endpoint{e.Environment, e.ID, e.StoreID, e.URL, e.Events, moment(e.CreatedAt), moment(e.UpdatedAt)}
	})
}

// DeliveriesRequest asks for the deliveries of a store, the newest first, or for the failed ones of all stores.
type DeliveriesRequest struct {
	Environment string `json:"environment"`       // test or prod
	StoreID     string `json:"storeId,omitempty"` // "" for the failed ones of all stores
	After       string `json:"after,omitempty"`   // "" for the first page, then Next of the page before
}

// Delivery is a delivery, without its body.
type Delivery struct {
	At          *time.Time           `json:"at"` // when it was made
	Environment checkout.Environment `json:"environment"`
	ID          string               `json:"id"`
	StoreID     string               `json:"storeId"`
	EndpointID  string               `json:"endpointId"`
	EventType   string               `json:"eventType"`
	EventID     string               `json:"eventId"`
	OrderID     string               `json:"orderId,omitempty"`
	State       notify.DeliveryState `json:"state"`
	DueAt       *time.Time           `json:"dueAt"` // when it is sent next; null for never
	Tries       []Try                `json:"tries"` // oldest first; the latest ones
}

// Try is one try to deliver.
type Try struct {
	At     *time.Time `json:"at"`
	TookMS int64      `json:"tookMs"`
	Status int        `json:"status,omitempty"`
	Answer string     `json:"answer,omitempty"` // the beginning of the body
	Error  string     `json:"error,omitempty"`
}

func showDelivery(d *notify.Delivery) Delivery {
	shown := Delivery{At: moment(d.CreatedAt), Environment: d.Environment, ID: d.ID, StoreID: d.StoreID, EndpointID: d.EndpointID,
		EventType: d.EventType, EventID: d.EventID, OrderID: d.OrderID, State: d.State, DueAt: moment(d.DueAt), Tries: []Try{}}
	for _, t := range d.Tries {
		shown.Tries = append(shown.Tries, Try{moment(t.At), t.Took, t.Status, t.Answer, t.Error})
	}
	return shown
}

func (a *Admin) listDeliveries(ctx context.Context, in DeliveriesRequest) (List[Delivery], error) {
	read := a.config.Notify.Store.FailedDeliveries
	if in.StoreID != "" {
		read = func(ctx context.Context, env checkout.Environment, after string, limit int) (psp.Page[notify.Delivery], error) {
			return a.config.Notify.Store.Deliveries(ctx, env, in.StoreID, after, limit)
		}
	}
	return list(ctx, ListRequest{in.Environment, in.After}, read, showDelivery)
}

// WebhookRequest names a delivery to resend, or an endpoint to test.
type WebhookRequest struct {
	Environment string `json:"environment,omitempty"` // "" to look in both
	ID          string `json:"id"`
}

func (a *Admin) resendDelivery(ctx context.Context, in WebhookRequest) (Delivery, error) {
	return a.sendOne(ctx, in, "there is no delivery %q%s, or its endpoint was removed", a.config.Notify.Resend)
}

func (a *Admin) testEndpoint(ctx context.Context, in WebhookRequest) (Delivery, error) {
	return a.sendOne(ctx, in, "there is no webhook endpoint %q%s", a.config.Notify.SendTest)
}

func (a *Admin) sendOne(ctx context.Context, in WebhookRequest, missing string,
	send func(context.Context, checkout.Environment, string) (*notify.Delivery, error)) (shown Delivery, err error) {
	_, err = inOneOf(in.Environment, notify.ErrNotFound, func(env checkout.Environment) error {
		d, err := send(ctx, env, in.ID)
		if err == nil {
			shown = showDelivery(d)
		}
		return err
	})
	if errors.Is(err, notify.ErrNotFound) {
		err = refusef(problem.NotFound, missing, in.ID, where(in.Environment))
	}
	return shown, err
}

// PublicKeysRequest names the environment; "" is both.
type PublicKeysRequest struct {
	Environment string `json:"environment,omitempty"`
}

// PublicKey verifies the webhooks of an environment.
type PublicKey struct {
	Environment checkout.Environment `json:"environment"`
	PublicKey   string               `json:"publicKey"` // SPKI in PEM
}

// PublicKeys are the public keys of the environments that were asked for.
type PublicKeys struct {
	Items []PublicKey `json:"items"`
}

func (a *Admin) webhookKeys(ctx context.Context, in PublicKeysRequest) (keys PublicKeys, err error) {
	envs, err := parseEnvironments(in.Environment)
	for _, env := range envs {
		signer, err := a.config.Notify.Signer(ctx, env)
		if err != nil {
			return keys, err
		}
		key, err := signer.PublicKey()
		if err != nil {
			return keys, err
		}
		keys.Items = append(keys.Items, PublicKey{env, key})
	}
	return keys, err
}

// Host is the host of an endpoint's URL, for a table: the rest may hold a secret.
func (e *Endpoint) Host() string {
	u, err := url.Parse(e.URL)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
