package durable

import (
	"strconv"

	"github.com/crepe-checkout/crepe/edge/metrics"
)

// measures are the metrics of the writer.
type measures struct{ batch, sync, commit *metrics.Histogram }

// batchSizes are bounds up to maxBatch.
var batchSizes = []float64{1, 2, 4, 8, 16, 32, 64, 128, 256, maxBatch}

// declare declares the metrics of a database.
func (db *DB) declare(m *metrics.Set) {
	db.measures = measures{
		batch:  m.Histogram("crepe_database_batch_size", "Writes that share a commit.", batchSizes),
		sync:   m.Histogram("crepe_database_sync_duration_seconds", "Time until a batch is durable in the journal.", metrics.Seconds),
		commit: m.Histogram("crepe_database_commit_duration_seconds", "Time until a batch is durable in the journal and in Badger.", metrics.Seconds),
	}
	m.Gauge("crepe_database_queue_length", "Writes that wait for the writer.", []string{"queue"}, func(emit metrics.Emit) {
		emit(float64(len(db.queue)), "normal")
		emit(float64(len(db.urgent)), "urgent")
	})
	m.Gauge("crepe_disk_free_bytes", "Free space of the file system of the data directory.", nil, func(emit metrics.Emit) {
		if free, err := db.disk.free(); err == nil {
			emit(float64(free))
		}
	})
	m.Gauge("crepe_disk_reserve_bytes", "Free space below which new sessions and orders are refused.", nil,
		metrics.Value(func() float64 { return float64(db.disk.reserve) }))
	level := []string{"level"}
	m.Gauge("crepe_database_level_tables", "SSTables of Badger, by level.", level, db.levels(func(tables int, _ int64) float64 { return float64(tables) }))
	m.Gauge("crepe_database_level_bytes", "Size of the SSTables of Badger, by level.", level, db.levels(func(_ int, size int64) float64 { return float64(size) }))
}

// levels returns a function that reads a number of each level of Badger's.
func (db *DB) levels(read func(tables int, size int64) float64) func(metrics.Emit) {
	return func(emit metrics.Emit) {
		db.closing.RLock()
		defer db.closing.RUnlock()
		if db.closed {
			return
		}
		for _, l := range db.badger.Levels() {
			emit(read(l.NumTables, l.Size), strconv.Itoa(l.Level))
		}
	}
}
