// Package pgtest runs PostgreSQL servers for tests. [Start] starts a server with a cluster of its own, [Cluster.Schema] has an empty schema
// in it for one test. A server ends with the process that started it, also if that is killed.
//
// It needs the programs of Debian's package postgresql. As root it runs them as the user postgres, because PostgreSQL refuses root.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Cluster is a running server.
type Cluster struct {
	Dir  string // its data
	Port int    // at 127.0.0.1

	bin      string
	server   *exec.Cmd
	lifeline *os.File // the server ends when it is closed
	schemas  atomic.Int64
	mu       sync.Mutex
	free     map[string][]string // schemas that no test uses, by their kind
}

// Start starts a server with a new cluster. settings are lines of postgresql.conf, such as "fsync = off". The caller calls
// [Cluster.Stop].
func Start(settings ...string) (*Cluster, error) {
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "crepe-postgres-")
	if err != nil {
		return nil, err
	}
	c := &Cluster{Dir: filepath.Join(dir, "data"), bin: bin, free: map[string][]string{}}
	if err := c.create(dir, settings); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := c.Run(); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

// programs is the directory of PostgreSQL's programs.
func programs() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil { // the other programs are beside it
			found = append(found, path)
		}
	}
	if len(found) == 0 {
		return "", errors.New("PostgreSQL is missing; install it with: apt-get install postgresql")
	}
	return filepath.Dir(found[len(found)-1]), nil
}

func (c *Cluster) create(dir string, settings []string) error {
	if err := giveToPostgres(dir); err != nil {
		return err
	}
	// The byte order of texts is the one that crepe needs; see pgstore.ErrCollation.
	if out, err := c.command("initdb", "--pgdata", c.Dir, "--username", "crepe", "--auth", "trust", "--encoding", "UTF8", "--locale", "C",
		"--no-sync").CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	port, err := freePort()
	c.Port = port
	lines := append([]string{"listen_addresses = '127.0.0.1'", "unix_socket_directories = ''", fmt.Sprint("port = ", port),
		"max_connections = 200", "log_min_messages = fatal"}, settings...)
	return errors.Join(err, os.WriteFile(filepath.Join(c.Dir, "postgresql.auto.conf"), []byte(strings.Join(lines, "\n")+"\n"), 0o644))
}

// giveToPostgres changes the owner of a directory to the user of the server.
func giveToPostgres(dir string) error {
	owner, err := user.Lookup("postgres")
	if err != nil || os.Getuid() != 0 {
		return nil
	}
	uid, _ := strconv.Atoi(owner.Uid)
	gid, _ := strconv.Atoi(owner.Gid)
	return os.Chown(dir, uid, gid)
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// command runs one of PostgreSQL's programs, as root as the user postgres.
func (c *Cluster) command(program string, args ...string) *exec.Cmd {
	return asPostgres(filepath.Join(c.bin, program), args...)
}

// asPostgres runs a program that refuses root, as root as the user postgres.
func asPostgres(name string, args ...string) *exec.Cmd {
	if os.Getuid() == 0 {
		args = append([]string{"--reuid=postgres", "--regid=postgres", "--clear-groups", name}, args...)
		name = "setpriv"
	}
	command := exec.Command(name, args...)
	command.Dir = "/" // the caller's directory may not be readable for postgres
	return command
}

// Run starts the server of a cluster that does not run, and waits until it answers.
func (c *Cluster) Run() error {
	var err error
	if c.server, c.lifeline, err = supervised(c.command("postgres", "-D", c.Dir)); err != nil {
		return err
	}
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		connection, err := pgx.Connect(context.Background(), c.URL())
		if err == nil {
			return connection.Close(context.Background())
		}
		if time.Now().After(end) {
			return fmt.Errorf("PostgreSQL does not answer: %w", err)
		}
	}
}

// supervised starts a program that ends when the lifeline is closed, or when this process dies.
func supervised(program *exec.Cmd) (shell *exec.Cmd, lifeline *os.File, err error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	script := `"$@" </dev/null & program=$!; read line; kill -INT $program 2>/dev/null; wait $program`
	shell = exec.Command("sh", append([]string{"-c", script, "sh"}, program.Args...)...)
	shell.Dir, shell.Stdin, shell.Stderr = "/", read, os.Stderr
	err = shell.Start()
	read.Close()
	return shell, write, err
}

// Halt ends the server; its data stays, and Run starts it again.
func (c *Cluster) Halt() error {
	if c.server == nil {
		return nil
	}
	c.lifeline.Close()
	err := c.server.Wait()
	c.server = nil
	return err
}

// Stop ends the server and removes its data.
func (c *Cluster) Stop() error { return errors.Join(c.Halt(), os.RemoveAll(filepath.Dir(c.Dir))) }

// URL is the URL of the server's database.
func (c *Cluster) URL() string { return fmt.Sprintf("postgres://crepe@127.0.0.1:%d/postgres", c.Port) }

// Schema returns a URL with which an empty schema is the only one in sight. prepare makes its tables, given that URL. At the end of the
// test the rows are removed, and another test with the same kind of schema gets the tables.
func (c *Cluster) Schema(t testing.TB, kind string, prepare func(url string) error) (url string) {
	t.Helper()
	name := c.take(kind)
	if name == "" {
		name = fmt.Sprintf("%s_%d", kind, c.schemas.Add(1))
		c.Exec(t, "CREATE SCHEMA "+name)
		if err := prepare(c.in(name)); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		c.empty(t, name)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.free[kind] = append(c.free[kind], name)
	})
	return c.in(name)
}

func (c *Cluster) in(schema string) string { return c.URL() + "?search_path=" + schema }

// take returns a schema that no test uses, "" if there is none.
func (c *Cluster) take(kind string) (name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if all := c.free[kind]; len(all) > 0 {
		name, c.free[kind] = all[0], all[1:]
	}
	return name
}

// Empty removes the rows of the tables of a [Cluster.Schema], goose's own aside.
func (c *Cluster) Empty(t testing.TB, url string) {
	t.Helper()
	c.empty(t, url[strings.LastIndexByte(url, '=')+1:])
}

func (c *Cluster) empty(t testing.TB, schema string) {
	t.Helper()
	c.Exec(t, fmt.Sprintf(`DO $$ DECLARE tables text; BEGIN
		SELECT string_agg(format('%%I.%%I', schemaname, tablename), ', ') INTO tables FROM pg_tables
			WHERE schemaname = '%s' AND tablename <> 'goose_db_version';
		EXECUTE 'TRUNCATE ' || tables; END $$`, schema))
}

// Exec executes a statement in the server's database.
func (c *Cluster) Exec(t testing.TB, sql string) {
	t.Helper()
	connection, err := pgx.Connect(context.Background(), c.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close(context.Background())
	if _, err := connection.Exec(context.Background(), sql); err != nil {
		t.Fatal(err)
	}
}
