//go:build tinygo

package main

import (
	"slices"
	"strings"
	"unsafe"

	"github.com/crepe-checkout/crepe/wasm/gateway"
)

// single are the headers that the API accepts once only, and otherwise ignores here.
var single = [...]string{"X-Merchant-Id", "X-Timestamp", "X-Signature", "X-Store-Slug"}

// wouldBeExamined reports whether the API comes to a refusal of the request's body if its credential is valid: the request has a
// credential and none of the headers that the API refuses first.
func wouldBeExamined(r *gateway.Refusal) bool {
	for _, name := range single {
		if _, n := header(name); n > 1 {
			return false
		}
	}
	if authorization := one("Authorization"); len(authorization) <= len("Bearer ") || !equalFold(authorization[:len("Bearer ")], "bearer ") {
		return false
	}
	if environment := one("X-Environment"); environment != "test" && environment != "prod" {
		return false
	}
	if coding := one("Content-Encoding"); coding != "" && !equalFold(coding, "identity") {
		return false
	}
	mediaType, _, _ := strings.Cut(one("Content-Type"), ";")
	if mediaType != "" && !equalFold(strings.Trim(mediaType, " \t"), "application/json") {
		return false
	}
	if origin := one("Origin"); origin != "" && !slices.Contains(config.Origins, origin) {
		return false
	}
	key := one("X-Idempotency-Key")
	return key != several && (r.Undecoded() || wellFormed(key))
}

// several is what one returns for several values.
const several = "\x00"

// one returns the value of a header until the next call, empty if the request does not have it. Several values, and one of more than
// maxText bytes, are returned as a value that no check accepts.
func one(name string) string {
	values, n := header(name)
	switch value, found := strings.CutSuffix(values, "\x00"); {
	case n == 0:
		return ""
	case n == 1 && found:
		return value
	default:
		return several
	}
}

// wellFormed reports whether the API accepts an idempotency key, which may be absent.
func wellFormed(key string) bool {
	for _, c := range []byte(key) {
		if letter := 'a' <= c|0x20 && c|0x20 <= 'z'; !letter && (c < '0' || '9' < c) && c != '_' && c != '-' {
			return false
		}
	}
	return len(key) <= 256
}

// equalFold compares a text with one in lower-case ASCII. It is smaller than strings.EqualFold.
func equalFold(s, lower string) bool {
	if len(s) != len(lower) {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// refuse answers as the API does. A host sends the headers when the status is set.
func refuse(r *gateway.Refusal) uint64 {
	setHeader("Cache-Control", "no-store")
	setHeader("X-Content-Type-Options", "nosniff")
	setHeader("Vary", "Origin")
	if origin := one("Origin"); origin != "" {
		setHeader("Access-Control-Allow-Origin", origin)
		setHeader("Access-Control-Expose-Headers", "Retry-After, X-Request-Id")
	}
	return answer(400, r.Body())
}

// refuseTooLong answers as the API does before it looks at anything else of a request.
func refuseTooLong() uint64 {
	return answer(413, `{"data":null,"errors":[{"message":"Request body exceeds 64 KiB","layer":"gateway","code":"body-too-large"}]}`)
}

func answer(status uint32, body string) uint64 {
	if id := one("X-Request-Id"); saneID(id) {
		setHeader("X-Request-Id", id)
	}
	setHeader("Content-Type", "application/json; charset=utf-8")
	setStatusCode(status)
	writeBody(ofResponse, unsafe.Pointer(unsafe.StringData(body)), uint32(len(body)))
	return answered
}

// saneID reports whether the API takes the id of a request from it.
func saneID(id string) bool {
	return id != "" && len(id) <= 64 && wellFormed(strings.ReplaceAll(id, ".", ""))
}
