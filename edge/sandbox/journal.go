package sandbox

import (
	"strings"
	"sync"
	"time"
)

// journal is what the log page shows: the last calls, payments and deliveries of this process.
type journal struct {
	mutex   sync.Mutex
	entries [500]entry
	count   int
}

type entry struct {
	At      time.Time
	Kind    string // "API", "Page", "Webhook"
	What    string
	Outcome string
}

func (j *journal) add(at time.Time, kind, what, outcome string) {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	j.entries[j.count%len(j.entries)] = entry{at.UTC(), kind, what, outcome}
	j.count++
}

// latest is a copy, the newest first.
func (j *journal) latest() []entry {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	var copied []entry
	for i := j.count - 1; i >= 0 && i >= j.count-len(j.entries); i-- {
		copied = append(copied, j.entries[i%len(j.entries)])
	}
	return copied
}

// mask leaves of an e-mail address what one needs to recognise one's own.
func mask(email string) string {
	name, domain, ok := strings.Cut(email, "@")
	if !ok || name == "" {
		return "no e-mail"
	}
	return name[:1] + "…@" + domain
}
