package sandbox

import (
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	maxTasks = 16          // at once
	restless = time.Second // the longest sleep, for clocks that jump
)

// task is something due, under its key.
type task struct{ key, name, id string }

// work does what is due, in the order of its time and several at once, until the sandbox closes.
func (s *Sandbox) work() {
	q := queue{store: s.config.Store}
	for {
		select {
		case <-s.stop:
			return
		default:
		}
		tasks, wait, err := q.due(s.config.Now())
		if err = errors.Join(err, s.perform(tasks)); err != nil {
			s.config.Log.Error("the sandbox cannot do what is due", "error", err)
			wait = restless
		}
		select {
		case <-s.stop:
			return
		case <-s.wake:
		case <-time.After(wait):
		}
	}
}

// queue reads the tasks in the order of their time. What is done is deleted, and a store may have to pass by all that it
// has deleted, so the queue begins where it has found something before.
type queue struct {
	store Store
	from  string // no task has a key before it
	at    int64  // the time of the last look, in milliseconds
}

// hindsight is how long before now a task may still be added.
const hindsight = time.Minute

// due is what is to be done now, and how long nothing else is.
func (q *queue) due(at time.Time) (tasks []task, wait time.Duration, err error) {
	now := at.UnixMilli()
	if now < q.at {
		q.from = "" // the clock was set back
	}
	first := dueTime(now - hindsight.Milliseconds())
	wait = restless
	err = q.store.Scan("du/", q.from, func(key string, _ []byte) bool {
		parts := strings.SplitN(key, "/", 4)
		first = min(first, "du/"+parts[1])
		if due, err := strconv.ParseInt(parts[1], 10, 64); err == nil && due > now {
			wait = min(wait, time.Duration(due-now)*time.Millisecond)
			return false
		}
		tasks = append(tasks, task{key, parts[2], parts[3]})
		return len(tasks) < maxTasks
	})
	if err == nil {
		q.from, q.at = first, now
	}
	if len(tasks) > 0 {
		wait = 0 // there may be more
	}
	return tasks, wait, err
}

// perform does all of the tasks at once. One that cannot be done stays due.
func (s *Sandbox) perform(tasks []task) error {
	var all sync.WaitGroup
	failed := make([]error, len(tasks))
	for i, t := range tasks {
		all.Go(func() {
			switch t.name {
			case "expire":
				failed[i] = s.lapse(t.key, t.id)
			case "settle":
				failed[i] = s.decide(t.key, t.id)
			case "send":
				failed[i] = s.send(t.key, t.id)
			}
		})
	}
	all.Wait()
	return errors.Join(failed...)
}

// dueKey orders tasks by their time, in milliseconds.
func dueKey(at int64, task, id string) string { return dueTime(at) + "/" + task + "/" + id }

// dueTime comes before the keys of all tasks of its time.
func dueTime(at int64) string {
	digits := strconv.FormatInt(at, 10)
	return "du/" + "0000000000000"[:max(0, 13-len(digits))] + digits
}
