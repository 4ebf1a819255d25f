package sandbox

import (
	"strings"
	"time"
)

func atOnce(t *turn, d *delivery, _ time.Duration) { t.send(d.Event.ID, 0) }

func late(t *turn, d *delivery, wait time.Duration) { t.send(d.Event.ID, wait) }

// twice sends an event again after it was accepted.
func twice(t *turn, d *delivery, _ time.Duration) {
	d.Then = d.Event.ID
	t.send(d.Event.ID, 0)
}

// lost sends nothing: something on the way has accepted the event, and that is all.
func lost(_ *turn, d *delivery, _ time.Duration) { d.Event.PendingWebhooks = 0 }

// outOfOrder holds an event back until the session's next one was accepted, or for a while.
func outOfOrder(t *turn, d *delivery, wait time.Duration) {
	held := t.Held
	if held <= dueTime(t.now.UnixMilli()) { // nothing is held, or not any more
		t.Held = t.send(d.Event.ID, wait)
		return
	}
	t.Held = ""
	t.change.delete(held)
	d.Then = held[strings.LastIndexByte(held, '/')+1:]
	t.send(d.Event.ID, 0)
}
