package meter

// frame is an open block of a function's code; the first is the function itself.
type frame struct {
	code    byte // opBlock, opLoop, opIf or opElse
	height  int  // of the stack below the block's parameters
	params  int
	results int
	loop    int32   // the start of the innermost loop outside of it
	decides int32   // of an if: the node before it; -1 if it is never reached
	sources []int32 // the nodes that branch to its end
}

// insertion is code to write before an instruction.
type insertion struct {
	at   int
	code []byte
	node int32 // whose charge it is, or -1
}

// body is the code of a function while it is read.
type body struct {
	*reader
	in         *parsed
	results    []byte
	locals     section // their declarations
	declared   int     // the number of locals, with the parameters
	first      int     // the offset of the first instruction
	scratch    map[role]int
	extra      []byte // the types of the scratch locals
	frames     []frame
	height     int // of the operand stack
	peak       int
	graph      graph
	now        int32 // the node of the next instruction, -1 if it is never reached
	loop       int32 // the start of the innermost loop
	insertions []insertion
	size       int // instructions
	branches   int // blocks, and branches by their targets
	calls      bool
}

// role is the use of a scratch local.
type role byte

const (
	left   role = iota // the counter
	depth              // the slots of the stack that are left for the functions that are called
	length             // the number of elements of a bulk instruction
	single             // a float
	double
)

var roleTypes = [...]byte{left: i64, depth: i32, length: i32, single: f32, double: f64}

// use returns the index of a scratch local.
func (b *body) use(r role) int {
	if _, ok := b.scratch[r]; !ok {
		b.scratch[r] = b.declared + len(b.extra)
		b.extra = append(b.extra, roleTypes[r])
	}
	return b.scratch[r]
}

// function reads the code of a function.
func (p *parsed) function(code reader, t signatureType) *body {
	b := &body{reader: &code, in: p, declared: len(t.params), results: t.results, scratch: map[role]int{}}
	b.declarations()
	b.first = b.at
	b.frames = []frame{{code: opBlock, results: len(t.results), decides: -1}}
	b.graph = graph{{at: b.at, trap: 1, own: true}}
	b.insertions = []insertion{{at: b.at}}
	b.spend(1 + b.declared/4)
	for len(b.frames) > 0 {
		b.instruction()
	}
	if b.more() {
		fail(b.at, "%d bytes after the end of a function", b.end-b.at)
	}
	if p.branches += b.branches * b.branches; p.branches > maxBranches {
		fail(b.first, "the functions up to this one have too many branches to compile them in time: make smaller functions")
	}
	b.graph.settle(p.prepaid)
	return b
}

// declarations reads the declarations of locals.
func (b *body) declarations() {
	runs := b.count(maxLocals, "declarations of locals")
	start := b.at
	for range runs {
		at := b.at
		n := b.u32()
		if n > maxLocals-b.declared {
			fail(at, "a function has %d parameters and locals; at most %d are allowed", b.declared+n, maxLocals)
		}
		b.declared += n
		b.valueType()
	}
	b.locals = section{runs, b.module[start:b.at]}
}

// begin begins a node that is reached from others. If there are none, the code is never reached.
func (b *body) begin(own bool, from ...int32) {
	b.now = -1
	for _, source := range from {
		if source < 0 {
			continue
		}
		if b.now < 0 {
			b.now = int32(len(b.graph))
			b.graph = append(b.graph, node{at: b.at, trap: len(b.frames), own: own, loop: b.loop})
			b.insertions = append(b.insertions, insertion{at: b.at, node: b.now})
		}
		b.graph.link(source, b.now)
	}
}

func (b *body) spend(units int) {
	if b.now >= 0 {
		b.graph[b.now].units += int64(units)
	}
}

// insert writes code before the instruction at an offset, if it is ever reached.
func (b *body) insert(at int, code []byte) {
	if b.now >= 0 {
		b.insertions = append(b.insertions, insertion{at, code, -1})
	}
}

// instruction reads an instruction.
func (b *body) instruction() {
	start := b.at
	code := b.byte()
	i, bulk := instructions[code], -1
	if i.follows == prefixed {
		bulk = b.index(len(prefixes), "instruction 0xfc")
		i = prefixes[bulk]
	}
	if of := proposals[i.follows]; of != "" {
		fail(start, "%#x is %s; rules use WebAssembly 2.0 without vectors", code, of)
	}
	b.size++
	b.spend(int(i.cost))
	if i.float == 0 && i.follows == none && !controls(code) { // most
		b.move(int(i.net))
		return
	}
	switch code {
	case opBlock, opLoop, opIf:
		b.open(code)
	case opElse:
		b.otherwise(start)
	case opEnd:
		b.close()
	case opBr, opBrIf, opBrTable:
		b.branch(code)
	case opReturn, opUnreachable:
		b.insert(start, b.settled())
		b.branch(code)
	case opCall, opCallIndirect:
		b.call(code, start)
	default:
		b.move(int(i.net))
		b.operand(i, start)
		b.bounded(code, bulk, start)
		b.canonical(i.float)
	}
}

// controls reports whether an instruction without immediates changes the flow of control.
func controls(code byte) bool {
	return code == opElse || code == opEnd || code == opReturn || code == opUnreachable
}

