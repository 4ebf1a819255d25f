package meter

// Instructions that Instrument treats in a way of their own.
const (
	opUnreachable  = 0x00
	opBlock        = 0x02
	opLoop         = 0x03
	opIf           = 0x04
	opElse         = 0x05
	opEnd          = 0x0b
	opBr           = 0x0c
	opBrIf         = 0x0d
	opBrTable      = 0x0e
	opReturn       = 0x0f
	opCall         = 0x10
	opCallIndirect = 0x11
	opSelect       = 0x1b
	opSelectTyped  = 0x1c
	opLocalGet     = 0x20
	opLocalSet     = 0x21
	opLocalTee     = 0x22
	opGlobalGet    = 0x23
	opGlobalSet    = 0x24
	opMemoryGrow   = 0x40
	opI32Const     = 0x41
	opI64Const     = 0x42
	opF32Const     = 0x43
	opF64Const     = 0x44
	opI32LtS       = 0x48
	opI64LtS       = 0x53
	opF32Eq        = 0x5b
	opF64Eq        = 0x61
	opI32Sub       = 0x6b
	opI64Add       = 0x7c
	opI64Sub       = 0x7d
	opI64Mul       = 0x7e
	opI64ShrU      = 0x88
	opI64ExtendU   = 0xad
	opRefNull      = 0xd0
	opRefFunc      = 0xd2
	opPrefix       = 0xfc
)

// immediate is what follows an instruction's code.
type immediate byte

const (
	unknown immediate = iota // no instruction of WebAssembly 2.0 without vectors
	none
	blockType
	label
	labels
	function
	signature // of an indirect call, and a table
	selected  // types
	local
	global
	table
	access // alignment and offset
	memory
	number32
	number64
	bytes4
	bytes8
	reference
	elements      // a segment and a table
	segment       // of elements
	twoTables     // to, from
	memoryData    // a segment and the memory
	dataSegment   //
	twoMemories   //
	prefixed      // by another code
	vector        // instructions of other proposals, which a Fault names
	threads       //
	exception     //
	tailCall      //
	typedFunction //
	garbage       //
)

// instruction describes an instruction.
type instruction struct {
	follows immediate
	net     int8  // change of the stack's height; that of calls and blocks depends on their type
	cost    uint8 // units
	float   byte  // f32 or f64 if the result may be a NaN of any payload
}

// The units of instructions that take longer than others. README.md has the measurements.
const (
	costCall     = 5
	costIndirect = 8
	costDivide   = 12
	costRoot     = 8
	costLoad     = 4
	costConvert  = 4
	costRefer    = 120
	costBulk     = 40 // of a bulk instruction without its elements
	costGrow     = 255
)

// instructions has the descriptions by code, and prefixes those of the codes after opPrefix.
var instructions, prefixes = describe()

func describe() (one, two [256]instruction) {
	set := func(of *[256]instruction, first, last int, i instruction) {
		for code := first; code <= last; code++ {
			of[code] = i
		}
	}
	control(&one)
	for first, reach := range map[int]struct {
		last int
		i    instruction
	}{
		0x28: {0x35, instruction{access, 0, costLoad, 0}}, // loads
		0x36: {0x3e, instruction{access, -2, 2, 0}},       // stores
		0x45: {0x45, instruction{none, 0, 1, 0}},          // i32.eqz
		0x46: {0x4f, instruction{none, -1, 1, 0}},         // comparisons of i32
		0x50: {0x50, instruction{none, 0, 1, 0}},          // i64.eqz
		0x51: {0x66, instruction{none, -1, 1, 0}},         // comparisons of i64, f32, f64
		0x67: {0x69, instruction{none, 0, 1, 0}},          // clz, ctz, popcnt
		0x6a: {0x78, instruction{none, -1, 1, 0}},         // arithmetic of i32
		0x79: {0x7b, instruction{none, 0, 1, 0}},          // clz, ctz, popcnt
		0x7c: {0x8a, instruction{none, -1, 1, 0}},         // arithmetic of i64
		0x8b: {0x8c, instruction{none, 0, 1, 0}},          // abs, neg of f32
		0x8d: {0x90, instruction{none, 0, costConvert, f32}},
		0x91: {0x91, instruction{none, 0, costRoot, f32}},
		0x92: {0x97, instruction{none, -1, costConvert, f32}}, // add to max
		0x98: {0x98, instruction{none, -1, 2, 0}},             // copysign
		0x99: {0x9a, instruction{none, 0, 1, 0}},
		0x9b: {0x9e, instruction{none, 0, costConvert, f64}},
		0x9f: {0x9f, instruction{none, 0, costRoot, f64}},
		0xa0: {0xa5, instruction{none, -1, costConvert, f64}},
		0xa6: {0xa6, instruction{none, -1, 2, 0}},
		0xa7: {0xbf, instruction{none, 0, 1, 0}}, // conversions
		0xc0: {0xc4, instruction{none, 0, 1, 0}}, // sign extensions
	} {
		set(&one, first, reach.last, reach.i)
	}
	set(&one, 0x6d, 0x70, instruction{none, -1, costDivide, 0})
	set(&one, 0x7f, 0x82, instruction{none, -1, costDivide, 0})
	one[0x95].cost, one[0xa3].cost = costDivide, costDivide
	for code := 0xa8; code <= 0xbb; code++ { // between integers and floats
		if code != 0xac && code != opI64ExtendU {
			one[code].cost = costConvert
		}
	}
	one[0xb6] = instruction{none, 0, costConvert, f32} // f32.demote
	one[0xbb] = instruction{none, 0, costConvert, f64} // f64.promote

	set(&two, 0, 7, instruction{none, 0, costConvert, 0}) // saturating truncation
	for code, i := range []instruction{
		{memoryData, -3, costBulk, 0}, {dataSegment, 0, costBulk, 0}, {twoMemories, -3, costBulk, 0}, {memory, -3, costBulk, 0},
		{elements, -3, costBulk, 0}, {segment, 0, costBulk, 0}, {twoTables, -3, costBulk, 0},
		{table, -1, costGrow, 0}, {table, 1, costBulk, 0}, {table, -3, costBulk, 0},
	} {
		two[8+code] = i
	}
	return one, two
}

