package notify

import (
	"context"
	"errors"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/shortid"
)

// TestEvent is the type of the event that [Service.SendTest] sends. No endpoint subscribes to it.
const TestEvent = "webhook.test"

// Resend sends a delivery once more, with the same body under a header of now, and again 1, 5 and 25 minutes later if it is not
// taken. What was recorded stays. [ErrNotFound] when there is no such delivery, or its endpoint was removed; [ErrErased] when
// what it said was erased.
func (s *Service) Resend(ctx context.Context, env checkout.Environment, id string) (*Delivery, error) {
	for {
		d, err := s.Store.Delivery(ctx, env, id)
		if err != nil {
			return nil, err
		}
		endpoints, err := s.Store.Endpoints(ctx, env, d.StoreID)
		if err != nil {
			return nil, err
		}
		if endpoints.find(d.EndpointID) == nil {
			return nil, ErrNotFound
		}
		if d.Erased() {
			return nil, ErrErased
		}
		d.restart(s.Now().UnixMilli())
		switch err := s.Store.CommitNotify(ctx, Change{Deliveries: []*Delivery{d}}); {
		case errors.Is(err, ErrStale):
			continue
		case err != nil:
			return nil, err
		}
		signal(s.due)
		return d, nil
	}
}

// testData is the data of a test event.
type testData struct {
	Message string `json:"message"`
}

// SendTest sends a test event to an endpoint, whatever it has subscribed to. [ErrNotFound] when there is no such endpoint.
func (s *Service) SendTest(ctx context.Context, env checkout.Environment, endpointID string) (*Delivery, error) {
	storeID, err := s.Store.EndpointStore(ctx, env, endpointID)
	if err != nil {
		return nil, err
	}
	endpoints, err := s.Store.Endpoints(ctx, env, storeID)
	if err != nil {
		return nil, err
	}
	endpoint := endpoints.find(endpointID)
	if endpoint == nil {
		return nil, ErrNotFound
	}
	store, err := s.Catalog.Store(ctx, storeID)
	if errors.Is(err, catalog.ErrNotFound) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	now := s.Now()
	d, err := s.delivery(ctx, endpoint, event{TestEvent, shortid.NewV7(now, s.Rand).String(), "", store.Name, now.UnixMilli(),
		testData{"This is a test. It is about no order."}})
	if err != nil {
		return nil, err
	}
	if err := s.Store.CommitNotify(ctx, Change{Deliveries: []*Delivery{d}}); err != nil {
		return nil, err
	}
	signal(s.due)
	return d, nil
}
