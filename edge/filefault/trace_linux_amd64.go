package filefault

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

// Numbers that package syscall does not have.
const (
	sysRenameat2     = 316
	sysCopyFileRange = 326
	optionExitKill   = 0x100000 // the traced program dies with the tracer
	waitAll          = 0x40000000
)

// call is a system call and how its file is found.
type call struct {
	name string
	file func(*thread, *syscall.PtraceRegs) string
}

var calls = map[uint64]call{
	syscall.SYS_OPENAT:    {"openat", opened},
	syscall.SYS_WRITE:     {"write", descriptor},
	syscall.SYS_PWRITE64:  {"pwrite64", descriptor},
	syscall.SYS_FTRUNCATE: {"ftruncate", descriptor},
	syscall.SYS_FALLOCATE: {"fallocate", descriptor},
	syscall.SYS_FSYNC:     {"fsync", descriptor},
	syscall.SYS_FDATASYNC: {"fdatasync", descriptor},
	syscall.SYS_MMAP:      {"mmap", mapped},
	syscall.SYS_MSYNC:     {"msync", mapping},
	syscall.SYS_RENAMEAT:  {"renameat", path},
	sysRenameat2:          {"renameat", path},
	syscall.SYS_LINKAT:    {"linkat", path},
	syscall.SYS_UNLINKAT:  {"unlinkat", path},
	syscall.SYS_MKDIRAT:   {"mkdirat", path},
	sysCopyFileRange:      {"write", target},
}

func descriptor(t *thread, r *syscall.PtraceRegs) string { return t.descriptor(r.Rdi) }
func target(t *thread, r *syscall.PtraceRegs) string     { return t.descriptor(r.Rdx) }
func path(t *thread, r *syscall.PtraceRegs) string       { return t.text(r.Rsi) }

// opened returns the file that a call creates or truncates, "" for other calls.
func opened(t *thread, r *syscall.PtraceRegs) string {
	if r.Rdx&(syscall.O_CREAT|syscall.O_TRUNC) == 0 {
		return ""
	}
	return t.text(r.Rsi)
}

// mapped returns the file that a call maps for writing, "" for other calls.
func mapped(t *thread, r *syscall.PtraceRegs) string {
	if r.R10&syscall.MAP_SHARED == 0 || r.R10&syscall.MAP_ANON != 0 || r.Rdx&syscall.PROT_WRITE == 0 {
		return ""
	}
	return t.descriptor(r.R8)
}

func mapping(t *thread, r *syscall.PtraceRegs) string { return t.maps[r.Rdi] }

// thread is a thread of the traced program, between two stops.
type thread struct {
	id     int
	maps   map[uint64]string // the program's mappings of files
	inside bool              // of a system call
	op     *Op               // that system call's operation; nil if it is not one
	fail   bool              // the operation must fail
}

func (t *thread) descriptor(fd uint64) string {
	name, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", t.id, int32(fd)))
	if err != nil {
		return ""
	}
	return name
}

// text reads a path from the program's memory.
func (t *thread) text(at uint64) string {
	memory, err := os.Open(fmt.Sprintf("/proc/%d/mem", t.id))
	if err != nil {
		return ""
	}
	defer memory.Close()
	b := make([]byte, 512)
	n, _ := memory.ReadAt(b, int64(at)) // may be short at the end of the memory
	name, _, _ := strings.Cut(string(b[:n]), "\x00")
	if !filepath.IsAbs(name) {
		if at, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", t.id)); err == nil {
			name = filepath.Join(at, name)
		}
	}
	return name
}

// Run runs the program to its end and returns the number of operations.
func (p *Program) Run() (count int, err error) {
	runtime.LockOSThread() // the tracer of a program is a thread
	defer runtime.UnlockOSThread()
	p.SysProcAttr = &syscall.SysProcAttr{Ptrace: true, Setpgid: true}
	if err := p.Start(); err != nil {
		return 0, err
	}
	pid := p.Process.Pid
	defer p.Process.Release()
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(pid, &status, waitAll, nil); err != nil {
		return 0, err
	}
	if err := syscall.PtraceSetOptions(pid, syscall.PTRACE_O_TRACECLONE|syscall.PTRACE_O_TRACESYSGOOD|optionExitKill); err != nil {
		return 0, err
	}
	threads, maps := make(map[int]*thread), make(map[uint64]string)
	id := pid
	for signal := 0; ; {
		if err := syscall.PtraceSyscall(id, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return count, err
		}
		signal = 0
		if id, err = syscall.Wait4(-pid, &status, waitAll, nil); err != nil {
			return count, err
		}
		if status.Exited() || status.Signaled() {
			delete(threads, id)
			if id == pid {
				return count, nil
			}
			continue
		}
		t := threads[id]
		if t == nil {
			t = &thread{id: id, maps: maps}
			threads[id] = t
			if status.StopSignal() == syscall.SIGSTOP {
				continue // the thread's first stop
			}
		}
		switch stop := status.StopSignal(); {
		case stop == syscall.SIGTRAP|0x80:
			if err := p.step(t, &count); err != nil && !errors.Is(err, syscall.ESRCH) {
				return count, err
			}
		case stop != syscall.SIGTRAP:
			signal = int(stop)
		}
	}
}

// step handles a thread's entry into a system call or its exit.
func (p *Program) step(t *thread, count *int) error {
	var r syscall.PtraceRegs
	if err := syscall.PtraceGetRegs(t.id, &r); err != nil {
		return err
	}
	t.inside = !t.inside
	if !t.inside {
		return p.leave(t, &r)
	}
	t.op, t.fail = nil, false
	c, ok := calls[r.Orig_rax]
	if !ok {
		return nil
	}
	name, below := strings.CutPrefix(c.file(t, &r), p.Dir+"/")
	if !below {
		return nil
	}
	*count++
	t.op = &Op{*count, c.name, name}
	switch p.Decide(*t.op) {
	case Kill:
		return syscall.Kill(p.Process.Pid, syscall.SIGKILL)
	case Fail:
		t.fail = true
		r.Orig_rax = ^uint64(0) // no call
		return syscall.PtraceSetRegs(t.id, &r)
	}
	return nil
}

func (p *Program) leave(t *thread, r *syscall.PtraceRegs) error {
	if t.op == nil {
		return nil
	}
	if t.fail {
		r.Rax = ^uint64(syscall.EIO) + 1
		return syscall.PtraceSetRegs(t.id, r)
	}
	if int64(r.Rax) < 0 && int64(r.Rax) > -4096 {
		return nil
	}
	if t.op.Call == "mmap" {
		t.maps[r.Rax] = filepath.Join(p.Dir, t.op.Path)
	}
	if p.After != nil {
		p.After(*t.op)
	}
	return nil
}
