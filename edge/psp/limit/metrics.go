package limit

import (
	"github.com/sony/gobreaker/v2"

	"github.com/crepe-checkout/crepe/edge/metrics"
	"github.com/crepe-checkout/crepe/edge/psp"
)

// breakerStates are the values of the breaker's gauge.
var breakerStates = map[gobreaker.State]float64{gobreaker.StateClosed: 0, gobreaker.StateHalfOpen: 1, gobreaker.StateOpen: 2}

// declare declares the limiter's metrics.
func (l *Limiter) declare(m *metrics.Set) {
	l.calls = m.Counter("crepe_provider_calls_total", "Calls to the payment provider, by operation and by what their outcome proves; held calls were not sent.", "operation", "outcome")
	l.seconds = m.Histogram("crepe_provider_call_duration_seconds", "Time of a call to the payment provider, without waiting for a slot.", metrics.Seconds, "operation")
	m.Gauge("crepe_provider_breaker_state", "Circuit breaker before the payment provider: 0 closed, 1 half-open, 2 open.", nil,
		metrics.Value(func() float64 { return breakerStates[l.breaker.State()] }))
	lanes := []string{"lane"}
	m.Gauge("crepe_provider_calls_in_flight", "Slots for calls to the payment provider that are taken.", lanes, l.lanes(func(one *lane) int { return one.busy }))
	m.Gauge("crepe_provider_calls_waiting", "Calls that wait for a slot.", lanes, l.lanes(func(one *lane) int { return one.queue.here }))
	m.Gauge("crepe_provider_calls_deferred", "Calls that were told when to come back, and keep their place.", lanes, l.lanes(func(one *lane) int { return len(one.away) }))
}

// lanes returns a function that reads a number of each lane.
func (l *Limiter) lanes(read func(*lane) int) func(metrics.Emit) {
	return func(emit metrics.Emit) {
		for _, one := range []struct {
			name string
			lane *lane
		}{{"buyers", l.buyers}, {"background", l.background}} {
			one.lane.mutex.Lock()
			n := read(one.lane)
			one.lane.mutex.Unlock()
			emit(float64(n), one.name)
		}
	}
}

// outcome names the outcome of a call.
func outcome(err *psp.CallError) string {
	switch {
	case err == nil:
		return "ok"
	case err.Held:
		return "held"
	default:
		return err.Class.String()
	}
}
