package meter

import (
	"fmt"
	"strings"
)

// costly are modules whose single instructions do much work.
func costly() []hostile {
	loop := func(code string) string { return newRule("loop void " + code + " br 0 end" + zero).String() }
	return []hostile{
		{"memory that grows without end", loop("i32.const 1 memory.grow drop"), "fuel"},
		{"memory that grows by 4 GiB", newRule("i32.const 65535 memory.grow drop" + zero).String(), "fuel"},
		{"memory that grows by its maximum", newRule("i32.const 15 memory.grow i64.extend_i32_u").String(), "ok"},
		{"memory that grows beyond its maximum", newRule("i32.const 16 memory.grow i64.extend_i32_s i64.const 0xffffffff i64.and").String(), "ok"},
		{"a filled mebibyte, again and again", loop("i32.const 0 i32.const 1 i32.const 65536 memory.fill"), "fuel"},
		{"a fill of 4 GiB", newRule("i32.const 0 i32.const 1 i32.const -1 memory.fill" + zero).String(), "fuel"},
		{"a fill over the end", newRule("i32.const 65535 i32.const 1 i32.const 2 memory.fill" + zero).String(), "trap"},
		{"copies of the memory", loop("i32.const 1 i32.const 0 i32.const 65535 memory.copy"), "fuel"},
		{"fills of nothing", loop("i32.const 0 i32.const 1 i32.const 0 memory.fill"), "fuel"},
		{"data copied again and again", newRule("loop void i32.const 0 i32.const 0 i32.const 1000 memory.init 0 br 0 end" + zero).but(func(r *rule) {
			r.count, r.data = "\x01", []string{"\x01" + sized(strings.Repeat("x", 1000))}
		}), "fuel"},
		{"a table that grows without end", newRule("loop void ref.null funcref i32.const 1 table.grow 0 drop br 0 end"+zero).table(1, "\x01").String(), "fuel"},
		{"a table that grows beyond its maximum", newRule("ref.null funcref i32.const 10000 table.grow 0 i64.extend_i32_s i64.const 0xffffffff i64.and").table(1, "\x01").String(), "ok"},
		{"a table that grows by 4 billion", newRule("ref.null funcref i32.const -1 table.grow 0 drop"+zero).table(1, "\x01").String(), "fuel"},
		{"a table that is filled again and again", newRule("loop void i32.const 0 ref.func 1 i32.const 9999 table.fill 0 br 0 end"+zero).table(10_000, "\x01").String(), "fuel"},
		{"a table that is copied again and again", newRule("loop void i32.const 1 i32.const 0 i32.const 9999 table.copy 0 0 br 0 end"+zero).table(10_000, "\x01").String(), "fuel"},
		{"elements copied again and again", newRule("loop void i32.const 0 i32.const 0 i32.const 2 table.init 0 0 br 0 end" + zero).but(func(r *rule) {
			r.tables, r.elements = []string{"\x70\x00\x02"}, []string{"\x01\x00\x02\x00\x01"}
		}), "fuel"},
		{"a function reference, again and again", newRule("loop void ref.func 1 drop br 0 end" + zero).String(), "fuel"},
	}
}

