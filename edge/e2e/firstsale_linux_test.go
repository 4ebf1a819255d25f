package e2e

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/goccy/go-json"
)

// TestFirstSale follows the README from an empty directory to the first sale, with its commands and its program unchanged: a buyer
// pays in Chromium, the merchant's program verifies the webhook and reads the order back, the receipt can be opened, and a refund
// arrives as a webhook.
func TestFirstSale(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	dir, web, address := t.TempDir(), npmInstall(t, "../../web"), freeAddress(t)
	if err := os.WriteFile(filepath.Join(dir, "sale.mjs"), []byte(block(t, string(readme), "program")), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(npmInstall(t, "testdata/sdk"), "node_modules"), filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CREPE_LISTEN", address)
	lines := shell(t, dir, block(t, string(readme), "commands"))
	url := await(t, lines, "http://"+address+"/store/")

	buyer := exec.Command("node", filepath.Join(web, "e2e", "firstsale.mjs"), url)
	buyer.Env = append(os.Environ(), "CHROMIUM="+chromium())
	if output, err := buyer.CombinedOutput(); err != nil {
		t.Fatalf("the buyer: %v: %s", err, output)
	}
	completed := strings.Fields(await(t, lines, "order.completed ORD_"))
	checkDocument(t, completed[2], "Receipt")
	order := readBack(t, await(t, lines, `{"status"`))
	if order.Status != "completed" || order.PriceSnapshot.Total != "31.03" || order.PriceSnapshot.TaxAmount != "2.03" || len(order.Payments) != 1 {
		t.Fatalf("the order read back is %+v", order)
	}

	refund := exec.Command(binary.path, "refund", "create", order.Payments[0].ID, "--reason", "Changed my mind")
	refund.Dir = dir
	if output, err := refund.CombinedOutput(); err != nil {
		t.Fatalf("crepe refund: %v: %s", err, output)
	}
	refunded := strings.Fields(await(t, lines, "refund.succeeded "+completed[1]))
	checkDocument(t, refunded[2], "Credit note")
	if order := readBack(t, await(t, lines, `{"status"`)); order.Payments[0].RefundStatus != "refunded" {
		t.Errorf("the refunded order is %+v", order)
	}
}

// checkDocument opens a receipt or a credit note of the sale.
func checkDocument(t *testing.T, url, title string) {
	t.Helper()
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	page, err := io.ReadAll(answer.Body)
	if text := string(page); err != nil || answer.StatusCode != http.StatusOK || !strings.Contains(text, "<h1>"+title+"</h1>") || !strings.Contains(text, "31.03") {
		t.Errorf("%s of 31.03 EUR: %v, %s: %s", title, err, answer.Status, page)
	}
}

type orderRead struct {
	Status        string
	Payments      []struct{ ID, RefundStatus string }
	PriceSnapshot struct{ TaxAmount, Total string }
}

func readBack(t *testing.T, line string) (order orderRead) {
	t.Helper()
	if err := json.Unmarshal([]byte(line), &order); err != nil {
		t.Fatalf("%v in %s", err, line)
	}
	return order
}

// block returns the code block of a document after a comment that names it.
func block(t *testing.T, document, name string) string {
	t.Helper()
	_, after, found := strings.Cut(document, "<!-- "+name+" -->\n```")
	_, after, opened := strings.Cut(after, "\n")
	code, _, closed := strings.Cut(after, "```\n")
	if !found || !opened || !closed {
		t.Fatalf("the document has no block %s", name)
	}
	return code
}

// shell runs commands in a directory, with crepe on the path, until the test ends. It returns the lines of their output.
func shell(t *testing.T, dir, commands string) *bufio.Scanner {
	t.Helper()
	run := exec.Command("bash", "-e", "-c", commands)
	run.Dir, run.Stderr = dir, os.Stderr
	run.Env = append(os.Environ(), "PATH="+filepath.Dir(binary.path)+":"+os.Getenv("PATH"))
	run.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	output, input, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	run.Stdout = input
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	input.Close()
	stop := func() { syscall.Kill(-run.Process.Pid, syscall.SIGKILL) }
	go func() {
		run.Wait() // the commands have ended, the server that they started has not
		stop()
	}()
	t.Cleanup(func() {
		stop()
		output.Close()
	})
	return bufio.NewScanner(output)
}

// await reads lines until one has the prefix.
func await(t *testing.T, lines *bufio.Scanner, prefix string) string {
	t.Helper()
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), prefix) {
			return lines.Text()
		}
		t.Log(lines.Text())
	}
	t.Fatalf("the output ended without %q", prefix)
	return ""
}
