package sandbox

import (
	"strings"
	"sync"
	"time"
)

// journal keeps the last entries of the log.
type journal struct {
	mutex   sync.Mutex
	entries [500]Entry
	count   int
}

// Entry is a row of the log.
type Entry struct {
	At      time.Time
	Kind    string // "API", "Page", "Webhook"
	What    string
	Outcome string
}

func (j *journal) add(at time.Time, kind, what, outcome string) {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	j.entries[j.count%len(j.entries)] = Entry{at.UTC(), kind, what, outcome}
	j.count++
}

// Log returns the last calls, payments and deliveries of this process, the newest first.
func (s *Sandbox) Log() []Entry {
	j := &s.journal
	j.mutex.Lock()
	defer j.mutex.Unlock()
	var copied []Entry
	for i := j.count - 1; i >= 0 && i >= j.count-len(j.entries); i-- {
		copied = append(copied, j.entries[i%len(j.entries)])
	}
	return copied
}

// Note logs an action on a page.
func (s *Sandbox) Note(what, outcome string) { s.journal.add(s.config.Now(), "Page", what, outcome) }

// about is the text of a session in the log.
func (r *record) about() string {
	return r.Session.about() + " · " + r.Session.Status + ", " + r.Session.PaymentStatus
}

func (s *session) about() string { return s.ID + ofOrder(string(s.ClientReferenceID)) }

func ofOrder(id string) string {
	if id == "" {
		return ""
	}
	return " · order " + id
}

// maskEmail keeps the first character and the domain of an e-mail address.
func maskEmail(email string) string {
	name, domain, ok := strings.Cut(email, "@")
	if !ok || name == "" {
		return "no e-mail"
	}
	return name[:1] + "…@" + domain
}