// traps are modules that trap in every way.
func traps() []hostile {
	trap := func(name, code string) hostile { return hostile{name, newRule(code + zero).String(), "trap"} }
	return []hostile{
		trap("unreachable", "unreachable"),
		trap("division by zero", "i32.const 1 i32.const 0 i32.div_s drop"),
		trap("remainder of a division by zero", "i64.const 1 i64.const 0 i64.rem_u drop"),
		trap("division that overflows", "i32.const -2147483648 i32.const -1 i32.div_s drop"),
		trap("an integer of a NaN", "f32.const 0x7fc00000 i32.trunc_f32_s drop"),
		trap("an integer of a large float", "f64.const 1e30 i64.trunc_f64_s drop"),
		trap("a load over the end", "i32.const 65533 i32.load 2 0 drop"),
		trap("a load far over the end", "i32.const -1 i32.load 2 4294967295 drop"),
		trap("a store over the end", "i32.const 65532 i64.const 1 i64.store 3 0"),
		trap("data that was dropped", "i32.const 0 i32.const 0 i32.const 1 memory.copy i32.const 65536 i32.const 0 i32.const 1 memory.copy"),
		{"a call of another type", newRule("i32.const 0 call_indirect 2 0"+zero).table(1, "\x01").String(), "trap"},
		{"a call of nothing", newRule("i32.const 1 call_indirect 2 0"+zero).table(2, "\x01").String(), "trap"},
		{"a call over the table's end", newRule("i32.const 2 call_indirect 2 0"+zero).table(2, "\x01").String(), "trap"},
		{"an element over the table's end", newRule("i32.const 9 table.get 0 drop"+zero).table(2, "\x01").String(), "trap"},
		{"a trap in alloc", newRule(zero).but(func(r *rule) { r.codes[0] = coded("", "unreachable end") }), "trap"},
	}
}

// answers are modules whose answers are not where they say.
func answers() []hostile {
	return []hostile{
		{"an answer outside of memory", newRule("i64.const 0x7fffffff00000001").String(), "ok"},
		{"an answer of 4 GiB", newRule("i64.const 0xffffffff").String(), "ok"},
		{"an answer at the last byte", newRule("i64.const 0xffffffffffff").String(), "ok"},
		{"an answer of all memory", newRule("i64.const 65536").String(), "ok"},
		{"input outside of memory", newRule(zero).but(func(r *rule) { r.codes[0] = coded("", "i32.const -1 end") }), "ok"},
	}
}

// floats are modules that answer with the bits of a NaN that hosts may choose.
func floats() []hostile {
	const payload32, payload64, signalling = "f32.const 0x7fdeadbe ", "f64.const 0xfff8dead12345678 ", "f64.const 0x7ff4dead12345678 "
	single := func(name, code string) hostile {
		return hostile{name, newRule(code + " i32.reinterpret_f32 i64.extend_i32_u i64.const 32 i64.shl").String(), "ok"}
	}
	double := func(name, code string) hostile {
		return hostile{name, newRule(code + " i64.reinterpret_f64").String(), "ok"}
	}
	return []hostile{
		double("0/0", "f64.const 0 f64.const 0 f64.div"),
		double("∞−∞", "f64.const 0x7ff0000000000000 f64.const 0x7ff0000000000000 f64.sub"),
		double("the root of −1", "f64.const -1 f64.sqrt"),
		single("the root of −1 in 32 bits", "f32.const -1 f32.sqrt"),
		double("a sum of two NaNs", payload64+signalling+"f64.add"),
		double("the smaller of two NaNs", signalling+payload64+"f64.min"),
		double("a NaN made longer", payload32+"f64.promote_f32"),
		single("a NaN made shorter", payload64+"f32.demote_f64"),
		double("a NaN rounded", signalling+"f64.nearest"),
		single("a NaN rounded up", "f32.const 0xffa00001 f32.ceil"),
		double("the sign of a NaN", "f64.const 1 f64.const 0 f64.const 0 f64.div f64.copysign"),
		double("a NaN's bits that nothing has changed", signalling+"f64.neg f64.abs"),
		single("a product with a NaN", payload32+"f32.const 2 f32.mul"),
		{"a NaN in memory", newRule("i32.const 2000 f32.const 0 f32.const 0 f32.div f32.store 2 0 i64.const 0x7d000000004").String(), "ok"},
		{"a NaN of floats without end", newRule("").with("1 f64", "loop void local.get 2 f64.const 0 f64.div local.set 2 br 0 end"+zero).String(), "fuel"},
	}
}

