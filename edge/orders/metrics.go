package orders

import (
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/metrics"
	"github.com/crepe-checkout/crepe/edge/sessions"
)

// measures are the metrics of a service.
type measures struct {
	creates, moves, events *metrics.Counter
	lag                    *metrics.Histogram
}

// lagBounds are in seconds. A webhook takes less than a second; the provider repeats one for days, and what it gives up is found hourly.
var lagBounds = []float64{0.1, 0.5, 1, 2.5, 5, 15, 60, 300, 900, 3600, 14400, 86400}

func newMeasures(m *metrics.Set) measures {
	return measures{
		creates: m.Counter("crepe_create_orders_total", "Create-order requests, from the API and the page, by outcome: ok, the kind of refusal, or internal.", "environment", "outcome"),
		moves:   m.Counter("crepe_order_transitions_total", "Orders that have entered a state, by the state.", "environment", "state"),
		events:  m.Counter("crepe_provider_events_total", "Events of the payment provider, by outcome: applied, unneeded, quarantined or failed.", "environment", "outcome"),
		lag:     m.Histogram("crepe_provider_event_lag_seconds", "Time from an event at the payment provider until it is applied here.", lagBounds, "environment"),
	}
}

// create counts a create-order. session is nil if the request names none.
func (m *measures) create(session *sessions.Session, err error) {
	env, outcome := metrics.Other, "ok"
	if session != nil {
		env = string(session.Environment)
	}
	if err != nil {
		outcome = problem.Internal.String()
		if list := problem.Of(err); list != nil {
			outcome = list[0].Kind.String()
		}
	}
	m.creates.Inc(env, outcome)
}

// moved counts an order whose stored state was another one.
func (m *measures) moved(before State, o *Order) {
	if o.State != before {
		m.moves.Inc(string(o.Environment), string(o.State))
	}
}

// event counts an event, and how long after its time it was applied.
func (m *measures) event(env checkout.Environment, did outcome, err error, lag time.Duration) {
	name := [...]string{unneeded: "unneeded", applied: "applied", quarantined: "quarantined"}[did]
	if err != nil {
		name = "failed"
	}
	m.events.Inc(string(env), name)
	if name == "applied" {
		m.lag.Observe(max(0, lag.Seconds()), string(env))
	}
}
