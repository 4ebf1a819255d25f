package pgstore

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/record"
)

// The number of a fact is the microsecond of the database's clock at which it was stored, or the one after the order's last fact
// in the outbox, if that is later. So the facts of an order are in the order of their commits, even if the clock is set back, and
// no counter makes all commits wait for each other. If two facts have the same number, the second transaction is tried again.

// factStatements add facts to the outbox.
func factStatements(facts []orders.Fact) (statements []statement, err error) {
	for i := range facts {
		text, err := encoded(&facts[i])
		if err != nil {
			return nil, err
		}
		statements = append(statements, statement{sql: `INSERT INTO outbox (seq, order_id, record)
			SELECT greatest((extract(epoch FROM clock_timestamp()) * 1000000)::bigint, coalesce(max(seq) + 1, 0)), $1, $2::json
			FROM outbox WHERE order_id = $1`, args: []any{facts[i].OrderID, text}})
	}
	return statements, nil
}

// takeFact removes a fact from the outbox.
func takeFact(f *notify.QueuedFact) []statement {
	if f == nil {
		return nil
	}
	return []statement{{sql: "DELETE FROM outbox WHERE seq = $1", args: []any{int64(f.Seq)}, otherwise: notify.ErrStale}}
}

// Facts implements notify.Store.
func (db *DB) Facts(ctx context.Context, after uint64, limit int) ([]notify.QueuedFact, error) {
	return collect(ctx, db, func(row pgx.CollectableRow) (f notify.QueuedFact, err error) {
		var seq int64
		var text []byte
		if err := row.Scan(&seq, &text); err != nil {
			return f, err
		}
		f.Seq = uint64(seq)
		if err := record.Unmarshal(text, &f.Fact); err != nil {
			return f, fmt.Errorf("fact %d: %w", seq, err)
		}
		return f, nil
	}, "SELECT seq, record FROM outbox WHERE seq > $1 ORDER BY seq LIMIT $2", int64(after), limit)
}
