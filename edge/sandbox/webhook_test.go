package sandbox

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/sandbox/fault"
)

// TestWebhookRetry: an event that is not accepted is sent again with a new signature.
func TestWebhookRetry(t *testing.T) {
	t.Parallel()
	s := newShop(t, nil)
	s.inbox.answer(500, 302)
	s.choose(s.open("k"), "succeeds")
	first := s.event()
	for range 2 {
		if again := s.next(); again != first {
			t.Errorf("got %+v after %+v", again, first)
		}
	}
	s.clock.advance(maxBackoff)
	s.silence()
	if pending := s.pending(); pending != 0 {
		t.Errorf("%d events are still pending", pending)
	}
}

// next advances the clock until the next webhook arrives; the time of the next try is internal to the sandbox.
func (s *shop) next() psp.Event {
	s.t.Helper()
	for range 100_000 {
		if len(s.inbox.received) > 0 {
			break
		}
		s.clock.advance(maxBackoff / 4)
		select {
		case s.wake <- struct{}{}:
		default: // the worker is awake
		}
		time.Sleep(5 * time.Millisecond)
	}
	return s.event()
}

// pending counts the events that were not accepted.
func (s *shop) pending() int {
	return strings.Count(s.call("GET", "/v1/events?delivery_success=false&limit=100", "", "").body, `"object":"event"`)
}

func TestWebhookGivesUp(t *testing.T) {
	t.Parallel()
	s := newShop(t, nil)
	var never [maxTries]int
	for i := range never {
		never[i] = 503
	}
	s.inbox.answer(never[:]...)
	s.choose(s.open("k"), "succeeds")
	for range maxTries {
		s.next()
	}
	s.clock.advance(maxBackoff)
	s.silence()
	if pending := s.pending(); pending != 1 {
		t.Errorf("%d events are pending, want the one that was not accepted", pending)
	}
}

// TestRestart: deliveries and delayed payments that were due while the sandbox was stopped are done after a restart.
func TestRestart(t *testing.T) {
	t.Parallel()
	s := newShop(t, func(c *Config) { c.Delay = time.Minute })
	s.inbox.answer(500)
	paid, later, open := s.open("k"), s.open("k2"), s.open("k3")
	s.choose(paid, "succeeds")
	first := s.event()
	s.choose(later, "later")
	s.event()
	s.Sandbox.Close()
	s.clock.advance(2 * time.Minute)
	s.start()
	seen := map[psp.EventKind]psp.Event{}
	for range 2 {
		e := s.event()
		seen[e.Kind] = e
	}
	if seen[psp.EventCompleted] != first || seen[psp.EventSucceeded].Checkout.Ref != later.Ref {
		t.Errorf("got %+v", seen)
	}
	if got, fault := s.gateway.Retrieve(soon(), open.Ref); fault != nil || got != open {
		t.Errorf("the open session after a restart: %+v, %v", got, fault)
	}
}

// TestWebhookUnreachable: events for an unreachable endpoint are kept, and Close does not wait for them.
func TestWebhookUnreachable(t *testing.T) {
	t.Parallel()
	s := newShop(t, func(c *Config) { c.WebhookURL = "http://127.0.0.1:1/" })
	s.choose(s.open("k"), "succeeds")
	s.Sandbox.Close()
	s.config.WebhookURL = s.inbox.url
	s.clock.advance(maxBackoff)
	s.start()
	if e := s.event(); e.Kind != psp.EventCompleted {
		t.Errorf("got %+v", e)
	}
}

func TestBackoff(t *testing.T) {
	for tries, want := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 5: 16 * time.Second, 9: 256 * time.Second,
		10: maxBackoff, maxTries: maxBackoff, 1000: maxBackoff} {
		if got := backoff(tries); got != want {
			t.Errorf("backoff(%d) = %v, want %v", tries, got, want)
		}
	}
}