// starts are modules with start functions.
func starts() []hostile {
	start := func(name, code, want string) hostile {
		return hostile{name, newRule(zero).function(2, "", code).but(func(r *rule) { r.start = "\x02" }), want}
	}
	return []hostile{
		start("a start function", "i32.const 1 drop", "ok"),
		start("a start function that loops", "loop void br 0 end", "start"),
		start("a start function that traps", "unreachable", "start"),
		start("a start function that grows memory", "i32.const 15 memory.grow drop", "ok"),
		start("a start function that fills memory", "loop void i32.const 0 i32.const 1 i32.const 65536 memory.fill br 0 end", "start"),
		{"a start function of another type", newRule(zero).but(func(r *rule) { r.start = "\x01" }), "invalid"},
		{"a start function that is not there", newRule(zero).but(func(r *rule) { r.start = "\x05" }), "refused"},
		{"data outside of memory", newRule(zero).but(func(r *rule) { r.data = []string{"\x00\x41\xff\xff\x03\x0b\x02ab"} }), "refused"},
		{"elements outside of the table", newRule(zero).table(1, "\x00", "\x01").String(), "refused"},
	}
}

// counters are modules that want to set the counter, or reach what Instrument adds.
func counters() []hostile {
	own := func(r *rule) { r.globals = []string{"\x7e\x01\x42\x00\x0b"} }
	return []hostile{
		{"a global of the counter's name", newRule(zero).but(func(r *rule) { own(r); r.exports = append(r.exports, "\x0acrepe_fuel\x03\x00") }), "refused"},
		{"a function of the counter's name", newRule(zero).but(func(r *rule) { r.exports = append(r.exports, "\x0acrepe_fuel\x00\x00") }), "refused"},
		{"the counter's index, set", newRule("i64.const 9000000 global.set 0" + zero).String(), "refused"},
		{"the counter's index after its own", newRule("i64.const 9000000 global.set 1" + zero).but(own), "refused"},
		{"the index of the slots, set", newRule("i32.const 9000000 global.set 1" + zero).String(), "refused"},
		{"its own global, set", newRule("i64.const 9000000 global.set 0" + zero).but(own), "ok"},
		{"the counter's index, exported", newRule(zero).but(func(r *rule) { r.exports = append(r.exports, "\x01x\x03\x00") }), "refused"},
		{"a constant of the counter", newRule(zero).but(func(r *rule) { r.globals = []string{"\x7e\x00\x23\x00\x0b"} }), "refused"},
		{"the index of a wrapper", newRule("i32.const 0 i32.const 0 call 3").String(), "refused"},
		{"a reference to a wrapper", newRule("ref.func 3 drop" + zero).String(), "refused"},
		{"a wrapper in a table", newRule(zero).table(1, "\x03").String(), "refused"},
		{"the index of a scratch local", newRule("local.get 2 drop" + zero).String(), "refused"},
		{"a scratch local, set", newRule("i32.const 100 local.set 3 i32.const 0 i32.const 0 call 1").String(), "refused"},
		{"a branch to the trap's label", newRule("br 1" + zero).String(), "refused"},
		{"a branch over the trap's label", newRule("i32.const 1 br_if 2" + zero).String(), "refused"},
		{"an added type", newRule("call 2 drop drop"+zero).function(5, "", "block 6 i32.const 1 i64.const 1 end").String(), "refused"},
	}
}

// wrongABI are modules that do not follow wasm/ABI.md.
func wrongABI() []hostile {
	exports := func(exports ...string) string { return newRule(zero).but(func(r *rule) { r.exports = exports }) }
	const memory, alloc, validate = "\x06memory\x02\x00", "\x05alloc\x00\x00", "\x08validate\x00\x01"
	imports := func(kind string) string {
		return strings.Replace(newRule(zero).String(), "\x03\x03\x02", "\x02"+sized("\x01\x03env\x03log"+kind)+"\x03\x03\x02", 1)
	}
	return []hostile{
		{"no exports", newRule(zero).but(func(r *rule) { r.exports = nil }), "refused"},
		{"no memory", exports(alloc, validate), "refused"},
		{"no alloc", exports(memory, validate), "refused"},
		{"no operation", exports(memory, alloc, "\x06answer\x00\x01"), "refused"},
		{"alloc of another type", exports(memory, "\x05alloc\x00\x01", validate), "refused"},
		{"an operation of another type", exports(memory, alloc, "\x06adjust\x00\x00"), "refused"},
		{"an operation that is memory", exports(memory, alloc, "\x08validate\x02\x00"), "refused"},
		{"two exports of a name", exports(memory, alloc, validate, validate), "refused"},
		{"an export of what is not there", exports(memory, alloc, "\x08validate\x00\x02"), "refused"},
		{"a name that is not UTF-8", exports(memory, alloc, validate, "\x02\xc3\x28\x00\x00"), "refused"},
		{"an imported function", imports("\x00\x00"), "refused"},
		{"an imported memory", imports("\x02\x00\x01"), "refused"},
		{"an imported global", imports("\x03\x7e\x01"), "refused"},
	}
}

