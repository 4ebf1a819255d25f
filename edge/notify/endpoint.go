package notify

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"unicode/utf8"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/shortid"
)

const (
	// maxEndpoints is how many endpoints a store has in an environment, as published. Each environment counts by itself: what a
	// test key does must not be seen in prod.
	maxEndpoints = 20
	// maxSecret is the longest secret in characters.
	maxSecret = 256
)

// Endpoint is where a merchant's server hears of the events of a store in one environment.
type Endpoint struct {
	ID          string // UUID
	Environment checkout.Environment
	MerchantID  string
	StoreID     string
	URL         string
	Events      []string // the types of events that it gets
	Secret      string   // kept for the merchant; an http endpoint needs none
	CreatedAt   int64    // Unix milliseconds
	UpdatedAt   int64
}

// Endpoints are the endpoints of a store in one environment. They are one record.
type Endpoints struct {
	Environment checkout.Environment
	StoreID     string
	Version     uint64 // counts the writes; 0 is new
	Items       []Endpoint
}

// find returns an endpoint by its id, nil if there is none.
func (e *Endpoints) find(id string) *Endpoint {
	if i := slices.IndexFunc(e.Items, func(item Endpoint) bool { return item.ID == id }); i >= 0 {
		return &e.Items[i]
	}
	return nil
}

// eventTypes are the published types of events. Those of subscriptions can be subscribed to, and never happen.
var eventTypes = []string{
	"order.completed", "refund.succeeded", "refund.failed",
	"subscription.activated", "subscription.payment_succeeded", "subscription.renewed", "subscription.recovered",
	"subscription.plan_changed", "subscription.plan_change_scheduled", "subscription.plan_change_failed",
	"subscription.canceling", "subscription.uncanceled", "subscription.canceled", "subscription.past_due",
}

var (
	missingStore   = problem.New(problem.Invalid, "store-id-required", "/storeId", "Missing required field: storeId")
	unknownStore   = catalog.StoreNotFound("/storeId")
	missingURL     = problem.New(problem.Invalid, "url-required", "/url", "Missing required field: url")
	badURL         = problem.New(problem.Invalid, "url-invalid", "/url", "Invalid url: expected the https URL of a public host, at most 2048 characters")
	missingEvents  = problem.New(problem.Invalid, "events-required", "/events", "Missing required field: events")
	badEvents      = problem.New(problem.Invalid, "events-invalid", "/events", `Invalid events: expected types of events (e.g., "order.completed")`)
	missingMode    = problem.New(problem.Invalid, "test-mode-required", "/testMode", "Missing required field: testMode")
	otherMode      = problem.New(problem.Invalid, "test-mode-mismatch", "/testMode", "Environment mismatch between testMode and API key")
	longSecret     = problem.New(problem.Invalid, "secret-too-long", "/secret", "secret must be at most 256 characters")
	tooMany        = problem.New(problem.Invalid, "too-many-webhooks", "", "Store has the maximum of 20 webhooks")
	missingID      = problem.New(problem.Invalid, "id-required", "/id", "Missing required field: id")
	badID          = problem.New(problem.Invalid, "webhook-id-invalid", "/id", "Invalid id: expected a webhook UUID")
	unknownWebhook = problem.New(problem.NotFound, "webhook-not-found", "/id", "Webhook not found")
)

// Owner is whose API key has signed: every read and write of an endpoint is that merchant's, in the key's environment.
type Owner struct {
	Environment checkout.Environment
	MerchantID  string
}

// NewEndpoint asks for an endpoint. A zero value is a field that was not given.
type NewEndpoint struct {
	StoreID  string
	URL      string
	Events   []string
	TestMode *bool
	Secret   string
}

// AddEndpoint adds an endpoint to a store of its owner. Refusals are a [*problem.Problem].
func (s *Service) AddEndpoint(ctx context.Context, owner Owner, r NewEndpoint) (*Endpoint, error) {
	if p := s.check(owner, &r); p != nil {
		return nil, p
	}
	store, err := s.Catalog.Store(ctx, r.StoreID)
	if errors.Is(err, catalog.ErrNotFound) || err == nil && (store.MerchantID != owner.MerchantID || store.DeletedAt != 0) {
		return nil, unknownStore
	}
	if err != nil {
		return nil, err
	}
	now := s.Now()
	added := &Endpoint{ID: shortid.NewV4(s.Rand).String(), Environment: owner.Environment, MerchantID: owner.MerchantID, StoreID: r.StoreID,
		URL: r.URL, Events: distinct(r.Events), Secret: r.Secret, CreatedAt: now.UnixMilli(), UpdatedAt: now.UnixMilli()}
	err = s.change(ctx, owner.Environment, r.StoreID, func(all *Endpoints) error {
		if len(all.Items) >= maxEndpoints {
			return tooMany
		}
		all.Items = append(all.Items, *added)
		return nil
	})
	return added, err
}

