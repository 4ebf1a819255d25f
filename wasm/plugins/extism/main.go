//go:build tinygo

package main

import (
	"unsafe"

	"github.com/crepe-checkout/crepe/wasm/guest/arena"
	"github.com/crepe-checkout/crepe/wasm/ops"
)

//go:wasmimport extism:host/env input_length
func inputLength() uint64

//go:wasmimport extism:host/env input_load_u8
func inputByte(at uint64) uint32

//go:wasmimport extism:host/env input_load_u64
func inputWord(at uint64) uint64

//go:wasmimport extism:host/env alloc
func alloc(size uint64) uint64

//go:wasmimport extism:host/env store_u8
func storeByte(at uint64, b uint32)

//go:wasmimport extism:host/env store_u64
func storeWord(at, word uint64)

//go:wasmimport extism:host/env output_set
func setOutput(at, size uint64)

var instance ops.Instance

//go:wasmexport billing
func billing() int32 { return run((*ops.Instance).Billing) }

//go:wasmexport email
func email() int32 { return run((*ops.Instance).Email) }

//go:wasmexport fields
func fields() int32 { return run((*ops.Instance).Fields) }

//go:wasmexport place
func place() int32 { return run((*ops.Instance).Place) }

//go:wasmexport quote
func quote() int32 { return run((*ops.Instance).Quote) }

//go:wasmexport taxid
func taxID() int32 { return run((*ops.Instance).TaxID) }

//go:wasmexport version
func version() int32 { return run((*ops.Instance).Version) }

//go:wasmexport rates
func rates() int32 {
	code := run((*ops.Instance).Load)
	instance.Rates = arena.Keep(instance.Rates)
	return code
}

func run(operation ops.Operation) int32 {
	arena.Reset()
	output(operation(&instance, input()))
	return 0
}

// input copies the call's input out of the host's memory. Of one that is too long it copies so much that the operation refuses it.
func input() string {
	size := min(inputLength(), ops.MaxInput+1)
	words, bytes := buffer(size)
	for i := range size / 8 {
		words[i] = inputWord(8 * i)
	}
	for i := size &^ 7; i < size; i++ {
		bytes[i] = byte(inputByte(i))
	}
	return unsafe.String(unsafe.SliceData(bytes), size)
}

func output(text []byte) {
	size := uint64(len(text))
	words, bytes := buffer(size)
	copy(bytes, text)
	at := alloc(size)
	for i := range size / 8 {
		storeWord(at+8*i, words[i])
	}
	for i := size &^ 7; i < size; i++ {
		storeByte(at+i, uint32(bytes[i]))
	}
	setOutput(at, size)
}

// buffer returns memory as words, which hosts copy faster than bytes, and as the bytes of these.
func buffer(size uint64) (words []uint64, bytes []byte) {
	words = make([]uint64, size/8+1)
	return words, unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), size)
}
