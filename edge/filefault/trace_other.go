//go:build !linux || !amd64

package filefault

import "errors"

// Run returns an error: there is no tracer for this system.
func (p *Program) Run() (int, error) {
	return 0, errors.New("filefault: works on Linux and amd64 only")
}
