package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/plugins"
	"github.com/crepe-checkout/crepe/edge/psp"
)

var update = flag.Bool("update", false, "write the golden files anew; never those of a version that has been released")

// kind is one type of record, for tests that are the same for all of them.
type kind struct {
	record  any // the stored type
	version int
	encode  func(any) ([]byte, error)
	decode  func([]byte) (any, error)
	domain  reflect.Type
}

func kindOf[D any](record any, version int, encode func(*D) ([]byte, error), decode func([]byte) (*D, error)) kind {
	return kind{record, version,
		func(v any) ([]byte, error) { return encode(v.(*D)) },
		func(text []byte) (any, error) { return decode(text) },
		reflect.TypeFor[D]()}
}

// kinds are named like the golden files: the name up to the first point or the variant after it.
var kinds = map[string]kind{
	"session":     kindOf(session{}, sessionVersion, encodeSession, decodeSession),
	"order":       kindOf(order{}, orderVersion, encodeOrder, decodeOrder),
	"merchant":    kindOf(merchant{}, merchantVersion, encodeMerchant, decodeMerchant),
	"store":       kindOf(store{}, storeVersion, encodeStore, decodeStore),
	"version":     kindOf(productRelease{}, versionVersion, encodeVersion, decodeVersion),
	"product":     kindOf(catalogProduct{}, productVersion, encodeProduct, decodeProduct),
	"token":       kindOf(token{}, tokenVersion, encodeToken, decodeToken),
	"signingKey":  kindOf(signingKey{}, signingKeyVersion, encodeSigningKey, decodeSigningKey),
	"answer":      kindOf(answer{}, answerVersion, encodeAnswer, decodeAnswer),
	"endpoints":   kindOf(endpoints{}, endpointsVersion, encodeEndpoints, decodeEndpoints),
	"delivery":    kindOf(delivery{}, deliveryVersion, encodeDelivery, decodeDelivery),
	"fact":        kindOf(fact{}, factVersion, encodeFact, decodeFact),
	"document":    kindOf(document{}, documentVersion, encodeDocument, decodeDocument),
	"vatCheck":    kindOf(vatCheck{}, vatCheckVersion, encodeVATCheck, decodeVATCheck),
	"mail":        kindOf(mail{}, mailVersion, encodeMail, decodeMail),
	"erasure":     kindOf(erased{}, erasureVersion, encodeErasure, decodeErasure),
	"rules":       kindOf(rules{}, rulesVersion, encodeRules, decodeRules),
	"ruleContent": kindOf(ruleContent{}, ruleContentVersion, encodeRuleContent, decodeRuleContent),
	"quarantined": kindOf(quarantined{}, quarantinedVersion, encodeQuarantined, decodeQuarantined),
}

func kindOfFile(t *testing.T, file string) kind {
	t.Helper()
	name, _, _ := strings.Cut(strings.TrimSuffix(filepath.Base(file), ".json"), "-")
	k, ok := kinds[name]
	if !ok {
		t.Fatalf("%s: no record type has this name", file)
	}
	return k
}

// TestGolden decodes the golden records of every version. Encoded again, each is the golden record of the same name of the
// current version, and means the same.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/v*/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no golden records", err)
	}
	for _, file := range files {
		t.Run(file, func(t *testing.T) {
			k := kindOfFile(t, file)
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			decoded, err := k.decode(text)
			if err != nil {
				t.Fatal(err)
			}
			encoded, err := k.encode(decoded)
			if err != nil {
				t.Fatal(err)
			}
			compareGolden(t, fmt.Sprintf("testdata/v%d/%s", k.version, filepath.Base(file)), encoded)
			if again, err := k.decode(encoded); err != nil || !reflect.DeepEqual(again, decoded) {
				t.Errorf("decoded, encoded and decoded again: %v\n%+v\n%+v", err, again, decoded)
			}
		})
	}
	for name, k := range kinds {
		if found, _ := filepath.Glob(fmt.Sprintf("testdata/v%d/%s*.json", k.version, name)); len(found) == 0 {
			t.Errorf("no golden record of a %s of version %d", name, k.version)
		}
	}
}

