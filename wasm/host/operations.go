package host

import "slices"

// Operations returns the names of the module's operations, sorted.
func (p *Pool) Operations() []string { return slices.Sorted(slices.Values(p.operations)) }
