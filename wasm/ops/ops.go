// Package ops has the operations of the core with JSON input and output, for use by any host. The WebAssembly module
// (wasm/guest) exports the [Operations]; a Go program may call the same functions natively and gets the same bytes.
//
// An answer is {"data":{…}} or {"errors":[{"kind","code","path","message"},…]}, with members always in the same order and no
// white space. errors is never empty; its first element is the one that the API would return. kind is that of
// [problem.Kind], code is stable, path is a JSON pointer into the create-order request, left out if no field is at fault,
// and message is the published English text. Optional strings in data are left out if they are empty.
//
// An input is one JSON object. A member that is null is absent; an unknown member is ignored. A member of the wrong type, or
// anything that the strict reader of this package does not accept as JSON, gets the API's "Invalid JSON body". Amounts,
// rates and dates are strings in the API's form, so that no host rounds them: "29.00", "9.975" for per cent, "2026-11-23". The
// percentages of an answer are numbers with at most three decimals.
//
// [Terms], [Sale] and [Quote] are the JSON of terms and quotes for Go programs.
//
// The package uses neither reflection nor fmt, which would be most of the module.
package ops

import (
	"github.com/crepe-checkout/crepe/core/problem"
)

// ABI is the version of the interface of this package and the module. It changes when something promised is removed; new
// operations and new members of an answer do not change it.
const ABI = 1

// Release is the version of the module: its ABI, and a number that grows with added operations or members.
const Release = "1.3"

// Instance has the operations and the state of one module between calls: an operator's own rates, set by Load. The zero
// value has none. It must not be used concurrently.
type Instance struct {
	Rates string // a valid text of table.Table.Text
}

// Operation answers an input. The caller owns the answer, which shares no memory with the input.
type Operation func(i *Instance, input string) (answer []byte)

// Operations are all operations, with the names under which the module exports them.
var Operations = []struct {
	Name string
	Run  Operation
}{
	{"billing", (*Instance).Billing},
	{"email", (*Instance).Email},
	{"fields", (*Instance).Fields},
	{"place", (*Instance).Place},
	{"quote", (*Instance).Quote},
	{"rates", (*Instance).Load},
	{"taxid", (*Instance).TaxID},
	{"version", (*Instance).Version},
}

// InvalidJSON refuses an input that is not one JSON object with members of the right types. The API's refusal is the same.
var InvalidJSON = problem.New(problem.Invalid, "invalid-json", "", "Invalid JSON body")
