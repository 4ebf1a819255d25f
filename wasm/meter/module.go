package meter

import (
	"slices"
	"strings"
)

// Bounds of what a module declares, so that no host has a lower one of its own and compiling takes bounded time.
const (
	maxName      = 1 << 10 // bytes
	maxTypes     = 10_000
	maxParams    = 100
	maxResults   = 16
	maxFunctions = 20_000
	maxTables    = 16
	maxTable     = 10_000 // elements
	maxGlobals   = 10_000
	maxExports   = 1_000
	maxSegments  = 10_000 // of data, and of elements
	maxElements  = 10_000 // of a segment
	maxLocals    = 1_000  // of a function, with its parameters
	maxNesting   = 500    // blocks
	maxLabels    = 2_000  // of a br_table
	maxFrame     = 4_000  // slots of a function's frame
	maxStack     = 32_768 // slots of all frames

	// maxBranches bounds the sum of the squares of the functions' numbers of blocks and branches. The time for compiling a function grows
	// with the square: some hundredths of a second for a million.
	maxBranches = 5_000_000
)

// The ids of sections, in the order in which a module has them; sectionDataCount comes before sectionCode.
const (
	sectionCustom = iota
	sectionType
	sectionImport
	sectionFunction
	sectionTable
	sectionMemory
	sectionGlobal
	sectionExport
	sectionStart
	sectionElement
	sectionCode
	sectionData
	sectionDataCount
	sectionTag
)

var order = []byte{sectionType, sectionImport, sectionFunction, sectionTable, sectionMemory, sectionTag, sectionGlobal, sectionExport,
	sectionStart, sectionElement, sectionDataCount, sectionCode, sectionData}

// section is the vector of a section: its elements, copied unless the part of the module that reads them writes its own.
type section struct {
	n        int
	elements []byte
}

func (s *section) add(element ...byte) {
	s.n++
	s.elements = append(s.elements, element...)
}

type signatureType struct{ params, results []byte }

type exported struct {
	name  string
	kind  byte // 0 a function, 1 a table, 2 a memory, 3 a global
	index int
	at    int // its offset
}

// parsed is a module that has been read up to its code.
type parsed struct {
	limits    Limits
	prepaid   int64
	sections  [sectionTag]section // those to write; start and the number of data segments are no vectors
	types     []signatureType
	functions []int // their types
	tables    []int // their sizes at the start, in elements
	memories  []int // the same, in bytes
	globals   int
	exports   []exported
	code      []reader

	referred    bool           // code refers to a function (ref.func)
	branches    int            // the sum of squares that maxBranches bounds
	resultTypes map[string]int // that were added to the types
}

const header = "\x00asm\x01\x00\x00\x00"

func read(module []byte, l Limits) *parsed {
	r := &reader{module, 0, len(module)}
	if len(module) < len(header) || string(r.skip(len(header))) != header {
		fail(0, "not a WebAssembly module of version 1")
	}
	p := &parsed{limits: l, prepaid: prepaid, resultTypes: map[string]int{}}
	position := 0 // in order
	for r.more() {
		start := r.at
		id := r.byte()
		size := r.u32()
		body := &reader{module, r.at, r.at}
		r.skip(size)
		body.end = r.at
		if id == sectionCustom {
			continue
		}
		next := slices.Index(order[position:], id)
		if next < 0 {
			fail(start, "section %d is unknown, twice or at the wrong place", id)
		}
		position += next + 1
		p.section(id, body)
		if body.more() {
			fail(body.at, "%d bytes too many in section %d", body.end-body.at, id)
		}
	}
	if len(p.code) != len(p.functions) {
		fail(len(module), "%d functions are declared, and %d have code", len(p.functions), len(p.code))
	}
	p.checkExports(len(module))
	return p
}

