package orders_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp"
)

// paidTwice pays the first attempt and the one that superseded it.
func (d *desk) paidTwice(t *testing.T) *orders.Order {
	t.Helper()
	for _, country := range []string{"DE", "FR"} {
		if _, err := d.order(country); err != nil {
			t.Fatal(err)
		}
	}
	_, o := d.stored(t)
	d.apply(t, d.event(o, 1, psp.EventCompleted, "evt_1"))
	d.apply(t, d.event(o, 2, psp.EventCompleted, "evt_2"))
	_, o = d.stored(t)
	return o
}

// TestRefundDue: a second payment is an error in the log at once, is listed, and is handled by a person.
func TestRefundDue(t *testing.T) {
	d, ctx := openDesk(t), context.Background()
	o := d.paidTwice(t)
	if o.State != orders.RefundDue || strings.Count(d.log.String(), "paid more than once") != 1 || !strings.Contains(d.log.String(), "level=ERROR") {
		t.Fatalf("the order is %s; logged %s", o.State, d.log)
	}
	page, err := d.db.RefundDue(ctx, checkout.Test, "", 10)
	if err != nil || len(page.Items) != 1 || page.Items[0].ID != o.ID {
		t.Fatalf("listed %+v, %v", page, err)
	}
	if waiting, err := d.db.Unhandled(ctx, checkout.Test); err != nil || waiting != (orders.Unhandled{RefundDue: 1}) {
		t.Errorf("%+v wait, %v", waiting, err)
	}
	for range 2 {
		if err := d.HandleRefund(ctx, checkout.Test, o.ID); err != nil {
			t.Fatal(err)
		}
	}
	if waiting, err := d.db.Unhandled(ctx, checkout.Test); err != nil || waiting.Any() {
		t.Errorf("%+v wait, %v", waiting, err)
	}
	if _, o := d.stored(t); o.State != orders.RefundDue || o.RefundHandledAt == 0 {
		t.Errorf("the order is %s, handled at %d", o.State, o.RefundHandledAt)
	}
	for env, id := range map[checkout.Environment]string{checkout.Test: "ORD_1", checkout.Prod: o.ID} {
		if err := d.HandleRefund(ctx, env, id); !errors.Is(err, orders.ErrNotFound) {
			t.Errorf("%s in %s: %v", id, env, err)
		}
	}
}

// TestQuarantine: an event that fits nothing is listed with the reason, and is handled by a person.
func TestQuarantine(t *testing.T) {
	d, ctx := openDesk(t), context.Background()
	d.apply(t, psp.Event{ID: "evt_1", Kind: psp.EventCompleted, Created: time.Now(), Checkout: psp.Checkout{Ref: "ref_1", OrderID: "ORD_1", Attempt: 1, Paid: true}})
	page, err := d.db.Quarantined(ctx, checkout.Test, "", 10)
	if err != nil || len(page.Items) != 1 {
		t.Fatalf("listed %+v, %v", page, err)
	}
	if q := page.Items[0]; q.ID != "evt_1" || q.Checkout.Ref != "ref_1" || q.Provider != "test" || q.Why == "" || q.QuarantinedAt == 0 || q.HandledAt != 0 {
		t.Errorf("listed %+v", q)
	}
	if err := d.HandleQuarantined(ctx, checkout.Test, "test", "evt_1"); err != nil {
		t.Fatal(err)
	}
	if waiting, err := d.db.Unhandled(ctx, checkout.Test); err != nil || waiting.Any() {
		t.Errorf("%+v wait, %v", waiting, err)
	}
}

// TestReviewLog: while a payment waits for a person, the log says so at the start and each hour.
func TestReviewLog(t *testing.T) {
	startClocks(t)
	directory := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, time.June, 1, 9, 0, 0, 0, time.UTC))) // a bubble begins in the year 2000
		d := openDeskIn(t, directory)
		o := d.paidTwice(t)
		ctx, stop := context.WithCancel(context.Background())
		ended := make(chan struct{})
		go func() { defer close(ended); d.Run(ctx) }()
		logged := func() int { return strings.Count(d.log.String(), "payments wait for a person") }
		for hour, want := range []int{1, 2, 3} {
			if time.Sleep(time.Second); logged() != want {
				t.Errorf("after %d hours: logged %d times, want %d", hour, logged(), want)
			}
			time.Sleep(time.Hour)
		}
		if err := d.HandleRefund(ctx, checkout.Test, o.ID); err != nil {
			t.Fatal(err)
		}
		before := logged()
		time.Sleep(3 * time.Hour)
		if logged() != before || before != 4 {
			t.Errorf("logged %d times, and %d when it was handled", before, logged())
		}
		stop()
		<-ended
	})
}
