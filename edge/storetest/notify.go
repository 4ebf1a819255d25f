package storetest

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/record"
	"github.com/crepe-checkout/crepe/edge/shortid"
)

func newEndpoint(env checkout.Environment, storeID string) notify.Endpoint {
	return notify.Endpoint{ID: shortid.NewV4(rand.Reader).String(), Environment: env, MerchantID: fresh("MER"), StoreID: storeID,
		URL: "https://example.com/" + fresh("hook"), Events: []string{"order.completed"}, CreatedAt: 5, UpdatedAt: 6}
}

// endpoints adds, changes and removes endpoints of a store in both environments.
func endpoints(s record.Store) error {
	storeID := fresh("STO")
	empty, err := s.Endpoints(background, checkout.Test, storeID)
	if err != nil || !reflect.DeepEqual(empty, &notify.Endpoints{Environment: checkout.Test, StoreID: storeID}) {
		return fmt.Errorf("a store without endpoints has %+v, %v", empty, err)
	}
	all := *empty
	all.Items = []notify.Endpoint{newEndpoint(checkout.Test, storeID), newEndpoint(checkout.Test, storeID)}
	foreign := notify.Endpoints{Environment: checkout.Prod, StoreID: storeID, Items: []notify.Endpoint{newEndpoint(checkout.Prod, storeID)}}
	if err := cmp.Or(need("adding", s.CommitNotify(background, notify.Change{Endpoints: &all})),
		need("adding in prod", s.CommitNotify(background, notify.Change{Endpoints: &foreign})),
		want("adding at an old version", s.CommitNotify(background, notify.Change{Endpoints: &all}), notify.ErrStale)); err != nil {
		return err
	}
	all.Version++
	if got, err := s.Endpoints(background, checkout.Test, storeID); err != nil || !reflect.DeepEqual(got, &all) {
		return fmt.Errorf("read %+v, %v; want %+v", got, err, all)
	}
	kept, removed := all.Items[0], all.Items[1]
	all.Items = all.Items[:1]
	if err := s.CommitNotify(background, notify.Change{Endpoints: &all}); err != nil {
		return err
	}
	home, err := s.EndpointStore(background, checkout.Test, kept.ID)
	if err != nil || home != storeID {
		return fmt.Errorf("the endpoint is at %q, %v", home, err)
	}
	if err := listedEndpoints(s, checkout.Test, kept, removed); err != nil {
		return err
	}
	_, errRemoved := s.EndpointStore(background, checkout.Test, removed.ID)
	_, errEnv := s.EndpointStore(background, checkout.Prod, kept.ID)
	_, errUnknown := s.EndpointStore(background, checkout.Test, storeID)
	return cmp.Or(want("a removed endpoint", errRemoved, notify.ErrNotFound), want("in the other environment", errEnv, notify.ErrNotFound),
		want("an unknown endpoint", errUnknown, notify.ErrNotFound))
}

// listedEndpoints checks that the list of all endpoints of an environment has one of them and not the other.
func listedEndpoints(s record.Store, env checkout.Environment, there, gone notify.Endpoint) error {
	listed, err := pages(2, func(e notify.Endpoint) string { return e.ID }, func(after string, limit int) (psp.Page[notify.Endpoint], error) {
		return s.AllEndpoints(background, env, after, limit)
	})
	if err != nil {
		return err
	}
	found := 0
	for _, e := range listed {
		if e.ID == gone.ID || e.Environment != env {
			return fmt.Errorf("the list of %s has %+v", env, e)
		}
		if reflect.DeepEqual(e, there) {
			found++
		}
	}
	if found != 1 {
		return fmt.Errorf("the list has %s %d times", there.ID, found)
	}
	return nil
}

// endpointRace lets all racers add an endpoint, each until its write succeeds.
func endpointRace(s record.Store) error {
	storeID := fresh("STO")
	won, lost := race(func(int) error {
		for {
			all, err := s.Endpoints(background, checkout.Test, storeID)
			if err != nil {
				return err
			}
			all.Items = append(all.Items, newEndpoint(checkout.Test, storeID))
			if err := s.CommitNotify(background, notify.Change{Endpoints: all}); !errors.Is(err, notify.ErrStale) {
				return err
			}
		}
	})
	if won != racers {
		return lost[0]
	}
	all, err := s.Endpoints(background, checkout.Test, storeID)
	if err == nil && (len(all.Items) != racers || all.Version != racers) {
		err = fmt.Errorf("%d writes made %d endpoints, at version %d", racers, len(all.Items), all.Version)
	}
	return err
}

