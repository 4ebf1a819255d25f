package meter

import "encoding/binary"

// leb appends a number as LEB128.
func leb(to []byte, n int) []byte { return binary.AppendUvarint(to, uint64(n)) }

// join encodes codes and numbers that follow them, none of them negative.
func join(numbers ...int) (code []byte) {
	for _, n := range numbers {
		code = leb(code, n)
	}
	return code
}

// constant appends a constant, whose encoding has a sign.
func constant(to []byte, code byte, n int64) []byte {
	to = append(to, code)
	for n > 63 || n < -64 {
		to = append(to, byte(n)|0x80)
		n >>= 7
	}
	return append(to, byte(n)&0x7f)
}

// bytes appends bytes after their number.
func bytes(to, content []byte) []byte { return append(leb(to, len(content)), content...) }

// op appends an instruction with an index.
func op(to []byte, code byte, index int) []byte { return leb(append(to, code), index) }

// charged takes units from the counter, and branches if that is too much. A function has the counter in a local, which hosts keep in a
// register.
func (b *body) charged(units []byte, trap int) []byte {
	t := b.use(left)
	code := op(nil, opLocalGet, t)
	code = append(append(code, units...), opI64Sub)
	code = op(code, opLocalTee, t)
	return op(append(constant(code, opI64Const, 0), opI64LtS), opBrIf, trap)
}

// opened takes the counter over from the global, at the start of a function and after a call.
func (b *body) opened() []byte { return join(opGlobalGet, b.in.globals, opLocalSet, b.use(left)) }

// settled returns the counter to the global, before a call and at every end of a function.
func (b *body) settled() []byte { return join(opLocalGet, b.use(left), opGlobalSet, b.in.globals) }

// Units for the elements of a bulk instruction: bytes of memory are charged by eights.
const (
	bytesShift   = 3
	unitsElement = 4
	unitsPage    = 8192
)

// bounded charges for the length of a bulk instruction, which is on the top of the stack.
func (b *body) bounded(code byte, bulk, start int) {
	var by []byte
	switch {
	case code == opMemoryGrow:
		by = append(constant(nil, opI64Const, unitsPage), opI64Mul)
	case bulk == 8, bulk == 10, bulk == 11: // memory.init, copy, fill
		by = append(constant(nil, opI64Const, bytesShift), opI64ShrU)
	case bulk == 12, bulk == 14, bulk == 15, bulk == 17: // table.init, copy, grow, fill
		by = append(constant(nil, opI64Const, unitsElement), opI64Mul)
	default:
		return
	}
	b.branches++
	n := b.use(length)
	units := append(append(op(nil, opLocalGet, n), opI64ExtendU), by...)
	b.insert(start, append(op(nil, opLocalTee, n), b.charged(units, len(b.frames))...))
}

// canonical makes a NaN that an instruction may have left on the stack the one of all hosts.
func (b *body) canonical(float byte) {
	var n int
	var code []byte
	switch float {
	case f32:
		n = b.use(single)
		code = append(op(nil, opLocalTee, n), opF32Const, 0, 0, 0xc0, 0x7f)
		code = append(op(op(code, opLocalGet, n), opLocalGet, n), opF32Eq, opSelect)
	case f64:
		n = b.use(double)
		code = append(op(nil, opLocalTee, n), opF64Const, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f)
		code = append(op(op(code, opLocalGet, n), opLocalGet, n), opF64Eq, opSelect)
	default:
		return
	}
	b.insert(b.at, code)
}

// frameSlots is the size of a function's frame in slots of eight bytes, an upper bound for what hosts use: V8 has a slot for each local
// and operand; wazero may have one for any value that is kept across a call.
func (b *body) frameSlots() int { return 32 + b.declared + len(roleTypes) + b.peak + b.size/16 }

