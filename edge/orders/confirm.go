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
	// confirmedSessions is how many confirmed sessions a process remembers.
	confirmedSessions = 4096
)

// confirm checks with the provider that the current attempt can still be paid, before its URL is returned again: it may have ended
// there by hand or by a payment, and the webhook may be late or lost. If it has ended, confirm persists that and returns
// errAgain.
//
// It asks only about a checkout that was opened or confirmed more than freshFor ago, so that a repeated request usually costs
// no call. If the provider does not answer, or there is no capacity, the URL is returned all the same: it is most likely right,
// and a buyer who can pay must not be blocked.
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

// confirmations remembers which sessions' checkouts were confirmed lately. The zero value is ready.
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
