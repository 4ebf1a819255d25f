// Package viestest is a VIES for tests, with its answers and its faults. The number decides, as in VIES's own test service, or else
// what [VIES.Next] was told.
package viestest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Fault is an answer that VIES should not give.
type Fault string

// The faults besides VIES's own error codes, such as "MS_UNAVAILABLE", which are faults as well.
const (
	None         Fault = ""
	Down         Fault = "down"          // the connection is closed
	Status500    Fault = "500"           // without JSON
	Unauthorized Fault = "403"           // as a proxy may answer, with JSON of its own
	Hang         Fault = "hang"          // no answer until the client gives up
	SlowBody     Fault = "slow-body"     // a body that does not end
	InvalidJSON  Fault = "invalid-json"  // half of an answer
	Oversize     Fault = "oversize"      // a valid answer of a megabyte
	Redirect     Fault = "redirect"      // to a page that would confirm any number
	WrongCountry Fault = "wrong-country" // the answer is about a number of another country
	WrongNumber  Fault = "wrong-number"
	NoVerdict    Fault = "no-verdict"  // an answer without "valid"
	EchoError    Fault = "echo-error"  // an unknown error that repeats the number
	ErrorOn500   Fault = "error-500"   // MS_UNAVAILABLE with the status 500
	ErrorInValid Fault = "error-valid" // "valid": false beside the error MS_UNAVAILABLE
)

// Question is a request that the fake has read.
type Question struct {
	CountryCode, VATNumber                    string
	RequesterMemberStateCode, RequesterNumber string
}

// VIES is an [http.Handler]. The zero value confirms every number but those in Unknown.
type VIES struct {
	mutex     sync.Mutex
	faults    []Fault
	unknown   map[string]bool
	questions []Question
}

// Next makes the next requests fail, one after the other; a fault None is an answer.
func (v *VIES) Next(faults ...Fault) {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	v.faults = append(v.faults, faults...)
}

// Unregister makes a number, with its prefix, one that is not registered.
func (v *VIES) Unregister(number string) {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	if v.unknown == nil {
		v.unknown = make(map[string]bool)
	}
	v.unknown[number] = true
}

// Questions returns what was asked.
func (v *VIES) Questions() []Question {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	return append([]Question(nil), v.questions...)
}

// ServeHTTP implements [http.Handler].
func (v *VIES) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/check-vat-number") {
		fmt.Fprint(w, `{"valid":true}`) // where a redirect leads
		return
	}
	var q Question
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
		http.Error(w, "{}", http.StatusBadRequest)
		return
	}
	fault, valid, n := v.take(q)
	if fault != None {
		fail(w, r, fault, &q)
		return
	}
	reply := answerTo(&q, valid)
	if q.RequesterNumber != "" {
		reply["requestIdentifier"] = fmt.Sprintf("WAPIAAAA%08d", n)
	}
	send(w, http.StatusOK, reply)
}

// take records a question and returns what happens to it.
func (v *VIES) take(q Question) (fault Fault, valid bool, n int) {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	v.questions = append(v.questions, q)
	if len(v.faults) > 0 {
		fault, v.faults = v.faults[0], v.faults[1:]
	}
	return fault, !v.unknown[q.CountryCode+q.VATNumber], len(v.questions)
}

func answerTo(q *Question, valid bool) map[string]any {
	reply := map[string]any{"countryCode": q.CountryCode, "vatNumber": q.VATNumber, "requestDate": "2026-11-23T10:15:30.123Z", "valid": valid,
		"requestIdentifier": "", "name": "---", "address": "---"}
	if valid {
		reply["name"], reply["address"] = "ACME GMBH", "TORSTR. 1\n10119 BERLIN"
	}
	return reply
}

func errorReply(code string) map[string]any {
	return map[string]any{"actionSucceed": false, "errorWrappers": []any{map[string]any{"error": code, "message": "…"}}}
}

func fail(w http.ResponseWriter, r *http.Request, fault Fault, q *Question) {
	reply := answerTo(q, true)
	switch fault {
	case Down:
		panic(http.ErrAbortHandler)
	case Status500:
		http.Error(w, "<html>Internal error</html>", http.StatusInternalServerError)
	case Unauthorized:
		send(w, http.StatusForbidden, reply)
	case Hang:
		<-r.Context().Done()
	case SlowBody:
		for r.Context().Err() == nil {
			fmt.Fprint(w, " ")
			w.(http.Flusher).Flush()
			time.Sleep(10 * time.Millisecond)
		}
	case InvalidJSON:
		fmt.Fprint(w, `{"valid":true,"countryCode":`)
	case Oversize:
		reply["name"] = strings.Repeat("A", 1<<20)
		send(w, http.StatusOK, reply)
	case Redirect:
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	case WrongCountry:
		reply["countryCode"] = "ZZ"
		send(w, http.StatusOK, reply)
	case WrongNumber:
		reply["vatNumber"] = "0"
		send(w, http.StatusOK, reply)
	case NoVerdict:
		delete(reply, "valid")
		send(w, http.StatusOK, reply)
	case EchoError:
		send(w, http.StatusBadRequest, errorReply("unknown number "+q.CountryCode+q.VATNumber))
	case ErrorOn500:
		send(w, http.StatusInternalServerError, errorReply("MS_UNAVAILABLE"))
	case ErrorInValid:
		reply["valid"], reply["userError"] = false, "MS_UNAVAILABLE"
		send(w, http.StatusOK, reply)
	default:
		send(w, http.StatusOK, errorReply(string(fault)))
	}
}

func send(w http.ResponseWriter, status int, reply map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(reply)
}