// newDelivery returns a delivery that is made and due at an instant.
func newDelivery(env checkout.Environment, storeID, endpointID string, at int64) *notify.Delivery {
	return &notify.Delivery{ID: shortid.NewV7(time.UnixMilli(at), rand.Reader).String(), Environment: env, MerchantID: fresh("MER"), StoreID: storeID,
		EndpointID: endpointID, EventType: "order.completed", EventID: fresh("PAY"), OrderID: fresh("ORD"), Body: []byte(`{"ê":"\u0026"}`),
		Signature: "t=1,v1=x", SignedAt: at, State: notify.Pending, DueAt: at, CreatedAt: at, UpdatedAt: at}
}

// put writes a delivery and moves the copy at hand to its next version.
func put(s record.Store, d *notify.Delivery) error {
	err := s.CommitNotify(background, notify.Change{Deliveries: []*notify.Delivery{d}})
	if err == nil {
		d.Version++
	}
	return err
}

func deliveries(s record.Store) error {
	storeID, endpoint := fresh("STO"), shortid.NewV4(rand.Reader).String()
	var made []notify.Delivery
	for i := range int64(5) {
		d := newDelivery(checkout.Test, storeID, endpoint, 1000*(i+1))
		if err := cmp.Or(put(s, d), put(s, newDelivery(checkout.Prod, storeID, endpoint, 1500)), put(s, newDelivery(checkout.Test, fresh("STO"), endpoint, 1500))); err != nil {
			return err
		}
		made = append(made, *d)
	}
	tried := &made[2]
	tried.State, tried.DueAt, tried.Sent = notify.Delivered, 0, 1
	tried.UpdatedAt = time.Now().UnixMilli()
	tried.Tries = []notify.Try{{At: 3000, Took: 5, Status: 204}, {At: 3000, Error: "no answer"}}
	if err := put(s, tried); err != nil {
		return err
	}
	got, err := s.Delivery(background, checkout.Test, tried.ID)
	if err != nil || !reflect.DeepEqual(got, tried) {
		return fmt.Errorf("read %+v, %v; want %+v", got, err, tried)
	}
	slices.Reverse(made)
	var listed []notify.Delivery
	for after := ""; ; {
		page, err := s.Deliveries(background, checkout.Test, storeID, after, 2)
		if err != nil || len(page.Items) > 2 {
			return fmt.Errorf("a page of two has %d, %v", len(page.Items), err)
		}
		listed = append(listed, page.Items...)
		if after = page.Next; after == "" {
			break
		}
	}
	if !reflect.DeepEqual(listed, made) {
		return fmt.Errorf("listed %+v; want the newest first: %+v", listed, made)
	}
	_, errEnv := s.Delivery(background, checkout.Prod, tried.ID)
	_, errUnknown := s.Delivery(background, checkout.Test, endpoint)
	old := *tried
	old.Version--
	return cmp.Or(want("in the other environment", errEnv, notify.ErrNotFound), want("an unknown id", errUnknown, notify.ErrNotFound),
		want("an old version", put(s, &old), notify.ErrStale))
}

// deliveriesWithFact checks that deliveries are written together with taking their fact, or not at all.
func deliveriesWithFact(s record.Store) error {
	_, order, err := placed(s, checkout.Test)
	if err != nil {
		return err
	}
	got, err := addFacts(s, order, 1)
	if err != nil {
		return err
	}
	first, second := newDelivery(checkout.Test, order.StoreID, fresh("we"), 1000), newDelivery(checkout.Test, order.StoreID, fresh("we"), 1000)
	stale := *second
	stale.Version = 7
	err = s.CommitNotify(background, notify.Change{Fact: &got[0], Deliveries: []*notify.Delivery{first, &stale}})
	if err := want("with a stale delivery", err, notify.ErrStale); err != nil {
		return err
	}
	left, err := queued(s, order)
	if err != nil || len(left) != 1 {
		return fmt.Errorf("a refused change has left %d facts, %v", len(left), err)
	}
	change := notify.Change{Fact: &got[0], Deliveries: []*notify.Delivery{first, second}}
	if err := cmp.Or(need("the change", s.CommitNotify(background, change)), want("it again", s.CommitNotify(background, change), notify.ErrStale)); err != nil {
		return err
	}
	page, err := s.Deliveries(background, checkout.Test, order.StoreID, "", 10)
	if err == nil && len(page.Items) != 2 {
		err = fmt.Errorf("a fact has made %d deliveries, want 2", len(page.Items))
	}
	return err
}

