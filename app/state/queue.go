package state

import (
	"slices"

	"github.com/imprompt/imprompt/app/texts"
)

// Queue returns the requests that wait, in the order in which they will be drawn.
func (j *Jobs) Queue() []*Unfinished { return j.waiting }

// Held reports whether what waits begins only when the visitor says so: after a failure, which the next request might
// meet as well.
func (j *Jobs) Held() bool { return j.held && len(j.waiting) > 0 }

// Title names a request in words.
func (u Unfinished) Title() string {
	if len(u.Jobs) == 0 {
		return ""
	}
	s, n := u.Jobs[0], len(u.Shots)
	title := s.Prompt
	if title == "" {
		title = texts.F("picture of seed %d", s.Seed)
	}
	if n > 1 {
		title += ", " + texts.N(n, "%d picture", "%d pictures")
	}
	return title
}

func (j *Jobs) nextNumber() int {
	j.last++
	return j.last
}

// wait puts a request at the end of the queue.
func (j *Jobs) wait(u Unfinished) {
	u.Number = j.nextNumber()
	j.waiting = append(slices.Clone(j.waiting), &u)
}

// WaitAgain takes back the requests that waited in an earlier page. They begin after what is resumed, or when the visitor
// says so.
func (j *Jobs) WaitAgain(list []Unfinished) {
	j.held = j.held || !j.Busy() && len(list) > 0
	for _, u := range list {
		j.wait(u)
	}
}

// beginWaiting begins with the first request that waits, unless they are held.
func (j *Jobs) beginWaiting() {
	if j.held || j.line == nil || len(j.waiting) == 0 {
		return
	}
	u := j.waiting[0]
	j.waiting = slices.Clone(j.waiting[1:])
	j.begin(*u)
	if j.Begun != nil {
		j.Begun()
	}
}

// GoOn begins with what was held.
func (j *Jobs) GoOn() {
	j.held = false
	if !j.Busy() {
		j.beginWaiting()
	}
}

// hold ends the request under way, and keeps what waits until the visitor goes on with it.
func (j *Jobs) hold() {
	j.held = len(j.waiting) > 0
	j.end()
}

// Move moves a request so many places towards the end of the queue, or towards its beginning.
func (j *Jobs) Move(number, by int) {
	i := j.place(number)
	if to := i + by; i >= 0 && to >= 0 && to < len(j.waiting) {
		u := j.waiting[i]
		j.waiting = slices.Insert(slices.Delete(slices.Clone(j.waiting), i, i+1), to, u)
	}
}

// Withdraw takes a request out of the queue. back puts it into its place again.
func (j *Jobs) Withdraw(number int) (back func()) {
	i := j.place(number)
	if i < 0 {
		return func() {}
	}
	u := j.waiting[i]
	j.waiting = slices.Delete(slices.Clone(j.waiting), i, i+1)
	return func() { j.waitAgainAt(min(i, len(j.waiting)), u) }
}

// WithdrawAll empties the queue. back fills it again.
func (j *Jobs) WithdrawAll() (back func()) {
	all := j.waiting
	j.waiting = nil
	return func() { j.waitAgainAt(0, all...) }
}

// waitAgainAt puts requests back into the queue. If nothing is drawn any more, they are held.
func (j *Jobs) waitAgainAt(i int, list ...*Unfinished) {
	j.waiting = slices.Insert(slices.Clone(j.waiting), i, list...)
	j.held = j.held || !j.Busy()
}

func (j *Jobs) place(number int) int {
	return slices.IndexFunc(j.waiting, func(u *Unfinished) bool { return u.Number == number })
}