func TestTrigger(t *testing.T) {
	t.Parallel()
	const completed, succeeded, failed = "checkout.session.completed", "checkout.session.async_payment_succeeded",
		"checkout.session.async_payment_failed"
	const ended, declined = "checkout.session.expired", "payment_intent.payment_failed"
	type kinds []psp.EventKind
	const done, arrived, bounced = psp.EventCompleted, psp.EventSucceeded, psp.EventFailed
	const refused, over = psp.EventDeclined, psp.EventExpired
	cases := map[string]struct {
		before string // the buyer's choice, if any
		events []string
		err    error
		want   kinds // of all the webhooks, sorted
	}{
		"pay":                   {"", []string{completed}, nil, kinds{done}},
		"pay, once more":        {"succeeds", []string{completed}, nil, kinds{done, done}},
		"expire":                {"", []string{ended}, nil, kinds{over}},
		"expire after paying":   {"succeeds", []string{ended}, ErrNoEvent, kinds{done}},
		"pay after expiring":    {"", []string{ended, completed}, ErrNoEvent, kinds{over}},
		"decline":               {"", []string{declined}, nil, kinds{refused}},
		"arrive":                {"", []string{succeeded}, nil, kinds{done, arrived}},
		"bounce":                {"", []string{failed}, nil, kinds{done, bounced, refused}},
		"arrive after all":      {"later_fails", []string{succeeded}, nil, kinds{done, arrived}},
		"arrive when paid":      {"succeeds", []string{succeeded}, ErrNoEvent, kinds{done}},
		"decline a paid one":    {"succeeds", []string{declined}, ErrNoEvent, kinds{done}},
		"decline and then that": {"declined", []string{declined, completed}, nil, kinds{done, refused, refused}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t, func(c *Config) { c.Delay = time.Hour })
			remote := s.open("k")
			if c.before != "" {
				s.choose(remote, c.before)
				s.clock.advance(time.Millisecond) // a task of the same millisecond has the same key
			}
			var err error
			for _, event := range c.events {
				err = s.trigger(event, "")
			}
			if !errors.Is(err, c.err) {
				t.Errorf("got %v, want %v", err, c.err)
			}
			var got kinds
			for range c.want {
				got = append(got, s.event().Kind)
			}
			if slices.Sort(got); !slices.Equal(got, c.want) {
				t.Errorf("the webhooks were %v, want %v", got, c.want)
			}
			s.silence()
		})
	}
}

// TestTriggerFaults: faults apply to the webhook of a trigger, also where it sends an event again.
func TestTriggerFaults(t *testing.T) {
	t.Parallel()
	const done, refused = psp.EventCompleted, psp.EventDeclined
	type kinds []psp.EventKind
	for name, c := range map[string]struct {
		triggers [][2]string // event, fault
		want     kinds       // of the webhooks, in their order
	}{
		"twice":              {[][2]string{{"checkout.session.completed", "twice"}}, kinds{done, done}},
		"lost":               {[][2]string{{"checkout.session.completed", "lost"}}, nil},
		"late":               {[][2]string{{"payment_intent.payment_failed", "late:1s"}, {"checkout.session.completed", ""}}, kinds{done, refused}},
		"out of order":       {[][2]string{{"payment_intent.payment_failed", "out_of_order"}, {"checkout.session.completed", "out_of_order"}}, kinds{done, refused}},
		"once more, lost":    {[][2]string{{"checkout.session.completed", ""}, {"checkout.session.completed", "lost"}}, kinds{done}},
		"lost, then again":   {[][2]string{{"checkout.session.completed", "lost"}, {"checkout.session.completed", ""}}, kinds{done}},
		"lost, then twice":   {[][2]string{{"checkout.session.completed", "lost"}, {"checkout.session.completed", "twice"}}, kinds{done, done}},
		"no fault of theirs": {[][2]string{{"checkout.session.completed", "none"}}, kinds{done}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t, nil)
			s.open("k")
			for _, trigger := range c.triggers {
				if err := s.trigger(trigger[0], fault.Spec(trigger[1])); err != nil {
					t.Fatal(err)
				}
			}
			for _, want := range c.want {
				if got := s.event().Kind; got != want {
					t.Errorf("the webhook was %v, want %v", got, want)
				}
			}
			s.silence()
		})
	}
}

// trigger triggers an event of the shop's order; spec is the fault of its webhook, "" for none.
func (s *shop) trigger(event string, spec fault.Spec) error {
	s.t.Helper()
	all := Triggers()
	known := all[slices.IndexFunc(all, func(t Trigger) bool { return t.Event == event })]
	var forced *fault.Injected
	if spec != "" {
		parsed, err := spec.Parse()
		if err != nil {
			s.t.Fatal(err)
		}
		forced = &parsed
	}
	_, err := s.Trigger(known, "ORD_1", forced)
	return err
}

// TestQueue: tasks are returned in the order of their time while others are added and deleted, also after the clock was set back.
func TestQueue(t *testing.T) {
	t.Parallel()
	store := openStore(t)
	q := queue{store: store}
	start := time.Unix(1_795_000_000, 0)
	add := func(after time.Duration, id string) (key string) {
		key = dueKey(start.Add(after).UnixMilli(), "send", id)
		if err := store.Apply(change{{Key: key, Value: []byte(id)}}); err != nil {
			t.Fatal(err)
		}
		return key
	}
	look := func(after time.Duration, want ...string) {
		t.Helper()
		tasks, _, err := q.due(start.Add(after))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, task := range tasks {
			got = append(got, task.id)
			if err := store.Apply(change{{Key: task.key}}); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("due after %v: %v, want %v", after, got, want)
		}
	}
	add(2*time.Minute, "later")
	add(0, "now")
	look(0, "now")
	look(time.Second)
	add(500*time.Millisecond, "just missed")
	look(time.Second, "just missed")
	look(5*time.Minute, "later")
	look(10 * time.Minute)
	add(-time.Hour, "long ago")
	look(-time.Hour, "long ago")
}
