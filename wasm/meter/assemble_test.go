package meter

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// mnemonics are the instructions from a code on, in the order of their codes.
var mnemonics = map[int]string{
	0x00: "unreachable nop block loop if else",
	0x0b: "end br br_if br_table return call call_indirect return_call",
	0x1a: "drop select",
	0x20: "local.get local.set local.tee global.get global.set table.get table.set",
	0x28: "i32.load i64.load f32.load f64.load i32.load8_s i32.load8_u i32.load16_s i32.load16_u i64.load8_s i64.load8_u i64.load16_s " +
		"i64.load16_u i64.load32_s i64.load32_u i32.store i64.store f32.store f64.store i32.store8 i32.store16 i64.store8 i64.store16 " +
		"i64.store32 memory.size memory.grow i32.const i64.const f32.const f64.const i32.eqz i32.eq i32.ne i32.lt_s i32.lt_u i32.gt_s " +
		"i32.gt_u i32.le_s i32.le_u i32.ge_s i32.ge_u i64.eqz i64.eq i64.ne i64.lt_s i64.lt_u i64.gt_s i64.gt_u i64.le_s i64.le_u " +
		"i64.ge_s i64.ge_u f32.eq f32.ne f32.lt f32.gt f32.le f32.ge f64.eq f64.ne f64.lt f64.gt f64.le f64.ge i32.clz i32.ctz " +
		"i32.popcnt i32.add i32.sub i32.mul i32.div_s i32.div_u i32.rem_s i32.rem_u i32.and i32.or i32.xor i32.shl i32.shr_s i32.shr_u " +
		"i32.rotl i32.rotr i64.clz i64.ctz i64.popcnt i64.add i64.sub i64.mul i64.div_s i64.div_u i64.rem_s i64.rem_u i64.and i64.or " +
		"i64.xor i64.shl i64.shr_s i64.shr_u i64.rotl i64.rotr f32.abs f32.neg f32.ceil f32.floor f32.trunc f32.nearest f32.sqrt f32.add " +
		"f32.sub f32.mul f32.div f32.min f32.max f32.copysign f64.abs f64.neg f64.ceil f64.floor f64.trunc f64.nearest f64.sqrt f64.add " +
		"f64.sub f64.mul f64.div f64.min f64.max f64.copysign i32.wrap_i64 i32.trunc_f32_s i32.trunc_f32_u i32.trunc_f64_s " +
		"i32.trunc_f64_u i64.extend_i32_s i64.extend_i32_u i64.trunc_f32_s i64.trunc_f32_u i64.trunc_f64_s i64.trunc_f64_u " +
		"f32.convert_i32_s f32.convert_i32_u f32.convert_i64_s f32.convert_i64_u f32.demote_f64 f64.convert_i32_s f64.convert_i32_u " +
		"f64.convert_i64_s f64.convert_i64_u f64.promote_f32 i32.reinterpret_f32 i64.reinterpret_f64 f32.reinterpret_i32 " +
		"f64.reinterpret_i64 i32.extend8_s i32.extend16_s i64.extend8_s i64.extend16_s i64.extend32_s",
	0xd0: "ref.null ref.is_null ref.func",
}

var prefixedMnemonics = "i32.trunc_sat_f32_s i32.trunc_sat_f32_u i32.trunc_sat_f64_s i32.trunc_sat_f64_u i64.trunc_sat_f32_s i64.trunc_sat_f32_u " +
	"i64.trunc_sat_f64_s i64.trunc_sat_f64_u memory.init data.drop memory.copy memory.fill table.init elem.drop table.copy table.grow " +
	"table.size table.fill"

var codes = func() map[string]string {
	codes := map[string]string{}
	for first, names := range mnemonics {
		for i, name := range strings.Fields(names) {
			codes[name] = string([]byte{byte(first + i)})
		}
	}
	for i, name := range strings.Fields(prefixedMnemonics) {
		codes[name] = "\xfc" + string([]byte{byte(i)})
	}
	return codes
}()

