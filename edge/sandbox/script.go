package sandbox

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/valyala/fasthttp"
)

// Call is a call of the API, or the sending of a webhook, whose fate is asked for. Calls that are refused whatever happens
// have none: those without the API key, with a key that is in use or was used for other bytes, or with bad parameters.
type Call struct {
	Operation Operation
	Session   string // its id; "" for a create, a list and a refund
	Order     string // the session's client_reference_id
	Key       string // the idempotency key; that of its session's create for a webhook
	Event     string // the type of the event, for a webhook
	Replay    bool   // there is a stored answer under the key, so nothing will be executed
}

// script is what was chosen from outside: the faults that wait for their calls, then the function.
type script struct {
	mutex  sync.Mutex
	queue  []fate
	decide func(Call) Fault
}

// Script makes faults wait, each for the next call that it can befall, in place of those that still waited. It panics for
// one that is not in the table.
func (s *Sandbox) Script(faults ...Fault) {
	queue, err := readAll(faults)
	if err != nil {
		panic(err.Error())
	}
	s.enqueue(queue)
}

func (s *Sandbox) enqueue(queue []fate) {
	s.script.mutex.Lock()
	defer s.script.mutex.Unlock()
	s.script.queue = queue
}

// chooseFaults is Script over HTTP: POST {"faults": ["timeout", "expire.502"]}.
func (s *Sandbox) chooseFaults(ctx *fasthttp.RequestCtx) {
	var in struct{ Faults []Fault }
	if !readJSON(ctx, &in) {
		return
	}
	queue, err := readAll(in.Faults)
	if err != nil {
		writeJSON(ctx, fasthttp.StatusBadRequest, map[string]string{"error": err.Error()})
		return
	}
	s.enqueue(queue)
	s.journal.add(s.config.Now(), "Page", "faults", fmt.Sprint(in.Faults))
	writeJSON(ctx, fasthttp.StatusOK, map[string][]Fault{"faults": in.Faults})
}

// Decide has a function asked for the fate of every call that finds no fault in the queue; nil for none. It is called by
// several goroutines at once, for webhooks while their session is locked, and must not call the sandbox. A fault that the
// call cannot have is not looked at, and one that is not in the table is a panic.
func (s *Sandbox) Decide(decide func(Call) Fault) {
	s.script.mutex.Lock()
	defer s.script.mutex.Unlock()
	s.script.decide = decide
}

// fate decides what becomes of a call. The script comes first. What the session's buyer or metadata chose befalls each
// call, except that a replay brings what is stored.
func (s *Sandbox) fate(c Call, own []fate) fate {
	if f, ok := s.script.next(c); ok {
		return f
	}
	if !c.Replay {
		for _, f := range own {
			if f.befalls(c) {
				return f
			}
		}
	}
	return fate{kind: good}
}

// next is the script's fault of a call, if it has one.
func (s *script) next(c Call) (fate, bool) {
	f, ok, decide := s.take(c)
	if ok || decide == nil {
		return f, ok
	}
	fault := decide(c)
	if fault == "" {
		return fate{}, false
	}
	f, err := fault.read()
	if err != nil {
		panic(err.Error())
	}
	if f.on == "" && f.fits(c.Operation) {
		f.on = c.Operation
	}
	return f, f.befalls(c)
}

// take removes the first fault that waits for such a call; where none does, the function is to be asked.
func (s *script) take(c Call) (f fate, ok bool, decide func(Call) Fault) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	i := slices.IndexFunc(s.queue, func(f fate) bool { return f.befalls(c) })
	if i < 0 {
		return fate{}, false, s.decide
	}
	f = s.queue[i]
	s.queue = slices.Delete(s.queue, i, i+1)
	return f, true, nil
}

func readAll(faults []Fault) ([]fate, error) {
	var all []fate
	for _, fault := range faults {
		f, err := fault.read()
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return all, nil
}

// magicDomain is where nobody has an e-mail address.
const magicDomain = "@sandbox.test"

// ownFates are the faults that a session itself asks for: metadata[sandbox], "lost_response+twice", and the e-mail address
// of its buyer, "ada+lost_response+twice@sandbox.test". Other words of an address mean nothing.
func ownFates(metadata, email string) (own []fate) {
	text := metadata
	if local, ok := strings.CutSuffix(email, magicDomain); ok {
		text += "+" + local
	}
	if text == "" {
		return nil
	}
	for word := range strings.SplitSeq(text, "+") {
		if f, err := Fault(word).read(); err == nil {
			own = append(own, f)
		}
	}
	return own
}
