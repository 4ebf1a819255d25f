package pgstore

import (
	"cmp"
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/auth"
	"github.com/crepe-checkout/crepe/edge/orders"
)

// tokenStatements spend a session token, or only check that it is unspent. The check writes the row, too: a transaction that spends
// the token waits for it at every isolation level.
func tokenStatements(c *orders.Change) []statement {
	token := cmp.Or(c.Spend, c.Unspent)
	if token == nil {
		return nil
	}
	return []statement{{sql: `INSERT INTO session_tokens (environment, id, spent, expires_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (environment, id) DO UPDATE SET spent = excluded.spent WHERE NOT session_tokens.spent`,
		args: []any{token.Environment, token.ID, c.Spend != nil, time.UnixMilli(token.ExpiresAt)}, otherwise: orders.ErrSpent}}
}

// Token implements auth.Tokens.
func (db *DB) Token(ctx context.Context, env checkout.Environment, id string) (auth.TokenState, error) {
	states, err := collect(ctx, db, func(row pgx.CollectableRow) (s auth.TokenState, err error) {
		var used *time.Time
		err = row.Scan(&used, &s.Spent)
		if used != nil {
			s.LastUsed = used.UnixMilli()
		}
		return s, err
	}, "SELECT last_used, spent FROM session_tokens WHERE environment = $1 AND id = $2", env, id)
	if err != nil || len(states) == 0 {
		return auth.TokenState{}, err
	}
	return states[0], nil
}

// SigningKeys implements auth.Keys.
func (db *DB) SigningKeys(ctx context.Context, env checkout.Environment) (keys []auth.SigningKey, err error) {
	records, err := all[auth.SigningKey](ctx, db, "SELECT record FROM signing_keys WHERE environment = $1", env)
	for _, k := range records {
		keys = append(keys, *k)
	}
	return keys, err
}

// AddSigningKey implements auth.Keys.
func (db *DB) AddSigningKey(ctx context.Context, k auth.SigningKey) error {
	text, err := encoded(&k)
	if err != nil {
		return err
	}
	return db.write(ctx, statement{sql: `INSERT INTO signing_keys (environment, id, created_at, record) VALUES ($1, $2, $3, $4)
		ON CONFLICT (environment, id) DO UPDATE SET record = excluded.record`,
		args: []any{k.Environment, k.ID, time.UnixMilli(k.CreatedAt), text}})
}

// RemoveSigningKey implements auth.Keys.
func (db *DB) RemoveSigningKey(ctx context.Context, env checkout.Environment, id string) error {
	return db.write(ctx, statement{sql: "DELETE FROM signing_keys WHERE environment = $1 AND id = $2", args: []any{env, id}})
}
