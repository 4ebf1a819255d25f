package storetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/record"
	"github.com/crepe-checkout/crepe/edge/sessions"
)

var background = context.Background()

func newSession(env checkout.Environment) *sessions.Session {
	return &sessions.Session{Session: checkout.Session{ID: fresh("cs"), Environment: env, StoreID: fresh("STO")},
		Metadata: map[string]string{"a": "b"}}
}

// newOrder returns an order of a session. It is due in the distant future, after all orders of the check due.
func newOrder(s *sessions.Session) *orders.Order {
	return &orders.Order{ID: fresh("ORD"), SessionID: s.ID, StoreID: s.StoreID, Environment: s.Environment, State: orders.Pending,
		Attempts: []orders.Attempt{{N: 1, State: orders.Sent,
			Placed: checkout.Order{SessionID: s.ID, Environment: s.Environment, StoreID: s.StoreID}}}, UpdatedAt: 5e12}
}

// placed stores a session with its order. Both are at version 1.
func placed(s record.Store, env checkout.Environment) (*sessions.Session, *orders.Order, error) {
	session := newSession(env)
	order := newOrder(session)
	session.OrderID = order.ID
	err := s.Commit(background, orders.Change{Session: session, Order: order})
	session.Version, order.Version = 1, 1
	return session, order, need("a new session and order", err)
}

func sessionByID(s record.Store) error {
	for _, env := range []checkout.Environment{checkout.Test, checkout.Prod} {
		session, order, err := placed(s, env)
		if err != nil {
			return err
		}
		got, err := s.Session(background, session.ID)
		if err != nil || !reflect.DeepEqual(got, session) {
			return fmt.Errorf("read %+v, %v; want %+v", got, err, session)
		}
		_, err = s.Session(background, order.ID)
		if err := want("an order's id", err, orders.ErrNotFound); err != nil {
			return err
		}
	}
	_, err := s.Session(background, fresh("cs"))
	return want("an unknown id", err, orders.ErrNotFound)
}

func orderEnvironment(s record.Store) error {
	session, order, err := placed(s, checkout.Test)
	if err != nil {
		return err
	}
	if got, err := s.Order(background, checkout.Test, order.ID); err != nil || !reflect.DeepEqual(got, order) {
		return fmt.Errorf("read %+v, %v; want %+v", got, err, order)
	}
	_, foreign := s.Order(background, checkout.Prod, order.ID)
	_, kind := s.Order(background, checkout.Test, session.ID)
	_, unknown := s.Order(background, checkout.Test, fresh("ORD"))
	return cmp.Or(want("in the other environment", foreign, orders.ErrNotFound), want("a session's id", kind, orders.ErrNotFound),
		want("an unknown id", unknown, orders.ErrNotFound))
}

func ownership(s record.Store) error {
	session, order, err := placed(s, checkout.Test)
	if err != nil {
		return err
	}
	first, err := s.Session(background, session.ID)
	if err != nil {
		return err
	}
	first.Metadata["a"], session.Metadata["a"] = "changed", "changed"
	mine, err := s.Order(background, checkout.Test, order.ID)
	if err != nil {
		return err
	}
	mine.Attempts[0].URL, order.Attempts[0].URL = "changed", "changed"
	again, err := s.Session(background, session.ID)
	if err != nil || again.Metadata["a"] != "b" {
		return fmt.Errorf("the store shares a session with its callers: %v", err)
	}
	if theirs, err := s.Order(background, checkout.Test, order.ID); err != nil || theirs.Attempts[0].URL != "" {
		return fmt.Errorf("the store shares an order with its callers: %v", err)
	}
	return nil
}

