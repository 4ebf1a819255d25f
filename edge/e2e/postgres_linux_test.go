package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/admin"
	"github.com/crepe-checkout/crepe/edge/demo"
	"github.com/crepe-checkout/crepe/edge/pgstore"
	"github.com/crepe-checkout/crepe/edge/pgtest"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// startPostgres starts a server of databases until the end of the test.
func startPostgres(t *testing.T, settings ...string) *pgtest.Cluster {
	t.Helper()
	cluster, err := pgtest.Start(append([]string{"fsync = off", "log_min_messages = panic"}, settings...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cluster.Stop(); err != nil {
			t.Error(err)
		}
	})
	return cluster
}

func migrated(url string) error {
	_, err := pgstore.Migrate(context.Background(), url)
	return err
}

// sellOn runs crepe serve with the sandbox on a database until the end of the test, and returns a shop with one product.
func sellOn(t *testing.T, store string) *shoptest.Shop {
	t.Helper()
	data, address := t.TempDir(), freeAddress(t)
	launch(t, "serve", "--sandbox", "--data", data, "--listen", address, "--store", store)
	waitReady(t, address)
	return sell(t, data, address)
}

// sell gives a running server of a data directory a merchant and a store with one product.
func sell(t *testing.T, data, address string) *shoptest.Shop {
	t.Helper()
	made := makeMerchant(t, data, "Northline")
	key := makeKey(t, data, made.Merchant.ID, checkout.Test)
	store := operateJSON[admin.Store](t, "store", "create", "--name", "Northline", "--seller-country", "DE", "--data", data)
	merchant := signer(t, "http://"+address, made.Merchant.ID, key.PrivateKey)
	var product struct{ Product struct{ ID string } }
	if err := merchant.Call("/v1/actions/onetime-product/create-product", map[string]any{"storeId": store.ID, "name": "Notebook",
		"prices": map[string]any{"EUR": map[string]any{"amount": "29.00", "taxCategory": "saas"}}}, &product); err != nil {
		t.Fatal(err)
	}
	return &shoptest.Shop{URL: "http://" + address, Merchant: merchant,
		File: &demo.File{MerchantID: made.Merchant.ID, StoreID: store.ID, StoreSlug: store.Slug, Products: []demo.Product{{ID: product.Product.ID}}}}
}

// TestPostgresBouncer sells through pgbouncer in transaction mode.
func TestPostgresBouncer(t *testing.T) {
	t.Parallel()
	cluster := startPostgres(t)
	s := sellOn(t, cluster.Bouncer(t, cluster.Schema(t, "store", migrated), 4))
	request, token := shoptest.OrderFor(s.Session(t, nil).SessionID), s.Token(t, "user-1")
	url := s.CreateOrder(t, token, request).CheckoutURL(t)
	if again := s.CreateOrder(t, token, request).CheckoutURL(t); again != url {
		t.Errorf("%s, then %s", url, again)
	}
	s.Pay(t, url)
	sold(t, s, token, request)
}

// TestPostgresFaults: an order whose commits break, or that meets a database that cannot be reached, gets its URL or a 503 that says when
// to try again; the repetition gets the one URL of the order.
func TestPostgresFaults(t *testing.T) {
	t.Parallel()
	cluster := startPostgres(t)
	proxy := cluster.Proxy(t)
	s := sellOn(t, proxy.Through(cluster.Schema(t, "store", migrated)))
	for _, c := range []struct {
		name   string
		inject func()
		breaks int    // of the order's COMMITs
		code   string // of a 503; "" if the order is created
	}{
		{"COMMITs that the database never gets", func() { proxy.Break(pgtest.BeforeCommit); proxy.Break(pgtest.BeforeCommit) }, 2, ""},
		{"COMMITs that come late", func() { proxy.Break(pgtest.DuringCommit); proxy.Break(pgtest.DuringCommit) }, 2, ""},
		{"COMMITs whose answer is lost", func() { proxy.Break(pgtest.AfterCommit); proxy.Break(pgtest.AfterCommit) }, 2, ""},
		{"a COMMIT whose outcome cannot be read", func() { proxy.Break(pgtest.DownAfterCommit) }, 1, "storage-outcome-unknown"},
		{"a database that cannot be reached", proxy.Down, 0, "storage-unavailable"},
	} {
		t.Run(c.name, func(t *testing.T) {
			session, token := s.Session(t, nil).SessionID, s.Token(t, "user-1")
			request := shoptest.OrderFor(session)
			proxy.Only(session) // the background jobs commit, too
			broken := proxy.Broken()
			c.inject()
			answer := s.CreateOrder(t, token, request)
			proxy.Up()
			if broken = proxy.Broken() - broken; broken != c.breaks {
				t.Fatalf("%d COMMITs were broken, want %d", broken, c.breaks)
			}
			if c.code != "" && (answer.Status != 503 || answer.Header.Get("Retry-After") == "" || !strings.Contains(answer.Body, c.code)) {
				t.Errorf("%v, Retry-After %q", answer, answer.Header.Get("Retry-After"))
			}
			again := s.CreateOrder(t, token, request).CheckoutURL(t)
			if c.code == "" && answer.CheckoutURL(t) != again {
				t.Errorf("%s, then %s", answer.CheckoutURL(t), again)
			}
			s.Pay(t, again)
			sold(t, s, token, request)
		})
	}
}

