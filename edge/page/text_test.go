package page

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/edge/locale"
)

// find returns the matches of a pattern's group in files.
func find(t *testing.T, glob, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(glob)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(text), -1) {
			found = append(found, match[1])
		}
	}
	if len(found) < 5 {
		t.Fatalf("found only %q in %s: the pattern is out of date", found, glob)
	}
	return found
}

// TestEveryProblemHasText checks that every problem of a field in the core's source has a message.
func TestEveryProblemHasText(t *testing.T) {
	codes := find(t, "../../core/billing/*.go", `"([a-z-]+)", "/billingDetail/(?:country|state|postcode|businessName|taxId)"`)
	codes = append(codes, "buyer-email-required", "buyer-email-invalid")
	inScript := locale.English().Texts(scripted)
	for _, code := range codes {
		if inScript[code] == "" {
			t.Errorf("no message in the script for %s", code)
		}
	}
}

// TestEveryKeyHasText checks that every message key in Go, templates and scripts exists.
func TestEveryKeyHasText(t *testing.T) {
	english := locale.English()
	keys := find(t, "templates/*.html", `(?:Text|Label|Parts) "([^"]+)"`)
	for _, key := range append(keys, find(t, "*.go", `\.(?:Text|Parts)\("([^"]*[^".])"`)...) {
		if english.Text(key) == "" {
			t.Errorf("no message for %s", key)
		}
	}
	inScript := english.Texts(scripted)
	for _, key := range find(t, "../../web/src/*.ts", `text(?:In)?\((?:[^"()]*, )?"([^"]*[^".])"`) {
		if inScript[key] == "" {
			t.Errorf("the script has no message for %s", key)
		}
	}
	for _, name := range scripted {
		if english.Text(name) == "" && english.Text(name+".other") == "" {
			t.Errorf("%s is the key of no message", name)
		}
	}
}

// TestEveryTaxHasText checks that every tax of the core has a name on the page.
func TestEveryTaxHasText(t *testing.T) {
	for _, code := range find(t, "../../core/tax/table/taxes.go", `\t\{"([a-z]+)", "[A-Z]`) {
		if locale.English().Text("tax."+code) == "" {
			t.Errorf("no name for the tax %s", code)
		}
	}
}

// TestEveryTextIsUsed finds messages that no source uses. A source names a key in full or up to its last dot, and without the
// country suffix.
func TestEveryTextIsUsed(t *testing.T) {
	named := map[string]bool{}
	for _, glob := range []string{"../../core/*/*.go", "../../core/tax/table/*.go", "*.go", "templates/*.html", "../../web/src/*.ts"} {
		for _, name := range find(t, glob, "[\"`]([a-z][a-z-]+(?:\\.[a-zA-Z-]+)*)\\.?[\"`]") {
			named[name] = true
		}
	}
	for _, key := range find(t, "../locale/messages/en.json", `(?m)^\t\t"([^"]+)": `) {
		name := regexp.MustCompile(`\.[A-Z]{2}$`).ReplaceAllString(key, "")
		if stem := name[:max(strings.LastIndexByte(name, '.'), 0)]; !named[name] && !named[stem] {
			t.Errorf("nothing uses the message %s", key)
		}
	}
}

