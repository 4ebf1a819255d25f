package badgerstore

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/auth"
	"github.com/crepe-checkout/crepe/edge/durable"
	"github.com/crepe-checkout/crepe/edge/orders"
)

func tokenKey(env checkout.Environment, id string) string { return string(env) + "/-/tk/" + id }

func signingKeys(env checkout.Environment) string { return string(env) + "/-/ky/" }

var errNoState = errors.New("badgerstore: no state of the token")

// Token implements auth.Tokens.
func (db *DB) Token(_ context.Context, env checkout.Environment, id string) (auth.TokenState, error) {
	return db.tokens.read(tokenKey(env, id), func() (auth.TokenState, error) { return tokenState(db.Get, env, id) })
}

func tokenState(get func(string) ([]byte, error), env checkout.Environment, id string) (auth.TokenState, error) {
	state, err := load[auth.TokenState](get, tokenKey(env, id), errNoState)
	if errors.Is(err, errNoState) {
		return auth.TokenState{}, nil
	}
	if err != nil {
		return auth.TokenState{}, err
	}
	return *state, nil
}

// Touch implements auth.Tokens.
func (db *DB) Touch(env checkout.Environment, t auth.Token, at int64) {
	go func() {
		w := db.tokens.writing(tokenKey(env, t.ID))
		var now auth.TokenState
		err := db.Update(func(tx *durable.Tx) (err error) {
			now, err = changeToken(tx, env, t.ID, t.ExpiresAt, func(state *auth.TokenState) { state.LastUsed = max(state.LastUsed, at) })
			return err
		})
		w.end(now, err == nil)
		if err != nil {
			db.log.Warn("cannot record the use of a session token", "error", err)
		}
	}()
}

// commitSpent is the part of Commit that spends a token, or only checks that it is unspent.
func commitSpent(tx *durable.Tx, c orders.Change) error {
	token := cmp.Or(c.Spend, c.Unspent)
	if token == nil {
		return nil
	}
	state, err := tokenState(tx.Get, token.Environment, token.ID)
	if err != nil {
		return err
	}
	if state.Spent {
		return orders.ErrSpent
	}
	if c.Spend == nil {
		return nil
	}
	_, err = changeToken(tx, token.Environment, token.ID, token.ExpiresAt, func(state *auth.TokenState) { state.Spent = true })
	return err
}

func changeToken(tx *durable.Tx, env checkout.Environment, id string, expiresAt int64, change func(*auth.TokenState)) (state auth.TokenState, err error) {
	if state, err = tokenState(tx.Get, env, id); err != nil {
		return state, err
	}
	change(&state)
	value, err := encode(&state)
	if err == nil {
		tx.PutUntil(tokenKey(env, id), value, time.UnixMilli(expiresAt))
	}
	return state, err
}

// SigningKeys implements auth.Keys.
func (db *DB) SigningKeys(_ context.Context, env checkout.Environment) (keys []auth.SigningKey, err error) {
	scanned := db.Scan(signingKeys(env), "", func(_ string, value []byte) bool {
		var k auth.SigningKey
		err = decode(value, &k)
		keys = append(keys, k)
		return err == nil
	})
	return keys, errors.Join(err, scanned)
}

// AddSigningKey implements auth.Keys.
func (db *DB) AddSigningKey(_ context.Context, k auth.SigningKey) error {
	return db.Update(func(tx *durable.Tx) error { return save(tx, signingKeys(k.Environment)+k.ID, &k) })
}

// RemoveSigningKey implements auth.Keys.
func (db *DB) RemoveSigningKey(_ context.Context, env checkout.Environment, id string) error {
	return db.Update(func(tx *durable.Tx) error {
		tx.Delete(signingKeys(env) + id)
		return nil
	})
}