// proposed are modules with features that are not in WebAssembly 2.0, or that are vectors.
func proposed() []hostile {
	code := func(name, code string) hostile { return hostile{name, newRule(code + zero).String(), "refused"} }
	memory := func(name, memory string) hostile {
		return hostile{name, newRule(zero).but(func(r *rule) { r.memories = []string{memory} }), "refused"}
	}
	return []hostile{
		code("a vector", "0xfd 0x0c"),
		code("an atomic instruction", "0xfe 0x03 0x00"),
		code("a tail call", "return_call 0"),
		code("an exception", "0x06 0x40 end"),
		code("an exception that is thrown", "0x08 0x00"),
		code("an exception of the newer kind", "0x1f 0x40 0x00 end"),
		code("a typed reference", "0x14 0x00"),
		code("a struct", "0xfb 0x00 0x00"),
		code("an instruction that is none", "0xff"),
		code("a prefixed instruction that is none", "0xfc 0x12"),
		code("a second memory", "i32.const 0 i32.load 66 0 drop"),
		memory("a shared memory", "\x03\x01\x01"),
		memory("a 64-bit memory", "\x04\x01"),
		memory("limits of an unknown kind", "\x10\x01"),
		{"two memories", newRule(zero).but(func(r *rule) { r.memories = append(r.memories, "\x00\x01") }), "refused"},
		{"a table with a value", newRule(zero).but(func(r *rule) { r.tables = []string{"\x40\x00\x70\x00\x01\xd0\x70\x0b"} }), "refused"},
		{"a local of vectors", newRule(zero).but(func(r *rule) { r.codes[1] = sized("\x01\x01\x7b\x42\x00\x0b") }), "refused"},
		{"a constant that computes", newRule(zero).but(func(r *rule) { r.globals = []string{"\x7f\x00\x41\x01\x41\x01\x6a\x0b"} }), "refused"},
		{"a tag", strings.Replace(newRule(zero).String(), "\x07\x1d", "\x0d\x03\x01\x00\x02\x07\x1d", 1), "refused"},
		{"a type of GC", newRule(zero).but(func(r *rule) { r.types = append(r.types, "\x5f\x00") }), "refused"},
	}
}

