package e2e

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/crepe-checkout/crepe/edge/pgtest"
)

// database measures a PostgreSQL server from outside.
type database struct {
	cluster    *pgtest.Cluster
	connection *pgx.Conn
	stored     int    // orders that fill has made
	first      string // the order that it copies
}

func openDatabase(b *testing.B, cluster *pgtest.Cluster) *database {
	b.Helper()
	connection, err := pgx.Connect(b.Context(), cluster.URL())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { connection.Close(b.Context()) })
	return &database{cluster: cluster, connection: connection}
}

// usage is what the database spends on an order: CPU time in microseconds, transactions that write, and all transactions, of which
// a read is one.
type usage struct{ cpu, writes, transactions, rate float64 }

// cost returns what the database spends while run creates n orders, for each of them.
func (d *database) cost(b *testing.B, n int, run func()) usage {
	b.Helper()
	before := d.counters(b)
	run()
	after := d.counters(b)
	each := func(sum float64) float64 { return sum / float64(n) }
	return usage{cpu: each(after.cpu - before.cpu), writes: each(after.writes - before.writes), transactions: each(after.transactions - before.transactions)}
}

const (
	// endDelay is longer than a connection's process takes to end. One that ends while the CPU times are read may be missed.
	endDelay = 200 * time.Millisecond
	// statisticsDelay is longer than PostgreSQL takes to publish its counters.
	statisticsDelay = 2 * time.Second
)

func (d *database) counters(b *testing.B) usage {
	b.Helper()
	time.Sleep(endDelay)
	cpu := d.cpu(b)
	time.Sleep(statisticsDelay)
	return usage{cpu: cpu, writes: d.number(b, "SELECT pg_current_xact_id()::text::bigint"),
		transactions: d.number(b, "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()")}
}

// cpu returns the CPU time of all of the server's processes, also of those that have ended, in microseconds.
func (d *database) cpu(b *testing.B) float64 {
	b.Helper()
	text, err := os.ReadFile(filepath.Join(d.cluster.Dir, "postmaster.pid"))
	if err != nil {
		b.Fatal(err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	server, err := strconv.Atoi(line)
	if err != nil {
		b.Fatal(err)
	}
	processes, err := os.ReadDir("/proc")
	if err != nil {
		b.Fatal(err)
	}
	ticks := 0
	for _, process := range processes {
		pid, err := strconv.Atoi(process.Name())
		if err != nil {
			continue
		}
		switch stat := readStat(b, pid); {
		case stat == nil:
		case pid == server:
			ticks += stat[utime] + stat[stime] + stat[cutime] + stat[cstime]
		case stat[ppid] == server:
			ticks += stat[utime] + stat[stime]
		}
	}
	return float64(ticks * tick)
}

func (d *database) exec(b *testing.B, sql string, args ...any) {
	b.Helper()
	if _, err := d.connection.Exec(b.Context(), sql, args...); err != nil {
		b.Fatalf("%v in %s", err, sql)
	}
}

func (d *database) number(b *testing.B, sql string) (n float64) {
	b.Helper()
	if err := d.connection.QueryRow(b.Context(), sql).Scan(&n); err != nil {
		b.Fatalf("%v in %s", err, sql)
	}
	return n
}

// record is the record of an order.
func (d *database) record(b *testing.B) (text string) {
	b.Helper()
	if err := d.connection.QueryRow(b.Context(), "SELECT record::text FROM orders LIMIT 1").Scan(&text); err != nil {
		b.Fatal(err)
	}
	return text
}

// fillStep is how many orders a statement of fill stores.
const fillStep = 50_000

// fill copies an order of the server and its session until there are so many, each with an id of its own and a minute older than
// the one before. It tells its progress.
func (d *database) fill(b *testing.B, orders int) {
	b.Helper()
	d.stored = max(d.stored, int(d.number(b, "SELECT count(*) FROM orders")))
	if d.first == "" {
		if err := d.connection.QueryRow(b.Context(), "SELECT id FROM orders ORDER BY created_at DESC LIMIT 1").Scan(&d.first); err != nil {
			b.Fatal(err)
		}
	}
	inserts := []string{
		d.insertCopies(b, "sessions", "s", map[string]string{"id": "new.session", "order_id": "new.id", "created_at": "new.at"}),
		d.insertCopies(b, "orders", "o", map[string]string{"id": "new.id", "session_id": "new.session", "created_at": "new.at", "updated_at": "new.at",
			"due_at": "NULL", "state": "'expired'", "status": "'canceled'", "buyer_email": "'buyer-' || n % 5000 || '@example.com'"}),
	}
	for began := time.Now(); d.stored < orders; {
		next := min(orders, d.stored+fillStep)
		for _, sql := range inserts {
			d.exec(b, sql, d.stored, next-1, d.first)
		}
		d.stored = next
		fmt.Fprintf(os.Stderr, "%d of %d orders stored after %.0f s\n", d.stored, orders, time.Since(began).Seconds())
	}
	d.exec(b, "VACUUM ANALYZE")
	d.exec(b, "CHECKPOINT")
}

// insertCopies is the statement that inserts copies of a row, with changes in some columns and other ids in its record.
func (d *database) insertCopies(b *testing.B, table, row string, changes map[string]string) string {
	b.Helper()
	changes["record"] = "replace(replace(" + row + ".record::text, s.id, new.session), o.id, new.id)::json"
	columns, err := d.connection.Query(b.Context(), "SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = $1", table)
	if err != nil {
		b.Fatal(err)
	}
	names, err := pgx.CollectRows(columns, pgx.RowTo[string])
	if err != nil {
		b.Fatal(err)
	}
	values := make([]string, len(names))
	for i, name := range names {
		values[i] = cmp.Or(changes[name], row+"."+name)
	}
	return "INSERT INTO " + table + " (" + strings.Join(names, ", ") + ") SELECT " + strings.Join(values, ", ") + " FROM " + copies
}

const copies = `(VALUES ($3::text)) first(id) JOIN orders o ON o.id = first.id JOIN sessions s ON s.id = o.session_id
	CROSS JOIN generate_series($1::int, $2::int) n
	CROSS JOIN LATERAL (SELECT 'ORD_0' || substr(md5('order' || n), 1, 21) AS id, 'cs_' || md5('session' || n)::uuid AS session,
		o.created_at - n * INTERVAL '1 minute' AS at) new`
