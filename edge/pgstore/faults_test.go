package pgstore_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/pgstore"
	"github.com/crepe-checkout/crepe/edge/pgtest"
)

// injection is a fault at one step of a transaction.
type injection struct {
	name, step string
	want       error // of the call; nil if the store mends it
	do         func(aside *pgxpool.Pool, sql *string, args *[]any) error
}

// raised lets the server itself answer a statement with a code.
func raised(code string, want error) injection {
	return injection{code, "statement", want, func(_ *pgxpool.Pool, sql *string, args *[]any) error {
		*sql, *args = fmt.Sprintf("DO $$ BEGIN RAISE SQLSTATE '%s'; END $$", code), nil
		return nil
	}}
}

// answered is the answer to a COMMIT.
func answered(step, severity, code string) injection {
	return injection{severity + " " + code, step, nil, func(*pgxpool.Pool, *string, *[]any) error {
		return &pgconn.PgError{Severity: severity, Code: code, Message: "injected"}
	}}
}

var injections = []injection{
	raised("40001", nil), raised("40P01", nil),
	raised("57014", pgstore.ErrUnavailable), raised("53300", pgstore.ErrUnavailable), raised("25006", pgstore.ErrUnavailable),
	raised("55P03", pgstore.ErrUnavailable), raised("57P01", pgstore.ErrUnavailable),
	{"the backend is terminated", "statement", nil, func(_ *pgxpool.Pool, sql *string, args *[]any) error {
		*sql, *args = "SELECT pg_sleep(CASE WHEN pg_terminate_backend(pg_backend_pid()) THEN 5 ELSE 0 END)", nil
		return nil
	}},
	{"the backend is terminated before the COMMIT", "commit", nil, func(aside *pgxpool.Pool, _ *string, _ *[]any) error {
		_, err := aside.Exec(background, "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'victim'")
		return err
	}},
	answered("commit", "ERROR", "40001"), answered("commit", "ERROR", "40P01"),
	answered("committed", "FATAL", "57P01"),                                          // the server ends
	answered("committed", "FATAL", "08P01"), answered("committed", "ERROR", "40003"), // a pooler has lost its server
	{"the answer to COMMIT is lost", "committed", nil, func(*pgxpool.Pool, *string, *[]any) error { return io.ErrUnexpectedEOF }},
}

// victim is a URL by which a backend is found.
func victim(url string) string { return url + "&application_name=victim" }

