package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/lease"
)

// configurationTask is the lease whose holder is not a server but a configuration: all servers that run with it extend the lease. While
// one does, no server with another configuration starts on the database. It is not released, because a server does not know whether
// it is the last one.
const configurationTask = "configuration"

// configuration is what all servers of a database must have in common, because session tokens, links and the attempts of orders are
// bound to it: the public URL, and the account of the payment provider in each environment. It has no secret. Versions of the program
// that run at the same time must write it alike.
func (s *server) configuration() string {
	text := "public URL " + s.PublicURL
	for _, env := range []checkout.Environment{checkout.Test, checkout.Prod} {
		account := "none"
		if provider := s.providers[env]; provider != nil {
			account = provider.Name() + " " + provider.Account().ID
		}
		if _, ok := s.Stripe[env]; ok && env == checkout.Test && s.StripeTestURL != "" {
			account += " at " + s.StripeTestURL
		}
		text += fmt.Sprintf("; %s account %s", env, account)
	}
	return text
}

// errConfiguration refuses a server whose configuration differs from that of another server of the database.
var errConfiguration = errors.New("another server on this database has another configuration, and buyers' tokens and orders of one " +
	"would be refused by the other; give all of them the same --public-url and keys, or stop the others first")

// claimConfiguration takes the lease of the configuration. It waits while the lease of another configuration lasts, until ctx ends, and
// refuses as soon as a server extends that.
func (s *server) claimConfiguration(ctx context.Context) error {
	for seen := (lease.Lease{}); ; {
		held, err := s.extendConfiguration(ctx)
		if held || err != nil {
			return err
		}
		other, err := s.db.Lease(ctx, configurationTask)
		switch {
		case err != nil:
			return err
		case other.Holder == "": // it has ended meanwhile
		case seen.Holder == "":
			s.log.Warn("waits for the end of servers with another configuration", "here", s.configuration(), "there", other.Holder)
			seen = other
		case other.Until.After(seen.Until):
			return fmt.Errorf("%w\nhere: %s\nthere: %s", errConfiguration, s.configuration(), other.Holder)
		}
		select {
		case <-time.After(time.Second / 2):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// keepConfiguration extends the lease until ctx ends. It fails if another configuration has it, which a server finds that was suspended, or
// cut off from the database, for longer than the lease.
func (s *server) keepConfiguration(ctx context.Context) error {
	ticker := time.NewTicker(lease.Every)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil
		}
		held, err := s.extendConfiguration(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			s.log.Warn("the lease of the configuration cannot be extended", "error", err)
		case err == nil && !held:
			return fmt.Errorf("%w\nhere: %s", errConfiguration, s.configuration())
		}
	}
}

// extendConfiguration takes the lease, or extends it, and reports whether this server's configuration has it.
func (s *server) extendConfiguration(ctx context.Context) (bool, error) {
	asked := time.Now()
	held, err := s.db.Hold(ctx, configurationTask, s.configuration(), lease.Duration)
	if held {
		s.extended.Store(&asked)
	}
	return held, err
}

// useFor is how long a server uses the database after it has asked for the lease. A read or write takes five seconds at most, so that one that
// begins before ends before the lease does, and a server with another configuration starts.
const useFor = lease.Duration - 2*lease.Every

// mayServe reports whether the database may be used, by this machine's clock. A server that has not asked for the lease yet may open it.
func (s *server) mayServe() bool {
	asked := s.extended.Load()
	return asked == nil || time.Since(*asked) < useFor
}
