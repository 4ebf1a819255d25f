package admin

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/auth"
	"github.com/crepe-checkout/crepe/edge/catalog"
)

// TokenKeysRequest names the environment of an operation on keys; "" is both.
type TokenKeysRequest struct {
	Environment string `json:"environment,omitempty"`
}

// TokenKey describes a key that signs session tokens, without its secret.
type TokenKey struct {
	Environment checkout.Environment `json:"environment"`
	ID          string               `json:"id"`
	CreatedAt   time.Time            `json:"createdAt"`
	State       auth.KeyState        `json:"state"`
	Until       time.Time            `json:"until"`
}

// TokenKeys are the live keys, newest first in each environment.
type TokenKeys struct {
	Items []TokenKey `json:"items"`
}

func (a *Admin) listTokenKeys(ctx context.Context, in TokenKeysRequest) (TokenKeys, error) {
	envs, err := parseEnvironments(in.Environment)
	listed := TokenKeys{Items: []TokenKey{}}
	for _, env := range envs {
		keys, err := a.config.Auth.SigningKeys(ctx, env)
		if err != nil {
			return TokenKeys{}, err
		}
		for _, k := range keys {
			listed.Items = append(listed.Items, TokenKey{k.Environment, k.ID, k.CreatedAt.UTC(), k.State, k.Until.UTC()})
		}
	}
	return listed, err
}

// rotateTokenKeys adds a key to each environment and returns the keys as they are afterwards.
func (a *Admin) rotateTokenKeys(ctx context.Context, in TokenKeysRequest) (TokenKeys, error) {
	envs, err := parseEnvironments(in.Environment)
	if err != nil {
		return TokenKeys{}, err
	}
	for _, env := range envs {
		err := a.config.Auth.RotateNow(ctx, env)
		if errors.Is(err, auth.ErrTooManyKeys) {
			err = refusef(problem.Conflict, "%s has as many live keys as can verify: with one more, tokens of the oldest would be refused; "+
				"wait until a key has been retired, or revoke one", env)
		}
		if err != nil {
			return TokenKeys{}, err
		}
		a.config.Log.Info("a new signing key was made", "environment", env)
	}
	return a.listTokenKeys(ctx, in)
}

// RevokeTokenKeyRequest names a key to revoke.
type RevokeTokenKeyRequest struct {
	ID string `json:"id"`
}

// revokeTokenKey removes a key and returns the keys as they are afterwards.
func (a *Admin) revokeTokenKey(ctx context.Context, in RevokeTokenKeyRequest) (TokenKeys, error) {
	env, err := inOneOf("", auth.ErrNoKey, func(env checkout.Environment) error { return a.config.Auth.Revoke(ctx, env, in.ID) })
	if errors.Is(err, auth.ErrNoKey) {
		text := "there is no key %q"
		if strings.HasPrefix(in.ID, catalog.APIKeyPrefix) {
			text = "%q is a merchant's API key: crepe key has those, crepe token-key the keys that sign session tokens"
		}
		err = refusef(problem.NotFound, text, in.ID)
	}
	if err != nil {
		return TokenKeys{}, err
	}
	a.config.Log.Warn("a signing key was revoked: its session tokens are refused", "environment", env, "key", in.ID)
	return a.listTokenKeys(ctx, TokenKeysRequest{string(env)})
}
