package pgstore

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/metrics"
	"github.com/crepe-checkout/crepe/edge/record"
)

// Options configure a store.
type Options struct {
	Log *slog.Logger // nil discards

	// Isolation is the level of every transaction that writes: "read committed", the default, or "serializable". Both are correct; see
	// README.md.
	Isolation pgx.TxIsoLevel

	// Timeout is the longest time for one read or write, connecting and waiting for a connection included; 0 is 5 seconds.
	Timeout time.Duration

	// KeepSessions is how long a checkout session without an order is kept after it has expired; 0 is for ever.
	KeepSessions time.Duration

	// Usable says whether the database may be used; nil is always. While it returns false, reads and writes fail with [ErrUnavailable],
	// and only Hold and Release of lease.Store have their effect.
	Usable func() bool

	Metrics *metrics.Set // nil for none
}

// DB is an open store. It is safe for concurrent use.
type DB struct {
	pool         *pgxpool.Pool
	log          *slog.Logger
	isolation    pgx.TxIsoLevel
	direct       bool // connections have the limit idleLimit
	timeout      time.Duration
	keepSessions time.Duration
	usable       func() bool
	touched      chan touch
	queue        commitQueue
	counts       keptCounts
	longCount    int // the constant, except in tests
	retried      *metrics.Counter
	failures     *metrics.Counter
	stop         context.CancelFunc // ends the background work
	background   sync.WaitGroup
	fault        func(step string, s *statement) error // a test's, see injected
}

var _ record.Store = (*DB)(nil)

// Open connects to a database by its URL, "postgres://user@host/database", or by a connection string of libpq. The schema must be
// the one of this version of the program, or a newer one that supports it. The errors say what to do; some are [ErrSchemaOld], [ErrSchemaNew],
// [ErrCollation] and [ErrReadOnly].
//
// If the URL names several servers, "postgres://user@first:5432,second:5432/database", the store uses the one that is the primary, also
// after another one was promoted. It never reads from a standby, and never uses a former primary that was started again, as soon as it
// has seen a newer one.
//
// Statements are prepared, unless the connection goes through a pooler, which may give each transaction another connection of its own. The
// parameter default_query_exec_mode of the URL overrides that: "exec" and "cache_statement".
func Open(ctx context.Context, url string, o Options) (*DB, error) {
	config, err := poolConfig(url)
	if err != nil {
		return nil, err
	}
	o.Log = cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	f := onlyPrimary(ctx, config, o.Log)
	direct, err := prepare(ctx, url, config.ConnConfig)
	if err != nil {
		return nil, unusable(err)
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, unusable(err)
	}
	f.pool.Store(pool)
	background, stop := context.WithCancel(context.Background())
	db := &DB{pool: pool, log: o.Log, isolation: cmp.Or(o.Isolation, pgx.ReadCommitted), direct: direct,
		timeout: cmp.Or(o.Timeout, 5*time.Second), keepSessions: o.KeepSessions, usable: o.Usable, touched: make(chan touch, touchBuffer), stop: stop, longCount: longCount}
	if db.usable == nil {
		db.usable = always
	}
	if err := db.check(ctx); err != nil {
		pool.Close()
		stop()
		return nil, err
	}
	db.declare(o.Metrics)
	db.background.Go(func() { db.removeExpired(background) })
	db.background.Go(func() { db.writeTouches(background) })
	db.background.Go(func() { f.watch(background, config) })
	return db, nil
}

func always() bool { return true }

// never: a statement on a connection that has broken meanwhile says so, too, and is tried again.
func never(context.Context, pgxpool.ShouldPingParams) bool { return false }

// maxConnections is the default size of the pool. More connections than the database has cores make it slower.
const maxConnections = 16

// poolConfig reads a URL. Its error does not repeat the URL, which may hold a password.
func poolConfig(url string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errors.New(`the database's URL cannot be read; it has the form "postgres://user@host:5432/database"`)
	}
	if !mentions(url, "pool_max_conns") {
		config.MaxConns = maxConnections
	}
	if !mentions(url, "default_query_exec_mode") {
		config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
	}
	config.ShouldPing = never
	patience := 5 * time.Second
	if several(config) {
		patience = 2 * time.Second // so that the next one is tried before a request's time is over
	}
	config.ConnConfig.ConnectTimeout = cmp.Or(config.ConnConfig.ConnectTimeout, patience)
	return config, nil
}

// prepare lets statements be prepared on a direct connection, and limits its idle transactions. A pooler is recognised by the process
// that serves the connection: it is not the one that has accepted it. direct is false if a parameter of the URL decides.
func prepare(ctx context.Context, url string, config *pgx.ConnConfig) (direct bool, err error) {
	if mentions(url, "default_query_exec_mode") {
		return false, nil
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return false, err
	}
	defer conn.Close(ctx)
	var server int64
	if err := conn.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&server); err != nil {
		return false, err
	}
	if direct = server == int64(conn.PgConn().PID()); direct {
		config.DefaultQueryExecMode = pgx.QueryExecModeCacheStatement
		config.RuntimeParams[idleLimit] = idleLimitValue
	}
	return direct, nil
}

// several reports whether a URL names several servers.
func several(config *pgxpool.Config) bool {
	first := config.ConnConfig
	return slices.ContainsFunc(first.Fallbacks, func(f *pgconn.FallbackConfig) bool { return f.Host != first.Host || f.Port != first.Port })
}

// Close implements [record.Store].
func (db *DB) Close() error {
	db.stop()
	db.background.Wait()
	db.pool.Close()
	return nil
}

// Full implements [record.Store]. A database server that has no space refuses the write itself.
func (db *DB) Full() bool { return false }

// Stopped implements [record.Store]. A lost connection is no reason to stop: the channel is never closed.
func (db *DB) Stopped() <-chan struct{} { return nil }

// Err implements [record.Store].
func (db *DB) Err() error { return nil }

// Claim implements [record.Store].
func (db *DB) Claim(ctx context.Context, use string) (string, error) {
	if use == "" {
		stored, err := db.setting(ctx, "use")
		return string(stored), err
	}
	stored, err := db.settingOr(ctx, "use", func() ([]byte, error) { return []byte(use), nil })
	return string(stored), err
}

// Deployment implements orders.Store.
func (db *DB) Deployment(ctx context.Context, made string) (string, error) {
	id, err := db.settingOr(ctx, "deployment", func() ([]byte, error) { return []byte(made), nil })
	return string(id), err
}

// WebhookKey implements notify.Keys.
func (db *DB) WebhookKey(ctx context.Context, env checkout.Environment, fallback func() ([]byte, error)) ([]byte, error) {
	return db.settingOr(ctx, "webhook-key/"+string(env), fallback)
}

// setting returns the value of a setting, nil if there is none.
func (db *DB) setting(ctx context.Context, name string) ([]byte, error) {
	values, err := collect(ctx, db, pgx.RowTo[[]byte], "SELECT value FROM settings WHERE name = $1", name)
	if err != nil || len(values) == 0 {
		return nil, err
	}
	return values[0], nil
}

// settingOr returns the value of a setting. If there is none, it stores and returns the result of create, unless another caller
// does so first.
func (db *DB) settingOr(ctx context.Context, name string, create func() ([]byte, error)) ([]byte, error) {
	stored, err := db.setting(ctx, name)
	if stored != nil || err != nil {
		return stored, err
	}
	created, err := create()
	if err != nil {
		return nil, err
	}
	add := statement{sql: "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING", args: []any{name, created}}
	if err := db.write(ctx, add); err != nil {
		return nil, err
	}
	return db.setting(ctx, name)
}
