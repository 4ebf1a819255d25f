package record

import (
	"encoding/hex"
	"fmt"
	"unicode/utf8"

	"github.com/crepe-checkout/crepe/edge/idempotency"
)

const answerVersion = 1

// answer is the stored answer for an idempotency key. Version 0 stored a digest of the body's bytes under another name, which is
// ignored.
type answer struct {
	header
	Request string `json:"requestDigest,omitempty"` // SHA-256, in hexadecimal
	Text    string `json:"text,omitempty"`
	Body    []byte `json:"body,omitempty"` // version 0, or not UTF-8; base64
}

func encodeAnswer(a *idempotency.Answer) ([]byte, error) {
	r := answer{header: header{answerVersion}, Request: hex.EncodeToString(a.Request[:])}
	if utf8.Valid(a.Body) {
		r.Text = string(a.Body)
	} else {
		r.Body = a.Body
	}
	return encode(&r)
}

func decodeAnswer(text []byte) (*idempotency.Answer, error) {
	var r answer
	if err := decode(text, &r, answerVersion); err != nil {
		return nil, err
	}
	a := &idempotency.Answer{Body: r.Body}
	if r.Body == nil {
		a.Body = []byte(r.Text)
	}
	if r.Request == "" {
		return a, nil
	}
	digest, err := hex.DecodeString(r.Request)
	if err != nil || len(digest) != len(a.Request) {
		return nil, fmt.Errorf("%w: a request's digest", ErrDamaged)
	}
	a.Request = [32]byte(digest)
	return a, nil
}
