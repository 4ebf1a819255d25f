package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/edge/orders"
)

// publishedExample is the example request of the published document, unchanged.
const publishedExample = "testdata/client/create-order.ts"

// TestPackages builds the npm packages and uses them in TypeScript and on pages in Chromium, against the binary.
func TestPackages(t *testing.T) {
	npmInstall(t, "../../web")
	out := t.TempDir()
	if output, err := exec.Command("../../web/packages.sh", out).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	t.Run("types", func(t *testing.T) { checkTypes(t, out) })
	t.Run("pages", func(t *testing.T) { checkPages(t, out) })
}

// checkTypes installs the tarballs in an empty project and type-checks the published example, the README's examples and a few
// mistakes with strict TypeScript.
func checkTypes(t *testing.T, packages string) {
	project := t.TempDir()
	tarballs, err := filepath.Glob(filepath.Join(packages, "*.tgz"))
	if err != nil || len(tarballs) != 2 {
		t.Fatalf("tarballs %v, %v", tarballs, err)
	}
	if err := os.WriteFile(filepath.Join(project, "package.json"), []byte(`{"type":"module"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	npm := exec.Command("npm", append([]string{"install", "--offline", "--no-audit", "--no-fund"}, tarballs...)...)
	npm.Dir = project
	if output, err := npm.CombinedOutput(); err != nil {
		t.Fatalf("npm install: %v\n%s", err, output)
	}
	for name, text := range map[string]string{
		"example.ts": strings.Replace(read(t, publishedExample), "@waffo/pancake-ts", "@crepe-checkout/client", 1),
		"readme.ts":  codeBlocks(t, "../../web/packages/client/README.md"),
		"mistakes.ts": `import { WaffoPancake, WaffoPancakeError } from "@crepe-checkout/client";
// @ts-expect-error no such environment
const client = new WaffoPancake({ sessionToken: async () => "t", environment: "live" });
// @ts-expect-error no session
client.orders.createOnetime({ buyerEmail: "ada@example.com" });
// @ts-expect-error isBusiness is required
client.orders.createOnetime({ checkoutSessionId: "cs_1", billingDetail: { country: "DE" } });
client.orders.createOnetime({ checkoutSessionId: "cs_1" }).catch((error) => {
  if (error instanceof WaffoPancakeError && error.code === "session-invalid") throw new Error(error.errors[0]?.path);
});
`,
	} {
		if err := os.WriteFile(filepath.Join(project, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tsc, err := filepath.Abs("../../web/node_modules/.bin/tsc")
	if err != nil {
		t.Fatal(err)
	}
	check := exec.Command(tsc, "--strict", "--exactOptionalPropertyTypes", "--noEmit", "--target", "es2022", "--lib", "es2023,dom",
		"--types", "", "--module", "nodenext", "example.ts", "readme.ts", "mistakes.ts")
	check.Dir = project
	if output, err := check.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}

// codeBlocks returns the programs of a README, each in a scope of its own, with declarations of the names that they leave out.
func codeBlocks(t *testing.T, file string) string {
	t.Helper()
	blocks := regexp.MustCompile("(?s)```js\n(.*?)```").FindAllStringSubmatch(read(t, file), -1)
	if len(blocks) != 4 {
		t.Fatalf("%s has %d code blocks", file, len(blocks))
	}
	text := blocks[0][1] + `declare const order: Parameters<typeof client.orders.createOnetime>[0];
declare function show(text: string): void;
`
	for _, block := range blocks[1:] {
		if strings.HasPrefix(block[1], "import") {
			text += block[1]
			continue
		}
		text += "{\n" + block[1] + "}\n"
	}
	return text
}

func read(t testing.TB, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// checkPages runs the client on a merchant's pages, at an origin that the store lists and at one that it does not.
func checkPages(t *testing.T, packages string) {
	data, address, listed := t.TempDir(), freeAddress(t), freeAddress(t)
	openExampleSession(t, data, address)
	start(t, data, address, "--origins", "https://shop.example.com,http://"+listed)
	node := exec.Command("node", "--test", "--test-reporter=spec", "../../web/e2e/client.mjs")
	node.Env = append(os.Environ(), "DEV_JSON="+filepath.Join(data, "dev.json"), "CHROMIUM="+chromium(), "LISTED="+listed,
		"UNLISTED="+freeAddress(t), "PACKAGES="+packages, "EXAMPLE="+publishedExample)
	output, err := node.CombinedOutput()
	t.Logf("%s", output)
	if err != nil {
		t.Fatal(err)
	}
}

// openExampleSession stores the checkout session that the published example names. Ids are random, so it creates a session through
// the binary and stores a copy under that id.
func openExampleSession(t *testing.T, data, address string) {
	t.Helper()
	first := start(t, data, address)
	made := shopOn(t, data).ProdSession(t)
	first.kill()
	r := openRecords(t, data)
	defer r.close()
	session, err := r.db.Session(t.Context(), made)
	if err != nil {
		t.Fatal(err)
	}
	session.ID = regexp.MustCompile(`cs_[0-9a-f-]{36}`).FindString(read(t, publishedExample))
	session.Version = 0
	if err := r.db.Commit(t.Context(), orders.Change{Session: session}); err != nil {
		t.Fatal(err)
	}
}
