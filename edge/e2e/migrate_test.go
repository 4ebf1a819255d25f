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

	"github.com/jackc/pgx/v5"

	"github.com/crepe-checkout/crepe/edge/demo"
	"github.com/crepe-checkout/crepe/edge/pgtest"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// postgres starts a server of PostgreSQL until the test ends.
func postgres(t *testing.T, settings ...string) *pgtest.Cluster {
	t.Helper()
	cluster, err := pgtest.Start(settings...)
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

// useOf is what a database says that it is used for; "" is nothing.
func useOf(t *testing.T, url string) (use string) {
	t.Helper()
	connection, err := pgx.Connect(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close(context.Background())
	connection.QueryRow(context.Background(), "SELECT value FROM settings WHERE name = 'use'").Scan((*bytesText)(&use))
	return use
}

// bytesText scans bytes into a string.
type bytesText string

func (s *bytesText) Scan(value any) error { *s = bytesText(fmt.Sprintf("%s", value)); return nil }

// TestMigrate moves a deployment from Badger to PostgreSQL and back into another directory, and kills each command several times. Orders,
// tokens and the shop go on as if nothing had happened.
func TestMigrate(t *testing.T) {
	cluster, data := postgres(t), t.TempDir()
	address := freeAddress(t)
	running := start(t, data, address)
	s := shopOn(t, data)
	token, urls := s.Token(t, "user-1"), map[string]string{}
	for range 300 { // more than one batch
		session := s.Session(t, nil).SessionID
		if len(urls) < 20 {
			urls[session] = s.CreateOrder(t, token, shoptest.OrderFor(session)).CheckoutURL(t)
		}
	}
	there := []string{"migrate", "badger-to-postgres", "--data", data, "--store", cluster.URL()}
	refused(t, nil, "schema is older", there...)
	operate(t, "migrate", "up", "--store", cluster.URL())
	refused(t, nil, "is another crepe running on it?", there...)
	running.kill()

	interrupted := 0
	for delay := range 4 {
		killWhen(t, func() bool { return useOf(t, cluster.URL()) == "an unfinished copy" }, time.Duration(delay)*30*time.Millisecond, there...)
		if useOf(t, cluster.URL()) == "an unfinished copy" {
			interrupted++
			refused(t, nil, "unfinished copy", "serve", "--store", cluster.URL(), "--data", t.TempDir(), "--listen", "127.0.0.1:0")
			refused(t, nil, "unfinished copy", append(there, "--verify")...)
		}
	}
	if interrupted == 0 {
		t.Error("no kill interrupted a copy")
	}
	if useOf(t, cluster.URL()) == "an unfinished copy" {
		t.Log(operate(t, there...))
	}
	refused(t, nil, "holds records already", there...)
	if out := operate(t, append(there, "--verify")...); !strings.Contains(out, "hold the same records") {
		t.Errorf("verified: %s", out)
	}
	cluster.Exec(t, "UPDATE orders SET record = json_build_object('v', 1) WHERE id = (SELECT min(id) FROM orders)")
	refused(t, nil, "orders: ORD_", append(there, "--verify")...)

	t.Logf("interrupted %d copies to PostgreSQL", interrupted)
	backAgain(t, cluster, data, address, urls, token)
}

// backAgain copies a database that was damaged meanwhile again, and then into another directory, on which the deployment goes on.
func backAgain(t *testing.T, cluster *pgtest.Cluster, data, address string, urls map[string]string, token string) {
	t.Helper()
	cluster.Exec(t, "UPDATE settings SET value = 'an unfinished copy' WHERE name = 'use'")
	operate(t, "migrate", "badger-to-postgres", "--data", data, "--store", cluster.URL())
	other := filepath.Join(t.TempDir(), "other")
	back := []string{"migrate", "postgres-to-badger", "--data", other, "--store", cluster.URL()}
	unfinished, interrupted := filepath.Join(other, ownDatabase+".unfinished"), 0
	for delay := range 3 {
		killWhen(t, func() bool { _, err := os.Stat(unfinished); return err == nil }, time.Duration(delay)*30*time.Millisecond, back...)
		if _, err := os.Stat(filepath.Join(other, ownDatabase)); err != nil {
			interrupted++
		}
	}
	if interrupted == 0 {
		t.Error("no kill interrupted a copy back")
	}
	if _, err := os.Stat(filepath.Join(other, ownDatabase)); err != nil {
		t.Log(operate(t, back...))
	}
	t.Logf("interrupted %d copies back", interrupted)
	refused(t, nil, "holds a database already", back...)
	for _, name := range []string{sandboxDatabase, demo.FileName} {
		copyAll(t, filepath.Join(data, name), filepath.Join(other, name))
	}
	start(t, other, address)
	s := shopOn(t, other)
	if s.File.MerchantID != readDevFile(t, data).MerchantID {
		t.Error("another merchant after the move")
	}
	for session, url := range urls {
		if again := s.CreateOrder(t, token, shoptest.OrderFor(session)).CheckoutURL(t); again != url {
			t.Errorf("%s before the move, %s after it", url, again)
		}
	}
	for session, url := range urls {
		s.Pay(t, url)
		shoptest.Eventually(t, "the session is closed by the payment", func() bool { return s.CreateOrder(t, token, shoptest.OrderFor(session)).Status == 409 })
		return
	}
}

// killWhen runs the binary and kills it a while after a condition holds, unless it has ended before.
func killWhen(t *testing.T, holds func() bool, while time.Duration, args ...string) {
	t.Helper()
	c := exec.Command(binary.path, args...)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { c.Wait(); close(ended) }()
	for {
		select {
		case <-ended:
			return
		default:
		}
		if holds() {
			time.Sleep(while)
			c.Process.Kill()
			<-ended
			return
		}
	}
}

// TestMigrateStatus: the versions of a data directory are told, also while a server has it open, and a start on files of another format is
// refused.
func TestMigrateStatus(t *testing.T) {
	t.Parallel()
	status := func(data, want string) {
		t.Helper()
		if out := operate(t, "migrate", "status", "--data", data); !strings.Contains(out, want) {
			t.Errorf("want %q:\n%s", want, out)
		}
	}
	status(t.TempDir(), "The next start makes one.")
	data := initialise(t)
	status(data, "It is up to date. The next start changes nothing.")
	server, _, _ := serveOn(t, data)
	status(data, "in use")
	server.Process.Kill()
	server.Wait()
	manifest, err := os.OpenFile(filepath.Join(data, ownDatabase, "MANIFEST"), os.O_WRONLY, 0)
	must(t, err)
	defer manifest.Close()
	if _, err := manifest.WriteAt([]byte{7}, 7); err != nil {
		t.Fatal(err)
	}
	status(data, "files    format 7; this version reads 8\nThis version cannot start on it.")
	refused(t, nil, "crepe migrate status --data "+data, "serve", "--data", data, "--listen", "127.0.0.1:0")
	refused(t, nil, "--store URL or --data DIR is needed", "migrate", "status")
	refused(t, nil, "--store URL is needed", "migrate", "up", "--data", data)
}
