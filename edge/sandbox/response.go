package sandbox

import (
	"strconv"

	"github.com/crepe-checkout/crepe/edge/sandbox/fault"
)

// response is the response to a call, with its text for the log.
type response struct {
	status     int // 0 for no response
	body       []byte
	mediaType  string // "" for JSON
	retryAfter int64  // seconds; 0 for no header
	replayed   bool
	session    string // the id of the session that it contains, "" for none
	fault      fault.Spec
	transport  fault.Transport // nil: sent as it is
	note       string
}

func ok(object any) response { return response{status: 200, body: encode(object)} }

// sessionResponse responds with a session.
func sessionResponse(s *session) response {
	a := ok(s)
	a.session, a.note = s.ID, s.about()
	return a
}

// apiError is Stripe's error object. Type is invalid_request_error unless set.
type apiError struct {
	Type    string `json:"type"`
	Code    string `json:"code,omitempty"`
	Message string `json:"message"`
	Param   string `json:"param,omitempty"`
}

const invalidRequest = "invalid_request_error"

func (e apiError) response(status int) response {
	if e.Type == "" {
		e.Type = invalidRequest
	}
	note := e.Code
	if note == "" {
		note = e.Type
	}
	return response{status: status, note: note, body: encode(struct {
		Error apiError `json:"error"`
	}{e})}
}

func notFound(kind, id, param string) response {
	return apiError{Code: "resource_missing", Param: param, Message: "No such " + kind + ": '" + id + "'"}.response(404)
}

// storeFailure is the response when the store fails. It is not stored under a key.
func storeFailure() response {
	return apiError{Type: "api_error", Message: "An error occurred with the sandbox's store."}.response(500)
}

func keyInUse() response {
	return apiError{Code: "idempotency_key_in_use",
		Message: "There is currently another in-progress request using this Idempotency Key."}.response(409)
}

// summary is the text of the response in the log.
func (a *response) summary(key string) string {
	text := strconv.Itoa(a.status) + " " + a.note
	if a.status == 0 {
		text = "no answer"
	}
	if key != "" {
		text += " · key " + key
	}
	if a.replayed {
		text += " · replayed"
	}
	if a.fault != "" {
		text += " · fault " + string(a.fault)
	}
	return text
}
