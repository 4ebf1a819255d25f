package pgstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// fence lets a pool connect to the primary only. Of the servers that a URL names it refuses those that take no writes, and a former
// primary that was started again after another server had been promoted: it has an older timeline, PostgreSQL's number of
// promotions. A connection that is refused is tried with the next server of the URL.
type fence struct {
	log      *slog.Logger
	pool     atomic.Pointer[pgxpool.Pool] // nil while it is opened
	timeline atomic.Uint32                // the newest that was seen; 0 is none
	primary  atomic.Value                 // its address; none until it is known
	warned   atomic.Int64                 // when a former primary was last reported, in Unix seconds
}

// onlyPrimary makes a pool connect to the primary only.
func onlyPrimary(ctx context.Context, config *pgxpool.Config, log *slog.Logger) *fence {
	f := &fence{log: log}
	config.ConnConfig.ValidateConnect = f.validate
	if several(config) {
		config.BeforeConnect = f.primaryFirst
		f.learn(ctx, config)
		f.primaryFirst(ctx, config.ConnConfig)
	}
	return f
}

// watchEvery is how often the servers are looked at. Until then a former primary may be used that hung while another one was promoted: it
// goes on with its connections as if nothing had happened.
const watchEvery = 5 * time.Second

// watch looks at all servers of a URL that names several, now and then until ctx ends.
func (f *fence) watch(ctx context.Context, config *pgxpool.Config) {
	if !several(config) {
		return
	}
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			f.learn(ctx, config)
		case <-ctx.Done():
			return
		}
	}
}

// errFormerPrimary is the error of connecting to a server that must not be used.
var errFormerPrimary = errors.New("a former primary: another server of --store was promoted since; rebuild it as a standby before it is started")

// timelineQuery is empty where the timeline is unknown.
const timelineQuery = "SELECT CASE WHEN pg_is_in_recovery() THEN '' ELSE pg_walfile_name(pg_current_wal_lsn()) END"

// validate is a [pgconn.ValidateConnectFunc].
func (f *fence) validate(ctx context.Context, c *pgconn.PgConn) error {
	err := pgconn.ValidateConnectTargetSessionAttrsReadWrite(ctx, c)
	if errors.Is(err, pgconn.ErrReadOnlyConnection) {
		return ErrReadOnly
	}
	if err != nil {
		return err
	}
	own, err := timelineOf(ctx, c)
	if err != nil {
		return err
	}
	for newest := f.timeline.Load(); own != 0 && own != newest; newest = f.timeline.Load() {
		if own < newest {
			f.warn(c, own, newest)
			return fmt.Errorf("%w (timeline %d, not %d)", errFormerPrimary, own, newest)
		}
		if f.timeline.CompareAndSwap(newest, own) && newest != 0 {
			f.leave()
		}
	}
	return nil
}

// leave ends all connections to the former primary.
func (f *fence) leave() {
	f.log.Info("another server was promoted", "timeline", f.timeline.Load())
	if pool := f.pool.Load(); pool != nil {
		pool.Reset()
	}
}

// warn logs once a minute that a former primary is running.
func (f *fence) warn(c *pgconn.PgConn, own, newest uint32) {
	now := time.Now().Unix()
	if last := f.warned.Load(); now-last < 60 || !f.warned.CompareAndSwap(last, now) {
		return
	}
	f.log.Error("a former primary is running and is not used; stop it, and rebuild it as a standby", "address", c.Conn().RemoteAddr().String(),
		"timeline", own, "newest", newest)
}

// timelineOf returns the timeline of a server; 0 if the server has none, as other engines with PostgreSQL's protocol.
func timelineOf(ctx context.Context, c *pgconn.PgConn) (uint32, error) {
	results, err := c.Exec(ctx, timelineQuery).ReadAll()
	if answer, ok := errors.AsType[*pgconn.PgError](err); ok && (answer.Code == "42883" || answer.Code == "42501") { // no such function, or no right
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	file := string(results[0].Rows[0][0])
	if len(file) < 8 {
		return 0, nil
	}
	n, err := strconv.ParseUint(file[:8], 16, 32)
	return uint32(n), err
}

// learn looks at all servers of a URL that names several, so that neither a start nor a fail-over takes a former primary for the primary, and
// notes which one is the primary. A server that does not answer is left out.
func (f *fence) learn(ctx context.Context, config *pgxpool.Config) {
	servers := map[address]*pgconn.Config{} // each with all ways to connect to it, which are those with and without TLS
	for _, way := range ways(config.ConnConfig) {
		at := addressOf(way)
		if server := servers[at]; server != nil {
			server.Fallbacks = append(server.Fallbacks, way)
			continue
		}
		one := config.ConnConfig.Config.Copy()
		one.Host, one.Port, one.TLSConfig, one.Fallbacks = way.Host, way.Port, way.TLSConfig, nil
		servers[at] = one
	}
	ctx, cancel := context.WithTimeout(ctx, 2*watchEvery)
	defer cancel()
	var all sync.WaitGroup
	for at, server := range servers {
		all.Go(func() {
			c, err := pgconn.ConnectConfig(ctx, server)
			if err != nil {
				return
			}
			defer c.Close(ctx)
			if own, err := timelineOf(ctx, c); err == nil && own == f.timeline.Load() {
				f.primary.Store(at)
			}
		})
	}
	all.Wait()
}

// address is that of a server.
type address struct {
	host string
	port uint16
}

func addressOf(way *pgconn.FallbackConfig) address { return address{way.Host, way.Port} }

// ways are all ways to connect to the servers of a URL.
func ways(c *pgx.ConnConfig) []*pgconn.FallbackConfig {
	return append([]*pgconn.FallbackConfig{{Host: c.Host, Port: c.Port, TLSConfig: c.TLSConfig}}, c.Fallbacks...)
}

// primaryFirst lets a connection be tried with the primary first, so that it does not wait for servers that hang.
func (f *fence) primaryFirst(_ context.Context, c *pgx.ConnConfig) error {
	primary, _ := f.primary.Load().(address)
	var first, others []*pgconn.FallbackConfig
	for _, way := range ways(c) {
		if addressOf(way) == primary {
			first = append(first, way)
		} else {
			others = append(others, way)
		}
	}
	all := append(first, others...)
	c.Host, c.Port, c.TLSConfig, c.Fallbacks = all[0].Host, all[0].Port, all[0].TLSConfig, all[1:]
	return nil
}
