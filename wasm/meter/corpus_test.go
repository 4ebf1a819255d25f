package meter

import (
	"fmt"
	"strings"
)

func corpus() []hostile {
	var all []hostile
	for _, part := range [][]hostile{endless(), deep(), costly(), traps(), answers(), floats(), starts(), counters(), wrongABI(), proposed(), damaged(), excessive()} {
		all = append(all, part...)
	}
	return all
}

const zero = " i64.const 0"

// endless are modules that never end by themselves.
func endless() []hostile {
	return []hostile{
		{"a loop", newRule("loop void br 0 end" + zero).String(), "fuel"},
		{"a loop with br_if", newRule("loop void i32.const 1 br_if 0 end" + zero).String(), "fuel"},
		{"a loop with br_table", newRule("loop void i32.const 7 br_table 2 0 0 0 end" + zero).String(), "fuel"},
		{"a loop with an if", newRule("loop void i32.const 1 if void br 1 end end" + zero).String(), "fuel"},
		{"a loop with an else", newRule("loop void i32.const 0 if void else br 1 end end" + zero).String(), "fuel"},
		{"a loop around a block", newRule("loop void block void br 1 end end" + zero).String(), "fuel"},
		{"loops in loops", newRule(strings.Repeat("loop void ", 20) + "i32.const 1 br_if 19 " + strings.Repeat("end ", 20) + zero).String(), "fuel"},
		{"a loop with a parameter", newRule("i32.const 1 loop 0 br 0 end drop" + zero).String(), "fuel"},
		{"a loop of a function that returns", newRule("loop void call 2 br 0 end"+zero).function(2, "", "return").String(), "fuel"},
		{"a loop of nothing", newRule("loop void nop block void end br 0 end" + zero).String(), "fuel"},
		{"a loop in alloc", newRule(zero).but(func(r *rule) { r.codes[0] = coded("", "loop i32 br 0 end end") }), "fuel"},
		{"a million functions called by twos", newRule("call 2"+zero).
			function(2, "", "call 3 call 3").function(2, "", "call 4 call 4").function(2, "", "call 5 call 5").function(2, "", "call 6 call 6").
			function(2, "", "call 7 call 7").function(2, "", "call 8 call 8").function(2, "", "call 9 call 9").function(2, "", "call 10 call 10").
			function(2, "", "call 11 call 11").function(2, "", "call 12 call 12").function(2, "", "call 13 call 13").function(2, "", "call 14 call 14").
			function(2, "", "call 15 call 15").function(2, "", "call 16 call 16").function(2, "", "call 17 call 17").function(2, "", "call 18 call 18").
			function(2, "", "call 19 call 19").function(2, "", "call 20 call 20").function(2, "", "call 21 call 21").function(2, "", "nop").String(), "fuel"},
	}
}

// table adds a table of functions, and puts some into it.
func (r *rule) table(size int, functions ...string) *rule {
	r.tables = append(r.tables, "\x70"+string(join(0, size)))
	r.elements = append(r.elements, "\x00\x41\x00\x0b"+string(leb(nil, len(functions)))+strings.Join(functions, ""))
	return r
}

// deep are modules whose functions call each other without end.
func deep() []hostile {
	live := func(n int) string { // values that are kept across a call
		return strings.Repeat("local.get 0 i64.load 3 0 ", n) + "i32.const 0 i32.const 0 call 1 " + strings.Repeat("i64.add ", n)
	}
	spilled := strings.Repeat("local.get 0 i64.load 3 0 local.set 2 i32.const 0 i32.const 0 call 1 local.get 2 i64.add local.set 2 ", 3000)
	return []hostile{
		{"recursion", newRule("i32.const 0 i32.const 0 call 1").String(), "depth"},
		{"recursion of two", newRule("call 2"+zero).function(2, "", "call 3").function(2, "", "call 2").String(), "depth"},
		{"recursion through a table", newRule("i32.const 0 i32.const 0 i32.const 0 call_indirect 1 0").table(1, "\x01").String(), "depth"},
		{"recursion that grows a local", newRule("local.get 0 i32.const 1 i32.add local.get 1 call 1").String(), "depth"},
		{"recursion with 900 locals", newRule("").with("900 i64", "local.get 0 local.get 1 call 1 local.set 800 local.get 800").String(), "depth"},
		{"recursion with 100 parameters", newRule("call 2" + zero).but(func(r *rule) {
			r.types = append(r.types, "\x60\x64"+strings.Repeat("\x7e", 100)+"\x00")
			r.codes[1] = coded("", strings.Repeat("i64.const 1 ", 100)+"call 2"+zero+" end")
			r.function(6, "", strings.Repeat("local.get 5 ", 100)+"call 2")
		}), "depth"},
		{"recursion with 500 values on the stack", newRule(live(500)).String(), "depth"},
		{"recursion with 3,000 values on the stack", newRule(live(3000)).String(), "depth"},
		{"a frame of 5,000 values", newRule(live(5000)).String(), "refused"},
		{"recursion with 3,000 values that are kept", newRule("").with("1 i64", spilled+"local.get 2").String(), "depth"},
		{"recursion in the start function", newRule(zero).function(2, "", "call 2").but(func(r *rule) { r.start = "\x02" }), "start"},
		{"recursion of many small functions", newRule("call 2" + zero).but(func(r *rule) {
			for i := range 2000 {
				r.function(2, "", fmt.Sprint("call ", 3+i))
			}
			r.function(2, "", "nop")
		}), "depth"},
		{"recursion 700 deep", newRule("i32.const 700 call 2").function(4, "",
			"local.get 0 if i64 local.get 0 i32.const 1 i32.sub call 2 i64.const 1 i64.add else i64.const 0 end").String(), "ok"},
	}
}
