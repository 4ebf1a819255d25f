package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// TestPluginCommand: what check and run print of rules that accept, refuse, give a discount, fail, and of files that are no rules.
func TestPluginCommand(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"draft.json": `{"environment":"test","storeId":"STO_1","product":{"id":"PROD_1","taxCategory":"ebook"},"price":{"amount":"29.00","currency":"EUR"},` +
			`"buyerEmail":"ann@example.com","billingDetail":{"country":"DE","isBusiness":false},"on":"2026-11-29"}`,
		"wrong.json":   `{"price":{"amount":"29.00","currency":"EUR"},"billing":{}}`,
		"max.json":     `{"EUR":{"max":"20.00"}}`,
		"mistake.json": `{"EUR":{"maximum":"20.00"}}`,
		"coupon.json":  `{"label":"Spring","percent":20,"addresses":["f2cbd4cbbc5bc7ba","71d4f55f72fa128d"]}`,
		"list.json":    `[]`,
		"text.wasm":    "hello",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	files := strings.NewReplacer("rules/", "../../../wasm/rules/", "plugins/", "../../../wasm/plugins/", "tmp/", dir+"/")
	names := strings.NewReplacer("../../../wasm/rules/", "rules/", "../../../wasm/plugins/", "plugins/", dir+"/", "tmp/")
	figures := regexp.MustCompile(`\d+ µs|"nanoseconds": \d+|fuel"?:? \d+|size       \d+|\d+ with its|"(size|metered)": \d+|[0-9a-f]{64}`) // change with every build
	var text strings.Builder
	for _, line := range []string{
		"check rules/limits.wasm", "check rules/assemblyscript/freemail.wasm --json", "check tmp/text.wasm", "check plugins/httpwasm/plugin.wasm", "check",
		"run rules/limits.wasm --draft tmp/draft.json", "run rules/limits.wasm --draft tmp/draft.json --rule-config tmp/max.json",
		"run rules/limits.wasm --draft tmp/draft.json --rule-config tmp/mistake.json", "run rules/limits.wasm --draft tmp/draft.json --rule-config tmp/list.json",
		"run rules/coupon.wasm --draft tmp/draft.json --rule-config tmp/coupon.json --json", "run rules/limits.wasm --draft tmp/wrong.json", "run rules/limits.wasm",
		"check --help", "run --help", "upload --help", "publish --help", "unpublish --help", "list --help", "remove --help",
	} {
		out, _, err := command(t, append([]string{"plugin"}, strings.Fields(files.Replace(line))...)...)
		text.WriteString("$ crepe plugin " + line + "\n" + out)
		if err != nil {
			text.WriteString(err.Error() + "\n")
		}
		text.WriteString("\n")
	}
	shoptest.Golden(t, "plugin.txt", figures.ReplaceAllStringFunc(names.Replace(text.String()), func(m string) string {
		return regexp.MustCompile(`[0-9a-f]{64}|\d+`).ReplaceAllString(m, "N")
	}))
}