// damaged are modules that are none.
func damaged() []hostile {
	whole := newRule("i32.const 300 drop" + zero).String()
	replace := func(old, new string) string {
		if !strings.Contains(whole, old) {
			panic(fmt.Sprintf("%q is not there", old))
		}
		return strings.Replace(whole, old, new, 1)
	}
	code := func(name, bytes, want string) hostile {
		return hostile{name, newRule(zero).but(func(r *rule) { r.codes[1] = sized(bytes) }), want}
	}
	return []hostile{
		{"nothing", "", "refused"},
		{"half a header", "\x00asm", "refused"},
		{"a component", "\x00asm\x0d\x00\x01\x00", "refused"},
		{"another format", "#!/bin/sh\necho", "refused"},
		{"cut short", whole[:len(whole)-1], "refused"},
		{"cut in a section", whole[:40], "refused"},
		{"too long by a byte", whole + "\x00", "refused"},
		{"a section twice", replace("\x03\x03\x02\x00\x01", "\x03\x03\x02\x00\x01\x03\x03\x02\x00\x01"), "refused"},
		{"sections in another order", replace("\x03\x03\x02\x00\x01\x05\x04\x01\x01\x01\x10", "\x05\x04\x01\x01\x01\x10\x03\x03\x02\x00\x01"), "refused"},
		{"a section of an unknown kind", whole + "\x20\x00", "refused"},
		{"a section that is longer than the module", whole + "\x0b\xff\xff\xff\xff\x0f", "refused"},
		{"4 billion functions in 5 bytes", replace("\x03\x03\x02\x00\x01", "\x03\x07\xff\xff\xff\xff\x0f\x00\x01"), "refused"},
		{"a length of 6 bytes", replace("\x03\x03\x02\x00\x01", "\x03\x83\x80\x80\x80\x80\x00\x02\x00\x01"), "refused"},
		{"a length of 33 bits", replace("\x03\x03\x02\x00\x01", "\x03\x83\x80\x80\x80\x10\x02\x00\x01"), "refused"},
		{"a length with zeros", replace("\x03\x03\x02\x00\x01", "\x03\x83\x80\x80\x80\x00\x02\x00\x01"), "ok"},
		{"custom sections", "\x00asm\x01\x00\x00\x00" + "\x00\x0a\x04nameabcde" + whole[8:], "ok"},
		{"names of 4 billion functions", whole + "\x00\x0d\x04name\x01\x06\xff\xff\xff\xff\x0f\x00", "ok"},
		{"more code than functions", newRule(zero).but(func(r *rule) { r.codes = append(r.codes, coded("", "end")) }), "refused"},
		{"less code than functions", newRule(zero).but(func(r *rule) { r.codes = r.codes[:1] }), "refused"},
		code("a function without an end", "\x00\x42\x00", "refused"),
		code("a function with two ends", "\x00\x42\x00\x0b\x0b", "refused"),
		code("code after the end", "\x00\x42\x00\x0b\x01", "refused"),
		code("a block without an end", "\x00\x02\x40\x42\x00\x0b", "refused"),
		code("an else without an if", "\x00\x02\x40\x05\x0b\x42\x00\x0b", "refused"),
		code("two elses", "\x00\x41\x00\x04\x40\x05\x05\x0b\x42\x00\x0b", "refused"),
		code("a constant of 6 bytes", "\x00\x41\x80\x80\x80\x80\x80\x00\x1a\x42\x00\x0b", "refused"),
		code("a constant of 33 bits", "\x00\x41\x80\x80\x80\x80\x10\x1a\x42\x00\x0b", "refused"),
		code("a constant of 11 bytes", "\x00\x42\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00\x0b", "refused"),
		code("a block of a type that is not there", "\x00\x02\x3f\x0b\x42\x00\x0b", "refused"),
		code("a sum of unlike numbers", "\x00\x41\x01\x42\x01\x7c\x0b", "invalid"),
		code("an operand that is missing", "\x00\x7c\x0b", "invalid"),
		code("a result that is missing", "\x00\x0b", "invalid"),
		code("data without their number", "\x00\x41\x00\x41\x00\x41\x00\xfc\x08\x00\x00\x42\x00\x0b", "invalid"),
		code("an access aligned to 8 bytes of 4", "\x00\x41\x00\x28\x03\x00\x1a\x42\x00\x0b", "invalid"),
	}
}

