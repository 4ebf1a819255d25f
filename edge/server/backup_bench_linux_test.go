package server

import (
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/edge/backup"
	"github.com/crepe-checkout/crepe/edge/badgerstore"
)

// BenchmarkBackup measures what backups cost while they are made: the rate and the CPU time of orders while one full backup follows the other
// in proportion to those without, with 64 clients, in rounds that alternate, in a database of 20,000 orders and more.
func BenchmarkBackup(b *testing.B) {
	const stored, rounds, orders, clients = 20_000, 20, 1000, 64
	shop := openBench(b, false)
	shop.order(b, shop.copies(b, stored), clients)
	var rates, times []float64
	var backedUp int64
	for round := range rounds {
		var took, used [2]time.Duration
		for i := range 2 {
			sessions, with := shop.copies(b, orders), (round+i)%2
			stop := func() int64 { return 0 }
			if with == 1 {
				stop = shop.backUp(b)
			}
			began, before := time.Now(), processorTime(b)
			shop.order(b, sessions, clients)
			took[with], used[with] = time.Since(began), processorTime(b)-before
			backedUp += stop()
		}
		rates = append(rates, took[0].Seconds()/took[1].Seconds())
		times = append(times, used[1].Seconds()/used[0].Seconds())
	}
	slices.Sort(rates)
	slices.Sort(times)
	b.ReportMetric(rates[rounds/2], "rate")
	b.ReportMetric(rates[rounds/4], "rate-lower-quartile")
	b.ReportMetric(rates[rounds*3/4], "rate-upper-quartile")
	b.ReportMetric(times[rounds/2], "CPU")
	b.ReportMetric(times[rounds/4], "CPU-lower-quartile")
	b.ReportMetric(times[rounds*3/4], "CPU-upper-quartile")
	b.ReportMetric(float64(backedUp)/rounds/1e6, "MB-backed-up/round")
}

// backUp makes full backups one after the other until stop is called, which returns how many bytes it has written.
func (shop *benchShop) backUp(b *testing.B) (stop func() int64) {
	s := backup.New(backup.Config{DB: shop.s.db.(*badgerstore.DB).DB, Deployment: "bench", Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	request := backup.Request{Directory: filepath.Join(b.TempDir(), "backups"), Full: true, Keep: 1}
	if _, err := s.Start(request); err != nil {
		b.Fatal(err)
	}
	quit, done := make(chan struct{}), make(chan int64)
	go func() {
		written := int64(0)
		for {
			select {
			case <-time.After(time.Millisecond):
			case <-quit:
				s.Close()
				done <- written + s.Status().Bytes
				return
			}
			if status := s.Status(); !status.Running {
				_, err := s.Start(request)
				if written += status.Bytes; status.Error != "" || err != nil {
					b.Error("no backup was made: ", status.Error, err)
				}
			}
		}
	}()
	return func() int64 { close(quit); return <-done }
}
