package server

import (
	"crypto/rand"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/dashboard"
	"github.com/crepe-checkout/crepe/edge/geoip"
)

// MinDashboardToken is the length in bytes of the shortest [Config.DashboardToken].
const MinDashboardToken = dashboard.MinToken

// openDashboard makes the operator's dashboard: behind a token, or for everyone who reaches crepe dev.
func (s *server) openDashboard(clients geoip.Locator) {
	if s.DashboardToken == "" && s.Dev == nil {
		return
	}
	home := checkout.Test
	if _, live := s.Stripe[checkout.Prod]; live {
		home = checkout.Prod
	}
	s.dashboard = dashboard.New(dashboard.Config{Orders: s.db, Sessions: s.db, Catalog: s.db, Reviews: s.orders, Refunds: s.orders,
		Deliveries: s.db, VATChecks: s.db, Webhooks: s.notify, Documents: s.db, Token: s.DashboardToken, PublicURL: s.PublicURL,
		GeoIP: clients, Home: home, Now: time.Now, Rand: rand.Reader, Log: s.log})
}
