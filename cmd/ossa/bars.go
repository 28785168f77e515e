package main

import (
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"time"
	"unicode"

	"github.com/mattn/go-runewidth"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

const (
	barsAtATime = 8
	barSize     = 16 << 20 // from which on a file has a bar at once
	barAfter    = time.Second
	barRefresh  = 150 * time.Millisecond

	// What a line has of a terminal's columns: the name a quarter, the bar a third
	// of what is left, the text the rest.
	nameWidthMin, nameWidthMax = 12, 28
	barWidthMin, barWidthMax   = 12, 32
)

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