func compareGolden(t *testing.T, file string, text []byte) {
	t.Helper()
	var indented bytes.Buffer
	if err := json.Indent(&indented, text, "", "  "); err != nil {
		t.Fatal(err)
	}
	indented.WriteByte('\n')
	if *update {
		if err := os.WriteFile(file, indented.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := os.ReadFile(file)
	if err != nil || !bytes.Equal(golden, indented.Bytes()) {
		t.Errorf("%s (%v) differs from\n%s", file, err, indented.Bytes())
	}
}

// TestVersion0 checks what the numbers of version 0 mean, which no golden record of a later version can.
func TestVersion0(t *testing.T) {
	text, err := os.ReadFile("testdata/v0/order-open.json")
	if err != nil {
		t.Fatal(err)
	}
	o, err := decodeOrder(text)
	if err != nil {
		t.Fatal(err)
	}
	placed := &o.Current().Placed
	a := placed.Quote.Assessment
	if placed.Terms.Category != tax.DigitalGoods || a.Reason != tax.Standard || a.Confidence != 'B' || a.Evidence != tax.None ||
		placed.Quote.On.String() != "2026-11-28" || a.Components[0].Rate != 19000 || placed.SessionID != o.SessionID || placed.StoreID != o.StoreID {
		t.Errorf("decoded %+v", placed)
	}
}

// TestEveryField fills domain values at random: a field that a record leaves out does not come back.
func TestEveryField(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for name, k := range kinds {
		for range 100 {
			want := reflect.New(k.domain)
			fill(random, want.Elem())
			share(want.Interface())
			text, err := k.encode(want.Interface())
			if err != nil {
				t.Fatal(err)
			}
			got, err := k.decode(text)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if lost := difference(want, reflect.ValueOf(got)); lost != "" {
				t.Fatalf("%s%s is lost or changed", name, lost)
			}
		}
	}
}

// difference is the path of the first field in which two values differ, "" if they are equal.
func difference(a, b reflect.Value) string {
	if reflect.DeepEqual(a.Interface(), b.Interface()) {
		return ""
	}
	switch {
	case a.Kind() == reflect.Pointer && !a.IsNil() && !b.IsNil():
		return difference(a.Elem(), b.Elem())
	case a.Kind() == reflect.Struct && a.Type() != reflect.TypeFor[time.Time]():
		for i := range a.NumField() {
			if d := difference(a.Field(i), b.Field(i)); d != "" {
				return "." + a.Type().Field(i).Name + d
			}
		}
	case a.Kind() == reflect.Slice && a.Len() == b.Len():
		for i := range a.Len() {
			if d := difference(a.Index(i), b.Index(i)); d != "" {
				return fmt.Sprintf("[%d]%s", i, d)
			}
		}
	}
	return fmt.Sprintf(": %v became %v", a, b)
}

// share gives the attempts of an order what an order's attempts have in common, and so the endpoints of a store. A quarantined event
// reports a payment, and the config of a rule is JSON.
func share(v any) {
	if c, ok := v.(*plugins.Content); ok {
		c.Config = []byte(`{"max":"500.00"}`)
	}
	if q, ok := v.(*orders.Quarantined); ok {
		q.Refund, q.Dispute, q.Live = psp.Refund{}, psp.Dispute{}, false
	}
	if all, ok := v.(*notify.Endpoints); ok {
		for i := range all.Items {
			all.Items[i].Environment, all.Items[i].StoreID = all.Environment, all.StoreID
		}
	}
	o, ok := v.(*orders.Order)
	if !ok {
		return
	}
	first := o.Attempts[0].Placed
	for i := range o.Attempts {
		p := &o.Attempts[i].Placed
		p.Product, p.Terms = first.Product, first.Terms
		p.SessionID, p.Environment, p.StoreID = o.SessionID, o.Environment, o.StoreID
	}
}

// fill sets every field to a value of its own that is not zero, enumerations to one of their constants.
func fill(random *rand.Rand, v reflect.Value) {
	switch v.Interface().(type) {
	case tax.Category:
		v.Set(reflect.ValueOf(tax.DigitalGoods + tax.Category(random.IntN(7))))
		return
	case tax.Reason:
		v.Set(reflect.ValueOf(tax.Reason(1 + random.IntN(int(tax.NotCollecting)))))
		return
	case tax.Evidence:
		v.Set(reflect.ValueOf(tax.Agree + tax.Evidence(random.IntN(2))))
		return
	case psp.EventKind:
		v.Set(reflect.ValueOf(psp.EventKind(1 + random.IntN(int(psp.EventDeclined)))))
		return
	case psp.CheckoutStatus:
		v.Set(reflect.ValueOf(psp.CheckoutStatus(1 + random.IntN(int(psp.CheckoutExpired)))))
		return
	case catalog.JSON:
		v.Set(reflect.ValueOf(catalog.JSON(fmt.Sprintf(`{"n":%d}`, random.Uint32()))))
		return
	case time.Time:
		v.Set(reflect.ValueOf(time.Unix(1_700_000_000+random.Int64N(1e9), 0).UTC()))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(random, v.Field(i))
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(random, v.Elem())
	case reflect.Array:
		for i := range v.Len() {
			fill(random, v.Index(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1+random.IntN(3), 3))
		for i := range v.Len() {
			fill(random, v.Index(i))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(random, key)
		fill(random, value)
		v.SetMapIndex(key, value)
	case reflect.String:
		v.SetString(fmt.Sprintf("ä %q <%d>", "\u2028", random.Uint32()))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Uint8:
		v.SetUint(uint64('A' + random.IntN(26)))
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(1 + random.Int64N(60_000))
	case reflect.Uint64:
		v.SetUint(1 + random.Uint64N(1<<62))
	default:
		panic(v.Type())
	}
}

// TestSchema compares the members of every record type with testdata/schema.txt: a record type that changes needs a new
// version, and golden records of that version.
func TestSchema(t *testing.T) {
	var schema strings.Builder
	for _, name := range []string{"answer", "delivery", "document", "endpoints", "erasure", "fact", "mail", "merchant", "order", "product", "quarantined", "ruleContent", "rules", "session", "signingKey", "store", "token", "vatCheck", "version"} {
		fmt.Fprintf(&schema, "%s %d\n", name, kinds[name].version)
		describe(&schema, reflect.TypeOf(kinds[name].record), "  ")
	}
	if *update {
		if err := os.WriteFile("testdata/schema.txt", []byte(schema.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	known, err := os.ReadFile("testdata/schema.txt")
	if err != nil || string(known) != schema.String() {
		t.Errorf("a record type has changed (%v): give it a new version, then -update, and commit the new golden records beside the old\n%s",
			err, schema.String())
	}
	if strings.Count(schema.String(), "\n") < 100 {
		t.Error("the description of the records has become too short to be true")
	}
}

func describe(w *strings.Builder, t reflect.Type, indent string) {
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			continue
		}
		element := f.Type
		for element.Kind() == reflect.Pointer || element.Kind() == reflect.Slice {
			element = element.Elem()
		}
		fmt.Fprintf(w, "%s%s %s\n", indent, f.Tag.Get("json"), f.Type.Kind())
		if element.Kind() == reflect.Struct && element != reflect.TypeFor[time.Time]() {
			describe(w, element, indent+"  ")
		}
	}
}

// TestRefuses: what is not a record of a known version is an error, and of the right kind.
func TestRefuses(t *testing.T) {
	for name, k := range kinds {
		newer := fmt.Sprintf(`{"v":%d}`, k.version+1)
		if _, err := k.decode([]byte(newer)); !errors.Is(err, ErrVersion) {
			t.Errorf("%s of a newer version: %v", name, err)
		}
		for _, text := range []string{"", "{", `{"v":"1"}`, `[]`, `{"v":-1}`} {
			if _, err := k.decode([]byte(text)); err == nil {
				t.Errorf("%s from %q: no error", name, text)
			}
		}
	}
	for _, text := range []string{`{"terms":{"category":[]}}`, `{"terms":{"category":1.5}}`, `{"terms":{"category":"saa"}}`,
		`{"terms":{"category":99}}`, `{"terms":{"seller":{"registrations":[{"from":true}]}}}`} {
		if _, err := decodeSession([]byte(text)); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestOrderSize: the record of an order does not repeat what the session has locked, and its request is text.
func TestOrderSize(t *testing.T) {
	old, err := os.ReadFile("testdata/v0/order-unresolved.json")
	if err != nil {
		t.Fatal(err)
	}
	o, err := decodeOrder(old)
	if err != nil {
		t.Fatal(err)
	}
	text, err := encodeOrder(o)
	if err != nil || bytes.Count(text, []byte(`"terms"`)) != 1 || !bytes.Contains(text, []byte("mode=payment")) {
		t.Errorf("%v: %s", err, text)
	}
	t.Logf("an order with its request: %d bytes, %d in version 0", len(text), len(old))
}

// FuzzDecode: no text makes a decoder panic, and what it accepts it can encode.
func FuzzDecode(f *testing.F) {
	files, _ := filepath.Glob("testdata/v*/*.json")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for name, k := range kinds {
			decoded, err := k.decode(text)
			if err != nil {
				continue
			}
			if _, err := k.encode(decoded); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}