// section reads a section.
func (p *parsed) section(id byte, r *reader) {
	start := r.at
	switch id {
	case sectionImport:
		p.refuseImports(r)
	case sectionTag:
		fail(start, "tags: exceptions are not in WebAssembly 2.0")
	case sectionType:
		p.vector(id, r, maxTypes, "types", p.functionType)
	case sectionFunction:
		p.vector(id, r, maxFunctions, "functions", func(r *reader) {
			p.functions = append(p.functions, r.index(len(p.types), "type"))
		})
	case sectionTable:
		p.vector(id, r, maxTables, "tables", p.table)
	case sectionMemory:
		p.vector(id, r, 1, "memories", p.memory)
	case sectionGlobal:
		p.vector(id, r, maxGlobals, "globals", p.global)
	case sectionExport:
		p.vector(id, r, maxExports, "exports", p.export)
	case sectionStart:
		r.index(len(p.functions), "function")
		p.sections[id] = section{1, r.module[start:r.at]}
	case sectionElement:
		p.vector(id, r, maxSegments, "segments of elements", p.elements)
	case sectionDataCount:
		r.u32()
		p.sections[id] = section{1, r.module[start:r.at]}
	case sectionCode:
		p.vector(id, r, maxFunctions, "functions", func(r *reader) {
			size := r.u32()
			body := reader{r.module, r.at, r.at}
			r.skip(size)
			body.end = r.at
			p.code = append(p.code, body)
		})
		p.sections[id] = section{}
	case sectionData:
		p.vector(id, r, maxSegments, "segments of data", p.data)
	}
}

// vector reads the elements of a section. Those that read does not write itself are copied.
func (p *parsed) vector(id byte, r *reader, limit int, of string, read func(*reader)) {
	n := r.count(limit, of)
	start := r.at
	for range n {
		read(r)
	}
	if p.sections[id].n == 0 {
		p.sections[id] = section{n, slices.Clone(r.module[start:r.at])}
	}
}

func (p *parsed) refuseImports(r *reader) {
	if r.u32() == 0 {
		return
	}
	start := r.at
	fail(start, "imports %s.%s; a rule has no imports", r.name(), r.name())
}

func (p *parsed) functionType(r *reader) {
	if form := r.byte(); form != 0x60 {
		fail(r.at-1, "a type of form %#x is no function type; GC is not in WebAssembly 2.0", form)
	}
	var t signatureType
	for range r.count(maxParams, "parameters") {
		t.params = append(t.params, r.valueType())
	}
	for range r.count(maxResults, "results") {
		t.results = append(t.results, r.valueType())
	}
	p.types = append(p.types, t)
}

// limited reads a size and its maximum, which is limit if there is none or a higher one.
func (r *reader) limited(limit int, of string) (size, maximum int) {
	start := r.at
	flags := r.byte()
	switch {
	case flags&2 != 0:
		fail(start, "a shared memory; threads are not in WebAssembly 2.0")
	case flags&4 != 0:
		fail(start, "a 64-bit memory or table")
	case flags > 1:
		fail(start, "unknown kind of limits %#x", flags)
	}
	size, maximum = r.u32(), limit
	if flags == 1 {
		if maximum = r.u32(); maximum < size {
			fail(start, "the maximum is below the size at the start")
		}
		maximum = min(maximum, limit)
	}
	if size > limit {
		fail(start, "starts with %d %s; at most %d are allowed", size, of, limit)
	}
	return size, maximum
}

func (p *parsed) table(r *reader) {
	kind := r.refType()
	size, maximum := r.limited(maxTable, "elements of a table")
	p.sections[sectionTable].add(join(int(kind), 1, size, maximum)...)
	p.tables = append(p.tables, size)
}

func (p *parsed) memory(r *reader) {
	size, maximum := r.limited(int(p.limits.Pages), "pages of memory")
	p.sections[sectionMemory].add(join(1, size, maximum)...)
	p.memories = append(p.memories, size<<16)
}

func (p *parsed) global(r *reader) {
	r.valueType()
	if mutable := r.byte(); mutable > 1 {
		fail(r.at-1, "a global is mutable (1) or not (0)")
	}
	p.constant(r)
	p.globals++
}

// constant reads a constant expression and returns the value of an i32.
func (p *parsed) constant(r *reader) (value uint32) {
	start := r.at
	switch code := r.byte(); code {
	case opI32Const:
		value = uint32(r.signed(32))
	case opI64Const:
		r.signed(64)
	case opF32Const:
		r.skip(4)
	case opF64Const:
		r.skip(8)
	case opRefNull:
		r.refType()
	case opRefFunc:
		r.index(len(p.functions), "function")
	case opGlobalGet:
		fail(start, "a constant is another global's value; only an imported global's may be")
	default:
		fail(start, "instruction %#x is not constant", code)
	}
	if r.byte() != opEnd {
		fail(r.at-1, "a constant of several instructions")
	}
	return value
}

