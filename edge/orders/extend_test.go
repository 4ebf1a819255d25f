package orders_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/orders"
)

// TestExtend walks through the life of a session whose buyer stays: more time only when little is left, never beyond the
// bound, and none once it is over.
func TestExtend(t *testing.T) {
	const minute = time.Minute
	d := openDesk(t)
	start := time.Now()
	session, err := d.db.Session(context.Background(), sessionID)
	if err != nil {
		t.Fatal(err)
	}
	session.ExpiresAt, session.LastsUntil = start.Add(45*minute).UnixMilli(), start.Add(60*minute).UnixMilli()
	if err := d.db.Commit(context.Background(), orders.Change{Session: session}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ at, ends time.Duration }{{20, 45}, {35, 50}, {36, 51}, {49, 60}, {59, 60}} {
		d.ahead = c.at * minute
		got, err := d.Extend(context.Background(), sessionID)
		if ends := time.UnixMilli(got).Sub(start).Round(minute); err != nil || ends != c.ends*minute {
			t.Errorf("after %d minutes it ends after %v, not %d minutes (%v)", c.at, ends, c.ends, err)
		}
	}
	d.ahead = 61 * minute
	var refused problem.List
	if _, err := d.Extend(context.Background(), sessionID); !errors.As(err, &refused) || refused[0] != checkout.InvalidSession()[0] {
		t.Errorf("an ended session: %v", err)
	}
	if _, err := d.Extend(context.Background(), "cs_unknown"); !errors.Is(err, orders.ErrNotFound) {
		t.Errorf("an unknown session: %v", err)
	}
}

// TestExtendClosed: a paid session is over however much time it had.
func TestExtendClosed(t *testing.T) {
	d := openDesk(t)
	session, err := d.db.Session(context.Background(), sessionID)
	if err != nil {
		t.Fatal(err)
	}
	session.Closed = true
	if err := d.db.Commit(context.Background(), orders.Change{Session: session}); err != nil {
		t.Fatal(err)
	}
	var refused problem.List
	if _, err := d.Extend(context.Background(), sessionID); !errors.As(err, &refused) {
		t.Errorf("extended: %v", err)
	}
}
