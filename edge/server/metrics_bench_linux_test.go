package server

import (
	"io"
	"slices"
	"syscall"
	"testing"
	"time"
)

// BenchmarkMetrics measures what the metrics cost: the CPU time of an order at a server with them in proportion to one without, with 64
// clients, in rounds that alternate. A round of the former has a scrape.
func BenchmarkMetrics(b *testing.B) {
	const rounds, orders, clients = 20, 1000, 64
	shops := [2]*benchShop{openBench(b, true), openBench(b, false)}
	var ratios []float64
	for round := range rounds {
		var used [2]time.Duration
		for n := range shops {
			i := (round + n) % 2 // what a server does after its orders is counted with the other's
			shop := shops[i]
			sessions := shop.copies(b, orders)
			before := processorTime(b)
			shop.order(b, sessions, clients)
			if i == 1 {
				shop.s.metrics.Write(io.Discard)
			}
			used[i] = processorTime(b) - before
		}
		ratios = append(ratios, used[1].Seconds()/used[0].Seconds())
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[rounds/2], "with/without")
	b.ReportMetric(ratios[rounds/4], "lower-quartile")
	b.ReportMetric(ratios[rounds*3/4], "upper-quartile")
}

// processorTime returns the time that this process has used of the processors.
func processorTime(b testing.TB) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
