package server

import (
	"net/http"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/edge/metrics/metricstest"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// manual is the operator's manual.
const manual = "../README.md"

// scrape reads the metrics of a shop from their own address.
func (s *shop) scrape(t testing.TB) (metricstest.Figures, string) {
	t.Helper()
	response, err := http.Get("http://" + s.figures.listener.Addr().String() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	got := shoptest.Read(t, response)
	if got.Status != http.StatusOK {
		t.Fatal(got)
	}
	return metricstest.Parse(t, got.Body), got.Body
}

// withMetrics lets a server serve its metrics.
func withMetrics(c *Config) { c.MetricsListen = "127.0.0.1:0" }

// TestMetrics: after traffic of all kinds every metric has a value, and the manual's table has exactly the metrics that are served.
func TestMetrics(t *testing.T) {
	s := openTuned(t, func(s *server) {
		s.extra = map[string]fasthttp.RequestHandler{"/panic": func(*fasthttp.RequestCtx) { panic("a test") }}
		if err := s.openMetrics(); err != nil {
			t.Fatal(err)
		}
	}, withMetrics, privateWebhooks)
	s.traffic(t)
	found, text := s.scrape(t)
	checkMonitoring(t, text)
	metricstest.Table(t, manual, "metric", found.Rows(t, "crepe_"), *shoptest.Update)
	found.Want(t, map[string]string{
		`crepe_http_requests_total{route="/v1/actions/onetime-order/create-order",status="2xx"}`: "2",
		`crepe_http_requests_total{route="/v1/actions/onetime-order/create-order",status="4xx"}`: "1",
		`crepe_http_requests_total{route="/store/<slug>/checkout/<session>",status="2xx"}`:       "1",
		`crepe_http_requests_total{route="unknown",status="4xx"}`:                                "2",
		`crepe_http_requests_total{route="/demo",status="5xx"}`:                                  "1",
		`crepe_panics_total`:                    "1",
		`crepe_ready`:                           "1",
		`crepe_quarantined{environment="test"}`: "0",
		`crepe_create_orders_total{environment="test",outcome="ok"}`:                        "2",
		`crepe_create_orders_total{environment="other",outcome="invalid"}`:                  "1",
		`crepe_order_transitions_total{environment="test",state="pending"}`:                 "1",
		`crepe_order_transitions_total{environment="test",state="awaiting-payment"}`:        "1",
		`crepe_order_transitions_total{environment="test",state="paid"}`:                    "1",
		`crepe_provider_calls_total{environment="test",operation="create",outcome="ok"}`:    "1",
		`crepe_provider_call_duration_seconds_count{environment="test",operation="create"}`: "1",
		`crepe_provider_breaker_state{environment="test"}`:                                  "0",
		`crepe_provider_event_lag_seconds_count{environment="test"}`:                        "1",
		`crepe_webhook_delivery_tries_total{environment="test",outcome="ok"}`:               "1",
		`crepe_rate_limit_refusals_total{limit="client"}`:                                   "0",
		`crepe_lease_held{task="orders"}`:                                                   "1",
		`crepe_outbox_facts`:                                                                "0",
		`crepe_database_queue_length{queue="urgent"}`:                                       "0",
	})
}

// traffic sends requests that succeed, are refused and fail.
func (s *shop) traffic(t *testing.T) {
	merchant := newListener(t)
	s.addWebhook(t, merchant.URL, "order.completed")
	token := s.Token(t, "user-1")
	session := s.Session(t, nil)
	paid := s.CreateOrder(t, token, shoptest.OrderFor(session.SessionID))
	s.CreateOrder(t, token, shoptest.OrderFor(session.SessionID))
	s.Post(t, shoptest.CreateOrderPath, "{}", shoptest.Bearer(token))
	s.Get(t, strings.TrimPrefix(session.CheckoutURL, s.PublicURL))
	s.Pay(t, paid.CheckoutURL(t))
	shoptest.Eventually(t, "the order is paid", func() bool {
		stored, _ := s.stored(t, session.SessionID)
		return stored.Closed && len(merchant.received()) > 0
	})
	s.Get(t, "/nothing/"+session.SessionID)
	s.Get(t, "/v1/nothing/"+session.SessionID)
	s.Get(t, "/panic")
}