// control describes instructions for control, variables, tables and the memory, and names those of other proposals.
func control(one *[256]instruction) {
	for code, i := range map[int]instruction{
		opUnreachable: {none, 0, 1, 0}, 0x01: {none, 0, 0, 0}, opBlock: {blockType, 0, 0, 0}, opLoop: {blockType, 0, 0, 0},
		opIf: {blockType, -1, 1, 0}, opElse: {none, 0, 0, 0}, opEnd: {none, 0, 0, 0}, opBr: {label, 0, 1, 0}, opBrIf: {label, -1, 1, 0},
		opBrTable: {labels, -1, 4, 0}, opReturn: {none, 0, 1, 0},
		opCall: {function, 0, costCall, 0}, opCallIndirect: {signature, -1, costIndirect, 0},
		0x1a: {none, -1, 0, 0}, opSelect: {none, -2, 1, 0}, opSelectTyped: {selected, -2, 1, 0},
		opLocalGet: {local, 1, 1, 0}, opLocalSet: {local, -1, 1, 0}, opLocalTee: {local, 0, 1, 0},
		opGlobalGet: {global, 1, 1, 0}, opGlobalSet: {global, -1, 1, 0},
		0x25: {table, 0, 3, 0}, 0x26: {table, -2, 3, 0}, 0x3f: {memory, 1, 2, 0}, opMemoryGrow: {memory, 0, costGrow, 0},
		opI32Const: {number32, 1, 1, 0}, opI64Const: {number64, 1, 1, 0}, opF32Const: {bytes4, 1, 1, 0}, opF64Const: {bytes8, 1, 1, 0},
		opRefNull: {reference, 1, 1, 0}, 0xd1: {none, 0, 1, 0}, opRefFunc: {function, 1, costRefer, 0},
		opPrefix: {follows: prefixed}, 0xfb: {follows: garbage}, 0xfd: {follows: vector}, 0xfe: {follows: threads},
		0x06: {follows: exception}, 0x07: {follows: exception}, 0x08: {follows: exception}, 0x09: {follows: exception}, 0x0a: {follows: exception},
		0x18: {follows: exception}, 0x19: {follows: exception}, 0x1f: {follows: exception}, 0x12: {follows: tailCall}, 0x13: {follows: tailCall},
		0x14: {follows: typedFunction}, 0x15: {follows: typedFunction}, 0xd3: {follows: garbage}, 0xd4: {follows: typedFunction},
		0xd5: {follows: typedFunction}, 0xd6: {follows: typedFunction},
	} {
		one[code] = i
	}
}

// proposals names the instructions that are not in WebAssembly 2.0 without vectors.
var proposals = map[immediate]string{
	unknown: "no instruction", vector: "a vector instruction (SIMD)", threads: "an atomic instruction (threads)",
	exception: "an instruction for exceptions", tailCall: "a tail call", typedFunction: "an instruction for typed references",
	garbage: "an instruction for garbage-collected types (GC)",
}
