package server

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/admin"
	"github.com/crepe-checkout/crepe/edge/metrics"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/orders"
)

// measures are the metrics of requests.
type measures struct {
	requests *metrics.Counter
	seconds  *metrics.Histogram
	panics   *metrics.Counter
}

func newMeasures(m *metrics.Set) *measures {
	return &measures{
		requests: m.Counter("crepe_http_requests_total", "Requests, by route and class of status.", "route", "status"),
		seconds:  m.Histogram("crepe_http_request_duration_seconds", "Time from a request's header to its response.", metrics.Seconds, "route"),
		panics:   m.Counter("crepe_panics_total", "Requests that ended in a panic, which the log describes."),
	}
}

// statusClasses are the classes of HTTP statuses by their first digit.
var statusClasses = [...]string{metrics.Other, "1xx", "2xx", "3xx", "4xx", "5xx"}

// request counts a request.
func (m *measures) request(route string, status int, began time.Time) {
	class := statusClasses[0]
	if status/100 < len(statusClasses) {
		class = statusClasses[status/100]
	}
	m.requests.Inc(route, class)
	m.seconds.Since(began, route)
}

// waiting is what waits in an environment for a person, or to be sent.
type waiting struct {
	orders.Unhandled
	notify.Counts
	at time.Time
}

// overdue is for how many seconds the delivery has been due that has waited longest.
func (w *waiting) overdue() float64 {
	if w.DueSince == 0 {
		return 0
	}
	return max(0, w.at.Sub(time.UnixMilli(w.DueSince)).Seconds())
}

// scrapeTimeout bounds the reading of the database for one scrape.
const scrapeTimeout = 3 * time.Second

// declareGauges declares what is read when metrics are written.
func (s *server) declareGauges() {
	read := metrics.Sampled(s.waiting)
	environment := []string{"environment"}
	for _, g := range []struct {
		name, help string
		value      func(*waiting) float64
	}{
		{"crepe_quarantined", "Payment events in quarantine that nobody has handled.", func(w *waiting) float64 { return float64(w.Quarantined) }},
		{"crepe_refund_due", "Orders paid more than once whose refund nobody has handled.", func(w *waiting) float64 { return float64(w.RefundDue) }},
		{"crepe_webhook_deliveries_pending", "Deliveries to merchants' webhook endpoints that are still to be sent.", func(w *waiting) float64 { return float64(w.Pending) }},
		{"crepe_webhook_deliveries_failed", "Deliveries of the last 30 days that failed after all tries.", func(w *waiting) float64 { return float64(w.Failed) }},
		{"crepe_webhook_delivery_overdue_seconds", "For how long the delivery has been due that has waited longest; 0 for none.", (*waiting).overdue},
	} {
		s.metrics.Gauge(g.name, g.help, environment, func(emit metrics.Emit) {
			counted := read()
			for _, env := range environments {
				if w, ok := counted[env]; ok {
					emit(g.value(&w), string(env))
				}
			}
		})
	}
	s.declareOutbox()
	if s.backups != nil {
		s.metrics.Gauge("crepe_backup_last_success_timestamp_seconds", "Point in time of the last good backup, in Unix seconds; 0 before the first one.", nil,
			metrics.Value(func() float64 { return float64(max(0, s.backups.Status().LastGood.Unix())) }))
	}
	s.metrics.Gauge("crepe_ready", "1 if new orders are taken, as /readyz says, else 0.", nil, metrics.Value(func() float64 {
		if s.ready() != nil {
			return 0
		}
		return 1
	}))
}

// outboxRead is how many facts of the outbox are counted at most.
const outboxRead = 1000

// declareOutbox declares the metrics of the outbox of facts.
func (s *server) declareOutbox() {
	read := metrics.Sampled(func() (waits struct {
		facts   int
		seconds float64
	}) {
		ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
		defer cancel()
		facts, err := s.db.Facts(ctx, 0, outboxRead)
		if err != nil {
			s.log.Warn("the metrics of the outbox are wrong: it cannot be read", "error", err)
		}
		if waits.facts = len(facts); waits.facts > 0 {
			waits.seconds = max(0, time.Since(time.UnixMilli(facts[0].At)).Seconds())
		}
		return waits
	})
	s.metrics.Gauge("crepe_outbox_facts", "Facts about orders that are not yet receipts and deliveries, 1000 at most.", nil,
		metrics.Value(func() float64 { return float64(read().facts) }))
	s.metrics.Gauge("crepe_outbox_oldest_seconds", "Age of the oldest of them; 0 for none.", nil, metrics.Value(func() float64 { return read().seconds }))
}

// waiting counts what waits. An environment that cannot be read is missing.
func (s *server) waiting() map[checkout.Environment]waiting {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	counted := make(map[checkout.Environment]waiting)
	for _, env := range environments {
		unhandled, err := s.db.Unhandled(ctx, env)
		if err == nil {
			var deliveries notify.Counts
			if deliveries, err = s.db.CountDeliveries(ctx, env); err == nil {
				counted[env] = waiting{unhandled, deliveries, time.Now()}
			}
		}
		if err != nil {
			s.log.Warn("some metrics are missing: the database cannot be read", "environment", env, "error", err)
		}
	}
	return counted
}

// openMetrics serves the metrics on an address of their own, if there is one.
func (s *server) openMetrics() error {
	if s.MetricsListen == "" {
		return nil
	}
	listener, err := net.Listen("tcp", s.MetricsListen)
	if err != nil {
		return fmt.Errorf("--metrics-listen: %w", err)
	}
	s.figures = startHTTP(listener, func(ctx *fasthttp.RequestCtx) {
		if string(ctx.Path()) != admin.Metrics {
			ctx.Error("the metrics are at "+admin.Metrics+"\n", fasthttp.StatusNotFound)
			return
		}
		if !ctx.IsGet() && !ctx.IsHead() {
			ctx.Error(admin.Metrics+" takes GET\n", fasthttp.StatusMethodNotAllowed)
			return
		}
		s.writeMetrics(ctx)
	}, s.log)
	s.log.Info("serving metrics", "url", "http://"+listener.Addr().String()+admin.Metrics)
	return nil
}

// writeMetrics responds in Prometheus' text format.
func (s *server) writeMetrics(ctx *fasthttp.RequestCtx) {
	ctx.SetContentType("text/plain; version=0.0.4; charset=utf-8")
	s.metrics.Write(ctx)
}
