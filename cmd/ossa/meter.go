package main

import (
	"cmp"
	"fmt"
	"math"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/ossastore/ossa/internal/transfer"
	"github.com/ossastore/ossa/oss"
)

// meter adds up how far a transfer is. What it tells never falls: neither bytes,
// nor files, nor percentages.
type meter struct {
	now func() time.Time

	mu          sync.Mutex
	single      bool                          // one task, and no total beside it
	tasks       map[*transfer.Task]*taskMeter // under way
	files       int64                         // that are settled
	filesTotal  int64                         // -1 while unknown
	done, total int64                         // bytes; total is -1 while unknown
	passed      float64                       // bytes that went by, hashed ones included, for the rate
	phase       oss.Phase                     // of a single task
	trouble     string                        // why requests are sent again, if nothing has moved since
	rate        rateMeter
	percentage  int
}

// taskMeter is how far one task is.
type taskMeter struct {
	name      string
	began     time.Time
	p         oss.Progress
	passed    int64 // of meter.passed
	rate      rateMeter
	percent   int
	action    transfer.Action
	totalSize int64
}

func newMeter(now func() time.Time) *meter {
	return &meter{now: now, tasks: map[*transfer.Task]*taskMeter{}, filesTotal: -1, total: -1}
}

// task returns the meter of a task. m.mu is held.
func (m *meter) task(t *transfer.Task) *taskMeter {
	k := m.tasks[t]
	if k == nil {
		k = &taskMeter{name: cmp.Or(t.Name, path.Base(t.Key)), began: m.now(), action: t.Action, totalSize: t.Size}
		m.tasks[t] = k
	}
	return k
}

// moved takes in the progress of a task.
func (m *meter) moved(t *transfer.Task, p oss.Progress) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := m.task(t)
	if m.single && p.Total >= 0 && m.total < p.Total {
		m.total = p.Total
	}
	if p.Total > k.totalSize {
		k.totalSize = p.Total
	}
	k.rise(m, p)
}

// rise takes over what has grown.
func (k *taskMeter) rise(m *meter, p oss.Progress) {
	p.Phase = max(p.Phase, k.p.Phase)
	p.Done = max(p.Done, k.p.Done)
	p.Verified = max(p.Verified, k.p.Verified)
	p.Moved = max(p.Moved, k.p.Moved)
	if p.Done > k.p.Done {
		m.trouble = ""
	}
	m.done += p.Done - k.p.Done
	if passed := p.Verified + max(p.Moved, 0); passed > k.passed {
		m.passed += float64(passed - k.passed)
		k.passed = passed
	}
	k.p = p
	m.phase = max(m.phase, p.Phase)
}

// retried takes in that a request is sent again. That may take long, and whoever
// waits wants to know what for.
func (m *meter) retried(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.trouble = troubleText(err)
}

// ended takes a task out. Its bytes are settled, whatever became of it, unless
// the run was stopped.
func (m *meter) ended(t *transfer.Task, o *transfer.Outcome) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := m.task(t)
	delete(m.tasks, t)
	if t.Action == transfer.Delete || o.Status == transfer.Stopped {
		return
	}
	m.files++
	if rest := max(t.Size, k.p.Total, 0) - k.p.Done; rest > 0 {
		m.done += rest
	}
}

// counted takes in how much there is.
func (m *meter) counted(files, bytes int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.filesTotal, m.total = files, max(bytes, m.done)
}

// percent is that of the whole, or -1 while the whole is not known.
func (m *meter) percent() int {
	if m.total < 0 {
		return -1
	}
	p := percentOf(m.done, m.total)
	if m.filesTotal > m.files || m.single && m.files == 0 {
		p = min(p, 99)
	}
	m.percentage = max(m.percentage, p)
	return m.percentage
}

// percentOf rounds down: 100 is all.
func percentOf(done, total int64) int {
	if total <= 0 {
		return 100
	}
	return int(min(float64(done)/float64(total), 1) * 100)
}

// rateMeter is how fast a number grows, as a mean in which the past counts less
// the longer ago it is.
type rateMeter struct {
	at    time.Time
	last  float64
	value float64
}

