package graph

import (
	"context"
	"errors"

	graphql "github.com/graph-gophers/graphql-go"

	"github.com/crepe-checkout/crepe/edge/notify"
)

type deliveryFilter struct {
	ID, Status, EventType, EventID *stringFilter
	CreatedAt                      *dateTimeFilter
}

func (f *deliveryFilter) check() error {
	if f == nil {
		return nil
	}
	return checked(f.ID, f.Status, f.EventType, f.EventID, f.CreatedAt)
}

func (f *deliveryFilter) match(d *notify.Delivery) bool {
	return f == nil || f.ID.match(d.ID) && f.Status.match(string(d.State)) && f.EventType.match(d.EventType) && f.EventID.match(d.EventID) &&
		f.CreatedAt.match(d.CreatedAt)
}

type deliveriesArgs struct {
	StoreID *string
	paging
	Filter *deliveryFilter
}

func (q *query) WebhookDeliveries(ctx context.Context, args deliveriesArgs) ([]*delivery, error) {
	v, err := merchantOf(ctx)
	if err != nil {
		return nil, err
	}
	limit, offset, err := args.bounds()
	if err != nil {
		return nil, err
	}
	list, err := v.deliveries(ctx, args.StoreID, args.Filter, limit+offset)
	if err != nil {
		return nil, err
	}
	return page(args.paging, list)
}

func (q *query) WebhookDeliveriesCount(ctx context.Context, args struct {
	StoreID *string
	Filter  *deliveryFilter
}) (int32, error) {
	v, err := merchantOf(ctx)
	if err != nil {
		return 0, err
	}
	if args.Filter == nil || *args.Filter == (deliveryFilter{}) {
		return v.deliveriesKept(ctx, args.StoreID)
	}
	list, err := v.deliveries(ctx, args.StoreID, args.Filter, maxRecords)
	return int32(len(list)), err
}

// deliveriesKept counts the deliveries of the stores that the viewer may see.
func (v *viewer) deliveriesKept(ctx context.Context, storeID *string) (count int32, err error) {
	stores, err := v.storesIn(ctx, storeID)
	for _, s := range stores {
		n, counted := v.config.Records.CountDeliveriesOf(ctx, v.env, s.ID)
		count, err = count+int32(n), errors.Join(err, counted)
	}
	return count, err
}

// deliveries reads the deliveries of the stores that the viewer may see, of each of them the newest first, until there are enough.
func (v *viewer) deliveries(ctx context.Context, storeID *string, f *deliveryFilter, enough int) (list []*delivery, err error) {
	stores, err := v.storesIn(ctx, storeID)
	if err := errors.Join(err, f.check()); err != nil {
		return nil, err
	}
	for _, s := range stores {
		urls, err := v.urls(ctx, s.ID)
		if err != nil {
			return nil, err
		}
		for after, more := "", true; more && len(list) < enough; more = after != "" {
			read, err := v.config.Records.Deliveries(ctx, v.env, s.ID, after, maxLimit)
			if err := errors.Join(err, v.spend(len(read.Items))); err != nil {
				return nil, err
			}
			for i := range read.Items {
				if d := &read.Items[i]; f.match(d) {
					list = append(list, &delivery{d, urls[d.EndpointID]})
				}
			}
			after = read.Next
		}
	}
	return list, nil
}

// urls returns the URLs of a store's endpoints by their ids.
func (v *viewer) urls(ctx context.Context, storeID string) (map[string]string, error) {
	endpoints, err := v.config.Records.Endpoints(ctx, v.env, storeID)
	if err != nil {
		return nil, err
	}
	urls := map[string]string{}
	for i := range endpoints.Items {
		urls[endpoints.Items[i].ID] = endpoints.Items[i].URL
	}
	return urls, nil
}

type delivery struct {
	record *notify.Delivery
	url    string
}

// last returns the last try, nil before the first.
func (d *delivery) last() *notify.Try {
	if n := len(d.record.Tries); n > 0 {
		return &d.record.Tries[n-1]
	}
	return nil
}

func (d *delivery) ID() graphql.ID      { return graphql.ID(d.record.ID) }
func (d *delivery) StoreID() graphql.ID { return graphql.ID(d.record.StoreID) }
func (d *delivery) EventType() string   { return d.record.EventType }
func (d *delivery) EventID() string     { return d.record.EventID }
func (d *delivery) Payload() string     { return string(d.record.Body) }
func (d *delivery) WebhookURL() *string { return orNull(d.url) }
func (d *delivery) Status() string      { return string(d.record.State) }
func (d *delivery) AttemptCount() int32 { return int32(len(d.record.Tries)) }
func (d *delivery) CreatedAt() string   { return timestamp(d.record.CreatedAt) }

func (d *delivery) HTTPStatus() *int32 {
	last := d.last()
	if last == nil || last.Status == 0 {
		return nil
	}
	status := int32(last.Status)
	return &status
}

func (d *delivery) ResponseBody() *string {
	last := d.last()
	if last == nil || last.Status == 0 {
		return nil
	}
	return &last.Answer
}

func (d *delivery) LastAttemptedAt() *string {
	if last := d.last(); last != nil {
		return timeOrNull(last.At)
	}
	return nil
}
