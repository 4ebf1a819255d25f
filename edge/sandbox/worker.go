package sandbox

import (
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	maxTasks = 16          // run concurrently
	maxSleep = time.Second // the worker looks again at least this often, because the clock can jump
)

// task is a due task with its key.
type task struct{ key, name, id string }

// work runs due tasks in the order of their time, several concurrently, until the sandbox closes.
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
			s.config.Log.Error("a task of the sandbox failed; it is tried again", "error", err)
			wait = maxSleep
		}
		select {
		case <-s.stop:
			return
		case <-s.wake:
		case <-time.After(wait):
		}
	}
}

// queue reads the tasks in the order of their time. Finished tasks are deleted, and a scan in an LSM tree passes over tombstones,
// so each scan starts near where the last one found a task.
type queue struct {
	store Store
	from  string // no task has a smaller key
	at    int64  // the time of the last scan, Unix milliseconds
}

// maxBackdate is how far in the past a task can be added.
const maxBackdate = time.Minute

// due returns the tasks that are due, and how long no other will be.
func (q *queue) due(at time.Time) (tasks []task, wait time.Duration, err error) {
	now := at.UnixMilli()
	if now < q.at {
		q.from = "" // the clock was set back
	}
	first := dueTime(now - maxBackdate.Milliseconds())
	wait = maxSleep
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

// perform runs the tasks concurrently. A task that fails stays due.
func (s *Sandbox) perform(tasks []task) error {
	var all sync.WaitGroup
	failed := make([]error, len(tasks))
	for i, t := range tasks {
		all.Go(func() {
			switch t.name {
			case "expire":
				failed[i] = s.expireDue(t.key, t.id)
			case "settle":
				failed[i] = s.settleDue(t.key, t.id)
			case "refund":
				failed[i] = s.refundDue(t.key, t.id)
			case "send":
				failed[i] = s.send(t.key, t.id)
			}
		})
	}
	all.Wait()
	return errors.Join(failed...)
}

// dueKey is the key of a task at a time in Unix milliseconds.
func dueKey(at int64, task, id string) string { return dueTime(at) + "/" + task + "/" + id }

// dueTime is the common prefix of the keys of tasks at a time.
func dueTime(at int64) string {
	digits := strconv.FormatInt(at, 10)
	return "du/" + "0000000000000"[:max(0, 13-len(digits))] + digits
}
