package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"os"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unicode"

	"github.com/mattn/go-runewidth"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

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

// troubleText is in a few words why a request has to be sent again.
func troubleText(err error) string {
	var refusal *oss.Error
	var errno syscall.Errno
	var unknown *net.DNSError
	switch {
	case errors.As(err, &refusal):
		return cmp.Or(refusal.Code, fmt.Sprintf("HTTP %d", refusal.Status))
	case errors.As(err, &unknown):
		return "the host is not known"
	case errors.As(err, &errno):
		return printable(errno.Error())
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection was closed"
	}
	return "the connection failed"
}

// retryLog is a log of the client that tells a meter of requests that are sent again.
type retryLog struct{ meter atomic.Pointer[meter] }

func (l *retryLog) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }
func (l *retryLog) WithAttrs([]slog.Attr) slog.Handler               { return l }
func (l *retryLog) WithGroup(string) slog.Handler                    { return l }

func (l *retryLog) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if err, ok := a.Value.Any().(error); ok {
			if m := l.meter.Load(); m != nil {
				m.retried(err)
			}
		}
		return true
	})
	return nil
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

const (
	plainEvery = 10 * time.Second // between two lines without a terminal
	jsonEvery  = time.Second      // between two lines of --json

	barsAtATime = 8
	barSize     = 16 << 20 // from which on a file has a bar at once
	barAfter    = time.Second
	barRefresh  = 150 * time.Millisecond

	// What a line has of a terminal's columns: the name a quarter, the bar a third
	// of what is left, the text the rest.
	nameWidthMin, nameWidthMax = 12, 28
	barWidthMin, barWidthMax   = 12, 32
)

// progressView shows a meter from time to time, until it is closed.
type progressView interface{ close() }

// bars are a line for every file that takes a while, and one for the whole. All
// of it belongs to the goroutine that looks at the meter: no task waits for a
// terminal.
type bars struct {
	*ticking
	m     *meter
	p     *mpb.Progress
	w     io.Writer
	total *barLine
	files map[*taskMeter]*barLine
}

// barLine is a bar and what is written around it.
type barLine struct {
	bar   *mpb.Bar
	state atomic.Pointer[lineState]
}

// lineState is what a line is to be.
type lineState struct {
	name        string
	percent     int      // -1 while unknown
	words       []string // what matters least first
	done, total int64
}

func newBars(m *meter, w io.Writer) *bars {
	b := &bars{m: m, w: w, files: map[*taskMeter]*barLine{}}
	b.p = mpb.New(mpb.WithOutput(w), mpb.WithAutoRefresh(), mpb.WithRefreshRate(barRefresh))
	b.ticking = newTicking(barRefresh, b.look)
	return b
}

func (b *bars) newLine(priority int) *barLine {
	l := &barLine{}
	l.state.Store(&lineState{})
	shape := mpb.BarStyle().Lbound(" [").Filler("=").Tip(">").Padding(" ").Rbound("] ")
	l.bar = b.p.New(0, shape, mpb.BarPriority(priority),
		mpb.PrependDecorators(decor.Any(func(s decor.Statistics) string { return l.state.Load().left(s.AvailableWidth) })),
		mpb.AppendDecorators(decor.Any(func(s decor.Statistics) string { return l.state.Load().right(s.AvailableWidth) })))
	return l
}

// left is what stands before a bar on a terminal of so many columns. A terminal
// echoes the ^C that interrupts, and the next line would begin behind that: each
// goes to the first column by itself.
func (s *lineState) left(columns int) string {
	return "\r" + pad(s.name, min(max(columns/4, nameWidthMin), nameWidthMax)) + percentText(s.percent)
}

// right is what stands behind a bar, where bar and text have so many columns:
// as many words as there is room for, and always as wide, so that bars are.
func (s *lineState) right(columns int) string {
	room := columns - min(max(columns*3/10, barWidthMin), barWidthMax)
	words := s.words
	text := strings.Join(words, ", ")
	for len(words) > 1 && len(text) > room {
		words = words[1:]
		text = strings.Join(words, ", ")
	}
	return text + strings.Repeat(" ", max(room-len(text), 0))
}