// dueDeliveries gives one endpoint many deliveries and others one, and moves some.
func dueDeliveries(s record.Store) error {
	storeID := fresh("STO")
	ids := []string{"a" + fresh("we"), "b" + fresh("we"), "c" + fresh("we")}
	var many []*notify.Delivery
	for i := range int64(5) {
		many = append(many, newDelivery(checkout.Test, storeID, ids[0], 5000-i)) // the last one is due first
	}
	one, later := newDelivery(checkout.Test, storeID, ids[1], 5000), newDelivery(checkout.Prod, storeID, ids[2], 5001)
	for _, d := range append(slices.Clone(many), one, later) {
		if err := put(s, d); err != nil {
			return err
		}
	}
	look := func(what string, now int64, wanted ...*notify.Delivery) error {
		due, err := s.DueDeliveries(background, now, 2)
		var got []string
		for _, d := range due {
			if slices.Contains(ids, d.EndpointID) {
				got = append(got, fmt.Sprint(d.Environment, d.EndpointID, d.ID))
			}
		}
		var names []string
		for _, d := range wanted {
			names = append(names, fmt.Sprint(d.Environment, d.EndpointID, d.ID))
		}
		slices.SortStableFunc(got, func(a, b string) int { return strings.Compare(a[:20], b[:20]) })
		slices.SortStableFunc(names, func(a, b string) int { return strings.Compare(a[:20], b[:20]) })
		if err != nil || !slices.Equal(got, names) {
			return fmt.Errorf("%s: %v, %v; want %v", what, got, err, names)
		}
		return nil
	}
	if err := cmp.Or(look("two of each endpoint", 5000, many[4], many[3], one), look("all", 5001, many[4], many[3], one, later),
		look("before all", 4995), look("the first only", 4996, many[4])); err != nil {
		return err
	}
	many[4].DueAt, many[3].State, many[3].DueAt, one.State, one.DueAt = 9000, notify.Delivered, 0, notify.Failed, 0
	for _, d := range []*notify.Delivery{many[4], many[3], one} {
		d.UpdatedAt = time.Now().UnixMilli()
		if err := put(s, d); err != nil {
			return err
		}
	}
	return look("after some were sent", 5000, many[2], many[1])
}

func countedDeliveries(s record.Store) error {
	before, err := s.CountDeliveries(background, checkout.Test)
	if err != nil {
		return err
	}
	look := func(what string, pending, failed int) error {
		got, err := s.CountDeliveries(background, checkout.Test)
		if pending > 0 && (got.DueSince <= 0 || got.DueSince > 2000) { // other tests may have left some that are due earlier
			return fmt.Errorf("%s: due since %d, want 2000 at most", what, got.DueSince)
		}
		got.DueSince = 0
		if wanted := (notify.Counts{Pending: before.Pending + pending, Failed: before.Failed + failed}); err != nil || got != wanted {
			return fmt.Errorf("%s: %+v, %v; want %+v", what, got, err, wanted)
		}
		return nil
	}
	storeID := fresh("STO")
	first, second := newDelivery(checkout.Test, storeID, fresh("we"), 1000), newDelivery(checkout.Test, storeID, fresh("we"), 1000)
	if err := cmp.Or(put(s, first), put(s, second), put(s, newDelivery(checkout.Prod, storeID, fresh("we"), 1000)), look("two are new", 2, 0)); err != nil {
		return err
	}
	first.State, first.DueAt, first.UpdatedAt = notify.Failed, 0, time.Now().UnixMilli()
	second.State, second.DueAt, second.UpdatedAt = notify.Delivered, 0, time.Now().UnixMilli()
	if err := cmp.Or(put(s, first), put(s, second), look("one failed, one was delivered", 0, 1), failedOne(s, first, second)); err != nil {
		return err
	}
	first.State, first.DueAt = notify.Pending, 2000
	if err := cmp.Or(put(s, first), look("the failed one is sent again", 1, 0)); err != nil {
		return err
	}
	for env, want := range map[checkout.Environment]int{checkout.Test: 2, checkout.Prod: 1} {
		if got, err := s.CountDeliveriesOf(background, env, storeID); err != nil || got != want {
			return fmt.Errorf("the store has %d deliveries in %s, want %d: %v", got, env, want, err)
		}
	}
	return nil
}

// failedOne checks that the list of failed deliveries has one delivery and not the other.
func failedOne(s record.Store, failed, other *notify.Delivery) error {
	listed, err := pages(1, func(d notify.Delivery) string { return d.ID }, func(after string, limit int) (psp.Page[notify.Delivery], error) {
		return s.FailedDeliveries(background, failed.Environment, after, limit)
	})
	if err != nil {
		return err
	}
	found := 0
	for i := range listed {
		if listed[i].ID == other.ID || listed[i].State != notify.Failed {
			return fmt.Errorf("the list of failed deliveries has %+v", listed[i])
		}
		if reflect.DeepEqual(&listed[i], failed) {
			found++
		}
	}
	if found != 1 {
		return fmt.Errorf("the list of failed deliveries has %s %d times", failed.ID, found)
	}
	return nil
}