// move changes the height of the stack. In code that is never reached, it can have any height.
func (b *body) move(net int) {
	b.height = max(b.height+net, b.frames[len(b.frames)-1].height)
	b.peak = max(b.peak, b.height)
}

// open begins a block.
func (b *body) open(code byte) {
	if len(b.frames) > maxNesting {
		fail(b.at-1, "%d blocks in each other; at most %d are allowed", len(b.frames), maxNesting)
	}
	b.branches++
	f := frame{code: code, loop: b.loop, decides: -1}
	f.params, f.results = b.blockType()
	if code == opIf {
		b.move(-1)
	}
	f.height = max(b.height-f.params, b.frames[len(b.frames)-1].height)
	b.height = f.height + f.params
	b.frames = append(b.frames, f)
	switch before := b.now; {
	case code == opIf:
		b.frames[len(b.frames)-1].decides = before
		b.begin(false, before)
	case code == opLoop && before >= 0:
		b.begin(true, before)
		b.loop = b.now
		b.graph[b.now].loop = b.now
	}
}

// blockType reads the type of a block: the numbers of its parameters and results.
func (b *body) blockType() (params, results int) {
	switch next := b.peek(); {
	case next == nothing:
		b.byte()
		return 0, 0
	case next&0xc0 == 0x40: // a negative number of one byte
		b.valueType()
		return 0, 1
	}
	t := b.in.types[b.index(len(b.in.types), "type")]
	return len(t.params), len(t.results)
}

// otherwise ends the first part of an if and begins the second.
func (b *body) otherwise(at int) {
	f := &b.frames[len(b.frames)-1]
	if f.code != opIf {
		fail(at, "an else without an if")
	}
	f.code, f.sources = opElse, append(f.sources, b.now)
	b.height = f.height + f.params
	b.begin(false, f.decides)
}

// close ends a block. What follows is reached from its last instruction, from the branches to its end, and, if it is an if without
// an else, from before it.
func (b *body) close() {
	f := b.frames[len(b.frames)-1]
	b.frames = b.frames[:len(b.frames)-1]
	if len(b.frames) == 0 {
		return
	}
	b.loop, b.height = f.loop, f.height+f.results
	b.peak = max(b.peak, b.height)
	if f.code == opIf {
		f.sources = append(f.sources, f.decides)
	}
	if f.code == opBlock && len(f.sources) == 0 {
		return
	}
	b.begin(false, append(f.sources, b.now)...)
}

// target reads a label and records the branch to it.
func (b *body) target() {
	b.branches++
	f := &b.frames[len(b.frames)-1-b.index(len(b.frames), "label")]
	if f.code != opLoop && b.now >= 0 && (len(f.sources) == 0 || f.sources[len(f.sources)-1] != b.now) {
		f.sources = append(f.sources, b.now)
	}
}

// branch reads an instruction after which control goes elsewhere.
func (b *body) branch(code byte) {
	switch code {
	case opBr:
		b.target()
	case opBrIf:
		b.move(-1)
		b.target()
		b.begin(false, b.now)
		return
	case opBrTable:
		for range b.count(maxLabels, "labels") + 1 {
			b.target()
		}
	}
	b.now, b.height = -1, b.frames[len(b.frames)-1].height
}

// call reads a call, before which it sets the slots of the stack that are left.
func (b *body) call(code byte, start int) {
	var t signatureType
	if code == opCall {
		t = b.in.types[b.in.functions[b.index(len(b.in.functions), "function")]]
	} else {
		t = b.in.types[b.index(len(b.in.types), "type")]
		b.index(len(b.in.tables), "table")
		b.move(-1)
	}
	b.calls = true
	b.insert(start, append(b.settled(), join(opLocalGet, b.use(depth), opGlobalSet, b.in.globals+1)...))
	b.insert(b.at, b.opened())
	b.move(-len(t.params))
	b.move(len(t.results))
}

// operand reads what follows an instruction other than those for control.
func (b *body) operand(i instruction, start int) {
	switch i.follows {
	case local:
		b.index(b.declared, "local")
	case global:
		b.index(b.in.globals, "global")
	case function:
		b.index(len(b.in.functions), "function")
		b.in.referred = true
	case access:
		if align := b.u32(); align > 3 {
			fail(start, "an access aligned to 2^%d, or to one of several memories", align)
		}
		b.u32()
	case memory:
		b.zero("the memory")
	case twoMemories:
		b.zero("the memory")
		b.zero("the memory")
	case memoryData:
		b.u32()
		b.zero("the memory")
	case table:
		b.index(len(b.in.tables), "table")
	case twoTables:
		b.index(len(b.in.tables), "table")
		b.index(len(b.in.tables), "table")
	case elements:
		b.u32()
		b.index(len(b.in.tables), "table")
	case segment, dataSegment:
		b.u32()
	case number32:
		b.signed(32)
	case number64:
		b.signed(64)
	case bytes4:
		b.skip(4)
	case bytes8:
		b.skip(8)
	case reference:
		b.refType()
	case selected:
		if b.u32() != 1 {
			fail(start, "a select of several types")
		}
		b.valueType()
	}
}
