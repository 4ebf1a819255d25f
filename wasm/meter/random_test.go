package meter

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestRandom makes valid modules at random. An instrumented module does what the module does, the same in wazero and in V8, and takes
// at least as much fuel as one that is charged for block by block.
func TestRandom(t *testing.T) {
	node := startV8(t)
	ended := 0
	rapid.Check(t, func(r *rapid.T) {
		g := generator{T: r}
		module := g.module()
		instrumented, err := Instrument([]byte(module), Rule)
		if err != nil {
			r.Fatal(err)
		}
		got := outcome(t.Context(), instrumented, fuel, "validate", 8)
		if other := node.outcome(r, instrumented, fuel, "validate", 8); other != got {
			r.Fatalf("%q in V8, and %q in wazero", other, got)
		}
		if !strings.HasPrefix(got, "ok") && !strings.HasPrefix(got, "trap") {
			if got == "invalid" {
				r.Fatal(got)
			}
			return
		}
		ended++
		if !g.floats { // with other bits of a NaN, a module may do anything else
			if plain := withoutLeft(outcome(t.Context(), []byte(module), 0, "validate", 8)); plain != withoutLeft(got) {
				r.Fatalf("%q as it was, and %q instrumented", plain, got)
			}
		}
		exact := outcome(t.Context(), withPrepaid(module, 0), fuel, "validate", 8)
		if most, least := remaining(r, exact), remaining(r, got); withoutLeft(exact) != withoutLeft(got) || most < least || fuel-least > 4*(fuel-most)+10*prepaid {
			r.Fatalf("%q block by block, and %q", exact, got)
		}
		if all := outcome(t.Context(), withPrepaid(module, math.MaxInt64), fuel*fuel, "validate", 8); withoutLeft(all) != withoutLeft(got) {
			r.Fatalf("%q with charges at loops only, and %q", all, got)
		}
	})
	if ended < 20 {
		t.Errorf("%d modules came to an end", ended)
	}
}

// withPrepaid instruments a module with another number of units that are prepaid.
func withPrepaid(module string, units int64) []byte {
	p := read([]byte(module), Rule)
	p.prepaid = units
	return p.write()
}

// remaining returns the fuel in an outcome.
func remaining(t *rapid.T, outcome string) (left int64) {
	if _, err := fmt.Sscanf(strings.Join(strings.Fields(outcome)[1:], " "), "%d", &left); err != nil {
		t.Fatal(outcome, err)
	}
	return left
}

// withoutLeft returns an outcome without the fuel.
func withoutLeft(outcome string) string {
	words := strings.Fields(outcome)
	return strings.Join(append(words[:1:1], words[2:]...), " ")
}

// generator makes modules. A choice of 0 is always the simplest.
type generator struct {
	*rapid.T
	floats bool
	labels int // of blocks that can be left
	budget int // of expressions, so that modules stay small
}

func (g *generator) choose(n int) int {
	if g.budget--; g.budget < 0 {
		return 0
	}
	return rapid.IntRange(0, n-1).Draw(g.T, "choice")
}

// module has a function of each of the types () → i32, (i32) → i64 and () → (i32, i64) beside validate, which call each other.
func (g *generator) module() string {
	g.budget = 200
	r := newRule("")
	const locals = "2 i32 2 i64 1 f32 1 f64" // from index 2 on in validate
	r.codes[1] = coded(locals, g.statements(2, 2)+g.i64(2, 3)+" end")
	r.function(3, locals, g.statements(0, 2)+g.i32(0, 3))
	r.function(4, locals, g.statements(1, 2)+g.i64(1, 3))
	r.function(5, locals, g.statements(0, 1)+g.i32(0, 2)+" "+g.i64(0, 2))
	r.table(4, "\x02", "\x03")
	r.globals = []string{"\x7f\x01\x41\x05\x0b"}
	return r.String()
}

// statements are instructions that leave nothing on the stack. The locals are, from an index on: two i32, two i64, an f32, an f64.
func (g *generator) statements(base, depth int) (code string) {
	for range g.choose(5) {
		code += g.statement(base, depth) + " "
	}
	return code
}

