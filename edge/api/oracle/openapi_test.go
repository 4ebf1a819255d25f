package oracle

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/errors"
)

const createOrder = "/v1/actions/onetime-order/create-order"

func open(t *testing.T) validator.Validator {
	t.Helper()
	text, err := os.ReadFile("../openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	document, err := libopenapi.NewDocument(text)
	if err != nil {
		t.Fatal(err)
	}
	v, failed := validator.NewValidator(document)
	if failed != nil {
		t.Fatal(failed)
	}
	return v
}

func report(t *testing.T, what string, valid bool, found []*errors.ValidationError) {
	t.Helper()
	if valid {
		return
	}
	for _, e := range found {
		t.Errorf("%s: %s: %s", what, e.Message, e.Reason)
		for _, s := range e.SchemaValidationErrors {
			t.Errorf("%s: %s at %s", what, s.Reason, s.FieldPath)
		}
	}
}

// TestDocument holds openapi.yaml to the specification of OpenAPI 3.1.
func TestDocument(t *testing.T) {
	valid, found := open(t).ValidateDocument()
	report(t, "openapi.yaml", valid, found)
}

// TestExchanges validates the requests that succeeded, and every answer.
func TestExchanges(t *testing.T) {
	text, err := os.ReadFile("../testdata/exchanges.json")
	if err != nil {
		t.Fatal(err)
	}
	var exchanges []struct {
		Name, Method, Path string
		Header             map[string]string
		Request, Response  json.RawMessage
		Status             int
	}
	if err := json.Unmarshal(text, &exchanges); err != nil {
		t.Fatal(err)
	}
	v := open(t)
	for _, e := range exchanges {
		request := newRequest(t, e.Method, e.Path, e.Request)
		for name, value := range e.Header {
			request.Header.Set(name, value)
		}
		if e.Status == http.StatusOK {
			valid, found := v.ValidateHttpRequestSync(request)
			report(t, e.Name+", request", valid, found)
		}
		if e.Response != nil {
			valid, found := v.ValidateHttpResponse(newRequest(t, e.Method, e.Path, nil), newResponse(e.Status, e.Response))
			report(t, e.Name+", answer", valid, found)
		}
	}
}

// TestRefusals validates every golden refusal as an answer of create-order.
func TestRefusals(t *testing.T) {
	v := open(t)
	for _, name := range []string{"create-order-refusals.txt", "transport-refusals.txt"} {
		text, err := os.ReadFile("../../server/testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		rows := 0
		for _, row := range strings.Split(strings.TrimSpace(string(text)), "\n\n") {
			lines := strings.Split(strings.TrimSpace(row), "\n")
			if len(lines) != 3 {
				t.Fatalf("%s has the row %q", name, row)
			}
			status, err := strconv.Atoi(strings.TrimPrefix(lines[1], "HTTP "))
			if err != nil {
				t.Fatal(err)
			}
			valid, found := v.ValidateHttpResponse(newRequest(t, "POST", createOrder, nil), newResponse(status, []byte(lines[2])))
			report(t, lines[0], valid, found)
			rows++
		}
		if rows < 10 {
			t.Errorf("%s has %d rows only", name, rows)
		}
	}
}

// TestInvalid shows that the description refuses what it should.
func TestInvalid(t *testing.T) {
	v := open(t)
	for _, body := range []string{`{"data":{}}`, `{"data":{"checkoutUrl":"https://a.example","more":1}}`, `{"data":{"checkoutUrl":7}}`} {
		if valid, _ := v.ValidateHttpResponse(newRequest(t, "POST", createOrder, nil), newResponse(200, []byte(body))); valid {
			t.Errorf("the answer %s is valid", body)
		}
	}
	if valid, _ := v.ValidateHttpResponse(newRequest(t, "POST", createOrder, nil), newResponse(400, []byte(`{"data":null,"errors":[]}`))); valid {
		t.Error("a refusal without an error is valid")
	}
	request := newRequest(t, "POST", createOrder, []byte(`{"billingDetail":{}}`))
	if valid, _ := v.ValidateHttpRequestSync(request); valid {
		t.Error("a request without a credential and a session is valid")
	}
}

func newRequest(t *testing.T, method, path string, body []byte) *http.Request {
	t.Helper()
	request, err := http.NewRequest(method, "https://pay.example.com"+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	return request
}

func newResponse(status int, body []byte) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json; charset=utf-8"}},
		Body: io.NopCloser(bytes.NewReader(body))}
}
