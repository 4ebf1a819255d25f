//go:build tinygo

package main

import (
	"strings"
	"unsafe"
)

// The functions of an http-wasm host (https://http-wasm.io/http-handler-abi). A host writes a value only if it fits into the buffer, and
// returns its length.

//go:wasmimport http_handler get_config
func getConfig(at unsafe.Pointer, limit uint32) uint32

//go:wasmimport http_handler log
func hostLog(level int32, at unsafe.Pointer, size uint32)

//go:wasmimport http_handler get_method
func getMethod(at unsafe.Pointer, limit uint32) uint32

//go:wasmimport http_handler get_uri
func getURI(at unsafe.Pointer, limit uint32) uint32

// get_header_values returns the number of values in the high half, and the length of all of them, each with a zero byte after it.
//
//go:wasmimport http_handler get_header_values
func getHeaderValues(kind uint32, name unsafe.Pointer, nameSize uint32, at unsafe.Pointer, limit uint32) uint64

//go:wasmimport http_handler set_header_value
func setHeaderValue(kind uint32, name unsafe.Pointer, nameSize uint32, value unsafe.Pointer, valueSize uint32)

// read_body returns the length in the low half; the high half is 1 at the end of the body.
//
//go:wasmimport http_handler read_body
func readBody(kind uint32, at unsafe.Pointer, limit uint32) uint64

// write_body replaces the body at the first call for a request or response, and appends to it at the next.
//
//go:wasmimport http_handler write_body
func writeBody(kind uint32, at unsafe.Pointer, size uint32)

//go:wasmimport http_handler set_status_code
func setStatusCode(status uint32)

const (
	ofRequest  = 0 // kinds of headers and bodies
	ofResponse = 1

	levelInfo  = 0
	levelError = 2
)

// scratch is where a host writes texts, each over the one before.
var scratch [maxText]byte

func configuration() string {
	return strings.Clone(text(getConfig(unsafe.Pointer(&scratch), maxText)))
}

func method() string { return text(getMethod(unsafe.Pointer(&scratch), maxText)) }
func target() string { return text(getURI(unsafe.Pointer(&scratch), maxText)) }

// text returns the text of a size that the host has written to scratch, until it writes the next. It is empty if it did not fit.
func text(size uint32) string {
	if size > maxText {
		return ""
	}
	return unsafe.String(&scratch[0], size)
}

// header returns the values of a request's header, each with a zero byte after it, as text does, and their number.
func header(name string) (values string, n uint32) {
	got := getHeaderValues(ofRequest, unsafe.Pointer(unsafe.StringData(name)), uint32(len(name)), unsafe.Pointer(&scratch), maxText)
	return text(uint32(got)), uint32(got >> 32)
}

func setHeader(name, value string) {
	setHeaderValue(ofResponse, unsafe.Pointer(unsafe.StringData(name)), uint32(len(name)), unsafe.Pointer(unsafe.StringData(value)), uint32(len(value)))
}

func log(level int32, message string) {
	hostLog(level, unsafe.Pointer(unsafe.StringData(message)), uint32(len(message)))
}
