package pgstore

import (
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/crepe-checkout/crepe/edge/metrics"
)

// declare declares the metrics of a store.
func (db *DB) declare(m *metrics.Set) {
	db.retried = m.Counter("crepe_postgres_retries_total", "Transactions that were tried again, because of another one or of a broken connection.")
	db.failures = m.Counter("crepe_postgres_failures_total", "Reads and writes that failed because PostgreSQL could not be used (unavailable), and writes whose outcome is unknown.", "kind")
	db.failures.Expect("unavailable")
	db.failures.Expect("outcome-unknown")
	m.Gauge("crepe_postgres_connections", "Connections of the pool, by what they do.", []string{"state"}, func(emit metrics.Emit) {
		s := db.pool.Stat()
		emit(float64(s.AcquiredConns()), "busy")
		emit(float64(s.IdleConns()), "idle")
		emit(float64(s.ConstructingConns()), "connecting")
	})
	m.Gauge("crepe_postgres_connections_max", "Most connections that the pool opens.", nil, db.pooled(func(s *pgxpool.Stat) float64 { return float64(s.MaxConns()) }))
	m.CounterOf("crepe_postgres_acquires_total", "Reads and writes that took a connection of the pool.", nil,
		db.pooled(func(s *pgxpool.Stat) float64 { return float64(s.AcquireCount()) }))
	m.CounterOf("crepe_postgres_acquire_wait_seconds_total", "Time for which they waited for a connection.", nil,
		db.pooled(func(s *pgxpool.Stat) float64 { return s.EmptyAcquireWaitTime().Seconds() }))
}

func (db *DB) pooled(read func(*pgxpool.Stat) float64) func(metrics.Emit) {
	return metrics.Value(func() float64 { return read(db.pool.Stat()) })
}
