package meter

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// outcome runs a module in wazero, and returns what testdata/run.mjs writes. Without a counter, the fuel that is left is 0.
func outcome(ctx context.Context, module []byte, fuel int64, operation string, size int) string {
	runtime := wazero.NewRuntime(ctx)
	defer runtime.Close(ctx)
	compiled, err := runtime.CompileModule(ctx, module)
	if err != nil {
		return "invalid"
	}
	instance, err := runtime.InstantiateModule(ctx, compiled, wazero.NewModuleConfig().WithStartFunctions())
	if err != nil {
		return "start"
	}
	counter, counts := instance.ExportedGlobal(Fuel).(api.MutableGlobal)
	if counts {
		counter.Set(uint64(fuel))
	}
	at, err := instance.ExportedFunction("alloc").Call(ctx, uint64(size))
	if err == nil {
		at, err = instance.ExportedFunction(operation).Call(ctx, at[0], uint64(size))
	}
	left := int64(0)
	if counts {
		left = int64(counter.Get())
	}
	switch {
	case err == nil:
	case left <= TooDeep:
		return fmt.Sprint("depth ", left)
	case left < 0:
		return fmt.Sprint("fuel ", left)
	default:
		return fmt.Sprint("trap ", left)
	}
	memory, answer := instance.Memory(), "outside"
	if text, ok := memory.Read(uint32(at[0]>>32), uint32(at[0])); ok {
		answer = hex.EncodeToString(text[:min(len(text), 64)])
	}
	return fmt.Sprintf("ok %d %x %s %d", left, at[0], answer, memory.Size()>>16)
}

// v8 is a Node process that runs modules.
type v8 struct {
	in  io.WriteCloser
	out *bufio.Reader
}

func startV8(t testing.TB, options ...string) *v8 {
	t.Helper()
	node := exec.CommandContext(t.Context(), "node", append(options, "testdata/run.mjs")...)
	node.Stderr = os.Stderr
	in, err := node.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := node.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := node.Start(); err != nil {
		t.Fatalf("%v: the test needs Node 20 (apt-get install nodejs)", err)
	}
	t.Cleanup(func() { in.Close(); node.Wait() })
	return &v8{in, bufio.NewReader(out)}
}

func (v *v8) outcome(t interface {
	Helper()
	Fatalf(string, ...any)
}, module []byte, fuel int64, operation string, size int) string {
	t.Helper()
	fmt.Fprintln(v.in, base64.StdEncoding.EncodeToString(module), fuel, operation, size)
	line, err := v.out.ReadString('\n')
	if err != nil {
		t.Fatalf("node: %v", err)
	}
	return line[:len(line)-1]
}
