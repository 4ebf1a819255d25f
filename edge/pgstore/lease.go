package pgstore

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/crepe-checkout/crepe/edge/lease"
)

var errHeld = errors.New("pgstore: another server has the lease")

// Hold implements lease.Store, by the database's clock.
func (db *DB) Hold(ctx context.Context, task, holder string, duration time.Duration) (bool, error) {
	err := db.lease(ctx, statement{sql: `INSERT INTO leases (task, holder, holders, held_until)
		VALUES ($1, $2, 1, clock_timestamp() + $3::bigint * INTERVAL '1 millisecond')
		ON CONFLICT (task) DO UPDATE SET holder = excluded.holder, held_until = excluded.held_until,
			holders = leases.holders + CASE WHEN leases.holder = excluded.holder THEN 0 ELSE 1 END
		WHERE leases.holder = excluded.holder OR leases.held_until <= clock_timestamp()`,
		args: []any{task, holder, duration.Milliseconds()}, otherwise: errHeld})
	if errors.Is(err, errHeld) {
		return false, nil
	}
	return err == nil, err
}

// Lease implements lease.Store.
func (db *DB) Lease(ctx context.Context, task string) (lease.Lease, error) {
	lasting, err := collect(ctx, db, pgx.RowToStructByPos[lease.Lease],
		"SELECT holder, held_until FROM leases WHERE task = $1 AND held_until > clock_timestamp()", task)
	if err != nil || len(lasting) == 0 {
		return lease.Lease{}, err
	}
	return lasting[0], nil
}

// Release implements lease.Store.
func (db *DB) Release(ctx context.Context, task, holder string) error {
	return db.lease(ctx, statement{sql: "UPDATE leases SET held_until = clock_timestamp() WHERE task = $1 AND holder = $2",
		args: []any{task, holder}})
}

// lease is write without regard to [Options.Usable].
func (db *DB) lease(ctx context.Context, s statement) error {
	return db.try(ctx, []statement{s}, db.transaction)
}