// set gives a line its texts, and its bar the place that it is to have: never
// the end, where mpb takes it for complete.
func (l *barLine) set(s *lineState) {
	l.state.Store(s)
	l.bar.SetTotal(max(s.total, 1)+1, false)
	l.bar.SetCurrent(max(min(s.done, s.total), 0))
}

// look takes what the meter says over to the terminal.
func (b *bars) look() {
	m := b.m
	m.mu.Lock()
	now := m.now()
	states := map[*taskMeter]*lineState{}
	for _, k := range m.tasks {
		slow := m.single || k.totalSize >= barSize || now.Sub(k.began) >= barAfter
		if b.files[k] != nil || slow && len(states) < barsAtATime {
			words := k.words(now)
			if m.single && m.trouble != "" {
				words = []string{size(k.p.Done), "trying again: " + m.trouble}
			}
			states[k] = &lineState{k.name, k.percentNow(), words, k.p.Done, k.totalSize}
		}
	}
	total := &lineState{"total", m.percent(), m.words(), m.done, m.total}
	single := m.single
	m.mu.Unlock()

	for k, l := range b.files {
		if _, ok := states[k]; !ok {
			l.bar.Abort(true)
			delete(b.files, k)
		}
	}
	for k, state := range states {
		l := b.files[k]
		if l == nil {
			l = b.newLine(0)
			b.files[k] = l
		}
		l.set(state)
	}
	if single {
		return
	}
	if b.total == nil {
		b.total = b.newLine(1)
	}
	b.total.set(total)
}

func (b *bars) close() {
	b.ticking.close()
	for _, l := range b.files {
		l.bar.Abort(true)
	}
	if b.total != nil {
		b.total.bar.Abort(true)
	}
	b.p.Wait()
	io.WriteString(b.w, "\r\x1b[K") // what is left of an echo
}

func percentText(p int) string {
	if p < 0 {
		return "    "
	}
	return fmt.Sprintf("%3d%%", p)
}

// pad makes a name take as many columns as all do, and one; what would move the
// cursor is replaced.
func pad(name string, columns int) string {
	runes := []rune(name)
	for i, r := range runes {
		if !unicode.IsPrint(r) {
			runes[i] = '?'
		}
	}
	name = string(runes)
	if over := runewidth.StringWidth(name) - columns; over > 0 {
		name = runewidth.TruncateLeft(name, over+len("..."), "...")
	}
	return runewidth.FillRight(name, columns+1)
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

// ticking prints something every so often.
type ticking struct {
	stop chan struct{}
	over sync.WaitGroup
}

func newTicking(every time.Duration, print func()) *ticking {
	t := &ticking{stop: make(chan struct{})}
	ticker := time.NewTicker(every)
	t.over.Go(func() {
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				print()
			case <-t.stop:
				return
			}
		}
	})
	return t
}

func (t *ticking) close() {
	close(t.stop)
	t.over.Wait()
}

// progressEntry is how far a transfer is, for machines.
type progressEntry struct {
	Type       string `json:"type"` // progress
	Bytes      int64  `json:"bytes"`
	BytesTotal int64  `json:"bytes_total"` // -1 while unknown
	Files      int64  `json:"files"`
	FilesTotal int64  `json:"files_total"` // -1 while unknown
	Rate       int64  `json:"rate"`        // bytes a second
	Phase      string `json:"phase,omitempty"`
}

func (m *meter) entry() progressEntry {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := progressEntry{
		Type: "progress", Bytes: m.done, BytesTotal: m.total, Files: m.files, FilesTotal: m.filesTotal,
		Rate: int64(m.rate.look(m.now(), m.passed)),
	}
	if m.single {
		e.Phase = phaseWord(m.phase)
	}
	return e
}

// drawsBars tells whether a terminal can be drawn on.
func drawsBars(s *clientSession) bool {
	return s.terminal && !s.json && !s.quiet && os.Getenv("TERM") != "dumb"
}
