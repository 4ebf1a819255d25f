// Package plugins has the rules of merchants: WebAssembly modules that a store's operator uploads, and that decide about an order before it
// is frozen. A rule can refuse the order (validate) and give a discount (adjust).
//
// # Versions
//
// A store has up to [MaxVersions] versions of its rule, each with its module and config, which never change. At most one of them is
// published in each environment, and what is published in prod was published in test before. [Service] uploads and publishes, [Runner]
// decides about orders.
//
// # Modules
//
// A module follows wasm/ABI.md: it has no imports and exports memory, alloc, and validate or adjust or both. It may have a start section or
// export _initialize. It has at most [MaxModule] bytes and 1 MiB of memory, and a call has [Fuel], which is counted in the module
// itself (package wasm/meter), so that the same call ends at the same instruction in every host. It knows no clock and no random numbers.
//
// # Draft
//
// Both functions get the same draft of an order, as JSON:
//
//	{"environment":"test","storeId":"STO_…","product":{"id":"PROD_…","taxCategory":"ebook"},
//	 "price":{"amount":"29.00","currency":"EUR"},"buyerEmail":"ann@example.com",
//	 "billingDetail":{"country":"DE","isBusiness":true,"postcode":"10119","businessName":"Acme GmbH","taxId":"DE136695976"},
//	 "on":"2026-11-29","config":{…}}
//
// The members of billingDetail are those of create-order, normalised; country and isBusiness are always there, the others if they are
// not empty, and taxIdChecked says that the tax id has the form and the check digits of its country. price is the product's, without a discount. on
// is the day in UTC. config is the JSON object that was uploaded with the module, {} if none was. buyerEmail is empty in the draft of a quote for a
// buyer who has not typed an address yet; a problem with it then refuses nothing. A member may be added; none is removed.
//
// # Answers
//
// validate answers {"data":{}}, or up to [maxProblems] problems, which the buyer reads:
//
//	{"errors":[{"code":"order-too-large","path":"/billingDetail/country","message":"We do not ship to this country."}]}
//
// code is kebab-case, of at most 64 bytes; programs get it as "rule-order-too-large". path is empty, absent or that of a field of a create-order
// request. message has at most 300 bytes. adjust, which is called for an order that validate accepts, answers {"data":{}}, or a discount in the
// currency of the price, which is less than the price, with a label of at most 80 characters:
//
//	{"data":{"discount":{"amount":"5.00","label":"Spring coupon"}}}
//
// An answer has at most 16 KiB. Any other answer, a trap and the end of the fuel are a failure of the rule. What then
// happens is what the version declares: the order is refused until the rule is mended ([Refuse]), or goes on without the rule
// ([Continue]).
//
// # On the page
//
// With InPage the hosted page runs the same module, so that the buyer sees a refusal or a discount at once. Its module and its config are
// then public. The server decides in any case.
package plugins

import (
	"context"
	"errors"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/problem"
)

const (
	// MaxVersions is how many versions a store keeps.
	MaxVersions = 100
	// MaxModule is the size of a module in bytes.
	MaxModule = 256 << 10 // as in meter.Rule
	// MaxConfig is the size of a config in bytes, without white space.
	MaxConfig = 16 << 10
	// MaxName is the length of a version's name in bytes.
	MaxName = 100

	maxProblems = 10
	maxCode     = 64
	maxMessage  = 300
	maxAnswer   = 16 << 10
)

// OnFailure is what happens to an order whose rule fails.
type OnFailure string

const (
	Refuse   OnFailure = "refuse"   // the order is refused as unavailable
	Continue OnFailure = "continue" // the order goes on without the rule
)

// Rules are the versions of a store's rule, without their modules, and which of them are published.
type Rules struct {
	StoreID  string
	Revision uint64 // counts the writes; 0 for a store that has never had a rule
	Last     int    // the number of the last version; numbers are not used again

	Versions []Version // in the order of their numbers

	Test, Prod int // the numbers of the published versions; 0 is none
}

// Version is a version of a rule. All but TestedAt never changes.
type Version struct {
	Number    int    // from 1
	Name      string // for the operator
	Digest    string // SHA-256 of the module as uploaded, in hexadecimal
	Size      int    // of the module in bytes
	ConfigSum string // SHA-256 of the config, in hexadecimal
	OnFailure OnFailure
	InPage    bool  // the hosted page runs the module, too
	CreatedAt int64 // Unix milliseconds
	TestedAt  int64 // when it was first published in test, Unix milliseconds; 0 is never
}

// Content is what a version runs.
type Content struct {
	StoreID string
	Number  int
	Module  []byte // as uploaded
	Config  []byte // a JSON object without white space
}

// Version returns the version with a number, nil if there is none.
func (r *Rules) Version(number int) *Version {
	for i := range r.Versions {
		if r.Versions[i].Number == number {
			return &r.Versions[i]
		}
	}
	return nil
}

// Published returns the version that is published in an environment, nil if there is none.
func (r *Rules) Published(env checkout.Environment) *Version {
	if env == checkout.Prod {
		return r.Version(r.Prod)
	}
	return r.Version(r.Test)
}

var (
	// ErrNotFound is the error of reading what does not exist.
	ErrNotFound = errors.New("plugins: not found")
	// ErrStale is the error of a write of rules that were written since they were read.
	ErrStale = errors.New("plugins: the rules were written meanwhile")
)

// Change is what one commit writes.
type Change struct {
	Rules  *Rules   // with the revision that was read
	Add    *Content // of a new version; nil for none
	Remove int      // the number of a version whose content is removed; 0 for none
}

// Store stores rules. What it returns belongs to the caller.
type Store interface {
	// Rules returns the rules of a store; those of a store that has none have revision 0 and no version.
	Rules(ctx context.Context, storeID string) (*Rules, error)

	// RuleContent returns the content of a version, or [ErrNotFound].
	RuleContent(ctx context.Context, storeID string, number int) (*Content, error)

	// CommitRules writes a change with the next revision, atomically. If the stored revision is another one than that of the change, it
	// returns [ErrStale], and nothing is written.
	CommitRules(ctx context.Context, c Change) error
}

// codeRefused is a code of the operator's commands, not of the published API.
const codeRefused = "rule-request-refused"

// Refusals of an operator's requests.
var (
	errNoVersion = problem.New(problem.NotFound, codeRefused, "", "there is no such version; crepe plugin list has them")
	errFull      = problem.New(problem.Invalid, codeRefused, "",
		"the store has 100 versions, the most that are kept; remove one that is not published with crepe plugin remove")
	errUntested = problem.New(problem.Invalid, codeRefused, "",
		"the version was never published in test; publish it there first, place a test order, and then publish it in prod")
	errPublished = problem.New(problem.Conflict, codeRefused, "", "the version is published; unpublish it or publish another one first")
)
