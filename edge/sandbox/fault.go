package sandbox

import (
	"errors"
	"slices"
	"strings"
	"time"
)

// Fault is what goes wrong, on purpose, with one call of the API or one webhook: a name of the README's table "Breaking the
// sandbox", "timeout". Some names take a duration, "slow:800ms", which an e-mail address has after a hyphen. What goes wrong
// is the create of a session, unless another operation is named first: "expire.lost_response".
//
// The zero Fault leaves the choice to others; "none" does not, and goes well.
type Fault string

// Operation is what can go wrong.
type Operation string

// The operations: those of the API, and the sending of an event.
const (
	Create   Operation = "create"
	Retrieve Operation = "retrieve" // of a session or an event
	Expire   Operation = "expire"
	List     Operation = "list" // of sessions or events
	Refund   Operation = "refund"
	Webhook  Operation = "webhook"
)

var operations = []Operation{Create, Retrieve, Expire, List, Refund, Webhook}

// kind is a row of the table.
type kind struct {
	name    string
	call    callFault     // nil where it is no fault of calls
	hook    hookFault     // nil where it is no fault of webhooks
	inside  bool          // happens where a call executes, so never to a replay
	usual   time.Duration // what is meant where no duration is given
	longest time.Duration // 0 for a kind that takes none
}

// callFault is what becomes of a call: step takes its effect, stores its own answer under its key and returns it.
type callFault func(r *request, wait time.Duration, step func() answer) answer

// hookFault is what becomes of an event: it plans the delivery.
type hookFault func(t *turn, d *delivery, wait time.Duration)

// good is how calls and webhooks go that have no fault.
var good = kind{name: "none", call: well, hook: atOnce}

// kinds is the table. It is a function because what it tells of leads back to it.
func kinds() []kind {
	return []kind{
		good,

		// Without an effect. Nothing is stored under the key, so the same call can go well later.
		{name: "timeout", call: unanswered(hang)},
		{name: "reset", call: unanswered(cut)},
		{name: "429", call: limited, longest: time.Hour},
		{name: "409", call: instead(keyInUse)},
		{name: "502", call: instead(badGateway)},
		{name: "400", call: instead(badRequest), inside: true},

		// The effect is there, and the call's own answer stored under the key; but that is not what comes.
		{name: "lost_response", call: spoiled(hang)},
		{name: "reset_side_effect", call: spoiled(cut)},
		{name: "truncated", call: spoiled(truncate)},
		{name: "malformed", call: spoiled(halve)},
		{name: "huge", call: spoiled(inflate)},
		{name: "502_side_effect", call: unnoticed},

		// A failure is stored under the key, without and with the effect.
		{name: "500_saved", call: failed, inside: true},
		{name: "500_side_effect", call: failedLate, inside: true},

		// All is well, at an awkward time.
		{name: "slow", call: slow, usual: 2 * time.Second, longest: time.Minute},
		{name: "first", call: paidFirst, inside: true},

		{name: "twice", hook: twice},
		{name: "late", hook: late, usual: 10 * time.Second, longest: 24 * time.Hour},
		{name: "out_of_order", hook: outOfOrder, usual: 30 * time.Second, longest: 24 * time.Hour},
		{name: "lost", hook: lost},
	}
}

// Faults are the names of the table, without their durations.
func Faults() []Fault {
	var names []Fault
	for _, k := range kinds() {
		names = append(names, Fault(k.name))
	}
	return names
}

// fate is a fault that has been read.
type fate struct {
	kind
	fault Fault
	on    Operation // "" where the fault does not say
	wait  time.Duration
}

// read says what a fault means.
func (f Fault) read() (fate, error) {
	read, text := fate{fault: f}, string(f)
	if on, rest, ok := strings.Cut(text, "."); ok && slices.Contains(operations, Operation(on)) {
		read.on, text = Operation(on), rest
	}
	name, duration := text, ""
	if i := strings.IndexAny(text, ":-"); i >= 0 {
		name, duration = text[:i], text[i+1:]
	}
	all := kinds()
	i := slices.IndexFunc(all, func(k kind) bool { return k.name == name })
	if i < 0 {
		return fate{}, f.unknown()
	}
	read.kind, read.wait = all[i], all[i].usual
	if name != text {
		var err error
		if read.wait, err = time.ParseDuration(duration); err != nil || read.wait < 0 || read.wait > read.longest {
			return fate{}, f.unknown()
		}
	}
	if read.on != "" && !read.fits(read.on) {
		return fate{}, f.unknown()
	}
	return read, nil
}

func (f Fault) unknown() error { return errors.New("sandbox: no such fault: " + string(f)) }

// fits reports whether there is such a fault of an operation.
func (f *fate) fits(o Operation) bool {
	if o == Webhook {
		return f.hook != nil
	}
	return f.call != nil
}

// befalls reports whether a call is one that the fault is meant for.
func (f *fate) befalls(c Call) bool {
	on := f.on
	switch {
	case on != "":
	case f.call != nil:
		on = Create
	default:
		on = Webhook
	}
	return on == c.Operation && !(f.inside && c.Replay)
}
