package meter

import (
	"fmt"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// BenchmarkUnits measures what a unit takes in wazero, for loops of one kind of instruction: README.md has the table. No kind should
// take more than a nanosecond, the time from which the limit of a rule is derived.
func BenchmarkUnits(b *testing.B) {
	for _, kind := range kinds() {
		b.Run(kind.name, func(b *testing.B) {
			run := started(b, kind.module)
			best := run()
			for b.Loop() {
				best = min(best, run())
			}
			b.ReportMetric(best, "ns/unit")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// kind is an endless loop, which ends for want of fuel.
type kind struct{ name, module string }

func kinds() []kind {
	loop := func(name, code string) kind {
		return kind{name, newRule("").with("2 i64 2 f64", "loop void "+code+" br 0 end"+zero).String()}
	}
	return []kind{
		loop("nothing", ""),
		loop("i64.add", "local.get 2 i64.const 3 i64.add local.set 2"),
		loop("i64.mul", "local.get 2 i64.const 3 i64.mul local.set 2"),
		loop("i32.div_s", "local.get 0 i32.const -3 i32.div_s i32.const 123456789 i32.add local.set 0"),
		loop("i64.rem_u", "i64.const 0xfffffffffffffff local.get 2 i64.const 3 i64.add local.tee 2 i64.rem_u local.set 3"),
		loop("f64.div", "f64.const 1 local.get 4 f64.const 3 f64.add f64.div local.set 4"),
		loop("f64.sqrt", "local.get 4 f64.const 3 f64.add f64.sqrt local.set 4"),
		loop("f64.add", "local.get 4 f64.const 3 f64.add local.set 4"),
		loop("f64.nearest", "local.get 4 f64.nearest local.set 4"),
		loop("i64.trunc_f64_s", "local.get 4 i64.trunc_sat_f64_s f64.convert_i64_s local.set 4"),
		{"loads that wait for each other", newRule("").but(func(r *rule) {
			r.memories = []string{"\x01\x10\x10"}
			r.with("1 i32", "loop void local.get 2 local.get 2 i32.const 5 i32.mul i32.const 17728 i32.add i32.const 0xfffc0 i32.and "+
				"local.tee 2 i32.store 2 0 local.get 2 br_if 0 end loop void local.get 2 i32.load 2 0 local.set 2 br 0 end"+zero)
		})},
		loop("i64.store", "i32.const 0 local.get 2 i64.store 3 0"),
		{"global.set", newRule("loop void global.get 0 i32.const 1 i32.add global.set 0 br 0 end" + zero).but(func(r *rule) { r.globals = []string{"\x7f\x01\x41\x05\x0b"} })},
		{"call", newRule("loop void call 2 br 0 end"+zero).function(2, "", "").String()},
		{"call with 900 locals", newRule("loop void call 2 br 0 end"+zero).function(2, "900 i64", "i32.const 0 local.get 800 i64.store 3 0 i32.const 0 i32.const 0 i32.const 0 memory.fill").String()},
		{"call_indirect", newRule("loop void i32.const 0 call_indirect 2 0 br 0 end"+zero).function(2, "", "").table(1, "\x02").String()},
		loop("br_table", "block void block void block void local.get 2 i32.wrap_i64 i32.const 3 i32.and br_table 3 0 1 2 1 end end end local.get 2 i64.const 1 i64.add local.set 2"),
		loop("memory.fill of 64 KiB", "i32.const 0 i32.const 1 i32.const 65536 memory.fill"),
		loop("memory.fill of nothing", "i32.const 0 i32.const 1 i32.const 0 memory.fill"),
		loop("memory.copy of 63 KiB", "i32.const 100 i32.const 0 i32.const 65000 memory.copy"),
		loop("memory.copy of 1 byte", "i32.const 100 i32.const 0 i32.const 1 memory.copy"),
		{"memory.init of 1,000 bytes", newRule("loop void i32.const 0 i32.const 0 i32.const 1000 memory.init 0 br 0 end" + zero).but(func(r *rule) {
			r.count, r.data = "\x01", []string{"\x01" + sized(fmt.Sprint(make([]byte, 1000))[:1000])}
		})},
		loop("memory.grow by nothing", "i32.const 0 memory.grow drop"),
		loop("memory.grow", "i32.const 1 memory.grow drop"),
		loop("memory.size", "memory.size drop"),
		{"table.get", newRule("loop void i32.const 0 table.get 0 drop br 0 end"+zero).table(1, "\x01").String()},
		{"table.set", newRule("loop void i32.const 0 ref.null funcref table.set 0 br 0 end"+zero).table(1, "\x01").String()},
		{"table.size", newRule("loop void table.size 0 drop br 0 end"+zero).table(1, "\x01").String()},
		{"table.grow", newRule("loop void ref.null funcref i32.const 1 table.grow 0 drop br 0 end"+zero).table(1, "\x01").String()},
		{"table.fill", newRule("loop void i32.const 0 ref.null funcref i32.const 9999 table.fill 0 br 0 end"+zero).table(10_000, "\x01").String()},
		{"table.copy", newRule("loop void i32.const 1 i32.const 0 i32.const 9999 table.copy 0 0 br 0 end"+zero).table(10_000, "\x01").String()},
		{"ref.func", newRule("loop void ref.func 1 drop br 0 end" + zero).String()},
	}
}

// started returns a function that calls validate in a new instance, and returns the nanoseconds a unit.
func started(b *testing.B, module string) func() float64 {
	instrumented, err := Instrument([]byte(module), Rule)
	if err != nil {
		b.Fatal(err)
	}
	runtime := wazero.NewRuntime(b.Context())
	b.Cleanup(func() { runtime.Close(b.Context()) })
	compiled, err := runtime.CompileModule(b.Context(), instrumented)
	if err != nil {
		b.Fatal(err)
	}
	return func() float64 {
		instance, err := runtime.InstantiateModule(b.Context(), compiled, wazero.NewModuleConfig().WithName(""))
		if err != nil {
			b.Fatal(err)
		}
		defer instance.Close(b.Context())
		counter := instance.ExportedGlobal(Fuel).(api.MutableGlobal)
		counter.Set(fuel)
		validate := instance.ExportedFunction("validate")
		begin := time.Now()
		_, err = validate.Call(b.Context(), 0, 0)
		took := time.Since(begin)
		left := int64(counter.Get())
		if err == nil || left >= 0 {
			b.Fatal(err, left)
		}
		return float64(took) / float64(fuel-left)
	}
}
