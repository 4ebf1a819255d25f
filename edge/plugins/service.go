package plugins

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/problem"
)

// Service uploads and publishes rules. It is safe for concurrent use.
type Service struct {
	Store Store
	Now   func() time.Time
}

// Upload is a version to be stored.
type Upload struct {
	Name      string    // "" for none
	Module    []byte    // at most MaxModule bytes
	Config    []byte    // a JSON object; nil is {}
	OnFailure OnFailure // "" is [Refuse]
	InPage    bool
}

// Upload stores a new version of a store's rule. If the store has the same version already, it returns that. A module that cannot run is
// refused with the reason.
func (s *Service) Upload(ctx context.Context, storeID string, u Upload) (*Version, error) {
	if err := u.check(ctx); err != nil {
		return nil, err
	}
	var version *Version
	err := s.change(ctx, storeID, func(r *Rules) (c Change, err error) {
		version = u.version(s.Now())
		if i := slices.IndexFunc(r.Versions, version.same); i >= 0 {
			version = &r.Versions[i]
			return c, errUnchanged
		}
		if len(r.Versions) >= MaxVersions {
			return c, errFull
		}
		r.Last++
		version.Number = r.Last
		r.Versions = append(r.Versions, *version)
		return Change{Add: &Content{StoreID: storeID, Number: r.Last, Module: u.Module, Config: u.Config}}, nil
	})
	return version, err
}

// Publish makes a version the one of an environment. In prod that is only a version that was published in test.
func (s *Service) Publish(ctx context.Context, storeID string, number int, env checkout.Environment) (*Version, error) {
	var version *Version
	err := s.change(ctx, storeID, func(r *Rules) (Change, error) {
		if version = r.Version(number); version == nil {
			return Change{}, errNoVersion
		}
		if env == checkout.Prod {
			if version.TestedAt == 0 {
				return Change{}, errUntested
			}
			r.Prod = number
			return Change{}, nil
		}
		r.Test = number
		if version.TestedAt == 0 {
			version.TestedAt = s.Now().UnixMilli()
		}
		return Change{}, nil
	})
	return version, err
}

// Unpublish ends the rule of an environment. Orders are then placed without one.
func (s *Service) Unpublish(ctx context.Context, storeID string, env checkout.Environment) error {
	return s.change(ctx, storeID, func(r *Rules) (Change, error) {
		published := &r.Test
		if env == checkout.Prod {
			published = &r.Prod
		}
		if *published == 0 {
			return Change{}, errUnchanged
		}
		*published = 0
		return Change{}, nil
	})
}

// Remove removes a version that is not published.
func (s *Service) Remove(ctx context.Context, storeID string, number int) error {
	return s.change(ctx, storeID, func(r *Rules) (Change, error) {
		switch {
		case r.Version(number) == nil:
			return Change{}, errNoVersion
		case number == r.Test, number == r.Prod:
			return Change{}, errPublished
		}
		r.Versions = slices.DeleteFunc(r.Versions, func(v Version) bool { return v.Number == number })
		return Change{Remove: number}, nil
	})
}

// errUnchanged ends a change that has nothing to write.
var errUnchanged = errors.New("plugins: nothing to change")

// change reads the rules, lets do change them, and commits the change that do returns. It begins again if they were written meanwhile.
func (s *Service) change(ctx context.Context, storeID string, do func(*Rules) (Change, error)) error {
	for {
		r, err := s.Store.Rules(ctx, storeID)
		if err != nil {
			return err
		}
		c, err := do(r)
		if errors.Is(err, errUnchanged) {
			return nil
		}
		if err != nil {
			return err
		}
		c.Rules = r
		if err = s.Store.CommitRules(ctx, c); !errors.Is(err, ErrStale) {
			return err
		}
	}
}

// check checks an upload, and brings its config into the stored form.
func (u *Upload) check(ctx context.Context) (err error) {
	if len(u.Name) > MaxName || !utf8.ValidString(u.Name) || strings.ContainsFunc(u.Name, isControl) {
		return refusef("the name has more than %d bytes, or characters that cannot be shown", MaxName)
	}
	if u.OnFailure == "" {
		u.OnFailure = Refuse
	}
	if u.OnFailure != Refuse && u.OnFailure != Continue {
		return refusef("what happens on a failure is %q; expected %s or %s", u.OnFailure, Refuse, Continue)
	}
	if u.Config, err = Config(u.Config); err != nil {
		return err
	}
	if _, err = Check(ctx, u.Module); err != nil {
		return err
	}
	return u.try(ctx)
}

// sample is the draft of an ordinary order.
const sample = `{"environment":"test","storeId":"STO_1","product":{"id":"PROD_1","taxCategory":"ebook"},"price":{"amount":"29.00","currency":"EUR"},
	"buyerEmail":"ann@example.com","billingDetail":{"country":"DE","isBusiness":false},"on":"2026-11-29"}`

// try refuses a version that fails on an ordinary order: most likely its config has a mistake.
func (u *Upload) try(ctx context.Context) error {
	_, err := Run(ctx, u.Module, u.Config, []byte(sample))
	if f, ok := errors.AsType[*failure](err); ok {
		return refusef("the rule fails on an ordinary order of 29.00 EUR from Germany: %v; is its config right? crepe plugin run tells more", f)
	}
	return err
}

// Config returns a config as it is stored: a JSON object without white space, {} for an empty text. Any other text is refused.
func Config(text []byte) ([]byte, error) {
	if len(bytes.TrimSpace(text)) == 0 {
		return []byte("{}"), nil
	}
	var compact bytes.Buffer
	if !utf8.Valid(text) || json.Compact(&compact, text) != nil || compact.Bytes()[0] != '{' || !json.Valid(compact.Bytes()) {
		return nil, refusef("the config is not a JSON object")
	}
	if compact.Len() > MaxConfig {
		return nil, refusef("the config has %d bytes without white space, more than %d", compact.Len(), MaxConfig)
	}
	return compact.Bytes(), nil
}

func (u *Upload) version(now time.Time) *Version {
	return &Version{Name: u.Name, Digest: digest(u.Module), Size: len(u.Module), ConfigSum: digest(u.Config), OnFailure: u.OnFailure,
		InPage: u.InPage, CreatedAt: now.UnixMilli()}
}

// same reports whether two versions differ in number and time only.
func (v *Version) same(other Version) bool {
	other.Number, other.CreatedAt, other.TestedAt = v.Number, v.CreatedAt, v.TestedAt
	return other == *v
}

func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

func isControl(r rune) bool { return r < ' ' || 0x7f <= r && r < 0xa0 }

func refusef(format string, args ...any) *problem.Problem {
	return problem.New(problem.Invalid, codeRefused, "", fmt.Sprintf(format, args...))
}
