package durable

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkSync measures an fdatasync of a preallocated block, the lower bound of a commit.
func BenchmarkSync(b *testing.B) {
	f, err := os.Create(filepath.Join(b.TempDir(), "block"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	block := make([]byte, 4096)
	for b.Loop() {
		if _, err := f.WriteAt(block, 0); err != nil {
			b.Fatal(err)
		}
		if err := syncData(f); err != nil {
			b.Fatal(err)
		}
	}
}

// openVariable makes the test binary a process that opens a database and prints how many milliseconds that took, and on Linux its peak of
// memory in MiB.
const openVariable = "CREPE_TEST_OPEN"

func openAndTell(dir string) int {
	began := time.Now()
	db, err := Open(dir, Options{})
	if err != nil {
		fmt.Println(err)
		return 3
	}
	fmt.Println(time.Since(began).Milliseconds(), peakMemory())
	if err := db.Close(); err != nil {
		fmt.Println(err)
		return 3
	}
	return 0
}

// peakMemory returns the peak of this process's memory in MiB; 0 if it is unknown.
func peakMemory() float64 {
	status, _ := os.ReadFile("/proc/self/status")
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kib, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	n, _ := strconv.ParseFloat(kib, 64)
	return n / 1024
}

// BenchmarkOpen measures how long a process takes to open a database of so many orders, and its peak of memory. An order is a record
// of two kilobytes, half of it random, and six entries of indexes. "verified first" is the start after one that was interrupted, which
// verifies everything.
func BenchmarkOpen(b *testing.B) {
	for _, orders := range []int{10_000, 130_000, 1_000_000} {
		b.Run(fmt.Sprintf("orders=%d", orders), func(b *testing.B) {
			if testing.Short() && orders > 10_000 {
				b.Skip("it takes minutes")
			}
			dir := seed(b, orders)
			for _, first := range []bool{false, true} {
				b.Run(fmt.Sprintf("verified-first=%t", first), func(b *testing.B) { benchmarkOpen(b, dir, first) })
			}
		})
	}
}

func benchmarkOpen(b *testing.B, dir string, first bool) {
	var took, peak float64
	for b.Loop() {
		if first {
			if err := os.WriteFile(filepath.Join(dir, checkingFile), nil, 0o600); err != nil {
				b.Fatal(err)
			}
		}
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), openVariable+"="+dir)
		out, err := cmd.Output()
		if err != nil {
			b.Fatalf("%v: %s", err, out)
		}
		var ms, memory float64
		if _, err := fmt.Sscan(string(out), &ms, &memory); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
		took += ms
		peak = max(peak, memory)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(took/float64(b.N), "ms/open")
	b.ReportMetric(peak, "MiB-peak")
	b.ReportMetric(float64(size(b, dir)>>20), "MiB-SSTables")
}

func size(b *testing.B, dir string) (total int64) {
	b.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.sst"))
	if err != nil {
		b.Fatal(err)
	}
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			b.Fatal(err)
		}
		total += info.Size()
	}
	return total
}

// seed writes a database of so many orders.
func seed(b *testing.B, orders int) string {
	b.Helper()
	dir := b.TempDir()
	db, err := Open(dir, Options{})
	if err != nil {
		b.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for n := 0; n < orders; {
		err := db.Update(func(tx *Tx) error {
			for range min(200, orders-n) {
				putOrder(tx, fmt.Sprintf("ORD_%016x", rng.Uint64()), order(rng))
				n++
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		b.Fatal(err)
	}
	return dir
}

// BenchmarkUpdate measures durable commits of an order like those of BenchmarkOpen, by 64 clients, with encryption and without.
func BenchmarkUpdate(b *testing.B) {
	for _, key := range [][]byte{nil, aKey} {
		b.Run(fmt.Sprintf("encrypted=%t", key != nil), func(b *testing.B) {
			db, err := Open(b.TempDir(), Options{EncryptionKey: key})
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			rng, next := rand.New(rand.NewPCG(1, 2)), new(atomic.Int64)
			value := order(rng)
			began := processorTime()
			b.SetParallelism(32)
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					id := fmt.Sprintf("ORD_%016x", next.Add(1))
					if err := db.Update(func(tx *Tx) error { putOrder(tx, id, bytes.Clone(value)); return nil }); err != nil {
						b.Error(err)
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "orders/s")
			b.ReportMetric(float64((processorTime()-began).Microseconds())/float64(b.N), "cpu-µs/order")
		})
	}
}

// putOrder puts an order and its entries in six lists.
func putOrder(tx *Tx, id string, value []byte) {
	tx.Put("test/STO_seed/or/"+id, value)
	for list := range 6 {
		tx.Put(fmt.Sprintf("test/STO_seed/ol/%d/%s", list, id), []byte{})
	}
}

// order returns a record of two kilobytes, half of it random.
func order(rng *rand.Rand) (value []byte) {
	for len(value) < 2000 {
		value = fmt.Appendf(value, `"member":"%016x",`, rng.Uint64())
	}
	return value
}

// processorTime returns the time that this process has used of the processors.
func processorTime() time.Duration {
	stat, _ := os.ReadFile("/proc/self/stat")
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.ParseInt(fields[11], 10, 64)
	system, _ := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * 10 * time.Millisecond
}
