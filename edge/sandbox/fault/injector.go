package fault

import (
	"slices"
	"sync"
)

// Call is a call of the API, or the sending of a webhook, that a fault can be injected into. Calls that are refused in any
// case are none: those without the API key, with a key that is in use or was used for another request, or with invalid
// parameters.
type Call struct {
	Operation Operation
	Session   string // its id; "" for a create, a list and a refund
	Order     string // the session's client_reference_id
	Key       string // the idempotency key; that of its session's create for a webhook
	Event     string // the type of the event, for a webhook
	Replay    bool   // there is a stored response under the key, so nothing will be executed
}

// Injector picks the fault of each call. The zero value picks only what sessions request. It is safe for concurrent use.
type Injector struct {
	mutex  sync.Mutex
	queue  []Injected // each waits for a call that it applies to
	decide func(Call) Spec
}

// Script queues faults, each for the next call that it applies to, in place of those that still wait. It panics for one that
// is not in the table.
func (i *Injector) Script(specs ...Spec) {
	queue, err := ParseAll(specs)
	if err != nil {
		panic(err.Error())
	}
	i.Queue(queue)
}

// Queue is Script for parsed faults.
func (i *Injector) Queue(queue []Injected) {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	i.queue = queue
}

// Decide sets a function that chooses the fault of every call that no queued fault applies to; nil for none. It is called
// concurrently, for webhooks while their session is locked, and must not call the sandbox. A fault that does not apply to
// the call is ignored; one that is not in the table is a panic.
func (i *Injector) Decide(decide func(Call) Spec) {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	i.decide = decide
}

// Pick returns the fault of a call: a queued one, or what the function decides, or the first of the session's requested faults
// that applies. Requested faults do not apply to a replay. It is the kind "none" with an empty Spec where there is no fault.
func (i *Injector) Pick(c Call, requested []Injected) Injected {
	if f, ok := i.scripted(c); ok {
		return f
	}
	if !c.Replay {
		for _, f := range requested {
			if f.applies(c) {
				return f
			}
		}
	}
	return Injected{Kind: none}
}

// scripted returns the fault that was queued or decided for a call, if there is one.
func (i *Injector) scripted(c Call) (Injected, bool) {
	f, ok, decide := i.take(c)
	if ok || decide == nil {
		return f, ok
	}
	spec := decide(c)
	if spec == "" {
		return Injected{}, false
	}
	f, err := spec.Parse()
	if err != nil {
		panic(err.Error())
	}
	if f.On == "" && f.Fits(c.Operation) {
		f.On = c.Operation
	}
	return f, f.applies(c)
}

// take removes the first queued fault that applies to a call; without one it returns the function to call.
func (i *Injector) take(c Call) (f Injected, ok bool, decide func(Call) Spec) {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	at := slices.IndexFunc(i.queue, func(f Injected) bool { return f.applies(c) })
	if at < 0 {
		return Injected{}, false, i.decide
	}
	f = i.queue[at]
	i.queue = slices.Delete(i.queue, at, at+1)
	return f, true, nil
}