const (
	rateSpan  = 5 * time.Second        // after which the past counts a third
	rateEvery = 200 * time.Millisecond // between two looks
)

// look returns the rate in bytes a second.
func (r *rateMeter) look(now time.Time, value float64) float64 {
	if r.at.IsZero() {
		r.at, r.last = now, value
		return 0
	}
	passed := now.Sub(r.at)
	if passed < rateEvery {
		return r.value
	}
	current := (value - r.last) / passed.Seconds()
	if r.value == 0 {
		r.value = current
	} else {
		r.value += (current - r.value) * (1 - math.Exp(-passed.Seconds()/rateSpan.Seconds()))
	}
	r.at, r.last = now, value
	return r.value
}

// remaining is how long the rest takes at a rate, "" if that is not known.
func remaining(rest int64, rate float64) string {
	if rest <= 0 || rate < 1 {
		return ""
	}
	switch left := float64(rest) / rate; { // seconds
	case left < 60:
		return fmt.Sprintf("%ds left", int(left)+1)
	case left < 100*3600:
		n := int(left)
		return fmt.Sprintf("%d:%02d:%02d left", n/3600, n/60%60, n%60)
	default:
		return fmt.Sprintf("%.0f days left", left/(24*3600))
	}
}

// line is how far the whole is, in one line.
func (m *meter) line() string {
	words := m.words()
	if p := m.percent(); p >= 0 {
		words = append([]string{fmt.Sprintf("%d%%", p)}, words...)
	}
	return strings.Join(words, ", ")
}

// words are how far the whole is, but for the percentage.
func (m *meter) words() []string {
	rate := m.rate.look(m.now(), m.passed)
	var words []string
	if m.total >= 0 {
		words = append(words, size(min(m.done, m.total))+" of "+size(m.total))
	} else {
		words = append(words, size(m.done))
	}
	if !m.single {
		if m.filesTotal >= 0 {
			words = append(words, fmt.Sprintf("%d of %d files", m.files, m.filesTotal))
		} else {
			words = append(words, fmt.Sprintf("%d files", m.files))
		}
	} else if m.phase != oss.Transferring {
		words = append(words, phaseWord(m.phase))
	}
	if m.trouble != "" {
		return append(words, "trying again: "+m.trouble)
	}
	if rate >= 1 {
		words = append(words, size(int64(rate))+"/s")
	}
	if m.total >= 0 {
		if left := remaining(m.total-m.done, rate); left != "" {
			words = append(words, left)
		}
	}
	return words
}

// phaseWord is what a task does, for people.
func phaseWord(p oss.Phase) string {
	switch p {
	case oss.Verifying:
		return "hashing"
	case oss.Completing:
		return "completing"
	case oss.Finished:
		return "done"
	}
	return p.String()
}

// percentNow is that of the file, or -1 if its size is not known.
func (k *taskMeter) percentNow() int {
	if k.totalSize < 0 {
		return -1
	}
	p := percentOf(k.p.Done, k.totalSize)
	if k.p.Phase < oss.Completing {
		p = min(p, 99)
	}
	k.percent = max(k.percent, p)
	return k.percent
}

// words are what stands behind the bar of a file.
func (k *taskMeter) words(now time.Time) []string {
	rate := k.rate.look(now, float64(k.passed))
	words := []string{k.word()}
	switch k.p.Phase {
	case oss.Verifying:
		if k.totalSize > 0 {
			words[0] += fmt.Sprintf(" %d%%", percentOf(k.p.Verified, k.totalSize))
		}
	case oss.Transferring:
		words = append(words, size(k.p.Done))
	}
	if rate >= 1 {
		words = append(words, size(int64(rate))+"/s")
	}
	if k.p.Phase == oss.Transferring {
		if left := remaining(k.totalSize-k.p.Done, rate); left != "" {
			words = append(words, left)
		}
	}
	return words
}

// word says what a task does.
func (k *taskMeter) word() string {
	if k.p.Phase != oss.Transferring {
		return phaseWord(k.p.Phase)
	}
	switch k.action {
	case transfer.Upload:
		return "uploading"
	case transfer.Download:
		return "downloading"
	}
	return "copying"
}