// stale checks that a refused change writes nothing.
func stale(s record.Store) error {
	session, order, err := placed(s, checkout.Test)
	if err != nil {
		return err
	}
	token, event := newToken(checkout.Test), newEvent(checkout.Test)
	changes := map[string]func(*sessions.Session, *orders.Order){
		"an old session":               func(s *sessions.Session, _ *orders.Order) { s.Version = 0 },
		"an old order":                 func(_ *sessions.Session, o *orders.Order) { o.Version = 0 },
		"a session of a later version": func(s *sessions.Session, _ *orders.Order) { s.Version = 2 },
		"an order that does not exist": func(_ *sessions.Session, o *orders.Order) { o.ID = fresh("ORD") },
	}
	for name, spoil := range changes {
		changedSession, changedOrder := *session, *order
		changedSession.BuyerEmail, changedOrder.State = "new@example.com", orders.Paid
		spoil(&changedSession, &changedOrder)
		err := s.Commit(background, orders.Change{Session: &changedSession, Order: &changedOrder, Spend: token, Event: event})
		if err := want(name, err, orders.ErrStale); err != nil {
			return err
		}
		if got, err := s.Session(background, session.ID); err != nil || !reflect.DeepEqual(got, session) {
			return fmt.Errorf("%s: the session became %+v, %v", name, got, err)
		}
		if got, err := s.Order(background, checkout.Test, order.ID); err != nil || !reflect.DeepEqual(got, order) {
			return fmt.Errorf("%s: the order became %+v, %v", name, got, err)
		}
	}
	return need("the same change, not stale",
		s.Commit(background, orders.Change{Session: session, Order: order, Spend: token, Event: event}))
}

func sessionRace(s record.Store) error {
	for range rounds {
		session := newSession(checkout.Test)
		if err := s.WriteSession(background, session); err != nil {
			return err
		}
		if err := want("a session that exists, as new", s.WriteSession(background, session), sessions.ErrStale); err != nil {
			return err
		}
		made := make([]*orders.Order, racers)
		err := oneWinner("an order for a session", orders.ErrStale, func(racer int) error {
			mine, err := s.Session(background, session.ID)
			if err != nil {
				return err
			}
			if mine.OrderID != "" {
				return orders.ErrStale
			}
			made[racer] = newOrder(mine)
			mine.OrderID = made[racer].ID
			return s.Commit(background, orders.Change{Session: mine, Order: made[racer]})
		})
		if err != nil {
			return err
		}
		won, err := s.Session(background, session.ID)
		if err != nil {
			return err
		}
		for _, o := range made {
			if o == nil {
				continue
			}
			if _, err := s.Order(background, checkout.Test, o.ID); (err == nil) != (o.ID == won.OrderID) {
				return fmt.Errorf("the session's order is %s; of %s: %v", won.OrderID, o.ID, err)
			}
		}
	}
	return nil
}

// counting lets all racers increment a counter, each until its write succeeds.
func counting(s record.Store) error {
	_, order, err := placed(s, checkout.Test)
	if err != nil {
		return err
	}
	won, lost := race(func(int) error {
		for {
			mine, err := s.Order(background, checkout.Test, order.ID)
			if err != nil {
				return err
			}
			mine.CreatedAt++
			if err := s.Commit(background, orders.Change{Order: mine}); !errors.Is(err, orders.ErrStale) {
				return err
			}
		}
	})
	if won != racers {
		return fmt.Errorf("%d failed: %w", racers-won, lost[0])
	}
	got, err := s.Order(background, checkout.Test, order.ID)
	if err == nil && (got.CreatedAt != racers || got.Version != racers+1) {
		err = fmt.Errorf("%d writes made %d, at version %d", racers, got.CreatedAt, got.Version)
	}
	return err
}

func newToken(env checkout.Environment) *orders.SpentToken {
	return &orders.SpentToken{Environment: env, ID: fresh("tok"), ExpiresAt: farAway.UnixMilli()}
}

func spending(s record.Store) error {
	session, _, err := placed(s, checkout.Test)
	if err != nil {
		return err
	}
	token := newToken(checkout.Test)
	elsewhere := *token
	elsewhere.Environment = checkout.Prod
	spend, unspent := orders.Change{Spend: token}, orders.Change{Unspent: token}
	if err := cmp.Or(need("checking", s.Commit(background, unspent)), need("spending after checking", s.Commit(background, spend)),
		want("spending twice", s.Commit(background, spend), orders.ErrSpent),
		want("checking after spending", s.Commit(background, unspent), orders.ErrSpent),
		need("the same id in the other environment", s.Commit(background, orders.Change{Spend: &elsewhere}))); err != nil {
		return err
	}
	if state, err := s.Token(background, checkout.Test, token.ID); err != nil || !state.Spent {
		return fmt.Errorf("the spent token is %+v, %v", state, err)
	}
	changed := *session
	changed.BuyerEmail = "new@example.com"
	err = s.Commit(background, orders.Change{Session: &changed, Spend: token})
	if err := want("with a session", err, orders.ErrSpent); err != nil {
		return err
	}
	if got, err := s.Session(background, session.ID); err != nil || !reflect.DeepEqual(got, session) {
		return fmt.Errorf("a spent token wrote %+v, %v", got, err)
	}
	return nil
}