// assemble encodes instructions: their names, each with what follows it. Blocks have a type: "void", "i64" or the index of a type.
// "loop!" without a type has none, and br_table has the number of its labels before them. A word in quotes is bytes in hexadecimal.
func assemble(text string) string {
	var out []byte
	words := strings.Fields(text)
	take := func() string {
		word := words[0]
		words = words[1:]
		return word
	}
	for len(words) > 0 {
		name := take()
		code, known := codes[name]
		if !known {
			raw, err := strconv.ParseUint(name, 0, 8)
			if err != nil {
				panic("no instruction " + name)
			}
			code = string([]byte{byte(raw)})
		}
		out = append(out, code...)
		follows := instructions[code[0]].follows
		if known && code[0] == opPrefix {
			follows = prefixes[code[1]].follows
		}
		switch {
		case !known:
		case name == "return_call":
			out = number(out, take())
		case follows == blockType:
			out = append(out, typeOf(take())...)
		case follows == bytes4:
			out = float(out, take(), 4)
		case follows == bytes8:
			out = float(out, take(), 8)
		case follows == number32, follows == number64:
			n, err := strconv.ParseInt(take(), 0, 64)
			if err != nil {
				panic(err)
			}
			out = append(out, constant(nil, 0, n)[1:]...)
		case follows == reference:
			out = append(out, typeOf(take())...)
		case follows == memory:
			out = append(out, 0)
		case follows == twoMemories:
			out = append(out, 0, 0)
		case follows == labels:
			n, _ := strconv.Atoi(words[0])
			for range n + 2 {
				out = number(out, take())
			}
		case follows == memoryData:
			out = append(number(out, take()), 0)
		case follows == access, follows == signature, follows == elements, follows == twoTables:
			out = number(number(out, take()), take())
		case follows != none:
			out = number(out, take())
		}
	}
	return string(out)
}

func number(to []byte, word string) []byte {
	n, err := strconv.Atoi(word)
	if err != nil {
		panic(err)
	}
	return leb(to, n)
}

// float appends the bits of a float, which are written in hexadecimal or as a number.
func float(to []byte, word string, size int) []byte {
	n, err := strconv.ParseUint(word, 0, 64)
	if f, floatErr := strconv.ParseFloat(word, 64); !strings.HasPrefix(word, "0x") && floatErr == nil {
		if n, err = math.Float64bits(f), nil; size == 4 {
			n = uint64(math.Float32bits(float32(f)))
		}
	}
	if err != nil {
		panic(err)
	}
	for range size {
		to = append(to, byte(n))
		n >>= 8
	}
	return to
}

func typeOf(word string) string {
	for i, name := range strings.Fields("externref funcref void") {
		if word == name {
			return string([]byte{externref, funcref, nothing}[i])
		}
	}
	for i, name := range strings.Fields("f64 f32 i64 i32") {
		if word == name {
			return string([]byte{byte(f64 + i)})
		}
	}
	n, err := strconv.ParseInt(word, 10, 64)
	if err != nil {
		panic(err)
	}
	return string(constant(nil, 0, n)[1:])
}

// rule is a module in parts, each an element of its section. Its types are 0: (i32) → i32, 1: (i32, i32) → i64, 2: () → (), 3: () → i32,
// 4: (i32) → i64, 5: () → (i32, i64). Function 0 is alloc, 1 validate; others follow.
type rule struct {
	types, functions, tables, memories, globals, exports, elements, codes, data []string
	start, count                                                                string
}

func newRule(code string) *rule {
	return &rule{
		types:     []string{"\x60\x01\x7f\x01\x7f", "\x60\x02\x7f\x7f\x01\x7e", "\x60\x00\x00", "\x60\x00\x01\x7f", "\x60\x01\x7f\x01\x7e", "\x60\x00\x02\x7f\x7e"},
		functions: []string{"\x00", "\x01"},
		memories:  []string{"\x01\x01\x10"},
		exports:   []string{"\x06memory\x02\x00", "\x05alloc\x00\x00", "\x08validate\x00\x01"},
		codes:     []string{coded("", "i32.const 1024 end"), coded("", code+" end")},
	}
}

// coded returns the code of a function with locals, such as "3 i32 1 f64".
func coded(locals, code string) string {
	words := strings.Fields(locals)
	body := string(leb(nil, len(words)/2))
	for i := 0; i < len(words); i += 2 {
		body += string(number(nil, words[i])) + typeOf(words[i+1])
	}
	return sized(body + assemble(code))
}

func sized(content string) string { return string(bytes(nil, []byte(content))) }

func (r *rule) function(t int, locals, code string) *rule {
	r.functions = append(r.functions, string(leb(nil, t)))
	r.codes = append(r.codes, coded(locals, code+" end"))
	return r
}

// with replaces validate by one with locals.
func (r *rule) with(locals, code string) *rule {
	r.codes[1] = coded(locals, code+" end")
	return r
}

func (r *rule) String() string {
	out := header
	vector := func(id byte, elements []string) {
		if elements != nil {
			out += string([]byte{id}) + sized(string(leb(nil, len(elements)))+strings.Join(elements, ""))
		}
	}
	vector(sectionType, r.types)
	vector(sectionFunction, r.functions)
	vector(sectionTable, r.tables)
	vector(sectionMemory, r.memories)
	vector(sectionGlobal, r.globals)
	vector(sectionExport, r.exports)
	if r.start != "" {
		out += "\x08" + sized(r.start)
	}
	vector(sectionElement, r.elements)
	if r.count != "" {
		out += "\x0c" + sized(r.count)
	}
	vector(sectionCode, r.codes)
	vector(sectionData, r.data)
	return out
}

// module returns the module after some changes.
func (r *rule) but(change func(*rule)) string {
	change(r)
	return fmt.Sprint(r)
}
