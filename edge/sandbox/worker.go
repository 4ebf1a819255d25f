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
	for {
		select {
		case <-s.stop:
			return
		default:
		}
		tasks, wait, err := s.due()
		if err = errors.Join(err, s.perform(tasks)); err != nil {
			s.Log.Error("the sandbox cannot do what is due", "error", err)
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

// due is what is to be done now, and how long nothing else is.
func (s *Sandbox) due() (tasks []task, wait time.Duration, err error) {
	now := s.Now().UnixMilli()
	wait = restless
	err = s.Store.Scan("du/", "", func(key string, _ []byte) bool {
		parts := strings.SplitN(key, "/", 4)
		at, err := strconv.ParseInt(parts[1], 10, 64)
		if err != nil || at <= now {
			tasks = append(tasks, task{key, parts[2], parts[3]})
			return len(tasks) < maxTasks
		}
		wait = min(wait, time.Duration(at-now)*time.Millisecond)
		return false
	})
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
