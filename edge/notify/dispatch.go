package notify

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/crepe-checkout/crepe/edge/shortid"
)

// factBatch is how many facts are read at once.
const factBatch = 100

// dispatch handles the facts of the outbox, one after the other. A fact that cannot become an event stays, and holds up no later
// one; when the store refuses a write, all of them wait.
func (s *Service) dispatch(ctx context.Context) {
	for after := uint64(0); ctx.Err() == nil; {
		facts, err := s.Store.Facts(ctx, after, factBatch)
		if err != nil {
			s.logError("", "the outbox cannot be read", "error", err)
		}
		if len(facts) == 0 {
			return
		}
		after = facts[len(facts)-1].Seq
		for i := range facts {
			if ctx.Err() != nil || !s.handle(ctx, &facts[i]) {
				return
			}
		}
	}
}

// handle writes all that follows from a fact and takes the fact out of the outbox, in one commit. It reports whether the next fact
// may be handled.
func (s *Service) handle(ctx context.Context, f *QueuedFact) bool {
	change, err := s.consequences(ctx, f)
	if err != nil {
		s.logError(f.EventID, "an event cannot be made", "kind", f.Kind, "environment", f.Environment, "order", f.OrderID, "event", f.EventID,
			"error", err)
		return true
	}
	switch err := s.Store.CommitNotify(ctx, change); {
	case errors.Is(err, ErrStale):
	case err != nil:
		s.logError("", "events wait in the outbox: the database refuses them", "error", err)
		return false
	default:
		for _, d := range change.Deliveries {
			s.lanes.add(DueDelivery{d.Environment, d.EndpointID, d.ID})
		}
		s.start(ctx)
	}
	return true
}

// consequences is all that follows from a fact: its document, the check of the buyer's VAT number, and a delivery for each endpoint
// that has subscribed to it.
func (s *Service) consequences(ctx context.Context, f *QueuedFact) (Change, error) {
	change := Change{Fact: f}
	issued, err := s.Invoices.Issue(ctx, &f.Fact)
	if err != nil {
		return change, err
	}
	change.Document, change.Mail = issued.Document, issued.Mail
	if s.VIES != nil {
		if change.VATCheck, err = s.VIES.CheckOf(ctx, &f.Fact); err != nil {
			return change, err
		}
	}
	endpoints, err := s.Store.Endpoints(ctx, f.Environment, f.StoreID)
	if err != nil {
		return change, err
	}
	subscribed := slices.DeleteFunc(endpoints.Items, func(e Endpoint) bool { return !slices.Contains(e.Events, string(f.Kind)) })
	if len(subscribed) == 0 {
		return change, nil
	}
	sale, err := s.sale(ctx, &f.Fact)
	if err != nil {
		return change, err
	}
	if change.Document != nil {
		sale.receiptURL = s.Invoices.URL(change.Document)
	}
	data, err := sale.data(&f.Fact)
	if err != nil {
		return change, err
	}
	for i := range subscribed {
		d, err := s.delivery(ctx, &subscribed[i], event{string(f.Kind), f.EventID, f.OrderID, sale.store.Name, f.At, data})
		if err != nil {
			return change, err
		}
		change.Deliveries = append(change.Deliveries, d)
	}
	return change, nil
}

// event is what an endpoint is told.
type event struct {
	kind, id, orderID, storeName string
	at                           int64 // Unix milliseconds
	data                         any
}

// delivery makes a delivery of an event to an endpoint, with body and header.
func (s *Service) delivery(ctx context.Context, e *Endpoint, ev event) (*Delivery, error) {
	now := s.Now()
	d := &Delivery{ID: shortid.NewV7(now, s.Rand).String(), Environment: e.Environment, MerchantID: e.MerchantID, StoreID: e.StoreID,
		EndpointID: e.ID, EventType: ev.kind, EventID: ev.id, OrderID: ev.orderID, State: Pending,
		DueAt: now.UnixMilli(), CreatedAt: now.UnixMilli(), UpdatedAt: now.UnixMilli(), Keep: s.Keep.Milliseconds()}
	var err error
	if d.Body, err = render(d, ev.storeName, ev.at, ev.data); err != nil {
		return nil, err
	}
	return d, s.sign(ctx, d, now)
}

// sign makes the header of a delivery.
func (s *Service) sign(ctx context.Context, d *Delivery, now time.Time) error {
	signer, err := s.Signer(ctx, d.Environment)
	if err != nil {
		return err
	}
	d.SignedAt = now.UnixMilli()
	d.Signature, err = signer.Sign(d.Body, now)
	return err
}
