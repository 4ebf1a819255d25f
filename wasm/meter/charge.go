package meter

// prepaid is the largest number of units that are charged before it is known that they are used: a basic block that costs no more, with
// all that follows from it, is paid for by the blocks before it. Fewer charges make a module faster; more of them make the count finer.
const prepaid = 32

// node is a basic block: instructions that are executed one after the other.
type node struct {
	units int64
	next  []int32 // the nodes that may follow, without loops' starts
	loop  int32   // the start of the innermost loop around it, or the function's
	own   bool    // it is charged for when it starts
	at    int     // where it starts
	trap  int     // the index of the label to branch to when the counter is below zero
}

// graph is the nodes of a function, in their order in the code. Every edge leads forward.
type graph []node

// link adds an edge. What follows a loop is not charged for in each of its rounds.
func (g graph) link(from, to int32) {
	g[from].next = append(g[from].next, to)
	if g[from].loop != g[to].loop {
		g[to].own = true
	}
}

// settle decides which nodes are charged for when they start, and how much: on every path from such a node to the next one, the
// charge is at least the units of the nodes on the path. A node that is not charged for has 0 units afterwards.
func (g graph) settle(prepaid int64) {
	carried := make([]int64, len(g)) // what the nodes before it pay
	for i := len(g) - 1; i >= 0; i-- {
		n, following := &g[i], int64(0)
		for _, next := range n.next {
			following = max(following, carried[next])
		}
		n.units += following
		if n.own = n.own || n.units > prepaid; !n.own {
			carried[i], n.units = n.units, 0
		}
	}
}
