// Package fault is the sandbox's fault injection: the list of faults, how one is written, and which call it applies to.
//
// A [Spec] is a fault as it is written, "expire.slow:800ms"; parsed it is an [Injected]. The [Injector] picks the fault of
// each [Call]: first from what a test has scripted, then from what the session itself requests. A [CallFault] and a
// [WebhookFault] describe what happens; the sandbox applies them, and [Transport] is what happens to a response on its
// connection.
//
// README.md of package sandbox is the table of faults for users.
package fault

import (
	"errors"
	"slices"
	"strings"
	"time"
)

// Spec is a fault as it is written: a name of the table, "timeout". Some names take a duration, "slow:800ms"; an e-mail
// address has a hyphen in place of the colon. A fault of calls applies to session creation unless another operation is named
// first: "expire.lost_response".
//
// The empty Spec leaves the choice to the next source; "none" injects nothing and ends the choice.
type Spec string

// Operation is what a fault can apply to.
type Operation string

// The operations of the API, and the sending of a webhook.
const (
	Create   Operation = "create"
	Retrieve Operation = "retrieve"
	Expire   Operation = "expire"
	List     Operation = "list" // of sessions or events
	Refund   Operation = "refund"
	Webhook  Operation = "webhook"
)

var operations = []Operation{Create, Retrieve, Expire, List, Refund, Webhook}

// Injected is a parsed fault.
type Injected struct {
	Kind
	Spec Spec          // as it was written; "" where no fault was chosen
	On   Operation     // "" where the Spec names none
	Wait time.Duration // 0 for a kind that takes none
}

// Parse reads a fault. It fails for a name that is not in the table, a duration that the kind does not take, and an operation
// that the kind does not apply to.
func (s Spec) Parse() (Injected, error) {
	parsed, text := Injected{Spec: s}, string(s)
	if on, rest, ok := strings.Cut(text, "."); ok && slices.Contains(operations, Operation(on)) {
		parsed.On, text = Operation(on), rest
	}
	name, duration := text, ""
	if i := strings.IndexAny(text, ":-"); i >= 0 {
		name, duration = text[:i], text[i+1:]
	}
	i := slices.IndexFunc(kinds, func(k Kind) bool { return k.Name == name })
	if i < 0 {
		return Injected{}, s.unknown()
	}
	parsed.Kind, parsed.Wait = kinds[i], kinds[i].usual
	if name != text {
		var err error
		if parsed.Wait, err = time.ParseDuration(duration); err != nil || parsed.Wait < 0 || parsed.Wait > parsed.longest {
			return Injected{}, s.unknown()
		}
	}
	if parsed.On != "" && !parsed.Fits(parsed.On) {
		return Injected{}, s.unknown()
	}
	return parsed, nil
}

func (s Spec) unknown() error { return errors.New("sandbox: no such fault: " + string(s)) }

// ParseAll parses several faults, or fails with the error of the first that cannot be parsed.
func ParseAll(specs []Spec) ([]Injected, error) {
	var all []Injected
	for _, s := range specs {
		parsed, err := s.Parse()
		if err != nil {
			return nil, err
		}
		all = append(all, parsed)
	}
	return all, nil
}

const (
	// MetadataKey is the key of a session's metadata that requests faults.
	MetadataKey = "sandbox"

	// EmailDomain ends the e-mail addresses that request faults. RFC 6761 reserves .test.
	EmailDomain = "@sandbox.test"
)

// Requested are the faults that a session itself requests: by its metadata under [MetadataKey], "lost_response+twice", and by
// its buyer's e-mail address, "ada+lost_response+twice@sandbox.test". Words that are no faults are ignored.
func Requested(metadata, email string) (requested []Injected) {
	text := metadata
	if local, ok := strings.CutSuffix(email, EmailDomain); ok {
		text += "+" + local
	}
	if text == "" {
		return nil
	}
	for word := range strings.SplitSeq(text, "+") {
		if parsed, err := Spec(word).Parse(); err == nil {
			requested = append(requested, parsed)
		}
	}
	return requested
}

// Fits reports whether the kind can apply to an operation.
func (k *Kind) Fits(o Operation) bool {
	if o == Webhook {
		return k.Webhook != ""
	}
	return k.Call != nil
}

// applies reports whether the fault is meant for a call.
func (f *Injected) applies(c Call) bool {
	on := f.On
	switch {
	case on != "":
	case f.Call != nil:
		on = Create
	default:
		on = Webhook
	}
	return on == c.Operation && !(c.Replay && f.Call != nil && f.Call.executing)
}