// active reads where a segment is copied to when the module starts: to which of some tables or memories, if the index is explicit, and
// the offset in it.
func (p *parsed) active(r *reader, sizes []int, of string, explicit bool) (offset, size int) {
	index, start := 0, r.at
	if explicit {
		index = r.index(len(sizes), of)
	} else if len(sizes) == 0 {
		fail(start, "there is no %s", of)
	}
	return int(p.constant(r)), sizes[index]
}

// fits checks that a segment lies in its table or memory. Hosts differ in what they do if not.
func fits(at, offset, length, size int) {
	if offset+length > size {
		fail(at, "a segment of %d that is copied to %d, of %d", length, offset, size)
	}
}

func (p *parsed) export(r *reader) {
	e := exported{at: r.at}
	e.name, e.kind = r.name(), r.byte()
	counts := []int{len(p.functions), len(p.tables), len(p.memories), p.globals}
	if int(e.kind) >= len(counts) {
		fail(e.at, "exports something of kind %d; exceptions are not in WebAssembly 2.0", e.kind)
	}
	e.index = r.index(counts[e.kind], []string{"function", "table", "memory", "global"}[e.kind])
	if e.name == Fuel {
		fail(e.at, "exports %s, the name of the counter", Fuel)
	}
	p.exports = append(p.exports, e)
}

func (p *parsed) elements(r *reader) {
	start := r.at
	flags := r.u32()
	if flags > 7 {
		fail(start, "a segment of elements of the unknown kind %d", flags)
	}
	passive, explicit, expressions := flags&1 != 0, flags&2 != 0, flags&4 != 0
	offset, size := 0, maxElements
	if !passive {
		offset, size = p.active(r, p.tables, "table", explicit)
	}
	switch {
	case flags&3 != 0 && expressions:
		r.refType()
	case flags&3 != 0:
		r.zero("the kind of elements")
	}
	n := r.count(maxElements, "elements")
	fits(start, offset, n, size)
	for range n {
		if expressions {
			p.constant(r)
		} else {
			r.index(len(p.functions), "function")
		}
	}
}

func (p *parsed) data(r *reader) {
	start := r.at
	flags := r.u32()
	if flags > 2 {
		fail(start, "a segment of data of the unknown kind %d", flags)
	}
	offset, size := 0, r.end
	if flags != 1 {
		offset, size = p.active(r, p.memories, "memory", flags == 2)
	}
	fits(start, offset, len(r.skip(r.u32())), size)
}

// checkExports checks the exports that a host uses. Its offset is that of the export, or the end of the module.
func (p *parsed) checkExports(end int) {
	names := map[string]bool{}
	operations := 0
	for _, e := range p.exports {
		if names[e.name] {
			fail(e.at, "exports %s twice", e.name)
		}
		names[e.name] = true
		switch {
		case e.name == "memory" && e.kind != 2:
			fail(e.at, "the export memory is no memory")
		case e.name == "alloc" && !p.is(e, []byte{i32}, []byte{i32}):
			fail(e.at, "the export alloc is not a function (i32) → i32")
		case p.is(e, []byte{i32, i32}, []byte{i64}) && (len(p.limits.Operations) == 0 || slices.Contains(p.limits.Operations, e.name)):
			operations++
		case slices.Contains(p.limits.Operations, e.name):
			fail(e.at, "the export %s is not a function (i32, i32) → i64", e.name)
		}
	}
	for _, name := range []string{"memory", "alloc"} {
		if !names[name] {
			fail(end, "does not export %s", name)
		}
	}
	if operations == 0 && len(p.limits.Operations) > 0 {
		fail(end, "exports none of the functions %s (i32, i32) → i64", strings.Join(p.limits.Operations, ", "))
	}
}

// is reports whether an export is a function of a type.
func (p *parsed) is(e exported, params, results []byte) bool {
	if e.kind != 0 {
		return false
	}
	t := p.types[p.functions[e.index]]
	return slices.Equal(t.params, params) && slices.Equal(t.results, results)
}
