package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Standby starts a hot standby of a running server, which replicates under a name. The caller calls [Cluster.Stop].
func (c *Cluster) Standby(name string) (*Cluster, error) {
	dir, err := os.MkdirTemp("", "crepe-postgres-")
	if err != nil {
		return nil, err
	}
	s := &Cluster{Dir: filepath.Join(dir, "data"), bin: c.bin, free: map[string][]string{}}
	if err := errors.Join(giveToPostgres(dir), s.copy(c, name)); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := s.Run(); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// copy makes the data of a standby.
func (c *Cluster) copy(primary *Cluster, name string) error {
	from := fmt.Sprintf("host=127.0.0.1 port=%d user=crepe application_name=%s", primary.Port, name)
	if out, err := c.command("pg_basebackup", "--pgdata", c.Dir, "--dbname", from, "--write-recovery-conf", "--wal-method", "stream",
		"--checkpoint", "fast", "--no-sync").CombinedOutput(); err != nil {
		return fmt.Errorf("pg_basebackup: %w\n%s", err, out)
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	c.Port = port
	settings, err := os.OpenFile(filepath.Join(c.Dir, "postgresql.auto.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(settings, "port = %d\nwal_retrieve_retry_interval = '200ms'\nsynchronous_standby_names = ''\n", port)
	return errors.Join(err, settings.Close())
}

// WaitFor makes every commit wait until the standby with a name has it.
func (c *Cluster) WaitFor(t testing.TB, name string) {
	t.Helper()
	c.Exec(t, "ALTER SYSTEM SET synchronous_standby_names = '"+name+"'")
	c.Exec(t, "SELECT pg_reload_conf()")
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if c.Query(t, "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync' AND state = 'streaming'") == "1" {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the standby %s does not replicate", name)
		}
	}
}

// Promote makes a standby the primary, and returns when it is.
func (c *Cluster) Promote(t testing.TB) {
	t.Helper()
	if c.Query(t, "SELECT pg_promote(true, 10)") != "true" {
		t.Fatal("the standby was not promoted")
	}
}

// Kill kills the server and all of its processes by SIGKILL. Run starts it again.
func (c *Cluster) Kill() error {
	all, err := c.stop()
	if err != nil {
		return err
	}
	if err := signal(all, syscall.SIGKILL); err != nil {
		return err
	}
	for _, process := range all { // PostgreSQL does not start while one has its shared memory
		waitUntil(process, "ZX")
	}
	c.Halt() // the shell reports that the server was killed
	return nil
}

// Suspend suspends the server and all of its processes by SIGSTOP, as if it hung: it accepts connections and answers nothing. It goes
// on when resume is called, or at the end of the test.
func (c *Cluster) Suspend(t testing.TB) (resume func()) {
	t.Helper()
	all, err := c.stop()
	if err == nil {
		err = signal(all, syscall.SIGSTOP)
	}
	if err != nil {
		t.Fatal(err)
	}
	resume = sync.OnceFunc(func() {
		if err := signal(all, syscall.SIGCONT); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(resume)
	return resume
}

// stop suspends the server's first process, so that it starts no other, and returns all of its processes.
func (c *Cluster) stop() (all []int, err error) {
	pid, err := c.pid()
	if err != nil {
		return nil, err
	}
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		return nil, err
	}
	waitUntil(pid, "T")
	return append(childrenOf(pid), pid), nil
}

// signal sends a signal to those of some processes that have not ended.
func signal(processes []int, s syscall.Signal) error {
	for _, process := range processes {
		if err := syscall.Kill(process, s); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
	}
	return nil
}

// waitUntil waits until a process is in one of some states of proc(5), or there is no such process.
func waitUntil(pid int, states string) {
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return
		}
		_, state, _ := strings.Cut(string(text), ") ")
		if state != "" && strings.Contains(states, state[:1]) {
			return
		}
	}
}

// pid is the process id of the server.
func (c *Cluster) pid() (int, error) {
	text, err := os.ReadFile(filepath.Join(c.Dir, "postmaster.pid"))
	if err != nil {
		return 0, err
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return strconv.Atoi(line)
}

func childrenOf(pid int) (children []int) {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", pid))
	for _, field := range strings.Fields(string(text)) {
		if child, err := strconv.Atoi(field); err == nil {
			children = append(children, child)
		}
	}
	return children
}

// Query returns the one value that a query selects, as a text.
func (c *Cluster) Query(t testing.TB, sql string) string {
	t.Helper()
	connection, err := pgx.Connect(context.Background(), c.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close(context.Background())
	var value any
	if err := connection.QueryRow(context.Background(), sql).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(value)
}
