package orders

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/sessions"
)

// Rules are the stores' own rules about orders.
type Rules interface {
	// Decide runs the rules of the draft's store. Problems refuse the sale, and have codes that begin with [RuleCode]; the discount must be valid for the draft's price. A rule
	// that fails is handled as its store has declared. An error means that the rules could not be read: nothing is decided, and the same
	// request may be repeated.
	//
	// The draft has no quote, and in a quote for a buyer who has not given an e-mail address yet, no BuyerEmail. It must not be changed.
	Decide(ctx context.Context, draft *checkout.Order) (checkout.Discount, problem.List, error)
}

// RuleCode begins the codes of the problems of stores' own rules. Their messages are the rules' own, for the buyer.
const RuleCode = "rule-"

// OfRule reports whether a problem is one of a store's own rules.
func OfRule(p *problem.Problem) bool { return strings.HasPrefix(p.Code, RuleCode) }

// freeze runs the rules of the draft's store and computes its quote with the discount that they give. Refusals are a [problem.List].
func (s *Service) freeze(ctx context.Context, draft *checkout.Order, r *checkout.Request) error {
	var discount checkout.Discount
	if s.config.Rules != nil {
		given, refused, err := s.config.Rules.Decide(ctx, draft)
		if draft.BuyerEmail == "" {
			refused = slices.DeleteFunc(slices.Clone(refused), aboutEmail)
		}
		switch {
		case err != nil:
			return fmt.Errorf("orders: the rules of store %s: %w", draft.StoreID, err)
		case len(refused) > 0:
			return refused
		case !given.Valid(draft.Terms.Price):
			return fmt.Errorf("orders: the rules of store %s give an invalid discount", draft.StoreID)
		}
		discount = given
	}
	if refused := draft.Freeze(r, discount); refused != nil {
		return refused
	}
	return nil
}

func aboutEmail(p *problem.Problem) bool { return p.Path == "/buyerEmail" }

// resendable reports whether the current attempt has an unknown outcome and can be sent again.
func (f *flow) resendable() bool {
	if f.order == nil {
		return false
	}
	a := f.order.Current()
	return (a.State == Sent || a.State == Unresolved) && a.replayableAt(f.nowMilli())
}

// decide runs the store's rules and computes the total of the next attempt, and refuses what the provider would refuse. An attempt
// that is sent again has its total already.
func (f *flow) decide() error {
	if f.resendable() {
		return nil
	}
	if err := f.freeze(f.ctx, &f.placed, &f.request.Request); err != nil {
		return err
	}
	if refusal := checkTotal(f.provider, &f.placed.Quote); refusal != nil {
		return refusal
	}
	if !f.request.expects(&f.placed.Quote) {
		return TotalChanged
	}
	return nil
}

// Quote returns what the session's order o would charge after r: the frozen quote of its current attempt if r repeats that,
// otherwise a new one. o is nil while there is no order. It refuses what Create refuses before it calls the provider; errors are those of
// Create.
func (s *Service) Quote(ctx context.Context, r *Request, session *sessions.Session, o *Order) (*checkout.Quote, error) {
	now := s.nowMilli()
	draft, err := r.prepare(&session.Session, now)
	if err != nil {
		return nil, err
	}
	if o != nil {
		a := o.Current()
		replayable := (a.State == Sent || a.State == Unresolved) && a.replayableAt(now)
		if (replayable || a.payableAt(now)) && a.Digest == digest(draft, r.address(session)) {
			return &a.Placed.Quote, nil
		}
	}
	if err := s.freeze(ctx, draft, &r.Request); err != nil {
		return nil, err
	}
	return &draft.Quote, nil
}

// Preview returns the quote that an order of r would freeze now. It needs no e-mail address: while there is none, the rules' problems
// with it refuse nothing. Errors are those of Create.
func (s *Service) Preview(ctx context.Context, session *checkout.Session, r *checkout.Request) (*checkout.Quote, error) {
	draft, refused := checkout.Preview(session, r, s.nowMilli())
	if refused != nil {
		return nil, refused
	}
	if err := s.freeze(ctx, draft, r); err != nil {
		return nil, err
	}
	return &draft.Quote, nil
}

// prepare makes the checks of core/checkout, and those of the consents.
func (r *Request) prepare(session *checkout.Session, now int64) (*checkout.Order, error) {
	draft, refused := checkout.Prepare(session, &r.Request, now)
	if refused != nil {
		return nil, refused
	}
	if draft.Consents, refused = r.Consents.In(draft.Billing.Country, draft.PlacedAt); refused != nil {
		return nil, refused
	}
	return draft, nil
}
