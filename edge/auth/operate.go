package auth

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
)

// KeyState is what a signing key is used for.
type KeyState string

const (
	// KeyPublished is newer than the key that signs, and will take its place.
	KeyPublished KeyState = "published"
	// KeySigning signs new tokens and verifies.
	KeySigning KeyState = "signing"
	// KeyVerifying verifies the tokens that it signed, and is removed when the last of them has expired.
	KeyVerifying KeyState = "verifying"
)

// KeyInfo describes a signing key. It holds no secret.
type KeyInfo struct {
	ID          string
	Environment checkout.Environment
	CreatedAt   time.Time
	State       KeyState
	// Until is when the state ends by itself: a published key begins to sign, a signing key is rotated, a verifying key is
	// removed. It may take until the next hourly rotation.
	Until time.Time
}

var (
	// ErrNoKey: the environment has no signing key with that id.
	ErrNoKey = errors.New("auth: no such signing key")
	// ErrTooManyKeys: as many keys are live as a process verifies with. With one more the oldest would no longer verify.
	ErrTooManyKeys = errors.New("auth: too many live signing keys")
)

// SigningKeys describes an environment's live keys, newest first.
func (s *Service) SigningKeys(ctx context.Context, env checkout.Environment) ([]KeyInfo, error) {
	now := s.config.Now()
	keys, err := s.liveKeys(ctx, env, now)
	if err != nil || len(keys) == 0 {
		return nil, err
	}
	signer := slices.IndexFunc(keys, func(k SigningKey) bool { return k.ID == signing(keys, now).ID })
	infos := make([]KeyInfo, len(keys))
	for i, k := range keys {
		info := KeyInfo{ID: k.ID, Environment: env, CreatedAt: time.UnixMilli(k.CreatedAt)}
		switch {
		case i < signer:
			info.State, info.Until = KeyPublished, info.CreatedAt.Add(publishFor)
		case i > signer:
			info.State, info.Until = KeyVerifying, infos[i-1].CreatedAt.Add(retireFor)
		case i > 0:
			info.State, info.Until = KeySigning, infos[i-1].Until
		default:
			info.State, info.Until = KeySigning, info.CreatedAt.Add(signFor)
		}
		infos[i] = info
	}
	return infos, nil
}

// RotateNow adds a key to an environment. It signs as soon as every process knows it, a minute later; tokens of the older keys
// stay valid. [ErrTooManyKeys] when there is no room for it.
func (s *Service) RotateNow(ctx context.Context, env checkout.Environment) error {
	keys, err := s.liveKeys(ctx, env, s.config.Now())
	if err != nil {
		return err
	}
	if len(keys) >= maxKeys {
		return ErrTooManyKeys
	}
	err = s.addKey(ctx, env)
	s.rings[env].forget()
	return err
}

// Revoke removes a signing key. This process refuses its tokens at once, others on the same store within 30 s. The newest key is replaced first,
// so that there always is one. [ErrNoKey] when the environment has no such key.
func (s *Service) Revoke(ctx context.Context, env checkout.Environment, id string) error {
	keys, err := s.config.Keys.SigningKeys(ctx, env)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(keys, func(k SigningKey) bool { return k.ID == id }) {
		return ErrNoKey
	}
	if alive(keys, s.config.Now())[0].ID == id {
		if err := s.addKey(ctx, env); err != nil {
			return err
		}
	}
	err = s.config.Keys.RemoveSigningKey(ctx, env, id)
	s.rings[env].forget()
	return err
}

// liveKeys reads the keys that have not been retired, newest first.
func (s *Service) liveKeys(ctx context.Context, env checkout.Environment, now time.Time) ([]SigningKey, error) {
	keys, err := s.config.Keys.SigningKeys(ctx, env)
	return alive(keys, now), err
}
