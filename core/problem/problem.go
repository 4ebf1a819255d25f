// Package problem has the type of the core's refusals: a [Problem] has the message of the published API, its kind, and the
// path of the field in the request.
//
// A Problem is independent of the transport: the API maps its Kind to an HTTP status, the hosted page maps its Code to a
// sentence in the buyer's language, and the WebAssembly module returns it as data.
package problem

import "errors"

// Kind says what a caller can do about a problem.
type Kind uint8

const (
	// Internal is an unforeseen error. It is the zero value, so that a problem without a kind is not reported as the
	// caller's mistake. Its text is for the log, never for the caller.
	Internal Kind = iota
	// Invalid: the request is wrong and must be changed.
	Invalid
	// Unauthenticated: the credential is missing, unknown, expired or used up.
	Unauthenticated
	// Forbidden: the credential is valid, but not for this object.
	Forbidden
	// NotFound: the object does not exist, or the caller may not see it.
	NotFound
	// Conflict: the object is no longer in a state that allows the request.
	Conflict
	// Unavailable: the request may succeed later without a change.
	Unavailable
)

// String returns the kind in kebab-case, as the WebAssembly module writes it.
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

// Problem is one refusal. A Problem without a value of the caller's is a package variable of the rule that refuses, so a
// refusal costs no allocation and tests can compare pointers.
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

// Error returns the published text.
func (p *Problem) Error() string { return p.Message }

// List has every problem of one input, in the order of the form's fields. Nil means that there is none.
type List []*Problem

// Of returns the problems that err is or wraps. It returns nil for any other error and for one of kind [Internal].
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

// Error returns the text of the first problem, which is the API's answer.
func (l List) Error() string {
	if len(l) == 0 {
		return ""
	}
	return l[0].Message
}
