package pgtest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Bouncer starts pgbouncer in transaction mode before a schema of the server, until the end of the test: each transaction gets one of a few
// connections to the server. It returns the URL by which clients reach the schema. It needs Debian's package pgbouncer.
func (c *Cluster) Bouncer(t testing.TB, schema string, connections int) string {
	t.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		if program = "/usr/sbin/pgbouncer"; !exists(program) {
			t.Fatal("pgbouncer is missing; install it with: apt-get install pgbouncer")
		}
	}
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(schema)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(filepath.Dir(c.Dir), fmt.Sprintf("pgbouncer-%d.ini", port))
	text := fmt.Sprintf(`[databases]
shop = host=127.0.0.1 port=%d dbname=postgres user=crepe connect_query='SET search_path TO %s'
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = %d
max_client_conn = 500
server_check_delay = 0
log_connections = 0
log_disconnections = 0
log_stats = 0
`, c.Port, u.Query().Get("search_path"), port, connections)
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	shell, lifeline, err := supervised(asPostgres(program, "-q", file))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		lifeline.Close()
		shell.Wait() // it reports the signal
	})
	through := fmt.Sprintf("postgres://crepe@127.0.0.1:%d/shop", port)
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		connection, err := pgx.Connect(context.Background(), through)
		if err == nil {
			connection.Close(context.Background())
			return through
		}
		if time.Now().After(end) {
			t.Fatalf("pgbouncer does not answer: %v", err)
		}
	}
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}
