package vies

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/core/vatid"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp"
)

// Check is what VIES was asked about an order, and what it answered. It is kept as long as the order, as evidence for its tax.
type Check struct {
	Environment checkout.Environment
	StoreID     string
	OrderID     string

	Number    string // the buyer's VAT number as VIES writes it, "DE136695976", "EL094259216"
	Requester string // the seller's; "" if VIES knows none, or has refused it

	// Version counts the writes. A [Store] refuses to write a check that was read at another version.
	Version uint64

	State     State
	Tries     int
	DueAt     int64  // when VIES is asked next, Unix milliseconds; 0 is never
	LastError string // of the last try without an answer; VIES's code or a text of ours, without data of the buyer

	// The answer; empty before it.
	AnsweredAt   int64  // by VIES's clock, Unix milliseconds
	Consultation string // the consultation number, "" without a requester
	Name         string // of the trader, "" where the member state does not tell
	Address      string

	CreatedAt int64 // Unix milliseconds
	UpdatedAt int64
}

// State is where a check stands.
type State string

const (
	// Pending: VIES has not answered yet.
	Pending State = "pending"
	// Valid: the number is registered.
	Valid State = "valid"
	// Invalid: the number is not registered.
	Invalid State = "invalid"
	// Failed: VIES has given no answer, and is not asked any more.
	Failed State = "failed"
)

// NeedsReview reports whether a person should look at the order: its tax may be wrong, or is not proved.
func (c *Check) NeedsReview() bool { return c.State == Invalid || c.State == Failed }

// Store keeps checks. Every method is one atomic step; what it returns belongs to the caller. Checks are created by notify.Store, in
// the commit of a fact.
type Store interface {
	// VATCheck returns the check of an order of a store; [ErrNotFound] when there is none.
	VATCheck(ctx context.Context, env checkout.Environment, storeID, orderID string) (*Check, error)

	// DueVATChecks returns up to limit checks of any environment whose DueAt is not after now, the longest due first.
	DueVATChecks(ctx context.Context, now int64, limit int) ([]Check, error)

	// VATChecksToReview lists the checks of one environment for which [Check.NeedsReview], sorted by the ids of their orders. after is
	// "" for the first page, then Next of the page before; limit is at least 1.
	VATChecksToReview(ctx context.Context, env checkout.Environment, after string, limit int) (psp.Page[Check], error)

	// WriteVATCheck writes a check if its stored version is still the one it carries; the stored copy then carries the next one.
	// Otherwise the error is [ErrStale].
	WriteVATCheck(ctx context.Context, c *Check) error
}

var (
	// ErrNotFound: the order has no check.
	ErrNotFound = errors.New("vies: not found")
	// ErrStale: the check was written since it was read.
	ErrStale = errors.New("vies: the check was written since it was read")
)

// newCheck returns the check of an order; nil if its tax does not rest on a number that VIES knows.
func newCheck(o *orders.Order, seller *catalog.Store, now int64) *Check {
	sold := o.Sold()
	number := sold.Billing.TaxID
	if sold.Quote.Assessment.Reason != tax.ReverseCharge || !sold.Billing.TaxIDChecked || !known(number) {
		return nil
	}
	c := &Check{Environment: o.Environment, StoreID: o.StoreID, OrderID: o.ID, Number: number, State: Pending, DueAt: now, CreatedAt: now, UpdatedAt: now}
	if known(seller.Legal.VATID) {
		c.Requester = seller.Legal.VATID
	}
	return c
}

// known reports whether VIES has numbers of the kind: those of the member states, and of Northern Ireland.
func known(number string) bool {
	if len(number) < 3 {
		return false
	}
	prefix := number[:2]
	if prefix == "EL" {
		prefix = "GR"
	}
	canonical, fault := vatid.Parse(prefix, number)
	return fault == vatid.None && string(canonical) == number && (prefix == "XI" || country.Code(prefix).InEU())
}

// waits are the times after each try without an answer. The last one is followed by the end, after about a week.
var waits = [...]time.Duration{time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	24 * time.Hour, 24 * time.Hour, 24 * time.Hour, 24 * time.Hour, 48 * time.Hour}

// answered records an answer.
func (c *Check) answered(a *answer, now int64) {
	c.Tries++
	c.State, c.DueAt, c.LastError, c.UpdatedAt = Invalid, 0, "", now
	if a.valid {
		c.State = Valid
	}
	c.AnsweredAt, c.Consultation, c.Name, c.Address = a.at, a.consultation, a.name, a.address
	if a.at == 0 {
		c.AnsweredAt = now
	}
}

// unanswered records a try without an answer, and decides when the next one is.
func (c *Check) unanswered(f *fault, now int64) {
	c.Tries++
	c.LastError, c.UpdatedAt = f.code, now
	switch {
	case f.kind == requesterRefused && c.Requester != "":
		c.Requester, c.DueAt = "", now // the next try asks without it
	case f.kind == numberRefused, c.Tries > len(waits):
		c.State, c.DueAt = Failed, 0
	default:
		c.DueAt = now + waits[c.Tries-1].Milliseconds()
	}
}

// bounded returns a text on one line, of n bytes at most. VIES writes "---" for what it does not tell.
func bounded(text string, n int) string {
	text = strings.ToValidUTF8(strings.Join(strings.Fields(text), " "), "")
	if strings.Trim(text, "-") == "" {
		return ""
	}
	if len(text) > n {
		text = strings.ToValidUTF8(text[:n], "")
	}
	return text
}