// write returns the code with everything that was inserted, in two blocks: a charge branches to the end of the outer one, and what
// returned from the function leaves the inner one. The indices of all other labels remain.
func (b *body) write() []byte {
	var inner []byte
	start := b.first
	for _, i := range b.insertions {
		inner = append(inner, b.module[start:i.at]...)
		start = i.at
		if i.node >= 0 {
			i.code = nil
			if n := b.graph[i.node]; n.units > 0 {
				i.code = b.charged(constant(nil, opI64Const, n.units), n.trap)
			}
		}
		inner = append(inner, i.code...)
	}
	inner = append(inner, b.module[start:b.end]...)
	before := b.entry()

	code := leb(nil, b.locals.n+len(b.extra))
	code = append(code, b.locals.elements...)
	for _, t := range b.extra {
		code = append(code, 1, t)
	}
	code = append(append(code, before...), opBlock, nothing, opBlock)
	code = append(append(code, b.in.resultType(b.results)...), inner...)
	code = append(append(code, b.settled()...), opReturn, opEnd)
	return append(append(code, b.settled()...), opUnreachable, opEnd)
}

// entry returns the code that runs before a function's own: it takes the counter over, and the function's frame from the slots that are
// left, if the function calls others.
func (b *body) entry() []byte {
	slots := b.frameSlots()
	if slots > maxFrame {
		fail(b.at, "a function has a frame of %d values; at most %d are allowed: make smaller functions", slots, maxFrame)
	}
	code := b.opened()
	if !b.calls {
		return code
	}
	code = constant(op(code, opGlobalGet, b.in.globals+1), opI32Const, int64(slots))
	code = constant(op(append(code, opI32Sub), opLocalTee, b.use(depth)), opI32Const, 0)
	code = append(code, opI32LtS, opIf, nothing)
	code = op(constant(code, opI64Const, TooDeep), opGlobalSet, b.in.globals)
	return append(code, opUnreachable, opEnd)
}

// resultType returns the type of a block with the results of a function.
func (p *parsed) resultType(results []byte) []byte {
	switch len(results) {
	case 0:
		return []byte{nothing}
	case 1:
		return results
	}
	index, known := p.resultTypes[string(results)]
	if !known {
		types := &p.sections[sectionType]
		index = types.n
		p.resultTypes[string(results)] = index
		types.add(bytes([]byte{0x60, 0}, results)...)
	}
	return constant(nil, 0, int64(index))[1:]
}

// write returns the instrumented module.
func (p *parsed) write() []byte {
	for i, code := range p.code {
		t := p.types[p.functions[i]]
		p.sections[sectionCode].add(bytes(nil, p.function(code, t).write())...)
	}
	p.writeExports()
	p.writeGlobals()
	module := []byte(header)
	for _, id := range order {
		if int(id) >= len(p.sections) || p.sections[id].n == 0 {
			continue
		}
		s := p.sections[id]
		content := s.elements
		if id != sectionStart && id != sectionDataCount {
			content = append(leb(nil, s.n), content...)
		}
		module = bytes(append(module, id), content)
	}
	return module
}

// writeGlobals adds the counter and the slots of the stack.
func (p *parsed) writeGlobals() {
	globals := &p.sections[sectionGlobal]
	globals.add(append(constant([]byte{i64, 1}, opI64Const, p.limits.Start), opEnd)...)
	globals.add(append(constant([]byte{i32, 1}, opI32Const, maxStack), opEnd)...)
}

// writeExports writes the exports: the functions in wrappers, which give each call from outside a whole stack.
func (p *parsed) writeExports() {
	var wrapped []int
	exports := section{}
	for _, e := range p.exports {
		index := e.index
		if e.kind == 0 {
			index = len(p.functions) + len(wrapped)
			wrapped = append(wrapped, e.index)
		}
		exports.add(leb(append(bytes(nil, []byte(e.name)), e.kind), index)...)
	}
	exports.add(leb(append(bytes(nil, []byte(Fuel)), 3), p.globals)...)
	p.sections[sectionExport] = exports
	for _, f := range wrapped {
		p.sections[sectionFunction].add(leb(nil, p.functions[f])...)
		p.sections[sectionCode].add(bytes(nil, p.wrapper(f))...)
	}
	if p.referred { // a function that code refers to must be exported, or be an element
		declared := join(3, 0, len(wrapped))
		for _, f := range wrapped {
			declared = leb(declared, f)
		}
		p.sections[sectionElement].add(declared...)
	}
}

// wrapper returns the code of a function that calls another one with its parameters.
func (p *parsed) wrapper(function int) []byte {
	code := op(constant([]byte{0}, opI32Const, maxStack), opGlobalSet, p.globals+1)
	for i := range p.types[p.functions[function]].params {
		code = op(code, opLocalGet, i)
	}
	return append(op(code, opCall, function), opEnd)
}
