package sandbox

import (
	"strconv"

	"github.com/crepe-checkout/crepe/edge/sandbox/fault"
)

// answer is a response, with what the log says about it.
type answer struct {
	status     int // 0 for no answer
	body       []byte
	mediaType  string // "" for JSON
	retryAfter int64  // seconds; 0 for not said
	replayed   bool
	shows      []string // the sessions whose URL it contains
	noted      bool     // and that it leaves is written down already
	fault      fault.Spec
	transport  fault.Transport // nil: sent as it is
	note       string
}

func ok(object any) answer { return answer{status: 200, body: encode(object)} }

// show is the answer that a session is.
func show(s *session) answer {
	a := ok(s)
	a.note = s.about()
	if s.URL != "" {
		a.shows = []string{s.ID}
	}
	return a
}

// apiError is Stripe's error object.
type apiError struct {
	Type    string `json:"type"`
	Code    string `json:"code,omitempty"`
	Message string `json:"message"`
	Param   string `json:"param,omitempty"`
}

const invalidRequest = "invalid_request_error"

func (e apiError) answer(status int) answer {
	if e.Type == "" {
		e.Type = invalidRequest
	}
	note := e.Code
	if note == "" {
		note = e.Type
	}
	return answer{status: status, note: note, body: encode(struct {
		Error apiError `json:"error"`
	}{e})}
}

func missing(kind, id, param string) answer {
	return apiError{Code: "resource_missing", Param: param, Message: "No such " + kind + ": '" + id + "'"}.answer(404)
}

// broken is the answer when the store fails: it cannot be stored under a key either.
func broken() answer {
	return apiError{Type: "api_error", Message: "An error occurred with the sandbox's store."}.answer(500)
}

func keyInUse() answer {
	return apiError{Code: "idempotency_key_in_use",
		Message: "There is currently another in-progress request using this Idempotency Key."}.answer(409)
}

// summary is the answer in the log.
func (a *answer) summary(key string) string {
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
