package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// TestUnit: systemd accepts the units without a warning and rates its exposure below 1.5 of 10.
func TestUnit(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Fatal("the test needs systemd-analyze (apt-get install systemd)")
	}
	const program = "/usr/local/bin/crepe"
	text, err := os.ReadFile("../cmd/crepe/crepe.service")
	if err != nil {
		t.Fatal(err)
	}
	unit := string(text)
	if !strings.Contains(unit, "\nExecStart="+program+" serve\n") {
		t.Fatal("the unit does not run crepe serve")
	}
	dir := t.TempDir()
	file, socket := filepath.Join(dir, "crepe.service"), filepath.Join(dir, "crepe.socket")
	if output, err := exec.Command("cp", "../cmd/crepe/crepe.socket", socket).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	unit = strings.Replace(unit, "ExecStart="+program, "ExecStart="+binary.path, 1)
	if err := os.WriteFile(file, []byte(unit), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"verify", "--man=no", file, socket}, {"security", "--offline=yes", "--threshold=15", file}} {
		output, err := exec.Command("systemd-analyze", args...).CombinedOutput()
		if err != nil || args[0] == "verify" && len(output) > 0 {
			t.Errorf("systemd-analyze %s: %v\n%s", args[0], err, output)
		}
	}
}

// TestContainer builds the program as the Dockerfile does, and runs it as the container would: in a root directory that holds
// what the last stage copies, with its user, variables and command, until its health check succeeds.
func TestContainer(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("chroot needs root")
	}
	d := readDockerfile(t)
	root := buildImage(t, d)
	address := freeAddress(t)
	run := func(args []string, more ...string) *exec.Cmd {
		command := exec.Command("/usr/local/bin/"+args[0], slices.Concat(args[1:], more)...)
		command.Dir = "/"
		command.Env = append(slices.Clone(d.env), "CREPE_LISTEN="+strings.Replace(address, "127.0.0.1", "0.0.0.0", 1))
		command.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: d.user, Gid: d.user}}
		return command
	}
	var log bytes.Buffer
	server := run(append(d.entrypoint, d.command...), "--sandbox")
	server.Stderr = &log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Process.Kill() })
	shoptest.Eventually(t, "the health check succeeds", func() bool {
		output, err := run(d.health).Output()
		return err == nil && string(output) == "ready\n"
	})
	if output, err := run([]string{"crepe", "token-key", "list"}).CombinedOutput(); err != nil {
		t.Errorf("crepe token-key list: %v\n%s", err, output)
	}
	if err := server.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := server.Wait(); err != nil {
		t.Errorf("%v\n%s", err, &log)
	}
	if err := run(d.health).Run(); err == nil {
		t.Error("the health check succeeds without a server")
	}
}

// dockerfile is what the tests need to know of the Dockerfile.
type dockerfile struct {
	runs                        []string
	copies                      [][2]string // of the last stage, from the first
	user                        uint32
	env                         []string
	entrypoint, command, health []string
}

// readDockerfile reads the subset of the format that the Dockerfile uses. An instruction that it does not know fails the test.
func readDockerfile(t *testing.T) *dockerfile {
	t.Helper()
	text, err := os.ReadFile("../../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	var d dockerfile
	for line := range strings.Lines(string(text)) {
		instruction, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch instruction {
		case "FROM":
			checkGoVersion(t, rest)
		case "", "#", "WORKDIR", "VOLUME", "EXPOSE", "STOPSIGNAL":
		case "RUN":
			d.runs = append(d.runs, rest)
		case "COPY":
			d.copy(t, strings.Fields(rest))
		case "USER":
			id, _, _ := strings.Cut(rest, ":")
			n, err := strconv.ParseUint(id, 10, 32)
			if err != nil || n == 0 {
				t.Fatalf("USER %s", rest)
			}
			d.user = uint32(n)
		case "ENV":
			d.env = append(d.env, strings.Fields(rest)...)
		case "ENTRYPOINT":
			d.entrypoint = readList(t, rest)
		case "CMD":
			d.command = readList(t, rest)
		case "HEALTHCHECK":
			_, list, _ := strings.Cut(rest, " CMD ")
			d.health = readList(t, list)
		default:
			t.Fatalf("Dockerfile: %s", line)
		}
	}
	return &d
}

// checkGoVersion holds the image of the first stage to the Go version in go.mod.
func checkGoVersion(t *testing.T, from string) {
	t.Helper()
	version, ok := strings.CutPrefix(strings.TrimSuffix(from, " AS build"), "golang:")
	if !ok {
		return
	}
	module, err := os.ReadFile("../../go.mod")
	if err != nil || !strings.Contains(string(module), "\ngo "+version+"\n") {
		t.Errorf("go.mod does not require Go %s (%v)", version, err)
	}
}

// copy records a COPY from the first stage. A COPY from the repository must find its files there.
func (d *dockerfile) copy(t *testing.T, args []string) {
	t.Helper()
	paths := slices.DeleteFunc(slices.Clone(args), func(arg string) bool { return strings.HasPrefix(arg, "--") })
	if slices.Contains(args, "--from=build") {
		d.copies = append(d.copies, [2]string(paths))
		return
	}
	for _, path := range paths[:len(paths)-1] {
		if _, err := os.Stat(filepath.Join("../..", path)); err != nil {
			t.Error(err)
		}
	}
}

// buildImage runs the first stage in the repository, with a temporary directory in place of /out, and returns the root
// directory of the last stage.
func buildImage(t *testing.T, d *dockerfile) string {
	t.Helper()
	work := t.TempDir()
	out, root := filepath.Join(work, "out"), filepath.Join(work, "root")
	for _, command := range d.runs {
		shell := exec.Command("sh", "-ec", strings.ReplaceAll(command, "/out", out))
		shell.Dir = "../.."
		if output, err := shell.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", command, err, output)
		}
	}
	for _, c := range d.copies {
		from, to := c[0], filepath.Join(root, c[1])
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(from, "/out/") {
			from = filepath.Join(work, from)
		}
		if output, err := exec.Command("cp", "-a", "--dereference", from, to).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, output)
		}
	}
	data := filepath.Join(root, "var/lib/crepe")
	if err := os.Chown(data, int(d.user), int(d.user)); err != nil {
		t.Fatal(err)
	}
	return root
}

func readList(t *testing.T, text string) (list []string) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return list
}
