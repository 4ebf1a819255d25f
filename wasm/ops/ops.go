// Package ops is the core by text: an operation takes JSON and answers JSON, so that every host can use it alike. The
// WebAssembly module (wasm/guest) exports each of the [Operations]; a Go program may call the same functions natively and
// gets the same bytes.
//
// An answer is {"data":{…}} or {"errors":[{"kind","code","path","message"},…]}, members always in the same order, with no
// white space. errors is never empty and its first is the one that the API would answer with. kind is that of
// [problem.Kind], code is stable, path is a JSON pointer into the create-order request and is left out where no field is
// at fault, message is the published English text. In data, a text that is empty is left out.
//
// An input is one JSON object; a member that is null is absent, one that the operation does not know is ignored, and one
// of the wrong type, or anything that is not JSON by the strict reading of this package, gets the errors of the API's
// "Invalid JSON body". Amounts, rates and dates are strings in the API's form, so that no host rounds them: "29.00",
// "9.975" for per cent, "2026-11-23".
//
// There is neither reflection nor fmt in here: it would be most of the module.
package ops

import (
	"github.com/crepe-checkout/crepe/core/problem"
)

// ABI is the version of what this package and the module promise. It grows when something that was promised goes away;
// new operations and new members of an answer leave it as it is.
const ABI = 1

// Release is the version of the module: its ABI, and how often operations or members were added to that.
const Release = "1.1"

// Instance has the operations and what one module remembers between calls: an operator's own rates, which Load has given
// it. The zero value has none. It is for one call at a time.
type Instance struct {
	Rates string // as table.Table.Text writes them, and sound
}

// Operation answers an input. The answer is the caller's and shares no memory with the input.
type Operation func(i *Instance, input string) (answer []byte)

// Operations are all there are, under the names by which the module exports them.
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