// poolOf is connections to a schema until the end of the test.
func poolOf(t *testing.T, url string) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(background, url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// TestFaultAtEachStatement injects each fault at each statement of a sale, one after the other.
func TestFaultAtEachStatement(t *testing.T) {
	url := server.Schema(t, "store", migrate)
	db, aside := openAt(t, victim(url), pgstore.Options{}), poolOf(t, url)
	for _, fault := range injections {
		t.Run(fault.step+", "+fault.name, func(t *testing.T) {
			n := 1
			for ; fault.at(t, n, db, aside); n++ {
			}
			if n <= len(steps) {
				t.Errorf("it was injected at %d places only", n-1)
			}
		})
	}
}

// at injects a fault at the n-th such step of a sale. It reports whether there is one.
func (f injection) at(t *testing.T, n int, db *pgstore.DB, aside *pgxpool.Pool) bool {
	db.Inject(nil)
	s, left := newSale(t, db), n
	db.Inject(func(step string, sql *string, args *[]any) error {
		if step != f.step || s.repeating {
			return nil
		}
		if left--; left != 0 {
			return nil
		}
		return f.do(aside, sql, args)
	})
	for range steps {
		before := left
		err := s.take(t, db, aside)
		name, hit := steps[s.written-1].name, before > 0 && left <= 0
		if hit && name == "receipt" && f.step != "statement" && errors.Is(err, pgstore.ErrOutcomeUnknown) {
			continue // it writes no row that can be read again: the outbox shows what became of it
		}
		if hit && !errors.Is(err, f.want) || !hit && err != nil {
			t.Errorf("at %d, %s: %v, want %v", n, name, err, f.want)
		}
	}
	return left <= 0
}

// TestFaultAtRead injects each fault at a read: it is tried again if the connection breaks, and refused for the moment otherwise.
func TestFaultAtRead(t *testing.T) {
	url := server.Schema(t, "store", migrate)
	db, aside := openAt(t, victim(url), pgstore.Options{}), poolOf(t, url)
	s := newSale(t, db)
	for range steps {
		if err := s.take(t, db, aside); err != nil {
			t.Fatal(err)
		}
	}
	reads := map[string]func() error{
		"session": func() error { _, err := db.Session(background, s.session.ID); return err },
		"order":   func() error { _, err := db.Order(background, checkout.Test, s.order.ID); return err },
		"token":   func() error { _, err := db.Token(background, checkout.Test, s.token.ID); return err },
		"list": func() error {
			_, err := db.Orders(background, orders.List{Environment: checkout.Test, Stores: []string{"STO_1"}, Limit: 1})
			return err
		},
	}
	for _, fault := range injections {
		if fault.step != "statement" {
			continue
		}
		want := pgstore.ErrUnavailable
		if fault.name == "the backend is terminated" {
			want = nil
		}
		for name, read := range reads {
			injected := false
			db.Inject(func(_ string, sql *string, args *[]any) error {
				if injected {
					return nil
				}
				injected = true
				return fault.do(aside, sql, args)
			})
			if err := read(); want == nil && err != nil || want != nil && !errors.Is(err, want) {
				t.Errorf("%s, %s: %v, want %v", fault.name, name, err, want)
			}
			if err := read(); err != nil {
				t.Errorf("%s, %s, repeated: %v", fault.name, name, err)
			}
		}
	}
}

// TestBrokenCommit breaks the connection of each COMMIT of a sale before it, while it is in progress, and after it.
func TestBrokenCommit(t *testing.T) {
	url, proxy := server.Schema(t, "store", migrate), server.Proxy(t)
	db, reader := openAt(t, proxy.Through(url), pgstore.Options{}), poolOf(t, url)
	for _, at := range []pgtest.Break{pgtest.BeforeCommit, pgtest.DuringCommit, pgtest.AfterCommit} {
		s := newSale(t, db)
		for range steps {
			proxy.Break(at)
			err := s.take(t, db, reader)
			if name := steps[s.written-1].name; err != nil && (name != "receipt" || !errors.Is(err, pgstore.ErrOutcomeUnknown)) {
				t.Errorf("break %d, %s: %v", at, steps[s.written-1].name, err)
			}
		}
	}
	if proxy.Broken() < 3*len(steps) {
		t.Errorf("%d connections were broken", proxy.Broken())
	}
}

// TestOutcomeUnknown: a database that cannot be read after a broken COMMIT leaves the outcome unknown, and a repetition resolves it.
func TestOutcomeUnknown(t *testing.T) {
	url, proxy := server.Schema(t, "store", migrate), server.Proxy(t)
	db, reader := openAt(t, proxy.Through(url), pgstore.Options{}), poolOf(t, url)
	for _, committed := range []bool{false, true} {
		s := newSale(t, db)
		for i := range steps {
			step := map[bool]string{false: "commit", true: "committed"}[committed]
			db.Inject(func(now string, _ *string, _ *[]any) error {
				if now == step {
					proxy.Down()
					return map[bool]error{true: io.ErrUnexpectedEOF}[committed]
				}
				return nil
			})
			err := steps[i].do(s, db)
			db.Inject(nil)
			proxy.Up()
			if !errors.Is(err, pgstore.ErrOutcomeUnknown) {
				t.Errorf("%s, committed %v: %v", steps[i].name, committed, err)
			}
			if got := s.stored(t, reader); got != i && !committed || got != i+1 && committed {
				t.Fatalf("%s, committed %v: %d steps are written", steps[i].name, committed, got)
			}
			if !committed {
				if err := steps[i].do(s, db); err != nil {
					t.Errorf("%s, repeated: %v", steps[i].name, err)
				}
			}
		}
	}
}

// TestTries: tries end, and the pauses between them are at random and bounded.
func TestTries(t *testing.T) {
	url := server.Schema(t, "store", migrate)
	db, reader := openAt(t, url, pgstore.Options{}), poolOf(t, url)
	s, tries := newSale(t, db), 0
	db.Inject(func(step string, sql *string, args *[]any) error {
		if step == "statement" && strings.HasPrefix(*sql, "UPDATE sessions ") {
			tries++
			*sql, *args = "DO $$ BEGIN RAISE SQLSTATE '40001'; END $$", nil
		}
		return nil
	})
	err := steps[0].do(s, db)
	if tries != pgstore.MaxTries || !errors.Is(err, pgstore.ErrUnavailable) || errors.Is(err, pgstore.ErrOutcomeUnknown) {
		t.Errorf("%d tries: %v", tries, err)
	}
	db.Inject(nil)
	if s.stored(t, reader) != 0 {
		t.Error("the step is written")
	}
	for try := 1; try < pgstore.MaxTries; try++ {
		different := map[time.Duration]bool{}
		for range 100 {
			pause := pgstore.Backoff(try)
			different[pause] = true
			if pause < 0 || pause >= 200*time.Millisecond || pause >= 4*time.Millisecond<<(try-1) {
				t.Fatalf("a pause of %v after try %d", pause, try)
			}
		}
		if len(different) < 50 {
			t.Errorf("%d different pauses of 100 after try %d", len(different), try)
		}
	}
}
