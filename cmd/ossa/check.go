package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/ossastore/ossa/internal/engine"
	"github.com/ossastore/ossa/internal/store"
)

// errDamage ends a check that found damage. The report has told.
var errDamage = errors.New("damage found")

func checkCommand() *cobra.Command {
	var data, keyRing string
	var asJSON bool
	command := &cobra.Command{
		Use:   "check",
		Short: "Verify a data directory",
		Long: `Verify a data directory: every record, every extent, every checksum, and that
everything that should be there is. All bytes are read, so it takes as long as
the disk needs for that. The server must be stopped first.

What is encrypted is decrypted too. Without its key ring only what is stored of it
is verified, and the report counts what could not be decrypted.

Damage is listed on stdout, one line each, before a summary. Extents without a
name and garbage are no damage: they are what a killed process leaves, and the
server removes them while it runs.

Exit status: 0 if nothing is damaged, 1 if something is or the check could not
be done, 2 if the command line cannot be understood.`,
		Example: `  ossa check --data /srv/ossa
  ossa check --data /srv/ossa --json | jq .damage`,
		Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			if err := readEnvironment(command, os.Getenv); err != nil {
				return err
			}
			if err := validKeyRing(&keyRing); err != nil {
				return err
			}
			if err := absolute(&data); err != nil {
				return err
			}
			return check(command.Context(), data, keyRing, asJSON, command.OutOrStdout(), command.ErrOrStderr())
		},
	}
	addDataFlag(command.Flags(), &data)
	addKeyRingFlag(command.Flags(), &keyRing, "")
	command.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line")
	return command
}

func check(ctx context.Context, data, keyRing string, asJSON bool, stdout, stderr io.Writer) (err error) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()

	e, err := engine.Open(engine.Options{Dir: data, MustExist: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	ring, err := openKeyRing(keyRing, data, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	s, err := store.Open(ctx, e.KV, e.Blob, store.Options{KeyRing: orNone(ring)})
	if errors.Is(err, store.ErrWrongRing) {
		fmt.Fprintf(stderr, "ossa: %v%s\nossa: going on without; what is encrypted is not decrypted\n", err, ringAdvice(err))
		s, err = store.Open(ctx, e.KV, e.Blob, store.Options{})
	}
	if err != nil {
		return err
	}
	defer s.Close()

	p := newProgress(stderr)
	report, err := s.Check(ctx, store.CheckOptions{Progress: p.show})
	p.clear()
	if err != nil {
		return fmt.Errorf("check %s: %w", data, err)
	}
	if err := printReport(stdout, data, report, asJSON); err != nil {
		return err
	}
	if report.Damaged > 0 {
		return errDamage
	}
	return nil
}

// storeEntry is what is in a data directory, for machines.
type storeEntry struct {
	Type         string        `json:"type"` // store
	Buckets      int64         `json:"buckets"`
	Objects      int64         `json:"objects"`
	Uploads      int64         `json:"uploads"`
	Parts        int64         `json:"parts"`
	Users        int64         `json:"users"`
	AccessKeys   int64         `json:"access_keys"`
	Policies     int64         `json:"policies"`
	Extents      int64         `json:"extents"`
	Bytes        int64         `json:"bytes"` // of the extents
	Encrypted    int64         `json:"encrypted"`
	Unopened     int64         `json:"unopened"`
	Garbage      int64         `json:"garbage"`
	Unnamed      int64         `json:"unnamed"`
	UnnamedBytes int64         `json:"unnamed_bytes"`
	Damaged      int64         `json:"damaged"`
	Damage       []damageEntry `json:"damage"` // the first thousand
}

type damageEntry struct {
	Where string `json:"where"`
	What  string `json:"what"`
}

func storeEntryOf(r *store.CheckReport) storeEntry {
	damage := []damageEntry{} // a list for whoever reads it
	for _, d := range r.Damage {
		damage = append(damage, damageEntry(d))
	}
	return storeEntry{
		"store", r.Buckets, r.Objects, r.Uploads, r.Parts, r.Users, r.AccessKeys, r.Policies, r.Extents, r.Bytes,
		r.Encrypted, r.Unopened, r.Garbage, r.Unnamed, r.UnnamedBytes, r.Damaged, damage,
	}
}

func printReport(w io.Writer, data string, r *store.CheckReport, asJSON bool) error {
	if asJSON {
		return (&printer{stdout: w}).print(storeEntryOf(r))
	}
	for _, d := range r.Damage {
		fmt.Fprintf(w, "damaged: %s: %s\n", d.Where, d.What)
	}
	if more := r.Damaged - int64(len(r.Damage)); more > 0 {
		fmt.Fprintf(w, "damaged: %d more\n", more)
	}
	for _, row := range []struct {
		name  string
		count int64
		note  string
	}{
		{"buckets", r.Buckets, ""},
		{"objects", r.Objects, ""},
		{"open uploads", r.Uploads, ""},
		{"parts of open uploads", r.Parts, ""},
		{"users", r.Users, ""},
		{"access keys of users", r.AccessKeys, ""},
		{"policies", r.Policies, ""},
		{"extents verified", r.Extents, size(r.Bytes)},
		{"encrypted", r.Encrypted, "objects and parts"},
		{"not decrypted", r.Unopened, ""},
		{"garbage to reclaim", r.Garbage, ""},
		{"extents without a name", r.Unnamed, size(r.UnnamedBytes)},
		{"damaged", r.Damaged, ""},
	} {
		fmt.Fprintln(w, strings.TrimRight(fmt.Sprintf("%-22s %12d  %s", row.name, row.count, row.note), " "))
	}
	verdict := "no damage in"
	if r.Damaged > 0 {
		verdict = "DAMAGE in"
	}
	_, err := fmt.Fprintln(w, verdict, data)
	return err
}

// progress is one line on a terminal that renews itself; elsewhere nothing.
type progress struct {
	w    io.Writer // nil for nobody
	last time.Time
}

const progressEvery = 200 * time.Millisecond

func newProgress(stderr io.Writer) *progress {
	if f, ok := stderr.(*os.File); ok && isTerminal(f) {
		return &progress{w: f}
	}
	return &progress{}
}

func (p *progress) show(r store.CheckReport) {
	if now := time.Now(); p.w != nil && now.Sub(p.last) >= progressEvery {
		p.last = now
		fmt.Fprintf(p.w, "\r\x1b[Kchecking: %d objects, %d parts, %s, %d damaged", r.Objects, r.Parts, size(r.Bytes), r.Damaged)
	}
}

func (p *progress) clear() {
	if p.w != nil {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
