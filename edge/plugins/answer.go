package plugins

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/problem"
)

// codePrefix distinguishes the codes of rules from those of the API.
const codePrefix = "rule-"

// paths are those that a problem may have.
var paths = []string{"", "/buyerEmail", "/billingDetail", "/billingDetail/country", "/billingDetail/isBusiness", "/billingDetail/postcode",
	"/billingDetail/state", "/billingDetail/businessName", "/billingDetail/taxId"}

// readProblems reads an answer of validate. Its errors quote nothing of the answer, which may contain the buyer's data.
func readProblems(answer []byte) (problem.List, error) {
	members, err := top(answer, "data", "errors")
	if err != nil {
		return nil, err
	}
	if data, ok := members["data"]; ok {
		_, err = object(data)
		return nil, err
	}
	var entries []json.RawMessage
	if json.Unmarshal(members["errors"], &entries) != nil || len(entries) == 0 || len(entries) > maxProblems {
		return nil, fmt.Errorf("errors is not a list of 1 to %d problems", maxProblems)
	}
	var problems problem.List
	for _, entry := range entries {
		p, err := readProblem(entry)
		if err != nil {
			return nil, err
		}
		problems = append(problems, p)
	}
	return problems, nil
}

func readProblem(entry []byte) (*problem.Problem, error) {
	members, err := object(entry, "code", "path", "message")
	if err != nil {
		return nil, err
	}
	code, coded := text(members["code"], maxCode)
	message, said := text(members["message"], maxMessage)
	path, placed := "", true
	if raw, ok := members["path"]; ok {
		path, placed = text(raw, maxMessage)
	}
	switch {
	case !coded || !isCode(code):
		return nil, fmt.Errorf("the code of a problem is not kebab-case of at most %d bytes", maxCode)
	case !said || message == "":
		return nil, fmt.Errorf("the message of a problem is not a text of 1 to %d bytes without control characters", maxMessage)
	case !placed || !slices.Contains(paths, path):
		return nil, errors.New("the path of a problem is not that of a field of a create-order request")
	}
	return problem.New(problem.Invalid, codePrefix+code, path, message), nil
}

// isCode reports whether a text is kebab-case.
func isCode(code string) bool {
	for part := range strings.SplitSeq(code, "-") {
		if part == "" || strings.Trim(part, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
			return false
		}
	}
	return true
}

// readDiscount reads an answer of adjust. The zero Discount is none.
func readDiscount(answer []byte, price money.Amount) (none checkout.Discount, err error) {
	members, err := top(answer, "data")
	if err != nil {
		return none, err
	}
	if members, err = object(members["data"], "discount"); err != nil || len(members) == 0 {
		return none, err
	}
	if members, err = object(members["discount"], "amount", "label"); err != nil {
		return none, err
	}
	written, _ := text(members["amount"], maxMessage)
	label, _ := text(members["label"], maxAnswer)
	amount, ok := money.ParseAmount(written, price.Currency)
	discount := checkout.Discount{Label: label, Minor: amount.Minor}
	switch {
	case !ok:
		return none, errors.New("the amount of the discount is not an amount of the price's currency")
	case amount.Minor <= 0 || amount.Minor >= price.Minor:
		return none, errors.New("the discount is not above zero and below the price")
	case !discount.Valid(price):
		return none, errors.New("the label of the discount is not a text of 1 to 80 characters that can be shown on one line")
	}
	return discount, nil
}

// top reads the one member that an answer has, of those named.
func top(answer []byte, names ...string) (map[string]json.RawMessage, error) {
	if len(answer) > maxAnswer {
		return nil, fmt.Errorf("the answer has %d bytes, more than %d", len(answer), maxAnswer)
	}
	if !utf8.Valid(answer) {
		return nil, errors.New("the answer is not UTF-8")
	}
	members, err := object(answer, names...)
	if err == nil && len(members) != 1 {
		err = fmt.Errorf("the answer has not just one member of %s", strings.Join(names, ", "))
	}
	return members, err
}

// object reads an object that has no other members than those named. Its names are case-sensitive.
func object(raw []byte, names ...string) (map[string]json.RawMessage, error) {
	raw = bytes.TrimSpace(raw)
	members := make(map[string]json.RawMessage)
	if len(raw) == 0 || raw[0] != '{' || !json.Valid(raw) || json.Unmarshal(raw, &members) != nil {
		return nil, errors.New("the answer, or a member of it, is not the object that is expected")
	}
	for name := range members {
		if !slices.Contains(names, name) {
			return nil, errors.New("the answer has a member that is not known")
		}
	}
	return members, nil
}

// text reads a string of at most size bytes without control characters.
func text(raw []byte, size int) (s string, ok bool) {
	if raw = bytes.TrimSpace(raw); len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &s) != nil {
		return "", false
	}
	return s, len(s) <= size && utf8.ValidString(s) && !strings.ContainsFunc(s, isControl)
}
