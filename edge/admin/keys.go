package admin

import (
	"context"
	"errors"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/auth"
)

// KeysRequest names the environment of an operation on keys; "" is both.
type KeysRequest struct {
	Environment string `json:"environment,omitempty"`
}

// Key describes a key that signs session tokens, without its secret.
type Key struct {
	Environment checkout.Environment `json:"environment"`
	ID          string               `json:"id"`
	CreatedAt   time.Time            `json:"createdAt"`
	State       auth.KeyState        `json:"state"`
	Until       time.Time            `json:"until"`
}

// Keys are the live keys, newest first in each environment.
type Keys struct {
	Items []Key `json:"items"`
}

func (a *Admin) listKeys(ctx context.Context, in KeysRequest) (Keys, error) {
	envs, err := parseEnvironments(in.Environment)
	listed := Keys{Items: []Key{}}
	for _, env := range envs {
		keys, err := a.config.Auth.SigningKeys(ctx, env)
		if err != nil {
			return Keys{}, err
		}
		for _, k := range keys {
			listed.Items = append(listed.Items, Key{k.Environment, k.ID, k.CreatedAt.UTC(), k.State, k.Until.UTC()})
		}
	}
	return listed, err
}

// rotateKeys adds a key to each environment and returns the keys as they are afterwards.
func (a *Admin) rotateKeys(ctx context.Context, in KeysRequest) (Keys, error) {
	envs, err := parseEnvironments(in.Environment)
	if err != nil {
		return Keys{}, err
	}
	for _, env := range envs {
		err := a.config.Auth.RotateNow(ctx, env)
		if errors.Is(err, auth.ErrTooManyKeys) {
			err = refusef(problem.Conflict, "%s has as many live keys as can verify: with one more, tokens of the oldest would be refused; "+
				"wait until a key has been retired, or revoke one", env)
		}
		if err != nil {
			return Keys{}, err
		}
		a.config.Log.Info("a new signing key was made", "environment", env)
	}
	return a.listKeys(ctx, in)
}

// RevokeRequest names a key to revoke.
type RevokeRequest struct {
	ID string `json:"id"`
}

// revokeKey removes a key and returns the keys as they are afterwards.
func (a *Admin) revokeKey(ctx context.Context, in RevokeRequest) (Keys, error) {
	env, err := inOneOf("", auth.ErrNoKey, func(env checkout.Environment) error { return a.config.Auth.Revoke(ctx, env, in.ID) })
	if errors.Is(err, auth.ErrNoKey) {
		err = refusef(problem.NotFound, "there is no key %q", in.ID)
	}
	if err != nil {
		return Keys{}, err
	}
	a.config.Log.Warn("a signing key was revoked: its session tokens are refused", "environment", env, "key", in.ID)
	return a.listKeys(ctx, KeysRequest{string(env)})
}
