package server

import (
	"net/http"
	"strings"
	"testing"
)

// TestOwnHosts: crepe dev refuses a foreign Host, which a page whose name resolves to this machine (DNS rebinding) would send.
func TestOwnHosts(t *testing.T) {
	t.Parallel()
	s := openShop(t, withTools)
	port := s.PublicURL[strings.LastIndexByte(s.PublicURL, ':'):]
	for host, own := range map[string]bool{
		"127.0.0.1" + port: true, "localhost" + port: true, "LocalHost" + port: true, "[::1]" + port: true,
		"evil.example" + port: false, "evil.example": false, "localhost": false, "127.0.0.1:1": false, "localhost.evil.example" + port: false,
	} {
		for _, path := range []string{"/sandbox/log", "/sandbox/trigger", "/v1/actions/auth/issue-session-token", "/demo/shop", "/healthz"} {
			request, err := http.NewRequest("GET", s.PublicURL+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Host = host
			got := s.Do(t, request)
			if (got.Status != http.StatusMisdirectedRequest) != own {
				t.Errorf("%s as %s: %d", path, host, got.Status)
			}
			if json := strings.HasPrefix(got.Body, `{"data":null,"errors":[{`); !own && json != strings.HasPrefix(path, "/v1/") && path != "/healthz" {
				t.Errorf("%s as %s: %s", path, host, got.Body)
			}
		}
	}
}