func spendingRace(s record.Store) error {
	for range rounds {
		token := newToken(checkout.Test)
		err := oneWinner("a token", orders.ErrSpent, func(int) error { return s.Commit(background, orders.Change{Spend: token}) })
		if err != nil {
			return err
		}
	}
	return nil
}

func newEvent(env checkout.Environment) *orders.SeenEvent {
	return &orders.SeenEvent{Environment: env, Provider: "stripe", ID: fresh("evt")}
}

func repeated(s record.Store) error {
	_, order, err := placed(s, checkout.Test)
	if err != nil {
		return err
	}
	event := newEvent(checkout.Test)
	elsewhere, other := *event, *event
	elsewhere.Environment, other.Provider = checkout.Prod, "another"
	changed := *order
	changed.State = orders.Paid
	quarantined := orders.Change{Event: newEvent(checkout.Test), Quarantine: newQuarantined(checkout.Test)}
	if err := cmp.Or(need("an event", s.Commit(background, orders.Change{Event: event})),
		want("it again", s.Commit(background, orders.Change{Event: event, Order: &changed}), orders.ErrRepeated),
		need("its id in the other environment", s.Commit(background, orders.Change{Event: &elsewhere})),
		need("its id from another provider", s.Commit(background, orders.Change{Event: &other})),
		need("one in quarantine", s.Commit(background, quarantined))); err != nil {
		return err
	}
	if got, err := s.Order(background, checkout.Test, order.ID); err != nil || !reflect.DeepEqual(got, order) {
		return fmt.Errorf("a repeated event wrote %+v, %v", got, err)
	}
	return nil
}

func eventRace(s record.Store) error {
	for range rounds {
		event := newEvent(checkout.Prod)
		err := oneWinner("an event", orders.ErrRepeated, func(int) error { return s.Commit(background, orders.Change{Event: event}) })
		if err != nil {
			return err
		}
	}
	return nil
}

// due writes orders that are due one after the other, in both environments, and then postpones one and completes one.
func due(s record.Store) error {
	const count = 6
	var all []*orders.Order
	var wanted []orders.DueOrder
	for i := range count {
		_, order, err := placed(s, []checkout.Environment{checkout.Test, checkout.Prod}[i%2])
		if err != nil {
			return err
		}
		order.UpdatedAt = int64(1000 * (count - i)) // the last order is due first
		if err := s.Commit(background, orders.Change{Order: order}); err != nil {
			return err
		}
		order.Version++
		all = append(all, order)
		wanted = append(wanted, orders.DueOrder{Environment: order.Environment, ID: order.ID})
	}
	slices.Reverse(wanted)
	now := all[0].DueAt()
	look := func(what string, now int64, limit int, wanted []orders.DueOrder) error {
		got, err := s.Due(background, now, limit)
		if err != nil || !slices.Equal(got, wanted) {
			return fmt.Errorf("%s: %v, %v; want %v", what, got, err, wanted)
		}
		return nil
	}
	if err := cmp.Or(look("all", now, 100, wanted), look("a millisecond before the last", now-1, 100, wanted[:count-1]),
		look("before the first", all[count-1].DueAt()-1, 100, nil), look("two", now, 2, wanted[:2])); err != nil {
		return err
	}
	all[count-1].State, all[count-1].Attempts[0].State = orders.Paid, orders.Settled // no longer due
	all[count-2].UpdatedAt = all[0].UpdatedAt + 1                                    // last
	for _, o := range all[count-2:] {
		if err := s.Commit(background, orders.Change{Order: o}); err != nil {
			return err
		}
	}
	moved := append(slices.Clone(wanted[2:]), wanted[1])
	return look("after one is completed and one postponed", now+1, 100, moved)
}
