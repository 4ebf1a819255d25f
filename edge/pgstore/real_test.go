package pgstore_test

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/crepe-checkout/crepe/edge/pgstore"
	"github.com/crepe-checkout/crepe/edge/storetest"
)

// held locks rows by a transaction of its own, which ends when the function is called.
func held(t *testing.T, url string, statements ...string) (conn *pgx.Conn, end func()) {
	t.Helper()
	conn, err := pgx.Connect(background, url)
	if err != nil {
		t.Fatal(err)
	}
	for _, sql := range append([]string{"BEGIN"}, statements...) {
		if _, err := conn.Exec(background, sql); err != nil {
			t.Fatal(err)
		}
	}
	return conn, func() {
		if err := conn.Close(background); err != nil {
			t.Error(err)
		}
		await(t, fmt.Sprintf("SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = %d", conn.PgConn().PID()))
	}
}

// await waits until a condition holds in the server.
func await(t *testing.T, condition string) {
	t.Helper()
	conn, err := pgx.Connect(background, server.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(background)
	for end, holds := time.Now().Add(30*time.Second), false; !holds; time.Sleep(5 * time.Millisecond) {
		if err := conn.QueryRow(background, condition).Scan(&holds); err != nil {
			t.Fatal(err)
		}
		if time.Now().After(end) {
			t.Fatalf("it does not become true: %s", condition)
		}
	}
}

func lock(table, id string) string {
	return fmt.Sprintf("UPDATE %s SET version = version WHERE id = '%s'", table, id)
}

// wantUnavailable takes a step that must fail without an effect.
func (s *sale) wantUnavailable(t *testing.T, db *pgstore.DB, code string) {
	t.Helper()
	start := time.Now()
	err := steps[s.written].do(s, db)
	if !errors.Is(err, pgstore.ErrUnavailable) || errors.Is(err, pgstore.ErrOutcomeUnknown) || !strings.Contains(err.Error(), code) {
		t.Errorf("%v, want %s", err, code)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
}

// TestStatementTimeout: a statement that waits longer than statement_timeout is refused, and has no effect.
func TestStatementTimeout(t *testing.T) {
	url := server.Schema(t, "store", migrate)
	db, reader := openAt(t, url+"&statement_timeout=1000", pgstore.Options{}), poolOf(t, url)
	s := newSale(t, db)
	_, end := held(t, url, lock("sessions", s.session.ID))
	s.wantUnavailable(t, db, "57014")
	end()
	if err := s.take(t, db, reader); err != nil {
		t.Error(err)
	}
}

// TestDeadlock: of two real transactions that wait for each other, the store's is rolled back and tried again.
func TestDeadlock(t *testing.T) {
	// The store looks for a deadlock 3 s after it began to wait: until then the other transaction must wait, too.
	url := server.Schema(t, "store", migrate) + "&deadlock_timeout=3000"
	db, reader := openAt(t, url, pgstore.Options{Isolation: pgx.ReadCommitted, Timeout: time.Minute}), poolOf(t, url)
	s := newSale(t, db)
	if err := steps[0].do(s, db); err != nil {
		t.Fatal(err)
	}
	// The store locks the event, then the order.
	other, end := held(t, url, "SET LOCAL deadlock_timeout = '1min'", lock("orders", s.order.ID))
	retried := make(chan struct{})
	once := sync.OnceFunc(func() { close(retried) }) // a slow machine meets the other transaction again
	db.Inject(func(step string, _ *string, _ *[]any) error {
		if step == "retry" {
			once()
		}
		return nil
	})
	answer := make(chan error, 1)
	go func() { answer <- steps[1].do(s, db) }()
	await(t, "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted") // the store has the event and waits for the order
	go other.Exec(background, "INSERT INTO provider_events (environment, provider, id, expires_at) VALUES ('test', 'stripe', $1, now())", "evt_"+s.id)
	select {
	case <-retried:
	case <-time.After(30 * time.Second):
		t.Error("no deadlock was found")
	}
	end()
	if err := <-answer; err != nil {
		t.Error(err)
	}
	if s.stored(t, reader) != 2 {
		t.Error("the step is not written once")
	}
}

// TestFullPool: what finds no free connection in time is refused.
func TestFullPool(t *testing.T) {
	url := server.Schema(t, "store", migrate)
	db, reader := openAt(t, url+"&pool_max_conns=1", pgstore.Options{Timeout: 3 * time.Second}), poolOf(t, url)
	s, other := newSale(t, db), newSale(t, db)
	holding, end := make(chan struct{}), make(chan struct{})
	db.Inject(func(step string, _ *string, _ *[]any) error {
		if step == "statement" {
			close(holding)
			<-end
		}
		return nil
	})
	holder := make(chan error, 1)
	go func() { holder <- steps[0].do(s, db) }()
	<-holding
	other.wantUnavailable(t, db, "deadline exceeded")
	db.Inject(nil)
	time.Sleep(time.Second) // the holder's time was over first, but on a busy machine its timer can be late
	close(end)
	if err := <-holder; !errors.Is(err, pgstore.ErrUnavailable) {
		t.Errorf("after its time: %v", err)
	}
	for _, s := range []*sale{s, other} {
		if s.stored(t, reader) != 0 {
			t.Error("what was refused is written")
		}
		if err := s.take(t, db, reader); err != nil {
			t.Error(err)
		}
	}
}

// asRole is a URL by which a role of its own uses a schema, until the end of the test.
func asRole(t *testing.T, own, role, options string) string {
	t.Helper()
	u, err := url.Parse(own)
	if err != nil {
		t.Fatal(err)
	}
	server.Exec(t, fmt.Sprintf("CREATE ROLE %s LOGIN %s", role, options))
	t.Cleanup(func() { server.Exec(t, "DROP OWNED BY "+role); server.Exec(t, "DROP ROLE "+role) })
	server.Exec(t, fmt.Sprintf("GRANT USAGE ON SCHEMA %[1]s TO %[2]s; GRANT ALL ON ALL TABLES IN SCHEMA %[1]s TO %[2]s", u.Query().Get("search_path"), role))
	u.User = url.User(role)
	return victim(u.String()) + "&pool_max_conns=1"
}

// endVictims ends the connections of [victim].
func endVictims(t *testing.T) {
	t.Helper()
	server.Exec(t, "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'victim'")
}

// TestReadOnly: a database that takes no writes for the moment is unavailable. No connection to it is made.
func TestReadOnly(t *testing.T) {
	own := server.Schema(t, "store", migrate)
	db, reader := openAt(t, asRole(t, own, "reading", ""), pgstore.Options{}), poolOf(t, own)
	s := newSale(t, db)
	server.Exec(t, "ALTER ROLE reading SET default_transaction_read_only = on")
	endVictims(t)
	s.wantUnavailable(t, db, "the database takes no writes")
	server.Exec(t, "ALTER ROLE reading RESET default_transaction_read_only")
	endVictims(t)
	if err := s.take(t, db, reader); err != nil {
		t.Error(err)
	}
}

// TestTooManyConnections: a server that takes no further connection is unavailable.
func TestTooManyConnections(t *testing.T) {
	own := server.Schema(t, "store", migrate)
	few := asRole(t, own, "few", "")
	db, reader := openAt(t, few, pgstore.Options{}), poolOf(t, own)
	s := newSale(t, db)
	server.Exec(t, "ALTER ROLE few CONNECTION LIMIT 1") // an opening store may use two for a moment
	endVictims(t)
	_, end := held(t, strings.Replace(few, "&pool_max_conns=1", "", 1))
	s.wantUnavailable(t, db, "53300")
	end()
	if err := s.take(t, db, reader); err != nil {
		t.Error(err)
	}
}

// TestRetention: the operator's manual says of each table when its rows end.
func TestRetention(t *testing.T) {
	named, err := storetest.Retention("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), server.Schema(t, "store", migrate))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	rows, err := conn.Query(t.Context(), "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()")
	if err != nil {
		t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(tables) < 20 {
		t.Fatalf("the tables are %q, %v", tables, err)
	}
	for _, table := range tables {
		if !named[table] {
			t.Errorf("edge/README.md, Retention: no row has the table %q", table)
		}
	}
}
