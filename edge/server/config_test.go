package server

import (
	"testing"

	"github.com/crepe-checkout/crepe/core/checkout"
)

func TestListenAddresses(t *testing.T) {
	for address, want := range map[string]string{
		"127.0.0.1:8787": "127.0.0.1:8787", "[::]:8787": "127.0.0.1:8787", "0.0.0.0:80": "127.0.0.1:80", "[::1]:8787": "[::1]:8787",
	} {
		if got := LocalAddress(address); got != want {
			t.Errorf("%s is reached at %s, want %s", address, got, want)
		}
	}
	for _, listen := range []string{":0", "0.0.0.0:0", "127.0.0.1:0"} {
		c := Config{Listen: listen}
		listener, err := c.listen()
		if err != nil {
			t.Errorf("%s: %v", listen, err)
			continue
		}
		listener.Close()
	}
}

func TestPublicURL(t *testing.T) {
	live := map[checkout.Environment]StripeAccount{checkout.Prod: {Key: "sk_live_x"}}
	for _, c := range []struct {
		url    string
		stripe map[checkout.Environment]StripeAccount
		ok     bool
	}{
		{"https://pay.example.com", live, true},
		{"https://pay.example.com/checkout", live, false},
		{"http://127.0.0.1:8787", nil, true},
		{"http://pay.example.com", live, false},
		{"not-a-url", nil, false},
		{"pay.example.com", nil, false},
		{"ftp://pay.example.com", nil, false},
		{"https://user@pay.example.com", nil, false},
		{"https://pay.example.com/?a=b", nil, false},
		{"https://pay.example.com:8443", nil, true},
		{"https://pay.example.com:99999", nil, false},
		{"https://pay.example.com:", nil, false},
		{"https://:8443", nil, false},
	} {
		config := Config{PublicURL: c.url, Stripe: c.stripe}
		if err := config.checkPublicURL(); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.url, err)
		}
	}
}

// TestBackupPlace: backups are not made in the database.
func TestBackupPlace(t *testing.T) {
	t.Chdir(t.TempDir())
	for directory, ok := range map[string]bool{"": true, "/mnt/backups": true, "data/backups": true, "data/dbs": true, "data/db": false, "data/db/backups": false, "data/x/../db/": false} {
		config := Config{Data: "data", Backups: Backups{Directory: directory}}
		if err := config.checkBackups(); (err == nil) != ok {
			t.Errorf("%q: %v", directory, err)
		}
	}
}
