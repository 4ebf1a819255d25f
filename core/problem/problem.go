// Package problem holds the one type in which the core refuses: a [Problem] says what is wrong in the words of the
// published API, which kind of refusal it is, and where in the request it lies.
//
// A Problem is a value of the domain, not of a transport: the edge maps its Kind to an HTTP status in one table, the
// hosted page maps its Code to a sentence in the buyer's language, and the WebAssembly module hands it over as data.
package problem

import "errors"

// Kind says what a caller can do about a problem.
type Kind uint8

const (
	// Internal is everything unforeseen. It is the zero value, so that a problem without a kind never passes for the
	// caller's mistake; its text is for the log and never for the caller.
	Internal Kind = iota
	// Invalid: the request is wrong and stays wrong until it is changed.
	Invalid
	// Unauthenticated: the credential is missing, unknown, expired or used up.
	Unauthenticated
	// Forbidden: the credential is good, but not for this object.
	Forbidden
	// NotFound: nothing has that name, or nothing that the caller may see.
	NotFound
	// Conflict: the object is no longer in a state that allows the request.
	Conflict
	// Unavailable: nothing is wrong with the request; the same one can succeed a moment later.
	Unavailable
)

// String names the kind in kebab-case, as the WebAssembly module writes it.
func (k Kind) String() string {
	switch k {
	case Invalid:
		return "invalid"
	case Unauthenticated:
		return "unauthenticated"
	case Forbidden:
		return "forbidden"
	case NotFound:
		return "not-found"
	case Conflict:
		return "conflict"
	case Unavailable:
		return "unavailable"
	default:
		return "internal"
	}
}

// Problem is one refusal. Problems that carry no value of the caller's are package variables of the rule that refuses,
// so a refusal costs no allocation and tests can compare pointers.
type Problem struct {
	Kind    Kind
	Code    string // stable and machine-readable, kebab-case: "state-required"
	Path    string // JSON pointer into the request, "/billingDetail/state"; empty where no field is at fault
	Message string // the published English text, verbatim
}

// New returns a problem. path is empty where no field is at fault.
func New(kind Kind, code, path, message string) *Problem {
	return &Problem{Kind: kind, Code: code, Path: path, Message: message}
}

// Error makes a Problem an error; it is the published text.
func (p *Problem) Error() string { return p.Message }

// List is every problem of one input, in the order of the form's fields. Nil means there is none.
type List []*Problem

// Of returns the problems that err is or wraps. It is nil for an error that is no refusal, and for one of kind [Internal].
func Of(err error) List {
	var list List
	var single *Problem
	switch {
	case errors.As(err, &list):
	case errors.As(err, &single):
		list = List{single}
	}
	if len(list) == 0 || list[0].Kind == Internal {
		return nil
	}
	return list
}

// Error is the text of the first problem, the one that the API answers with.
func (l List) Error() string {
	if len(l) == 0 {
		return ""
	}
	return l[0].Message
}