func (g *generator) statement(base, depth int) string {
	inner := func() string {
		g.labels++
		defer func() { g.labels-- }()
		return g.statements(base, depth-1)
	}
	if depth > 0 {
		switch g.choose(9) {
		case 1:
			return fmt.Sprintf("block void %s end", inner())
		case 2:
			return fmt.Sprintf("%s if void %s else %s end", g.i32(base, 2), inner(), inner())
		case 3:
			return fmt.Sprintf("%s if void %s end", g.i32(base, 2), inner())
		case 4: // a loop of a few rounds
			return fmt.Sprintf("i32.const %d local.set %d loop void %s local.get %[2]d i32.const 1 i32.sub local.tee %[2]d i32.const 0 i32.gt_s br_if 0 end",
				g.choose(9), base+1, inner())
		case 5:
			return fmt.Sprintf("loop void %s %s br_if 0 end", inner(), g.i32(base, 2))
		case 6:
			return fmt.Sprintf("block void block void %s br_table 3 0 1 0 1 end %s end", g.i32(base, 2), inner())
		}
	}
	switch g.choose(11) {
	case 1:
		return fmt.Sprintf("%s local.set %d", g.i32(base, 3), base)
	case 2:
		return fmt.Sprintf("%s local.set %d", g.i64(base, 3), base+2)
	case 3:
		return fmt.Sprintf("%s local.set %d", g.f64(base, 3), base+5)
	case 4:
		return fmt.Sprintf("%s i32.const 65535 i32.and %s i64.store 3 0", g.i32(base, 2), g.i64(base, 2))
	case 5:
		return fmt.Sprintf("%s i32.const 1023 i32.and %s %s i32.const 1023 i32.and memory.fill", g.i32(base, 1), g.i32(base, 1), g.i32(base, 1))
	case 6:
		if g.labels > 0 { // the function's own takes a result
			return fmt.Sprintf("%s br_if %d", g.i32(base, 2), g.choose(g.labels))
		}
	case 7:
		return g.i32(base, 2) + " global.set 0"
	case 8:
		return fmt.Sprintf("i32.const 1 memory.grow local.set %d", base)
	case 9:
		return "call 4 drop drop"
	case 10:
		return fmt.Sprintf("%s i32.const 1023 i32.and %s f64.store 3 0", g.i32(base, 1), g.f64(base, 2))
	}
	return "nop"
}

func (g *generator) i32(base, depth int) string {
	if depth > 0 {
		switch g.choose(9) {
		case 1:
			return fmt.Sprintf("%s %s i32.add", g.i32(base, depth-1), g.i32(base, depth-1))
		case 2:
			return fmt.Sprintf("%s %s i32.div_s", g.i32(base, depth-1), g.i32(base, depth-1))
		case 3:
			return fmt.Sprintf("%s i32.const 65535 i32.and i32.load 2 0", g.i32(base, depth-1))
		case 4:
			return fmt.Sprintf("%s %s i64.lt_s", g.i64(base, depth-1), g.i64(base, depth-1))
		case 5:
			return "call 2"
		case 6:
			return fmt.Sprintf("%s if i32 %s else %s end", g.i32(base, depth-1), g.i32(base, depth-1), g.i32(base, depth-1))
		case 7:
			return fmt.Sprintf("i32.const %d call_indirect 3 0", g.choose(4))
		case 8:
			return fmt.Sprintf("%s i32.trunc_sat_f64_s", g.f64(base, depth-1))
		}
	}
	return []string{fmt.Sprint("local.get ", base), "i32.const 1", "global.get 0", "i32.const 77", "memory.size", fmt.Sprint("local.get ", base+1)}[g.choose(6)]
}

func (g *generator) i64(base, depth int) string {
	if depth > 0 {
		switch g.choose(7) {
		case 1:
			return fmt.Sprintf("%s %s i64.mul", g.i64(base, depth-1), g.i64(base, depth-1))
		case 2:
			return fmt.Sprintf("%s call 3", g.i32(base, depth-1))
		case 3:
			return fmt.Sprintf("%s i64.extend_i32_u", g.i32(base, depth-1))
		case 4:
			return fmt.Sprintf("%s %s %s select", g.i64(base, depth-1), g.i64(base, depth-1), g.i32(base, depth-1))
		case 5:
			return fmt.Sprintf("%s i64.reinterpret_f64", g.f64(base, depth-1))
		case 6:
			return fmt.Sprintf("block i64 %s %s br_if 0 end", g.i64(base, depth-1), g.i32(base, depth-1))
		}
	}
	return []string{fmt.Sprint("local.get ", base+2), "i64.const 3", "i64.const -9", fmt.Sprint("local.get ", base+3)}[g.choose(4)]
}

func (g *generator) f64(base, depth int) string {
	g.floats = true
	if depth > 0 {
		switch g.choose(7) {
		case 1:
			return fmt.Sprintf("%s %s f64.div", g.f64(base, depth-1), g.f64(base, depth-1))
		case 2:
			return fmt.Sprintf("%s f64.sqrt", g.f64(base, depth-1))
		case 3:
			return fmt.Sprintf("%s f64.reinterpret_i64", g.i64(base, depth-1))
		case 4:
			return fmt.Sprintf("%s f32.demote_f64 f32.nearest f64.promote_f32", g.f64(base, depth-1))
		case 5:
			return fmt.Sprintf("%s %s f64.min f64.neg", g.f64(base, depth-1), g.f64(base, depth-1))
		case 6:
			return fmt.Sprintf("%s f64.convert_i64_s", g.i64(base, depth-1))
		}
	}
	return []string{fmt.Sprint("local.get ", base+5), "f64.const 0", "f64.const 0x7ff4dead12345678", "f64.const -1.5"}[g.choose(4)]
}
