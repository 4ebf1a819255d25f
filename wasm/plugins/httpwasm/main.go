//go:build tinygo

package main

import (
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"github.com/crepe-checkout/crepe/wasm/gateway"
	"github.com/crepe-checkout/crepe/wasm/guest/arena"
)

const (
	maxText = 8 << 10 // of a header, as in the API, of a request target and of the configuration, in bytes

	// maxPassed is the longest body without a Content-Length that is passed on, in bytes. The host keeps what the module writes back in
	// memory, without a limit. The API refuses bodies of more than 64 KiB before it looks at anything else.
	maxPassed = 1 << 20
)

// config is set by the first call. A configuration that is wrong has no paths, so that every request is passed on.
var (
	configured bool
	config     gateway.Config
)

// The body of the current request, as far as it has been read: size is of all, and buffer, of config.MaxBody+1 bytes, has the part that was
// read last, or the whole body if that is not longer than config.MaxBody.
var (
	buffer []byte
	size   int
)

// What handle_request returns: whether the host calls the next handler.
const (
	answered = 0
	next     = 1
)

//go:wasmexport handle_request
func handleRequest() uint64 {
	if !concerned() {
		return next
	}
	takeBody()
	return judge()
}

// concerned starts a call and reports whether the body is to be read.
//
//go:noinline
func concerned() bool {
	if !configured {
		configure()
	}
	arena.Reset()
	if method() != "POST" || !slices.Contains(config.Paths, target()) || announcedTooLong() {
		return false
	}
	size = 0
	return true
}

// takeBody reads the body to its end and gives it back to the request, because a host loses what is only read. It stops at more than
// maxPassed bytes if such a request is refused.
func takeBody() {
	for end := false; !end && (size <= maxPassed || config.ReportOnly); {
		part := buffer
		if size <= config.MaxBody {
			part = buffer[size:]
		}
		at := unsafe.Pointer(unsafe.SliceData(part))
		got := readBody(ofRequest, at, uint32(len(part)))
		if n := uint32(got); n > 0 || size == 0 { // a host has closed even an empty body
			writeBody(ofRequest, at, n)
			size += int(n)
		}
		end = got>>32 != 0
	}
}

// judge answers the request, or leaves it to the next handler.
//
//go:noinline
func judge() uint64 {
	if size > maxPassed && !config.ReportOnly {
		return refuseTooLong()
	}
	if size > config.MaxBody {
		return next
	}
	refusal := gateway.Examine(unsafe.String(unsafe.SliceData(buffer), size))
	if refusal == nil || !wouldBeExamined(refusal) {
		return next
	}
	if config.ReportOnly {
		log(levelInfo, refusal.Text())
		return next
	}
	return refuse(refusal)
}

//go:wasmexport handle_response
func handleResponse(context, failed uint32) {}

// configure reads the configuration. What it allocates is kept, because arena.Reset has not been called.
func configure() {
	configured = true
	var ok bool
	if config, ok = gateway.ParseConfig(configuration()); !ok {
		config.Paths = nil
		log(levelError, `the configuration is wrong, so every request is passed on: write {"paths":["/v1/actions/onetime-order/create-order"],"maxBody":8192,"reportOnly":false,"origins":[]}`)
	}
	buffer = make([]byte, config.MaxBody+1)
}

// announcedTooLong reports whether the body is too long by its Content-Length. The body is then not touched.
func announcedTooLong() bool {
	length, _ := header("Content-Length")
	n, err := strconv.Atoi(strings.TrimRight(length, "\x00"))
	return err == nil && n > config.MaxBody
}
