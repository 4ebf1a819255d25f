package orders

import (
	"cmp"
	"sync"
	"time"

	"github.com/crepe-checkout/crepe/edge/psp"
)

const (
	// freshFor is how long a checkout that was open counts as open. The retries of one request, a double click and a second
	// tab come sooner than that.
	freshFor = 15 * time.Second
	// confirmTimeout is how long a buyer waits for the provider to confirm that a checkout is still open.
	confirmTimeout = 2 * time.Second
	// confirmedSessions is how many sessions a process remembers to have asked about.
	confirmedSessions = 4096
)

// confirm asks the provider whether the current attempt can still be paid, before its URL is given to a buyer again: it may
// have ended there, by hand or by a payment, and the webhook that says so may be late or lost. If it has, confirm stores
// that and returns errAgain.
//
// It asks only about a checkout that was opened or confirmed more than freshFor ago, so that a repeated request usually costs
// no call. Where the provider does not answer, or all of its turns are taken, the URL is given again: it is most likely right,
// and a buyer who could pay must not be kept from it.
func (f *flow) confirm(a *Attempt) error {
	if f.nowMilli() < a.SentAt+freshFor.Milliseconds() || f.confirmed.lately(f.session.ID, f.config.Now()) {
		return nil
	}
	if held := f.buyer.Reserve(time.Now()); held != nil {
		return nil
	}
	remote, callErr := f.provider.Retrieve(f.config.Now().Add(min(confirmTimeout, f.config.TryTimeout)), a.Ref)
	switch {
	case callErr != nil:
		return nil
	case remote.Status == psp.CheckoutOpen:
		f.confirmed.add(f.session.ID, f.config.Now())
		return nil
	}
	if err := f.observe(a, remote); err != nil {
		return cmp.Or(f.commit(Change{Order: f.order}), err)
	}
	return cmp.Or(f.commitClosed(), errAgain)
}

// confirmations remembers which sessions' checkouts were open lately. The zero value is ready.
type confirmations struct {
	mutex sync.Mutex
	at    map[string]time.Time // by session
}

func (c *confirmations) add(session string, now time.Time) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.at == nil || len(c.at) >= confirmedSessions {
		c.at = make(map[string]time.Time) // the provider is asked again about the sessions that were in it
	}
	c.at[session] = now
}

func (c *confirmations) lately(session string, now time.Time) bool {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	at, known := c.at[session]
	return known && now.Sub(at).Abs() < freshFor
}
