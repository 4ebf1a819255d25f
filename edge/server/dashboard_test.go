package server

import (
	"net/http"
	"strings"
	"testing"
)

const dashboardToken = "0123456789abcdef0123456789abcdef"

// TestDashboardIsOff: without a token crepe serve has no dashboard, and answers as for any unknown path.
func TestDashboardIsOff(t *testing.T) {
	s := openShop(t)
	for _, path := range []string{"/dashboard", "/dashboard/login", "/dashboard/test/orders"} {
		if r, other := s.Get(t, path), s.Get(t, "/nothing/here"); r.Status != 404 || r.Body != other.Body {
			t.Errorf("%s: %s", path, r)
		}
	}
}

// TestDashboardToken: with a token the pages ask for it, also in crepe dev.
func TestDashboardToken(t *testing.T) {
	for name, more := range map[string]func(*Config){"serve": func(*Config) {}, "dev": withTools} {
		s := openShop(t, more, func(c *Config) { c.DashboardToken = dashboardToken })
		r := s.Get(t, "/dashboard/test/orders")
		if r.Status != 303 && !strings.Contains(r.Body, "Log in to the dashboard") {
			t.Errorf("%s without a login: %s", name, r)
		}
		if strings.Contains(s.log.String(), dashboardToken) {
			t.Errorf("%s logs the token", name)
		}
	}
}

// TestDashboardOfDev: crepe dev has the dashboard for its own host names only, so that no page whose name resolves to this machine
// can read it.
func TestDashboardOfDev(t *testing.T) {
	s := openShop(t, withTools)
	if r := s.Get(t, "/dashboard/test"); r.Status != 200 || !strings.Contains(r.Body, "Overview") {
		t.Errorf("crepe dev: %s", r)
	}
	request, err := http.NewRequestWithContext(t.Context(), "GET", s.PublicURL+"/dashboard/test", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = "evil.example"
	if r := s.Do(t, request); r.Status != http.StatusMisdirectedRequest || strings.Contains(r.Body, "Overview") {
		t.Errorf("another host: %s", r)
	}
}
