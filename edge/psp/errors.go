package psp

import "time"

// CallError is a failed call, classified. The text is for the log.
type CallError struct {
	Class      ErrorClass
	Held       bool          // the call was not sent, because of our own limits
	Status     int           // HTTP status, 0 when there was no answer
	Code       string        // the provider's error code
	Refuses    Refusal       // which part of the order is refused, if the caller can correct it
	RequestID  string        // the provider's, for its support
	RetryAfter time.Duration // 0: not said
	Err        error         // transport error, nil when there was an answer
}

// ErrorClass says what a failure proves about the effect of the call.
type ErrorClass uint8

const (
	// Unknown: the call may have had its effect (a timeout after sending, a reset, a 502). It is the zero value, so that
	// an answer that is not understood never counts as a failure.
	Unknown ErrorClass = iota
	// NotExecuted: this try certainly had no effect (refused before a byte was sent, 401, 403, 429). It says nothing of
	// earlier tries under the same key.
	NotExecuted
	// InProgress: another call under the same key is running, or the provider asks for the same call again.
	InProgress
	// Definitive: the provider has refused these bytes for good.
	Definitive
	// KeyBurned: the provider has stored a failure under this key; the same call cannot succeed any more.
	KeyBurned
	// KeyTaken: the provider has seen the key, with other bytes or before the first call. A call that this database does not know was
	// made under it, for example before a backup was restored, and may have had its effect.
	KeyTaken
)

// String names the class in kebab-case, for logs and metrics.
func (c ErrorClass) String() string {
	return [...]string{"unknown", "not-executed", "in-progress", "definitive", "key-burned", "key-taken"}[c]
}

// Error names the class and what was seen, without any of the buyer's data.
func (e *CallError) Error() string {
	text := "psp: " + e.Class.String()
	if e.Code != "" {
		text += " " + e.Code
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Refusal is a part of an order that a provider refuses and that the caller can correct. The zero Refusal is none of these.
type Refusal uint8

const (
	RefusesSmallTotal Refusal = iota + 1 // less than the account may charge
	RefusesLargeTotal                    // more than the account may charge
	RefusesCurrency                      // the account cannot charge it
	RefusesEmail
	RefusesSuccessURL
)
