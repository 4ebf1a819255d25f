package page

import (
	"bytes"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/core/money"
)

// TestDisplayIsTheBrowsers: the page's script writes amounts with Intl; nothing may jump when it takes over.
func TestDisplayIsTheBrowsers(t *testing.T) {
	const program = `
		const lines = require("fs").readFileSync(0, "utf8").trim().split("\n");
		for (const line of lines) {
			const [currency, digits, amount] = line.split(" ");
			console.log(new Intl.NumberFormat("en", { style: "currency", currency,
				minimumFractionDigits: +digits, maximumFractionDigits: +digits }).format(amount));
		}`
	var input bytes.Buffer
	var mine []string
	for currency := range money.Currencies() {
		for _, minor := range []int64{0, 7, 2900, 129000, 1234567, -129000} {
			amount := money.Amount{Minor: minor, Currency: currency}
			input.WriteString(string(currency) + " " + strconv.Itoa(currency.Digits()) + " " + amount.String() + "\n")
			mine = append(mine, display(minor, currency))
		}
	}
	node := exec.Command("node", "-e", program)
	node.Stdin = &input
	out, err := node.Output()
	if err != nil {
		t.Fatalf("node (Debian package nodejs) is needed: %v", err)
	}
	theirs := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(theirs) != len(mine) {
		t.Fatalf("%d amounts came back as %d", len(mine), len(theirs))
	}
	for i := range mine {
		if mine[i] != theirs[i] {
			t.Errorf("%q here, %q in a browser", mine[i], theirs[i])
		}
	}
}
