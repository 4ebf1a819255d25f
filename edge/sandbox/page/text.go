package page

import (
	"strings"

	"github.com/crepe-checkout/crepe/edge/sandbox"
)

// texts are the texts of the pages in one language.
type texts struct {
	Language, Banner, Title, Pay, Choose, More, Button, Cancel, Order, Expires string
	Failed, FailedTitle                                                        string
	BankTitle, Bank, BankPass, BankFail                                        string
	CompleteTitle, Complete, ExpiredTitle, Expired, Return                     string
	MissingTitle, Missing, Log                                                 string
	Outcomes                                                                   map[string]outcomeText
	failures                                                                   map[string]string // by code; the API's message where there is none
}

type outcomeText struct{ Title, Hint string }

// failure is the text of a declined payment.
func (t *texts) failure(e *sandbox.Failure) string {
	for _, code := range []string{e.DeclineCode, e.Code} {
		if text, ok := t.failures[code]; ok {
			return text
		}
	}
	return e.Message
}

// textsFor returns the texts for a locale: Chinese, or English by default.
func textsFor(locale string) texts {
	if strings.HasPrefix(locale, "zh") {
		return chinese
	}
	return english
}

var english = texts{
	Language: "en",
	Banner:   "Sandbox. No real card works here and no money moves.",
	Title:    "Sandbox payment", Pay: "Total", Choose: "Choose an outcome", More: "More outcomes", Button: "Pay", Cancel: "Cancel and return to checkout",
	Order: "Order", Expires: "Open until", Failed: "Choose again, or cancel.", FailedTitle: "Declined",
	BankTitle: "3-D Secure", Bank: "This page stands for the buyer’s bank, which asks whether the payment is really theirs.",
	BankPass: "Complete", BankFail: "Fail",
	CompleteTitle: "This payment is complete", Complete: "There is nothing more to do here.",
	ExpiredTitle: "This payment page has expired", Expired: "Nothing was charged.", Return: "Return to the merchant",
	MissingTitle: "There is nothing to pay here", Missing: "The address is not that of a payment in this sandbox.",
	Log: "Sandbox log",
	Outcomes: map[string]outcomeText{
		"succeeds":                     {"Payment succeeds", "The webhook completes the order"},
		"challenge":                    {"3-D Secure required", "A bank challenge that you can pass or fail"},
		"challenge_declined":           {"3-D Secure, then declined", "The bank refuses although the challenge was passed"},
		"challenge_insufficient_funds": {"3-D Secure, then insufficient funds", "The challenge was passed, the money is not there"},
		"lost_card":                    {"Lost card", "A decline with its own reason"},
		"stolen_card":                  {"Stolen card", "A decline with its own reason"},
		"incorrect_cvc":                {"Incorrect security code", "A decline with its own reason"},
		"declined":                     {"Card declined", "The buyer stays here and can try again"},
		"insufficient_funds":           {"Insufficient funds", "A decline with its own reason"},
		"expired_card":                 {"Expired card", "A decline with its own reason"},
		"processing_error":             {"Processing error", "A decline that could be different next time"},
		"later":                        {"Confirmed later", "Pays after some seconds, like a bank transfer"},
		"later_fails":                  {"Confirmed later, but fails", "The money never arrives"},
		"refund_later":                 {"Payment succeeds; refunds take a while", "A refund is pending first"},
		"refund_fails":                 {"Payment succeeds; refunds come back", "A refund succeeds, and the bank returns the money later"},
		"refund_later_fails":           {"Payment succeeds; refunds fail", "A refund is pending first, and fails"},
	},
}

var chinese = texts{
	Language: "zh-Hans",
	Banner:   "沙盒环境。任何真实银行卡在此均无效，不会发生资金流动。",
	Title:    "沙盒支付", Pay: "合计", Choose: "选择支付结果", More: "更多结果", Button: "支付", Cancel: "取消并返回结账页",
	Order: "订单", Expires: "有效期至", Failed: "请重新选择，或取消支付。", FailedTitle: "支付被拒绝",
	BankTitle: "3-D Secure 验证", Bank: "本页代表买家的发卡银行，询问这笔付款是否由本人发起。",
	BankPass: "通过验证", BankFail: "验证失败",
	CompleteTitle: "该笔支付已完成", Complete: "无需其他操作。",
	ExpiredTitle: "该支付页面已过期", Expired: "未产生任何扣款。", Return: "返回商户",
	MissingTitle: "此处没有待支付的订单", Missing: "该地址不对应本沙盒中的任何支付。",
	Log: "沙盒日志",
	Outcomes: map[string]outcomeText{
		"succeeds":                     {"支付成功", "Webhook 送达后订单完成"},
		"challenge":                    {"需要 3-D Secure 验证", "显示银行验证页，可选择通过或失败"},
		"challenge_declined":           {"3-D Secure 验证后被拒", "验证通过，但银行仍拒绝付款"},
		"challenge_insufficient_funds": {"3-D Secure 验证后余额不足", "验证通过，但余额不足"},
		"lost_card":                    {"银行卡已挂失", "带有具体原因的拒绝"},
		"stolen_card":                  {"银行卡被盗", "带有具体原因的拒绝"},
		"incorrect_cvc":                {"安全码错误", "带有具体原因的拒绝"},
		"declined":                     {"银行卡被拒", "买家停留在本页，可再次尝试"},
		"insufficient_funds":           {"余额不足", "带有具体原因的拒绝"},
		"expired_card":                 {"银行卡已过期", "带有具体原因的拒绝"},
		"processing_error":             {"处理出错", "下次尝试可能成功的拒绝"},
		"later":                        {"稍后确认", "款项在下单数秒后到账，类似银行转账"},
		"later_fails":                  {"稍后确认但失败", "款项不会到账"},
		"refund_later":                 {"支付成功，退款稍后到账", "退款先处于待处理状态"},
		"refund_fails":                 {"支付成功，退款被退回", "退款先成功，随后银行退回款项"},
		"refund_later_fails":           {"支付成功，退款失败", "退款先处于待处理状态，随后失败"},
	},
	failures: map[string]string{
		"generic_decline":                       "您的银行卡被拒绝。",
		"insufficient_funds":                    "您的银行卡余额不足。",
		"lost_card":                             "您的银行卡被拒绝。",
		"stolen_card":                           "您的银行卡被拒绝。",
		"incorrect_cvc":                         "您的银行卡安全码有误。",
		"expired_card":                          "您的银行卡已过期。",
		"processing_error":                      "处理您的银行卡时出错，请稍后再试。",
		"payment_intent_authentication_failure": "无法验证您的支付方式，请选择其他支付方式后重试。",
	},
}
