package sandbox

import (
	"strings"
	"time"

	"github.com/crepe-checkout/crepe/edge/sandbox/fault"
)

// deliver plans a delivery with the injected fault.
func (t *sessionTx) deliver(d *delivery, injected fault.Injected) {
	switch injected.Webhook {
	case fault.Deliver:
		t.send(d.Event.ID, 0)
	case fault.DeliverLate:
		t.send(d.Event.ID, injected.Wait)
	case fault.DeliverTwice:
		d.Then = d.Event.ID
		t.send(d.Event.ID, 0)
	case fault.DeliverReverse:
		t.sendAfterNext(d, injected.Wait)
	case fault.Drop:
		d.Event.PendingWebhooks = 0
	}
	if injected.Spec != "" {
		t.sandbox.journal.add(t.now, "Webhook", d.Event.Type+" "+d.Event.ID, "fault "+string(injected.Spec)+ofOrder(d.Order))
	}
}

// sendAfterNext holds an event back until the session's next one was accepted, or for wait.
func (t *sessionTx) sendAfterNext(d *delivery, wait time.Duration) {
	held := t.Held
	if held <= dueTime(t.now.UnixMilli()) { // nothing is held, or no longer
		t.Held = t.send(d.Event.ID, wait)
		return
	}
	t.Held = ""
	t.change.delete(held)
	d.Then = held[strings.LastIndexByte(held, '/')+1:]
	t.send(d.Event.ID, 0)
}