// excessive are modules that have too much of something.
func excessive() []hostile {
	return []hostile{
		{"a module of 256 KiB and more", newRule(zero).but(func(r *rule) { r.data = []string{"\x01" + sized(strings.Repeat("x", 256<<10))} }), "refused"},
		{"data of 4 GiB in a few bytes", newRule(zero).but(func(r *rule) { r.data = []string{"\x01\xff\xff\xff\xff\x0fab"} }), "refused"},
		{"a memory of 4 GiB", newRule(zero).but(func(r *rule) { r.memories = []string{"\x00\x80\x80\x04"} }), "refused"},
		{"a memory of 17 pages", newRule(zero).but(func(r *rule) { r.memories = []string{"\x00\x11"} }), "refused"},
		{"a memory without a maximum", newRule("i32.const 16 memory.grow i64.extend_i32_u").but(func(r *rule) { r.memories = []string{"\x00\x01"} }), "ok"},
		{"a maximum of 4 GiB", newRule("i32.const 16 memory.grow i64.extend_i32_u").but(func(r *rule) { r.memories = []string{"\x01\x01\x80\x80\x04"} }), "ok"},
		{"a maximum below the size", newRule(zero).but(func(r *rule) { r.memories = []string{"\x01\x02\x01"} }), "refused"},
		{"a table of 4 billion", newRule(zero).but(func(r *rule) { r.tables = []string{"\x70\x00\xff\xff\xff\xff\x0f"} }), "refused"},
		{"17 tables", newRule(zero).but(func(r *rule) { r.tables = strings.Split(strings.Repeat("\x70\x00\x01,", 16)+"\x70\x00\x01", ",") }), "refused"},
		{"4 billion locals", newRule("").with("4294967295 i64", zero).String(), "refused"},
		{"4 billion locals in two runs", newRule("").with("4294967295 i64 1 i32", zero).String(), "refused"},
		{"1,001 locals", newRule("").with("999 i64", zero).String(), "refused"},
		{"1,000 locals", newRule("").with("998 i64", zero).String(), "ok"},
		{"500 blocks in each other", newRule(strings.Repeat("block void ", 500) + strings.Repeat("end ", 500) + zero).String(), "ok"},
		{"501 blocks in each other", newRule(strings.Repeat("block void ", 501) + strings.Repeat("end ", 501) + zero).String(), "refused"},
		{"40,000 blocks in each other", newRule(strings.Repeat("block void ", 40_000) + strings.Repeat("end ", 40_000) + zero).String(), "refused"},
		{"2,001 labels", newRule("i32.const 0 br_table 2001 " + strings.Repeat("0 ", 2_002) + zero).String(), "refused"},
		{"2,000 labels", newRule("block void i32.const 0 br_table 2000 " + strings.Repeat("0 ", 2_001) + "end" + zero).String(), "ok"},
		{"20,001 functions", newRule(zero).but(func(r *rule) {
			for range 19_999 {
				r.function(2, "", "nop")
			}
		}), "refused"},
		{"20,000 functions", newRule(zero).but(func(r *rule) {
			for range 19_998 {
				r.function(2, "", "nop")
			}
		}), "ok"},
		{"101 parameters", newRule(zero).but(func(r *rule) { r.types = append(r.types, "\x60\x65"+strings.Repeat("\x7f", 101)+"\x00") }), "refused"},
		{"a function of 2,200 branches over 1,000 locals", newRule("").with("998 i64", strings.Repeat("local.get 0 if void i64.const 5 local.set 7 end ", 2200)+zero).String(), "ok"},
		{"a function of 2,200 loops", newRule(strings.Repeat("loop void end ", 2200) + zero).String(), "ok"},
		{"a function of 2,200 growths", newRule("i32.const 0 " + strings.Repeat("memory.grow ", 2200) + "drop" + zero).String(), "fuel"},
		{"a function of 2,300 loops", newRule(strings.Repeat("loop void end ", 2300) + zero).String(), "refused"},
		{"a function of 2,300 growths", newRule("i32.const 0 " + strings.Repeat("memory.grow ", 2300) + "drop" + zero).String(), "refused"},
		{"functions of 50,000 loops", newRule(zero).but(func(r *rule) {
			for range 500 {
				r.function(2, "", strings.Repeat("loop void end ", 101))
			}
		}), "refused"},
		{"a function of 60,000 roots", newRule("f64.const 2 " + strings.Repeat("f64.sqrt ", 60_000) + "drop" + zero).String(), "refused"},
		{"a function of 10,000 roots", newRule("f64.const 2 " + strings.Repeat("f64.sqrt ", 10_000) + "drop" + zero).String(), "ok"},
		{"a function of 100,000 instructions", newRule(strings.Repeat("i32.const 0 drop ", 50_000) + zero).String(), "refused"},
	}
}