func (s *Service) check(owner Owner, r *NewEndpoint) *problem.Problem {
	_, isStore := shortid.Parse(shortid.Store, r.StoreID)
	switch {
	case r.StoreID == "":
		return missingStore
	case !isStore:
		return catalog.ErrStoreID
	case r.URL == "":
		return missingURL
	case r.Events == nil:
		return missingEvents
	case r.TestMode == nil:
		return missingMode
	case *r.TestMode != (owner.Environment == checkout.Test):
		return otherMode
	}
	return s.checkFields(r.URL, r.Events, r.Secret)
}

// checkFields checks what an update can change as well.
func (s *Service) checkFields(url string, events []string, secret string) *problem.Problem {
	switch {
	case !s.Reach.validURL(url):
		return badURL
	case len(events) == 0 || slices.ContainsFunc(events, func(e string) bool { return !slices.Contains(eventTypes, e) }):
		return badEvents
	case utf8.RuneCountInString(secret) > maxSecret:
		return longSecret
	}
	return nil
}

// distinct returns each text once, in the order of its first.
func distinct(texts []string) (once []string) {
	for _, text := range texts {
		if !slices.Contains(once, text) {
			once = append(once, text)
		}
	}
	return once
}

// EndpointUpdate changes an endpoint. What a zero field is about stays as it is.
type EndpointUpdate struct {
	ID     string
	URL    string
	Events []string
	Secret catalog.Patch[string]
}

// UpdateEndpoint changes an endpoint of its owner. Deliveries that are still to be sent go to its new URL.
func (s *Service) UpdateEndpoint(ctx context.Context, owner Owner, r EndpointUpdate) (*Endpoint, error) {
	return s.changeOne(ctx, owner, r.ID, func(_ *Endpoints, e *Endpoint) error {
		e.URL = cmp.Or(r.URL, e.URL)
		if r.Secret.Given {
			e.Secret = r.Secret.Value
		}
		if r.Events != nil {
			e.Events = distinct(r.Events)
		}
		e.UpdatedAt = s.Now().UnixMilli()
		if p := s.checkFields(e.URL, e.Events, e.Secret); p != nil {
			return p
		}
		return nil
	})
}

// RemoveEndpoint removes an endpoint of its owner, and returns it as it was. Its deliveries stay; those that are still to be sent
// fail.
func (s *Service) RemoveEndpoint(ctx context.Context, owner Owner, id string) (*Endpoint, error) {
	return s.changeOne(ctx, owner, id, func(all *Endpoints, e *Endpoint) error {
		removed := e.ID
		all.Items = slices.DeleteFunc(slices.Clone(all.Items), func(item Endpoint) bool { return item.ID == removed })
		return nil
	})
}

// changeOne changes one endpoint of its owner, and returns it. What is another merchant's or of the other environment is not there.
func (s *Service) changeOne(ctx context.Context, owner Owner, id string, do func(*Endpoints, *Endpoint) error) (changed *Endpoint, err error) {
	if _, ok := shortid.ParseUUID(id); !ok {
		if id == "" {
			return nil, missingID
		}
		return nil, badID
	}
	storeID, err := s.Store.EndpointStore(ctx, owner.Environment, id)
	if errors.Is(err, ErrNotFound) {
		return nil, unknownWebhook
	}
	if err != nil {
		return nil, err
	}
	err = s.change(ctx, owner.Environment, storeID, func(all *Endpoints) error {
		e := all.find(id)
		if e == nil || e.MerchantID != owner.MerchantID {
			return unknownWebhook
		}
		if err := do(all, e); err != nil {
			return err
		}
		changed = e
		return nil
	})
	return changed, err
}

// change reads the endpoints of a store, lets do change them and writes them, until nobody else has written in between.
func (s *Service) change(ctx context.Context, env checkout.Environment, storeID string, do func(*Endpoints) error) error {
	for {
		all, err := s.Store.Endpoints(ctx, env, storeID)
		if err != nil {
			return err
		}
		if err := do(all); err != nil {
			return err
		}
		if err := s.Store.CommitNotify(ctx, Change{Endpoints: all}); !errors.Is(err, ErrStale) {
			return err
		}
	}
}