// TestPostgresRefused: crepe serve and crepe migrate end with exit status 1 and say what to do if the database cannot be used. They
// never show its password.
func TestPostgresRefused(t *testing.T) {
	t.Parallel()
	const canary = "canary-of-the-password"
	cluster := startPostgres(t)
	url := cluster.Schema(t, "store", migrated)
	cluster.Exec(t, "CREATE DATABASE linguistic TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LOCALE 'C.UTF-8'")
	cluster.Exec(t, "CREATE DATABASE old TEMPLATE template0")
	cluster.Exec(t, "CREATE ROLE shut LOGIN PASSWORD 'another'")
	hba := filepath.Join(cluster.Dir, "pg_hba.conf")
	if err := os.WriteFile(hba, []byte("host all shut 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cluster.Exec(t, "SELECT pg_reload_conf()")
	at := func(user, host, database string) string {
		return fmt.Sprintf("postgres://%s:%s@%s/%s", user, canary, host, database)
	}
	here := fmt.Sprintf("127.0.0.1:%d", cluster.Port)
	for _, c := range []struct{ name, url, want string }{
		{"another database's URL", "mysql://crepe:" + canary + "@127.0.0.1/crepe", "expected a URL such as postgres://"},
		{"no port", "postgres://crepe:" + canary + "@127.0.0.1:port/crepe", "expected a URL such as postgres://"},
		{"wrong password", at("shut", here, "postgres"), "check the user of the URL, its password in CREPE_STORE_PASSWORD"},
		{"missing database", at("crepe", here, "missing"), "CREATE DATABASE crepe"},
		{"a language's order", at("crepe", here, "linguistic"), "CREATE DATABASE crepe"},
		{"no schema", at("crepe", here, "old"), "crepe migrate up"},
		{"read-only", url + "&default_transaction_read_only=on", "name the primary"},
		{"unreachable", at("crepe", "127.0.0.1:1", "crepe"), "check the host and port"},
	} {
		t.Run(c.name, func(t *testing.T) {
			data := filepath.Join(t.TempDir(), "data")
			commands := [][]string{{"serve", "--data", data, "--listen", "127.0.0.1:0"}}
			if c.name != "no schema" {
				commands = append(commands, []string{"migrate", "up"})
			}
			for _, args := range commands {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				command := exec.CommandContext(ctx, binary.path, args...)
				command.Env = append(os.Environ(), "CREPE_STORE="+c.url)
				output, err := command.CombinedOutput()
				if command.ProcessState.ExitCode() != 1 || !strings.Contains(string(output), c.want) {
					t.Errorf("crepe %s: %v: %s\nwant %s", args[0], err, output, c.want)
				}
				if strings.Contains(string(output), canary) {
					t.Errorf("crepe %s shows the password: %s", args[0], output)
				}
			}
		})
	}
}

// TestPostgresRefundRepeated: a refund that is asked for again under its X-Idempotency-Key, because the answer was lost before it was
// stored, is the same refund.
func TestPostgresRefundRepeated(t *testing.T) {
	t.Parallel()
	cluster := startPostgres(t)
	url := cluster.Schema(t, "store", migrated)
	_, schema, _ := strings.Cut(url, "search_path=")
	s := sellOn(t, url)
	request, token := shoptest.OrderFor(s.Session(t, nil).SessionID), s.Token(t, "user-1")
	s.Pay(t, s.CreateOrder(t, token, request).CheckoutURL(t))
	sold(t, s, token, request)
	header := shoptest.Bearer(s.Token(t, "user-1"))
	header["X-Idempotency-Key"] = "refund-1"
	body := fmt.Sprintf(`{"paymentId":%q,"reason":"Broken","requestedAmount":{"amount":"1.00","currency":"EUR"}}`,
		cluster.Query(t, "SELECT id FROM "+schema+".payments"))
	first := s.Post(t, createTicketPath, body, header)
	shoptest.Eventually(t, "the answer is stored", func() bool {
		return cluster.Query(t, "SELECT count(*) FROM "+schema+".idempotent_answers WHERE hash <> ''") != "0"
	})
	cluster.Exec(t, "DELETE FROM "+schema+".idempotent_answers")
	if again := s.Post(t, createTicketPath, body, header); first.Status != 200 || again.Status != 200 || again.Body != first.Body {
		t.Errorf("%v, then %v", first, again)
	}
	if n := cluster.Query(t, "SELECT count(*) FROM "+schema+".tickets"); n != "1" {
		t.Errorf("%s tickets", n)
	}
}
