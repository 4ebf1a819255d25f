package plugins

import (
	"container/list"
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/metrics"
)

const (
	// maxMachines is how many versions are kept compiled: with their memory, less than 100 MiB.
	maxMachines = 32
	// patience is how long an order waits for its rule: until it is compiled, and until an instance is free.
	patience = 2 * time.Second
)

// errFailed refuses an order whose rule has failed.
var errFailed = problem.New(problem.Unavailable, "rule-failed", "", "The store cannot check this order at the moment, please retry later")

// RunnerConfig is what a [Runner] needs.
type RunnerConfig struct {
	Store   Store
	Metrics *metrics.Set // nil for none
	Log     *slog.Logger
}

// Runner decides about orders with the published rules of their stores. It is safe for concurrent use.
//
// Each version has a few instances of its own, so that an order waits for other orders of its store only. Versions are compiled one at
// a time.
type Runner struct {
	config    RunnerConfig
	decisions *metrics.Counter
	failures  *metrics.Counter
	compiling chan struct{} // has one element for each version that is compiled

	mutex  sync.Mutex
	slots  map[slotKey]*list.Element
	recent list.List // of *slot, the one used last at the front
}

// slotKey identifies the content of a version.
type slotKey struct {
	storeID           string
	number            int
	digest, configSum string
}

// slot is a version that is compiled or being compiled.
type slot struct {
	key     slotKey
	ready   chan struct{} // closed when machine and err are set
	machine *machine
	err     error

	users   int  // guarded by the Runner's mutex
	evicted bool // the last user closes it
}

// NewRunner returns a Runner. Its Close releases the modules.
func NewRunner(c RunnerConfig) *Runner {
	r := &Runner{config: c, slots: make(map[slotKey]*list.Element), compiling: make(chan struct{}, 1)}
	r.decisions = c.Metrics.Counter("crepe_rule_decisions_total", "Orders and quotes about which a store's rule has decided, by outcome: accepted, discounted, refused or failed.",
		"environment", "outcome")
	r.failures = c.Metrics.Counter("crepe_rule_failures_total", "Failures of stores' rules, by reason: fuel, trap, answer, unready or busy.", "reason")
	for _, env := range []checkout.Environment{checkout.Test, checkout.Prod} {
		for _, outcome := range []string{"accepted", "discounted", "refused", "failed"} {
			r.decisions.Expect(string(env), outcome)
		}
	}
	for _, reason := range reasons {
		r.failures.Expect(reason)
	}
	return r
}

// Decide implements orders.Rules.
func (r *Runner) Decide(ctx context.Context, draft *checkout.Order) (none checkout.Discount, refused problem.List, err error) {
	rules, err := r.config.Store.Rules(ctx, draft.StoreID)
	if err != nil {
		return none, nil, err
	}
	version := rules.Published(draft.Environment)
	if version == nil {
		return none, nil, nil
	}
	verdict, err := r.run(ctx, draft, version)
	if failed, ok := errors.AsType[*failure](err); ok {
		return none, nil, r.failed(ctx, draft, version, failed)
	}
	if err != nil {
		return none, nil, err
	}
	if draft.BuyerEmail == "" {
		verdict.Problems = withoutEmail(verdict.Problems)
	}
	r.decisions.Inc(string(draft.Environment), verdict.outcome())
	return verdict.Discount, verdict.Problems, nil
}

// withoutEmail leaves out the problems of an address that is not there yet.
func withoutEmail(problems problem.List) (others problem.List) {
	for _, p := range problems {
		if p.Path != "/buyerEmail" {
			others = append(others, p)
		}
	}
	return others
}

func (v *Verdict) outcome() string {
	switch {
	case v.Problems != nil:
		return "refused"
	case v.Discount.Minor > 0:
		return "discounted"
	}
	return "accepted"
}

// failed counts and logs a failure, and returns the refusal of the order, nil if it goes on.
func (r *Runner) failed(ctx context.Context, draft *checkout.Order, v *Version, f *failure) error {
	r.decisions.Inc(string(draft.Environment), "failed")
	r.failures.Inc(f.reason)
	r.config.Log.WarnContext(ctx, "a store's rule failed; crepe plugin run shows why", "store", draft.StoreID, "environment", draft.Environment,
		"version", v.Number, "on-failure", v.OnFailure, "reason", f.reason, "error", f.err)
	if v.OnFailure == Continue {
		return nil
	}
	return errFailed
}

// run runs a version on a draft. An error that is no *failure is one of the store.
func (r *Runner) run(ctx context.Context, draft *checkout.Order, v *Version) (Verdict, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	s := r.take(slotKey{draft.StoreID, v.Number, v.Digest, v.ConfigSum})
	defer r.release(s)
	select {
	case <-s.ready:
	case <-ctx.Done():
		return Verdict{}, &failure{busy, errors.New("the rule is still being compiled")}
	}
	if s.err != nil {
		return Verdict{}, s.err
	}
	input, err := encodeDraft(draft, s.machine.config)
	if err != nil {
		return Verdict{}, err
	}
	return s.machine.decide(ctx, input, draft.Terms.Price)
}

// take returns the slot of a version, which the caller releases. A new one is prepared in the background, so that a caller who gives
// up does not stop it.
func (r *Runner) take(key slotKey) *slot {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if e := r.slots[key]; e != nil {
		r.recent.MoveToFront(e)
		s := e.Value.(*slot)
		s.users++
		return s
	}
	s := &slot{key: key, ready: make(chan struct{}), users: 2} // the caller and prepare
	r.slots[key] = r.recent.PushFront(s)
	go r.prepare(s)
	for r.recent.Len() > maxMachines {
		r.evict(r.recent.Back())
	}
	return s
}

// evict forgets a slot. The caller holds the mutex.
func (r *Runner) evict(e *list.Element) {
	s := r.recent.Remove(e).(*slot)
	delete(r.slots, s.key)
	s.evicted = true
	if s.users == 0 {
		s.close()
	}
}

// release gives a slot back.
func (r *Runner) release(s *slot) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	s.users--
	if s.evicted && s.users == 0 {
		s.close()
	}
}

func (s *slot) close() {
	if s.machine != nil {
		s.machine.close()
	}
}

// prepare reads and compiles a version. After an error of the store the next order tries again.
func (r *Runner) prepare(s *slot) {
	defer r.release(s)
	defer close(s.ready)
	content, err := r.config.Store.RuleContent(context.Background(), s.key.storeID, s.key.number)
	if err != nil {
		s.err = err
		r.forget(s)
		return
	}
	r.compiling <- struct{}{}
	defer func() { <-r.compiling }()
	if s.machine, err = newMachine(context.Background(), content.Module, content.Config); err != nil {
		s.err = &failure{unready, err}
	}
}

func (r *Runner) forget(s *slot) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if e := r.slots[s.key]; e != nil && e.Value == s {
		r.evict(e)
	}
}

// Close releases the modules. Calls in progress end first.
func (r *Runner) Close() error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for r.recent.Len() > 0 {
		r.evict(r.recent.Back())
	}
	return nil
}