// claims are patterns, by language, of statements that the page must not make: that the merchant has received the order or knows of
// the payment. Each has an example.
var claims = map[string]struct{ pattern, sentence string }{
	"ar":         {"تلقى", "تلقى {merchant} طلبك وتأكيد الدفع."},
	"de":         {"erhalten|weiß|benachrichtigt|informiert", "{merchant} hat Ihre Bestellung und die Zahlungsbestätigung erhalten."},
	"en":         {"received|has your|knows|notified|informed|been told", "{merchant} has your order and knows that it is paid."},
	"es":         {"recibi|sabe|notificad|informad", "{merchant} ha recibido tu pedido y la confirmación del pago."},
	"es-419":     {"recibi|sabe|notificad|informad", "{merchant} recibió tu pedido y la confirmación del pago."},
	"fr":         {"reçu|sait|notifié|informé", "{merchant} a reçu votre commande et la confirmation du paiement."},
	"id-ID":      {"menerima|mengetahui|diberi tahu", "{merchant} telah menerima pesanan Anda dan konfirmasi pembayarannya."},
	"it":         {"ricevut|informat|è a conoscenza", "{merchant} ha ricevuto il tuo ordine e la conferma del pagamento."},
	"ja-JP":      {"\\{merchant\\} ?[はが]|通知", "{merchant} はご注文とお支払いを確認しています。"},
	"ko-KR":      {"\\{merchant\\}에서|알고|통지", "{merchant}에서 주문과 결제를 확인했습니다."},
	"ms-MY":      {"menerima|mengetahui|dimaklumkan", "{merchant} telah menerima pesanan anda dan pengesahan pembayarannya."},
	"nl":         {"ontvangen|weet|geïnformeerd", "{merchant} heeft je bestelling en de bevestiging van je betaling ontvangen."},
	"pl-PL":      {"\\{merchant\\} ma |otrzyma|wie o", "{merchant} ma Twoje zamówienie i potwierdzenie płatności."},
	"pt-BR":      {"recebeu|sabe|notificad|informad", "{merchant} recebeu seu pedido e a confirmação do pagamento."},
	"ru-RU":      {"знает|получил|уведомл", "{merchant} уже знает о заказе и его оплате."},
	"th-TH":      {"ได้รับคำสั่งซื้อ|ทราบ", "{merchant} ได้รับคำสั่งซื้อและการยืนยันการชำระเงินของคุณแล้ว"},
	"tr-TR":      {"aldı|biliyor|bildirildi", "{merchant} siparişinizi ve ödeme onayını aldı."},
	"vi-VN":      {"đã nhận|đã biết|được thông báo", "{merchant} đã nhận đơn hàng và xác nhận thanh toán của bạn."},
	"zh-Hans":    {"收到|得知|通知", "{merchant} 已收到您的订单并确认付款。"},
	"zh-Hant-TW": {"收到|得知|通知", "{merchant} 已收到您的訂單並確認付款。"},
}

// TestNoClaimAboutMerchant searches all messages for such claims. A new language needs a pattern above.
func TestNoClaimAboutMerchant(t *testing.T) {
	for tag, claim := range claims {
		if !regexp.MustCompile(claim.pattern).MatchString(claim.sentence) {
			t.Errorf("%s: the pattern does not find %q", tag, claim.sentence)
		}
	}
	files, err := filepath.Glob("../locale/messages/*.json")
	if err != nil || len(files) != len(locale.All()) {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var catalog struct {
			Base  string
			Texts map[string]string
		}
		if err := json.Unmarshal(text, &catalog); err != nil {
			t.Fatal(file, err)
		}
		tag := strings.TrimSuffix(filepath.Base(file), ".json")
		claim, ok := claims[tag]
		if !ok {
			claim, ok = claims[catalog.Base]
		}
		if !ok && len(catalog.Texts) > 0 {
			t.Errorf("%s: no pattern of claims", tag)
		}
		for key, says := range catalog.Texts {
			if ok && strings.Contains(says, "{merchant}") && regexp.MustCompile(claim.pattern).MatchString(says) {
				t.Errorf("%s, %s: %q claims that the merchant knows of the payment", tag, key, says)
			}
		}
	}
	for _, l := range locale.All() {
		if says := l.Text("paid.text"); !strings.Contains(says, "{merchant}") {
			t.Errorf("%s: a paid order says %q", l.Tag, says)
		}
	}
	templates, err := filepath.Glob("templates/*.html")
	if err != nil || len(templates) == 0 {
		t.Fatal(templates, err)
	}
	for _, name := range templates {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if found := regexp.MustCompile(claims["en"].pattern).Find(text); found != nil {
			t.Errorf("%s says %q", name, found)
		}
	}
}
